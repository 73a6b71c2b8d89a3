"""Reads about energy."""

from __future__ import annotations

from typing import Final

from charging.energy.models import SiteLoad
from mobility.core.remembering import Remembered

_REMEMBER_S: Final = 5.0
_any_managed = Remembered(
    lambda: SiteLoad.objects.filter(managed=True).exists(), seconds=_REMEMBER_S
)


def is_any_site_managed() -> bool:
    """Whether any site is shared out; asked at each start and end of a session, so from memory.

    At most five seconds old. A site that is managed from now on is planned then, and every few
    minutes, so what falls in between is not lost.
    """
    return _any_managed()


def forget_managed_sites() -> None:
    """Ask the database again the next time: a site's setting has changed."""
    _any_managed.forget()


def managed_site_of(*, identity: str) -> int | None:
    """The site of a station, if what it draws is shared out."""
    return (
        SiteLoad.objects.filter(managed=True, site__stations__identity=identity)
        .values_list("site_id", flat=True)
        .first()
    )
