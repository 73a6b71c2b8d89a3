"""Jobs over minutes: firmware and logs, followed through statuses in any order."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from charging.devices import rules
from charging.devices.events import FirmwareJobFinished
from charging.devices.facts import JobStatusSaid
from charging.devices.models import FirmwareJob, LogJob
from charging.devices.states import (
    FIRMWARE_ENDS,
    LOG_ENDS,
    FirmwareState,
    LogKind,
    LogState,
)
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.services import check_command, queue_command
from charging.stations.states import CommandAction, CommandState
from mobility.core import ids, outbox
from mobility.core.principals import SYSTEM, Principal
from mobility.core.transitions import move

logger = logging.getLogger(__name__)

Job = FirmwareJob | LogJob
_ENDS: Final[frozenset[str]] = FIRMWARE_ENDS | LOG_ENDS
# Firmware may be planned for the night after next; a log is there or it is not.
_FIRMWARE_PATIENCE: Final = timedelta(hours=48)
_LOG_PATIENCE: Final = timedelta(hours=2)
_MOST_STATUSES: Final = 100
# OCPP 1.6 has one word less, and another one for a failure.
_SAME: Final = {"UploadFailed": LogState.UPLOAD_FAILURE}


def begin_firmware(command: StationCommand, at: datetime) -> None:
    """New firmware was asked for."""
    FirmwareJob.objects.create(
        station_id=command.station_id,
        command=command,
        location=command.payload["location"],
        signed=bool(command.payload.get("certificate")),
        asked_at=at,
    )


def begin_log(command: StationCommand, at: datetime) -> None:
    """A log was asked for."""
    LogJob.objects.create(
        station_id=command.station_id,
        command=command,
        kind=command.payload.get("kind", LogKind.DIAGNOSTICS),
        # Our own address carries a secret, of which the job keeps the hash.
        location="" if command.payload.get("secret_hash") else command.payload["location"],
        upload_hash=command.payload.get("secret_hash", ""),
        asked_at=at,
    )


@transaction.atomic
def fetch_log(
    *,
    station: ChargingStation,
    kind: str,
    idempotency_key: str,
    at: datetime,
    by: Principal,
    since: datetime | None = None,
    until: datetime | None = None,
) -> LogJob:
    """Have a station upload its log to an address of our own, good for this job alone.

    Raises CommandImpossible, CommandMalformed, CommandKeyReused.
    """
    secret = ids.secret()
    span = {
        name: at_text.isoformat().replace("+00:00", "Z")
        for name, at_text in (("since", since), ("until", until))
        if at_text is not None
    }
    payload: dict[str, Any] = {
        "kind": kind,
        "location": f"{settings.PUBLIC_URL}/api/v1/charging/uploads/{secret}/",
        "secret_hash": ids.hash_secret(secret),
        "request_id": 0,
        **span,
    }
    check_command(station=station, action=CommandAction.GET_LOG, payload=payload, at=at)
    command = queue_command(
        station_id=station.pk,
        action=CommandAction.GET_LOG,
        payload=payload,
        idempotency_key=idempotency_key,
        at=at,
        by=by,
    )
    return LogJob.objects.get(command=command)


def note_firmware_answer(command: StationCommand, at: datetime) -> None:
    """The station takes the job or not; an answer it never gave settles nothing."""
    job = FirmwareJob.objects.select_for_update().filter(command=command).first()
    if job is None:
        return
    _note_answer(job, command, at=at)
    if command.result.get("status") == "AcceptedCanceled":
        for older in FirmwareJob.objects.open().filter(station_id=job.station_id, pk__lt=job.pk):
            _finish(older, FirmwareState.REPLACED, at=at)


def note_log_answer(command: StationCommand, at: datetime) -> None:
    """The station takes the job, has no such log, or refuses."""
    job = LogJob.objects.select_for_update().filter(command=command).first()
    if job is None:
        return
    job.file_name = str(command.result.get("details", {}).get("file_name", ""))[:255]
    job.save(update_fields=["file_name"])
    said = command.result
    if command.state == CommandState.ACCEPTED and "status" not in said and not job.file_name:
        # 1.6 §6.26: no file name means that there is nothing to upload.
        _finish(job, LogState.EMPTY, at=at)
        return
    _note_answer(job, command, at=at)
    if said.get("status") == "AcceptedCanceled":
        for older in LogJob.objects.open().filter(station_id=job.station_id, pk__lt=job.pk):
            _finish(older, LogState.CANCELED, at=at)


def note_job_status(*, fact: JobStatusSaid, at: datetime) -> None:
    """What a station says of a job.

    1. By the request's number, else the newest job that is not over, else the newest.
    2. Every word is written down in the order of arrival.
    3. The job moves only forward: a late word of an earlier stage changes nothing, an end is final.
    """
    job = _job_of(fact)
    if job is None:
        logger.info("station %s: %s of no job of ours: %s", fact.station_id, fact.kind, fact.status)
        return
    said = _SAME.get(fact.status, fact.status) if isinstance(job, LogJob) else fact.status
    trail = [*job.statuses, {"at": fact.at.isoformat(), "status": fact.status}][-_MOST_STATUSES:]
    type(job).objects.filter(pk=job.pk).update(statuses=trail, heard_at=at)
    to = rules.next_state(state=job.state, said=said, moves=job.moves["state"])
    if to is not None:
        _go(job, to, at=at)


@transaction.atomic
def give_up_jobs(*, at: datetime) -> int:
    """Call lost what nobody heard of for long; returns how many."""
    # A job whose station speaks just now is not lost: its row is locked and left alone.
    firmware = FirmwareJob.objects.open().select_for_update(of=("self",), skip_locked=True)
    firmware = firmware.filter(asked_at__lt=at - _FIRMWARE_PATIENCE).order_by("pk")
    logs = LogJob.objects.open().select_for_update(of=("self",), skip_locked=True)
    logs = logs.filter(asked_at__lt=at - _LOG_PATIENCE).order_by("pk")
    lost: list[Job] = [
        *(job for job in firmware if _silent(job, at - _FIRMWARE_PATIENCE)),
        *(job for job in logs if _silent(job, at - _LOG_PATIENCE)),
    ]
    for job in lost:
        _finish(job, FirmwareState.LOST, at=at)
    return len(lost)


def _silent(job: Job, since: datetime) -> bool:
    return job.heard_at is None or job.heard_at < since


def _note_answer(job: Job, command: StationCommand, *, at: datetime) -> None:
    if job.state != FirmwareState.ASKED or command.state == CommandState.TIMED_OUT:
        return
    if command.state == CommandState.ACCEPTED:
        move(job, to=FirmwareState.ACCEPTED, at=at, by=SYSTEM, heard_at=at)
        return
    # InvalidCertificate, RevokedCertificate, offline …
    word = str(command.result.get("status") or command.result.get("reason") or command.state)
    trail = [*job.statuses, {"at": at.isoformat(), "status": word}]
    type(job).objects.filter(pk=job.pk).update(statuses=trail)
    _finish(job, FirmwareState.REFUSED, at=at)


def _job_of(fact: JobStatusSaid) -> Job | None:
    jobs: Any = (FirmwareJob if fact.kind == "firmware" else LogJob).objects
    mine = jobs.filter(station_id=fact.station_id).select_for_update(of=("self",))
    if fact.number is not None:
        found: Job | None = mine.filter(command_id=fact.number).first()
        return found
    open_one: Job | None = mine.exclude(state__in=_ENDS).order_by("-pk").first()
    return open_one or mine.order_by("-pk").first()


def _go(job: Job, to: str, *, at: datetime) -> None:
    if to in _ENDS:
        _finish(job, to, at=at)
    else:
        move(job, to=to, at=at, by=SYSTEM)


def _finish(job: Job, to: str, *, at: datetime) -> None:
    if rules.next_state(state=job.state, said=to, moves=job.moves["state"]) is None:
        return
    move(job, to=to, at=at, by=SYSTEM, finished_at=at)
    if isinstance(job, FirmwareJob):
        event = FirmwareJobFinished(
            job_id=str(job.public_id),
            station_identity=job.station.identity,
            state=job.state,
        )
        outbox.publish(event, at=at)
