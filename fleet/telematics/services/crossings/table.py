"""The zones of an index as columns, and which of them bind which vehicles."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from fleet.zones.rules import Subject
from fleet.zones.states import ZoneKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.telematics.services.drain.known import KnownVehicle
    from fleet.zones.index import ZoneIndex

    Flags = NDArray[np.bool_]

# Bays and no-parking zones are asked when a ride ends.
_TRACKED = frozenset({ZoneKind.OPERATING, ZoneKind.NO_RIDE, ZoneKind.SLOW})


class ZoneTable:
    """The zones of an index as columns, and which of them bind which vehicles."""

    def __init__(self, index: ZoneIndex) -> None:
        self.zones = index.zones
        self.ids = np.array([zone.zone_id for zone in index.zones], dtype=np.int64)
        self.operating = np.array([z.kind == ZoneKind.OPERATING for z in index.zones], dtype=bool)
        self.no_ride = np.array([z.kind == ZoneKind.NO_RIDE for z in index.zones], dtype=bool)
        slow = np.array([z.max_speed_kmh is not None for z in index.zones], dtype=bool)
        self.brushed = self.no_ride | slow
        tracked = np.array([z.kind in _TRACKED for z in index.zones], dtype=bool)
        self.tracked = tracked | slow
        self._binding: dict[tuple[int, int, str, str], Flags] = {}

    def binding(self, vehicle: KnownVehicle) -> Flags:
        """For each zone whether it is tracked and binds this vehicle."""
        key = (vehicle.organisation_id, vehicle.city_id, vehicle.kind, vehicle.type_code)
        if key not in self._binding:
            subject = Subject(kind=vehicle.kind, vehicle_type=vehicle.type_code)
            binds = [
                zone.binds(organisation_id=key[0], city_id=key[1]) and zone.concerns(subject)
                for zone in self.zones
            ]
            self._binding[key] = self.tracked & np.array(binds, dtype=bool)
        return self._binding[key]


@lru_cache(maxsize=4)
def zone_table(index: ZoneIndex) -> ZoneTable:
    """The table of an index, made once while the index is in use."""
    return ZoneTable(index)
