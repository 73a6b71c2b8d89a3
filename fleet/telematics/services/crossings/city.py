"""Who left the city's jurisdiction, and who came back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.telematics.rules.jumps import NEVER, fixes_of
from fleet.zones import index as zone_index

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.telematics.services.crossings.batch import Followed, Moved
    from fleet.telematics.services.drain.known import Known
    from fleet.zones.index import ZoneIndex

    Flags = NDArray[np.bool_]


def leave_city(moved: Moved, known: Known, followed: Followed) -> None:
    """Who left the city's jurisdiction or came back: two fixes in a row must say so."""
    cities = zone_index.jurisdictions()
    if not len(cities.zones):
        return
    row_of_city = {zone.city_id: row for row, zone in enumerate(cities.zones)}
    ends = moved.starts + moved.counts - 1
    last = known.last[moved.vehicles].copy()
    single = moved.counts < 2
    fixes = fixes_of(moved.points)
    last[~single] = fixes[ends[~single] - 1]
    inside = [_in_city(cities, some, known, moved, row_of_city) for some in (fixes[ends], last)]
    unknown = last["at_us"] == NEVER
    outside_before = known.flags("is_outside")[moved.vehicles]
    bounded = np.array(
        [known.vehicles[row].city_id in row_of_city for row in moved.vehicles.tolist()]
    )
    gone = bounded & ~unknown & ~inside[0] & ~inside[1] & ~outside_before
    back = bounded & ~unknown & inside[0] & inside[1] & outside_before
    followed.left_city = moved.vehicles[gone].tolist()
    followed.back_in_city = moved.vehicles[back].tolist()


def _in_city(
    cities: ZoneIndex,
    fixes: NDArray[np.void],
    known: Known,
    moved: Moved,
    row_of_city: dict[int, int],
) -> Flags:
    own = np.array(
        [row_of_city.get(known.vehicles[row].city_id, -1) for row in moved.vehicles.tolist()]
    )
    point, zone = cities.locate(fixes["lon_e7"], fixes["lat_e7"])
    inside = np.zeros(len(fixes), dtype=bool)
    inside[point[zone == own[point]]] = True
    return inside
