"""Asking the index: points, segments, and the rules for a vehicle where it stands."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fleet.zones.index import kernel
from fleet.zones.index.raster import Raster, build
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
        self._rasters = build(shapes)
        self._remembered = functools.lru_cache(maxsize=REMEMBERED)(self._rules)

    @property
    def nbytes(self) -> int:
        """Memory of the rasters, in bytes."""
        return sum(raster.nbytes for raster in self._rasters)

    def locate(self, lon_e7: ArrayLike, lat_e7: ArrayLike) -> Pairs:
        """All pairs of a point and a zone that covers it; coordinates in 1e-7 degrees.

        Exact in that unit; a point on a border is in the zone.
        """
        return self._ask(lambda _raster: kernel.locate, lon_e7, lat_e7)

    def crossed(
        self,
        lon0_e7: ArrayLike,
        lat0_e7: ArrayLike,
        lon1_e7: ArrayLike,
        lat1_e7: ArrayLike,
        *,
        among: NDArray[np.bool_] | None = None,
    ) -> Pairs:
        """All pairs of a straight segment and a zone that it begins in, passes through or touches.

        `among` leaves out the rows of zones for which it is false, before they cost anything.
        """
        wanted = np.ones(len(self.zones), dtype=bool) if among is None else among

        def kernel_of(raster: Raster) -> Any:
            return functools.partial(_crossed, wanted=wanted[raster.rows])

        return self._ask(kernel_of, lon0_e7, lat0_e7, lon1_e7, lat1_e7)

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

    def _ask(self, kernel_of: Any, *coordinates: ArrayLike) -> Pairs:
        columns = [np.ascontiguousarray(column, dtype=np.int32) for column in coordinates]
        answers = [_pairs(kernel_of(raster), raster, columns) for raster in self._rasters]
        if len(answers) == 1:
            return answers[0]
        numbers = np.concatenate([np.zeros(0, np.int64), *(one for one, _rows in answers)])
        rows = np.concatenate([np.zeros(0, np.int32), *(rows for _numbers, rows in answers)])
        order = np.lexsort((rows, numbers))
        return numbers[order], rows[order]

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


def _crossed(grid: Any, slabs: Any, *arrays: Any, wanted: NDArray[np.bool_]) -> int:
    return int(kernel.crossed(grid, slabs, wanted, *arrays))


def _pairs(ask: Any, raster: Raster, columns: Sequence[NDArray[np.int32]]) -> Pairs:
    """Ask with room for twice as many pairs as points, and again when that was too little."""
    room = 2 * columns[0].size + 64
    while True:
        numbers, rows = np.empty(room, np.int64), np.empty(room, np.int32)
        found = int(ask(raster.grid, raster.slabs, *columns, numbers, rows))
        if found <= room:
            return numbers[:found], raster.rows[rows[:found]]
        room = found
