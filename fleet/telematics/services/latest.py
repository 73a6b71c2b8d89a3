"""The latest state of vehicles: one statement for a batch, and only ever forward in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.db import connection, transaction

from fleet.telematics import records
from fleet.vehicles.services import set_link_state
from fleet.vehicles.states import LinkState

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping, Sequence

    from fleet.telematics.records import Points
    from mobility.core.principals import Principal

# What a report leaves out stays as it was told before, except for how fast and where to.
_UPSERT = """
INSERT INTO fleet_lateststate AS latest (
    vehicle_id, at, received_at, lon_e7, lat_e7,
    odometer_m, accuracy_dm, speed_cms, heading, battery_pct, locked
)
SELECT vehicle_id, at, received_at, lon_e7, lat_e7, NULLIF(odometer_m, -1),
       NULLIF(accuracy_dm, -1), NULLIF(speed_cms, -1), NULLIF(heading, -1),
       NULLIF(battery_pct, -1), NULLIF(locked, -1)::int::bool
FROM unnest(
    %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::int[], %s::int[],
    %s::int[], %s::smallint[], %s::smallint[], %s::smallint[], %s::smallint[], %s::smallint[]
) AS report (
    vehicle_id, at, received_at, lon_e7, lat_e7,
    odometer_m, accuracy_dm, speed_cms, heading, battery_pct, locked
)
ON CONFLICT (vehicle_id) DO UPDATE SET
    at = EXCLUDED.at, received_at = GREATEST(EXCLUDED.received_at, latest.received_at),
    lon_e7 = EXCLUDED.lon_e7, lat_e7 = EXCLUDED.lat_e7,
    accuracy_dm = EXCLUDED.accuracy_dm,
    speed_cms = EXCLUDED.speed_cms, heading = EXCLUDED.heading,
    odometer_m = COALESCE(EXCLUDED.odometer_m, latest.odometer_m),
    battery_pct = COALESCE(EXCLUDED.battery_pct, latest.battery_pct),
    locked = COALESCE(EXCLUDED.locked, latest.locked)
WHERE EXCLUDED.at > latest.at
"""

# Received last is told last; the clock of the fix stays with its place.
_PLACELESS = """
UPDATE fleet_lateststate latest SET
    odometer_m = COALESCE(NULLIF(report.odometer_m, -1), latest.odometer_m),
    battery_pct = COALESCE(NULLIF(report.battery_pct, -1), latest.battery_pct),
    locked = COALESCE(NULLIF(report.locked, -1)::int::bool, latest.locked)
FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[], %s::smallint[], %s::smallint[])
    AS report (vehicle_id, received_at, odometer_m, battery_pct, locked)
WHERE latest.vehicle_id = report.vehicle_id AND latest.received_at <= report.received_at
"""
_HEARD = """
UPDATE fleet_lateststate latest SET received_at = heard.at
FROM unnest(%s::bigint[], %s::timestamptz[]) AS heard (vehicle_id, at)
WHERE latest.vehicle_id = heard.vehicle_id AND latest.received_at < heard.at
"""

_NUMBERS = (
    "lon_e7",
    "lat_e7",
    "odometer_m",
    "accuracy_dm",
    "speed_cms",
    "heading",
    "battery_pct",
    "locked",
)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where somebody put a vehicle by hand, and how full its battery is."""

    vehicle_id: int
    lon: float
    lat: float
    battery_pct: int


def place_vehicles(
    *,
    places: Sequence[Placement],
    at: datetime.datetime,
    by: Principal,
) -> None:
    """Say for vehicles where they stand, locked, as if they had reported it; in few statements.

    For commissioning: a vehicle that has never spoken is on no map. What a vehicle reported later
    than `at` stays.
    """
    rows = np.array([_placed(place, at) for place in places], dtype=records.OWNED_POINT)
    with transaction.atomic():
        write_latest(rows)
        vehicle_ids = [place.vehicle_id for place in places]
        set_link_state(vehicle_ids=vehicle_ids, to=LinkState.ONLINE, at=at, by=by)


def write_latest(rows: Points) -> None:
    """Write one row per vehicle where it is newer than what is there."""
    if not len(rows):
        return
    moments = (
        [records.from_us(us) for us in rows[name].tolist()] for name in ("at_us", "received_us")
    )
    numbers = (rows[name].tolist() for name in _NUMBERS)
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [rows["vehicle_id"].tolist(), *moments, *numbers])


def write_placeless(rows: Points) -> None:
    """What reports without a place tell, one row per vehicle, where nothing was received later."""
    if len(rows):
        numbers = (rows[name].tolist() for name in ("odometer_m", "battery_pct", "locked"))
        moments = [records.from_us(us) for us in rows["received_us"].tolist()]
        with connection.cursor() as cursor:
            cursor.execute(_PLACELESS, [rows["vehicle_id"].tolist(), moments, *numbers])


def write_heard(last_us: Mapping[int, int]) -> None:
    """When vehicles were last heard (µs), whatever they said; only ever forward."""
    ordered = sorted(last_us.items())
    ids, moments = [pair[0] for pair in ordered], [records.from_us(pair[1]) for pair in ordered]
    with connection.cursor() as cursor:
        cursor.execute(_HEARD, [ids, moments])


def _placed(place: Placement, at: datetime.datetime) -> tuple[int, ...]:
    moment = records.to_us(at)
    degrees = (round(place.lon * 1e7), round(place.lat * 1e7))
    unknown, standing, locked = records.UNKNOWN, 0, 1
    rest = (unknown, unknown, standing, unknown, place.battery_pct, locked, unknown)
    return (place.vehicle_id, moment, unknown, moment, *degrees, *rest)
