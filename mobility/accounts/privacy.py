"""Who keeps what about people: rooms register how to show it, how to erase it, and what is in the way.

Accounts is below every room that keeps something, so the rooms come here, from a file `privacy.py` of their
own that their app imports when it is ready.
"""

import dataclasses
import datetime
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from django.utils.functional import Promise

from mobility.accounts.models import User
from mobility.core.files import StoredFile
from mobility.core.principals import Principal

# Where the rides of people who were erased belong: nobody, and everybody alike.
NOBODY = "nobody@erased.invalid"


class Export(Protocol):
    """What a room knows of a person, as JSON values that a person can read."""

    def __call__(self, *, user: User) -> Any:
        """Everything, oldest first."""
        ...


class Erase(Protocol):
    """Removes what a room knows of a person, or cuts it off from them, inside one transaction."""

    def __call__(self, *, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
        """`nobody` is the account that takes over what must stay without a person."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hindrance:
    """Why somebody cannot be erased yet, and what they can do about it."""

    code: str
    message: str | Promise


@dataclasses.dataclass(frozen=True, kw_only=True)
class Room:
    """One room's part in a person's rights."""

    export: Export
    erase: Erase
    hindrances: Callable[..., list[Hindrance]] | None = None
    # What the law makes us keep after an erasure, in words; empty where nothing stays.
    kept: str | Promise = ""


_rooms: dict[str, Room] = {}


def register(
    name: str,
    *,
    export: Export,
    erase: Erase,
    hindrances: Callable[..., list[Hindrance]] | None = None,
    kept: str | Promise = "",
) -> None:
    """Add a room: `export(user=)`, `erase(user=, nobody=, at=, by=)`, `hindrances(user=, at=)`.

    `name` is the name of its file in the archive; the same name again replaces the room.
    """
    _rooms[name] = Room(export=export, erase=erase, hindrances=hindrances, kept=kept)


def rooms() -> Mapping[str, Room]:
    """All registered rooms by name, in alphabetical order."""
    return dict(sorted(_rooms.items()))


def hindrances_of(*, user: User, at: datetime.datetime) -> list[Hindrance]:
    """Everything that keeps this person from being erased now."""
    return [
        hindrance
        for room in rooms().values()
        if room.hindrances is not None
        for hindrance in room.hindrances(user=user, at=at)
    ]


def files_of(user: User) -> list[StoredFile]:
    """The private files of a person that are still there, archives of their own data left out."""
    rows = StoredFile.objects.present().filter(owner=user.principal)
    return list(rows.exclude(purpose=ARCHIVE).order_by("pk"))


ARCHIVE = "personal_archive"
