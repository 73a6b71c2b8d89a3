"""What is on the move in a batch, and what the zones say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.telematics.records import Points
    from fleet.zones.index import ZoneIndex

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

# A fix in more doubt than this neither enters nor leaves anything.
MAX_DOUBT_M = 50.0


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Live points of vehicles that are on the move, and their rows in `Known`."""

    points: Points
    rows: Ints
    # The same vehicles numbered from 0, the row of each, and where their points begin.
    local: Ints
    vehicles: Ints
    starts: Ints
    place: Ints

    @property
    def counts(self) -> Ints:
        return np.diff(np.append(self.starts, len(self.points)))


@dataclass(kw_only=True)
class Followed:
    """What the zones say of a batch: vehicles (rows in `Known`) with the point that decided."""

    no_ride: list[tuple[int, int, np.void]] = field(default_factory=list)
    left_area: list[tuple[int, np.void]] = field(default_factory=list)
    in_area: list[int] = field(default_factory=list)
    left_city: list[int] = field(default_factory=list)
    back_in_city: list[int] = field(default_factory=list)
    zone_rows: dict[int, list[int]] = field(default_factory=dict)
    index: ZoneIndex | None = None


def on_the_move(points: Points, rows: Ints, *, moving: Flags) -> Moved:
    """The points that may cross something: of moving vehicles (by row), with a fix good enough."""
    good = moving[rows] & (points["accuracy_dm"] <= MAX_DOUBT_M * 10)
    if not good.all():
        points, rows = points[good], rows[good]
    first = np.diff(rows, prepend=-1) != 0
    starts = np.flatnonzero(first)
    local = np.cumsum(first) - 1
    vehicles = rows[starts]
    return Moved(
        points=points,
        rows=rows,
        local=local,
        vehicles=vehicles,
        starts=starts,
        place=np.arange(len(points)) - starts[local],
    )
