"""Asking the index: points, segments, and the rules for a vehicle where it stands."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fleet.zones.index import kernel
from fleet.zones.index.raster import build
from fleet.zones.rules import Layer, RideRules, Subject, ZoneInfo, effective
from mobility.core import clock

if TYPE_CHECKING:
    import datetime

    from shapely.geometry.base import BaseGeometry

    from fleet.zones.queries.rulebook import Rulebook

# Point or segment numbers, ascending, and beside each the row of a zone, ascending within.
Pairs = tuple[NDArray[np.int64], NDArray[np.int32]]
REMEMBERED = 20_000


class ZoneIndex:
    """The zones of some sets, frozen. Rows of `zones` are ordered by precedence within a set, the
    city's set before the operators'."""

    def __init__(
        self,
        *,
        zones: Sequence[ZoneInfo],
        shapes: Sequence[BaseGeometry],
        version: int,
        rulebooks: Sequence[Rulebook] = (),
    ) -> None:
        self.zones = tuple(zones)
        self.version = version
        self.row_of = {zone.zone_id: row for row, zone in enumerate(self.zones)}
        self._rulebooks = tuple(rulebooks)
        self._raster = build(shapes)
        self._remembered = functools.lru_cache(maxsize=REMEMBERED)(self._rules)

    @property
    def nbytes(self) -> int:
        """Memory of the raster, in bytes."""
        return self._raster.nbytes

    def locate(self, lon_e7: ArrayLike, lat_e7: ArrayLike) -> Pairs:
        """All pairs of a point and a zone that covers it; coordinates in 1e-7 degrees.

        Exact in that unit; a point on a border is in the zone.
        """
        return _pairs(kernel.locate, self._raster.grid, self._raster.slabs, lon_e7, lat_e7)

    def crossed(
        self, lon0_e7: ArrayLike, lat0_e7: ArrayLike, lon1_e7: ArrayLike, lat1_e7: ArrayLike
    ) -> Pairs:
        """All pairs of a straight segment and a zone that it begins in, passes through or touches."""
        ends = (lon0_e7, lat0_e7, lon1_e7, lat1_e7)
        return _pairs(kernel.crossed, self._raster.grid, self._raster.slabs, *ends)

    def rules_at(
        self,
        *,
        rows: Sequence[int],
        subject: Subject,
        organisation_id: int,
        city_id: int,
        at: datetime.datetime,
    ) -> RideRules:
        """What holds for a vehicle of an operator in a city that stands in the zones `rows`.

        Rows of sets that do not bind it may be among them. Remembered by the minute, which is
        also how exactly hours are kept.
        """
        minute = clock.local(at).replace(second=0, microsecond=0)
        return self._remembered(tuple(rows), subject, organisation_id, city_id, minute)

    def _rules(
        self,
        rows: tuple[int, ...],
        subject: Subject,
        organisation_id: int,
        city_id: int,
        local: datetime.datetime,
    ) -> RideRules:
        around = [self.zones[row] for row in sorted(rows)]
        layers = [
            Layer(
                zones=[
                    zone
                    for zone in around
                    if zone.organisation_id == book.organisation_id and zone.city_id == city_id
                ],
                global_rules=book.global_rules,
                has_area=book.has_area(subject),
            )
            for book in self._rulebooks
            if book.city_id == city_id
            and (book.binds_all_operators or book.organisation_id == organisation_id)
        ]
        return effective(layers=layers, subject=subject, local=local)


def _pairs(ask: Any, grid: Any, slabs: Any, *coordinates: ArrayLike) -> Pairs:
    """Ask with room for twice as many pairs as points, and again when that was too little."""
    columns = [np.ascontiguousarray(column, dtype=np.int32) for column in coordinates]
    room = 2 * columns[0].size + 64
    while True:
        first, second = np.empty(room, np.int64), np.empty(room, np.int32)
        found = int(ask(grid, slabs, *columns, first, second))
        if found <= room:
            return first[:found], second[:found]
        room = found
