"""What files are for: who may read them, and how long they are kept. Features register theirs."""

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any

from mobility.core.files.models import StoredFile

MayRead = Callable[[Any, StoredFile], bool]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Purpose:
    """The rules of one kind of file."""

    may_read: MayRead
    # None: as long as whoever refers to it wants it.
    keep: datetime.timedelta | None = None
    # Handed out a single time, then gone.
    once: bool = False


_purposes: dict[str, Purpose] = {}


def register(
    purpose: str,
    *,
    may_read: MayRead,
    keep: datetime.timedelta | None = None,
    once: bool = False,
) -> None:
    """Declare files of `purpose`: `may_read(user, file)` says who opens them besides their owner.

    `keep` is how long they are kept unless who stores one says otherwise; `once` hands each out a
    single time. Owners always read their own.
    """
    _purposes[purpose] = Purpose(may_read=may_read, keep=keep, once=once)


def purpose_of(name: str) -> Purpose:
    """The rules of `name`; raises LookupError if nobody registered it."""
    return _purposes[name]


def may_read(*, user: Any, file: StoredFile) -> bool:
    """Whether this person may see the file: its owner, or whom its purpose admits."""
    purpose = _purposes.get(file.purpose)
    if purpose is None or not getattr(user, "is_active", False):
        return False
    return user.principal == file.owner or purpose.may_read(user, file)
