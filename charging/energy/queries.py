"""Reads about energy."""

from __future__ import annotations

from charging.energy.models import SiteLoad


def managed_site_of(*, identity: str) -> int | None:
    """The site of a station, if what it draws is shared out."""
    return (
        SiteLoad.objects.filter(managed=True, site__stations__identity=identity)
        .values_list("site_id", flat=True)
        .first()
    )
