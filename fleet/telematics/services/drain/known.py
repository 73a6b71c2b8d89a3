"""What is stored of the vehicles of a batch: one query, read into columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection

from fleet.telematics import records
from fleet.telematics.rules import jumps
from fleet.telematics.rules.jumps import FIX, NEVER
from fleet.telematics.services.drain.presences import COLUMNS, Presence, presence_from
from fleet.vehicles.states import (
    BlockReason,
    CommandKind,
    CommandState,
    LifeState,
    LinkState,
    RentalState,
)

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from numpy.typing import NDArray

    from fleet.telematics.records import Points

# Somebody is with it: a rider, or staff with their van.
_ACCOMPANIED = frozenset(
    {
        RentalState.STARTING,
        RentalState.ON_TRIP,
        RentalState.PAUSED,
        RentalState.ENDING,
        RentalState.STAFF,
    },
)
# After these the vehicle may not have heard the command, or may have: it is told again.
_UNHEARD = frozenset({CommandState.EXPIRED, CommandState.UNKNOWN})
_RIDDEN = _ACCOMPANIED - {RentalState.STAFF}
_ACCOMPANIED_SQL = ", ".join(f"'{state}'" for state in sorted(_ACCOMPANIED))

_LOAD = f"""
SELECT vehicle.id, vehicle.organisation_id, vehicle.city_id, vehicle.life_state,
       vehicle.rental_state, vehicle.link_state, vehicle.outside_since,
       type.kind, type.code, type.max_speed_kmh,
       EXISTS (SELECT FROM fleet_vehicleblock WHERE vehicle_id = vehicle.id AND until IS NULL
               AND reason = '{BlockReason.LOW_BATTERY}'),
       (SELECT max(at) FROM fleet_vehicleevent WHERE vehicle_id = vehicle.id),
       ARRAY(SELECT kind FROM fleet_alarm WHERE vehicle_id = vehicle.id AND state <> 'closed'),
       latest.at, latest.lon_e7, latest.lat_e7, latest.accuracy_dm,
       speed.id, speed.limit_kmh, speed.applied_at, told.kmh, told.state,
       presence.at < (
           SELECT at FROM fleet_vehicleevent
           WHERE vehicle_id = vehicle.id AND rental_state IN ({_ACCOMPANIED_SQL})
           ORDER BY at DESC LIMIT 1
       ),
       presence.at, {", ".join(f"presence.{name}" for name in COLUMNS)}
FROM fleet_vehicle vehicle
JOIN fleet_vehicletype type ON type.id = vehicle.type_id
LEFT JOIN fleet_lateststate latest ON latest.vehicle_id = vehicle.id
LEFT JOIN fleet_vehiclepresence presence ON presence.vehicle_id = vehicle.id
LEFT JOIN fleet_speedlimitorder speed
       ON speed.vehicle_id = vehicle.id AND speed.released_at IS NULL
LEFT JOIN LATERAL (
    SELECT (command.parameters ->> 'max_kmh')::int AS kmh, command.state
    FROM fleet_vehiclecommand command
    WHERE command.vehicle_id = vehicle.id AND command.kind = '{CommandKind.SET_SPEED_LIMIT}'
      AND speed.id IS NOT NULL
    ORDER BY command.sequence DESC LIMIT 1
) told ON TRUE
WHERE vehicle.id = ANY (%s) ORDER BY vehicle.id
"""  # noqa: S608 - constants


@dataclass(frozen=True, kw_only=True)
class KnownVehicle:
    """One vehicle as it stood before the batch."""

    vehicle_id: int
    organisation_id: int
    city_id: int
    life: str
    rental: str
    link: str
    is_outside: bool
    kind: str
    type_code: str
    max_speed_kmh: int
    withdrawn: bool
    alarms: frozenset[str]
    order_id: int | None
    limit_kmh: int | None
    applied_us: int | None
    # What the last command about speed said, None that there is no limit, and what became of it.
    told_kmh: int | None
    told_state: str | None
    presence: Presence

    @property
    def accompanied(self) -> bool:
        return self.rental in _ACCOMPANIED

    @property
    def ridden(self) -> bool:
        return self.rental in _RIDDEN

    @property
    def limit_unheard(self) -> bool:
        """The last command about speed never got an answer."""
        return self.told_state in _UNHEARD

    @property
    def limit_applied_us(self) -> int | None:
        """Since when it keeps the limit of its order; None also while it is told another one."""
        return self.applied_us if self.told_kmh == self.limit_kmh else None

    @property
    def parked(self) -> bool:
        """In service and with nobody: if it moves now, somebody carries it off."""
        return self.life == LifeState.IN_SERVICE and not self.accompanied


@dataclass(frozen=True, kw_only=True)
class Known:
    """The vehicles of a batch in the order of their ids, and some of it as columns."""

    vehicles: list[KnownVehicle]
    ids: NDArray[np.int64]
    # Nothing newer is stored.
    watermark_us: NDArray[np.int64]
    # The last change of the vehicle's state: who had it before then is not known here.
    since_us: NDArray[np.int64]
    last: NDArray[np.void]
    in_doubt: NDArray[np.void]
    limits_mps: NDArray[np.float64]
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)

    def rows_of(self, points: Points) -> NDArray[np.int64]:
        """For each point the place of its vehicle here."""
        return np.searchsorted(self.ids, points["vehicle_id"])

    def flags(self, name: str) -> NDArray[np.bool_]:
        """One property of every vehicle as a column."""
        if name not in self.columns:
            values = [getattr(vehicle, name) for vehicle in self.vehicles]
            self.columns[name] = np.array(values, dtype=bool)
        return self.columns[name]

    def numbers(self, name: str) -> NDArray[np.int64]:
        """One number of every vehicle as a column."""
        if name not in self.columns:
            values = [getattr(vehicle, name) for vehicle in self.vehicles]
            self.columns[name] = np.array(values, dtype=np.int64)
        return self.columns[name]

    def silent(self) -> frozenset[int]:
        """Vehicles whose link is not online."""
        return frozenset(v.vehicle_id for v in self.vehicles if v.link != LinkState.ONLINE)

    def withdrawn(self) -> frozenset[int]:
        """Vehicles withdrawn for a low battery."""
        return frozenset(v.vehicle_id for v in self.vehicles if v.withdrawn)


def load_known(vehicle_ids: Collection[int]) -> Known:
    """Everything the drain must know of these vehicles; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, [list(vehicle_ids)])
        rows = cursor.fetchall()
    vehicles = [_vehicle(row) for row in rows]
    last = np.zeros(len(rows), dtype=FIX)
    in_doubt = np.zeros(len(rows), dtype=FIX)
    last["at_us"] = in_doubt["at_us"] = NEVER
    for place, (row, vehicle) in enumerate(zip(rows, vehicles, strict=True)):
        newest_at, lon_e7, lat_e7, accuracy_dm = row[13:17]
        if newest_at is not None:
            newest_us = records.to_us(newest_at)
            last[place] = (newest_us, lon_e7, lat_e7, max(accuracy_dm or 0, 0) / 10)
            doubt = vehicle.presence.doubt
            if doubt is not None and doubt.at_us > newest_us:
                in_doubt[place] = doubt
    stored = np.array([vehicle.presence.stored_until_us for vehicle in vehicles], dtype=np.int64)
    return Known(
        vehicles=vehicles,
        ids=np.array([vehicle.vehicle_id for vehicle in vehicles], dtype=np.int64),
        watermark_us=np.maximum(last["at_us"], stored),
        since_us=np.array([_us(row[11]) for row in rows], dtype=np.int64),
        last=last,
        in_doubt=in_doubt,
        limits_mps=jumps.limit_mps(np.array([float(row[9]) for row in rows])),
    )


def _vehicle(row: tuple[Any, ...]) -> KnownVehicle:
    return KnownVehicle(
        vehicle_id=row[0],
        organisation_id=row[1],
        city_id=row[2],
        life=row[3],
        rental=row[4],
        link=row[5],
        is_outside=row[6] is not None,
        kind=row[7],
        type_code=row[8],
        max_speed_kmh=row[9],
        withdrawn=row[10],
        alarms=frozenset(row[12]),
        order_id=row[17],
        limit_kmh=row[18],
        applied_us=None if row[19] is None else records.to_us(row[19]),
        told_kmh=row[20],
        told_state=row[21],
        presence=presence_from(row[0], row[23:], ridden_since=bool(row[22])),
    )


def _us(at: datetime.datetime | None) -> int:
    return NEVER if at is None else records.to_us(at)
