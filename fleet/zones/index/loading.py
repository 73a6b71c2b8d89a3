"""Which index holds now: one cheap query for the versions, and a build only when they changed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import shapely
from django.contrib.gis.db.models.functions import AsWKB
from django.db import connection

from fleet.zones.index.lookup import ZoneIndex
from fleet.zones.models import Zone
from fleet.zones.queries.rulebook import SetKey, keys_in_force, rulebooks
from fleet.zones.rules import DEFAULTS, ZoneInfo
from fleet.zones.states import ZoneKind
from mobility.geography.models import City

if TYPE_CHECKING:
    import datetime

# The index in force, and the one before it for points that come late around a change.
MOST_KEPT = 2
_BOUNDARIES = (
    "SELECT id, organisation_id, md5(ST_AsBinary(boundary)) FROM mobility_city"
    " WHERE boundary IS NOT NULL ORDER BY id"
)

_kept: dict[object, ZoneIndex] = {}
_building = threading.Lock()


def current(*, at: datetime.datetime) -> ZoneIndex:
    """The index of all sets in force at `at`: one query, more only after a publication.

    `version` is the same number in every process for the same sets, and another for others.
    """
    keys = tuple(keys_in_force(at=at))
    with _building:
        found = _kept.pop(keys, None) or _load(keys)
        _keep(keys, found)
    return found


def jurisdictions() -> ZoneIndex:
    """An index of the cities' own boundaries, one row per city that has one: what lies elsewhere.

    Rows are service areas with `zone_id` 0; `city_id` tells whose. One query while none changes.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BOUNDARIES)
        cities = tuple(cursor.fetchall())
    with _building:
        found = _kept.pop(cities, None) or _load_cities(cities)
        _keep(cities, found)
    return found


def forget() -> None:
    """Let the next call build anew."""
    _kept.clear()


def _keep(key: object, index: ZoneIndex) -> None:
    """The last used stands last; what is beyond `MOST_KEPT` of its kind is forgotten."""
    _kept[key] = index
    while len(_kept) > 2 * MOST_KEPT:
        _kept.pop(next(iter(_kept)))


def _load(keys: Sequence[SetKey]) -> ZoneIndex:
    books = rulebooks(keys=keys)
    zones = [zone for book in books for zone in book.zones]
    drawn = Zone.objects.filter(zone_set__in=[set_id for set_id, _version in keys])
    shapes = dict(drawn.annotate(drawing=AsWKB("boundary")).values_list("pk", "drawing"))
    return ZoneIndex(
        zones=zones,
        shapes=[shapely.from_wkb(bytes(shapes[zone.zone_id])) for zone in zones],
        version=_number(keys),
        rulebooks=books,
    )


def _load_cities(cities: Sequence[tuple[int, int, str]]) -> ZoneIndex:
    drawn = City.objects.filter(pk__in=[city[0] for city in cities])
    shapes = dict(drawn.annotate(drawing=AsWKB("boundary")).values_list("pk", "drawing"))
    return ZoneIndex(
        zones=[
            ZoneInfo(
                zone_id=0,
                code="",
                kind=ZoneKind.OPERATING,
                organisation_id=organisation_id,
                city_id=city_id,
                binds_all_operators=True,
                rules=(DEFAULTS[ZoneKind.OPERATING],),
            )
            for city_id, organisation_id, _digest in cities
        ],
        shapes=[shapely.from_wkb(bytes(shapes[city_id])) for city_id, *_rest in cities],
        version=_number(cities),
    )


def _number(keys: object) -> int:
    """63 bits that stand for the keys, the same in every process."""
    return int.from_bytes(blake2b(repr(keys).encode(), digest_size=8).digest(), "big") >> 1
