"""Reads about energy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from charging.energy.models import SiteLoad

_REMEMBER_S: Final = 5.0


@dataclass(slots=True)
class _Remembered:
    """Whether anything is shared out at all, as this process last saw it."""

    anything: bool = False
    until_s: float = 0.0


_remembered = _Remembered()


def is_any_site_managed() -> bool:
    """Whether any site is shared out; asked at each start and end of a session, so from memory.

    At most five seconds old. A site that is managed from now on is planned then, and every few
    minutes, so what falls in between is not lost.
    """
    now_s = time.monotonic()
    if now_s >= _remembered.until_s:
        _remembered.anything = SiteLoad.objects.filter(managed=True).exists()
        _remembered.until_s = now_s + _REMEMBER_S
    return _remembered.anything


def forget_managed_sites() -> None:
    """Ask the database again the next time: a site's setting has changed."""
    _remembered.until_s = 0.0


def managed_site_of(*, identity: str) -> int | None:
    """The site of a station, if what it draws is shared out."""
    return (
        SiteLoad.objects.filter(managed=True, site__stations__identity=identity)
        .values_list("site_id", flat=True)
        .first()
    )
