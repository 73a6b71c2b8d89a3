"""Logs that stations bring to the address we gave them."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime, timedelta
from typing import BinaryIO, Final, cast

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from charging.devices.facts import JobStatusSaid
from charging.devices.models import LogJob
from charging.devices.services.jobs import note_job_status
from charging.devices.states import LOG_ENDS, LogState
from charging.stations.scoping import operates
from mobility.core import files, ids
from mobility.core.errors import NotFound
from mobility.core.files import StoredFile
from mobility.core.principals import charger_principal

PURPOSE: Final = "charger_log"
MAX_UPLOAD_BYTES: Final = 32 * 1024 * 1024
_OPEN_FOR: Final = timedelta(hours=2)
_IN_MEMORY: Final = 1024 * 1024


def _may_read(user: object, file: StoredFile) -> bool:
    owner = file.organisation_id
    return owner is not None and operates(user, organisation_id=owner)  # type: ignore[arg-type] # the registry knows no people


files.register(PURPOSE, may_read=_may_read, keep=timedelta(days=90))


class UploadRefused(NotFound):
    """No job waits for a file at this address (any more)."""

    code = "upload_refused"
    message = _("No file is expected here.")


def take_upload(*, secret: str, name: str, content: BinaryIO, at: datetime) -> LogJob:
    """Keep the log of the job whose address carries `secret`, once and within two hours.

    It is read whole before anything is locked: the gateway writes down that a station uploads while
    it does, and must not wait for a slow line. Raises UploadRefused.
    """
    upload_hash = ids.hash_secret(secret)
    if not _expected(upload_hash, at=at).filter(file__isnull=True).exists():
        raise UploadRefused
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as arrived:
        shutil.copyfileobj(content, arrived)
        arrived.seek(0)
        return _keep(upload_hash, name=name, content=cast("BinaryIO", arrived), at=at)


def _expected(upload_hash: str, *, at: datetime) -> QuerySet[LogJob]:
    return LogJob.objects.filter(upload_hash=upload_hash, asked_at__gte=at - _OPEN_FOR)


@transaction.atomic
def _keep(upload_hash: str, *, name: str, content: BinaryIO, at: datetime) -> LogJob:
    job = (
        _expected(upload_hash, at=at)
        .select_for_update(of=("self",))
        .select_related("station__site")
        .first()
    )
    if job is None or job.file_id is not None:
        raise UploadRefused
    file = files.store_file(
        content=content,
        content_type="application/octet-stream",
        purpose=PURPOSE,
        owner=charger_principal(job.station.identity),
        organisation_id=job.station.site.organisation_id,
        at=at,
    )
    job.file = file
    job.file_name = name[:255] or job.file_name
    job.save(update_fields=["file", "file_name"])
    if job.state not in LOG_ENDS and job.command_id is not None:
        # The file is here, whatever the station's last word will be.
        said = JobStatusSaid(
            station_id=job.station_id,
            kind="log",
            status=LogState.UPLOADED,
            number=job.command_id,
            at=at,
        )
        note_job_status(fact=said, at=at)
        job.refresh_from_db()
    return job
