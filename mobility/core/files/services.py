"""Keeping private files: stored, opened, taken, forgotten.

DomainError
├── (413)     FileTooLarge    in rules
├── (415)     FileNotAnImage  in rules
├── NotFound  FileMissing
└── Gone      FileTaken
"""

import datetime
import hashlib
import io
import os
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from mobility.core import audit
from mobility.core.errors import Gone, NotFound
from mobility.core.files import registry
from mobility.core.files.models import StoredFile
from mobility.core.files.rules import clean_image
from mobility.core.principals import Principal, system_principal

RETENTION = system_principal("file-retention")
FORGET_AT_ONCE = 500
# Content without a row belongs to a transaction that never committed; give a slow one time.
ORPHAN_AGE = datetime.timedelta(days=1)
_CHUNK = 1024 * 1024


class FileMissing(NotFound):
    """No such file, or not one this person may see."""

    code = "file_not_found"
    message = _("We could not find this file.")


class FileTaken(Gone):
    """It is handed out once, and was."""

    code = "file_taken"
    message = _("This file could be downloaded once, and was. Ask for a new one.")


def store_image(
    *,
    data: bytes,
    purpose: str,
    owner: Principal,
    organisation_id: int | None = None,
    at: datetime.datetime,
    delete_after: datetime.datetime | None = None,
) -> StoredFile:
    """Keep a picture (JPEG, PNG or WebP, ≤ 10 MB, ≤ 40 Mpx), drawn anew without its metadata.

    It goes after `delete_after`, or after what its purpose says. Raises `FileTooLarge` and
    `FileNotAnImage`.
    """
    image = clean_image(data)
    return _store(
        io.BytesIO(image.data),
        StoredFile(
            purpose=purpose,
            owner=owner,
            organisation_id=organisation_id,
            content_type=image.content_type,
            width=image.width,
            height=image.height,
            created_at=at,
            delete_after=delete_after or _last_day(purpose, at),
        ),
    )


def store_file(
    *,
    content: BinaryIO,
    content_type: str,
    purpose: str,
    owner: Principal,
    organisation_id: int | None = None,
    at: datetime.datetime,
    delete_after: datetime.datetime | None = None,
) -> StoredFile:
    """Keep a file that the house made itself; never what a stranger sent."""
    return _store(
        content,
        StoredFile(
            purpose=purpose,
            owner=owner,
            organisation_id=organisation_id,
            content_type=content_type,
            created_at=at,
            delete_after=delete_after or _last_day(purpose, at),
        ),
    )


def open_file(file: StoredFile) -> BinaryIO:
    """The content, open for reading; raises `FileMissing` if it has gone."""
    try:
        return path_of(file.public_id).open("rb")
    except FileNotFoundError:
        raise FileMissing from None


def take_file(*, file: StoredFile, by: Principal, at: datetime.datetime) -> BinaryIO:
    """Hand the content to a person: noted if it is not their own, and once where once is the rule.

    Raises `FileMissing`, and `FileTaken` to whoever comes second.
    """
    content = open_file(file)
    try:
        with transaction.atomic():
            if registry.purpose_of(file.purpose).once and not (
                # The next sweep removes it; whoever reads it now reads on.
                StoredFile.objects.filter(pk=file.pk, taken_at__isnull=True).update(
                    taken_at=at, delete_after=at
                )
            ):
                raise FileTaken
            if by != file.owner:
                audit.record(by=by, action="open_file", row=file, at=at)
    except BaseException:
        content.close()
        raise
    return content


@transaction.atomic
def remove_files(*, files: Iterable[StoredFile], at: datetime.datetime, by: Principal) -> int:
    """Remove the content of `files` for good once the transaction commits; returns how many.

    The rows stay, without the hash; files that have gone already are passed over.
    """
    locked = StoredFile.objects.present().select_for_update()
    rows = list(locked.filter(pk__in=[file.pk for file in files]).order_by("pk"))
    StoredFile.objects.filter(pk__in=[row.pk for row in rows]).update(removed_at=at, sha256="")
    for row in rows:
        audit.record(by=by, action="remove_file", row=row, at=at, changes={"purpose": row.purpose})
        transaction.on_commit(partial(path_of(row.public_id).unlink, missing_ok=True))
    return len(rows)


def keep_until(*, files: Iterable[StoredFile], until: datetime.datetime) -> None:
    """Say anew how long `files` are kept."""
    StoredFile.objects.present().filter(pk__in=[file.pk for file in files]).update(
        delete_after=until
    )


def forget_outlived(*, at: datetime.datetime) -> int:
    """Remove files whose time is over, and content that has no row; returns how many."""
    outlived = list(StoredFile.objects.outlived(at)[:FORGET_AT_ONCE])
    removed = remove_files(files=outlived, at=at, by=RETENTION)
    return removed + _sweep_orphans(at=at)


def path_of(public_id: UUID) -> Path:
    """Where the content of a file lies: spread by its last digits, which are random."""
    return Path(settings.FILES_DIR) / public_id.hex[-2:] / public_id.hex


def _last_day(purpose: str, at: datetime.datetime) -> datetime.datetime | None:
    keep = registry.purpose_of(purpose).keep
    return None if keep is None else at + keep


def _store(content: BinaryIO, file: StoredFile) -> StoredFile:
    """Content first, row second: a row without content would be a lie, the reverse is swept up."""
    file.size, file.sha256 = _write(content, path_of(file.public_id))
    file.save(force_insert=True)
    return file


def _write(content: BinaryIO, path: Path) -> tuple[int, str]:
    """Put the content there whole or not at all; its length and SHA-256."""
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    # mkstemp makes files that only their owner reads.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as target:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
                size += target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return size, digest.hexdigest()


def _sweep_orphans(*, at: datetime.datetime) -> int:
    """Unlink old content that no row owns: of lost transactions and of unlinks that never came.

    Each hour of the day looks at its share of the folders, so that every file is looked at once a day.
    """
    too_young = (at - ORPHAN_AGE).timestamp()
    removed = 0
    for folder in Path(settings.FILES_DIR).glob("??"):
        if int(folder.name, 16) % 24 != at.hour:
            continue
        old = [path for path in folder.iterdir() if path.stat().st_mtime < too_young]
        owned = _owned({path.name for path in old})
        for path in old:
            if path.name not in owned:
                path.unlink(missing_ok=True)
                removed += 1
    return removed


def _owned(names: set[str]) -> set[str]:
    ids = [UUID(name) for name in names if not name.startswith(".")]
    rows = StoredFile.objects.present().filter(public_id__in=ids)
    return {public_id.hex for public_id in rows.values_list("public_id", flat=True)}
