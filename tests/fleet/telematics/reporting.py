"""Vehicles that report, straight into the log, and are stored at once."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from fleet.telematics import records
from fleet.telematics.log import RedisPointLog, point_log
from fleet.telematics.models import Alarm, Device, ZoneCrossing
from fleet.telematics.services.drain import Drained, drain_all
from fleet.vehicles import services as vehicles
from fleet.vehicles.models import Vehicle, VehicleHold
from mobility.core.principals import SYSTEM

NOON = datetime.datetime(2026, 5, 4, 12, 0, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)
MINUTE = datetime.timedelta(minutes=1)
# About a metre from west to east and from south to north, at Milan.
EAST_M = 1 / 78_000
NORTH_M = 1 / 111_000
LON, LAT = 9.2050, 45.4510

Report = Callable[..., Drained]


def point(
    at: datetime.datetime,
    *,
    east_m: float = 0.0,
    north_m: float = 0.0,
    kmh: float = 0.0,
    battery: int = 80,
    tilted: int = -1,
    accuracy_m: float = 5.0,
) -> tuple[Any, ...]:
    """A fix so many metres from where the vehicle was made."""
    lon, lat = LON + east_m * EAST_M, LAT + north_m * NORTH_M
    place = (round(lon * 1e7), round(lat * 1e7))
    return (
        records.to_us(at),
        *place,
        -1,
        round(accuracy_m * 10),
        round(kmh / 0.036),
        0,
        battery,
        1,
        tilted,
    )


@pytest.fixture
def report(log: RedisPointLog) -> Report:
    """`report(vehicle, point(NOON), …, at=NOON)`: received and stored at that moment."""

    def send(
        vehicle: Vehicle, *points: tuple[Any, ...], at: datetime.datetime | None = None
    ) -> Drained:
        moment = at or records.from_us(max(one[0] for one in points))
        put(vehicle, *points, at=moment)
        return drain_all(shard=0, at=moment)

    return send


def put(vehicle: Vehicle, *points: tuple[Any, ...], at: datetime.datetime) -> None:
    """Into the log as the door does it, and no further."""
    device = Device.objects.filter(assignments__vehicle=vehicle).latest("id")
    rows = records.reports_of(device_id=device.pk, points=records.points_from(list(points)))
    payload = records.pack_entry(received_at=at, reports=rows)
    point_log().append(vehicle_id=vehicle.pk, payload=payload)


def start_trip(vehicle: Vehicle, *, at: datetime.datetime, ref: str = "trip:1") -> VehicleHold:
    """Somebody rides the vehicle from now on."""
    hold = hold_for(vehicle, at=at, ref=ref)
    for mark in ("starting", "running"):
        vehicles.mark_trip(hold_id=hold.pk, mark=mark, trip_ref=ref, at=at, by=SYSTEM)
    return hold


def end_trip(hold: VehicleHold, *, at: datetime.datetime, ref: str = "trip:1") -> None:
    """The ride is over."""
    vehicles.mark_trip(hold_id=hold.pk, mark="ended", trip_ref=ref, at=at, by=SYSTEM)


def hold_for(
    vehicle: Vehicle, *, at: datetime.datetime, ref: str = "trip:1", purpose: str = "ride"
) -> VehicleHold:
    """Somebody has a right to the vehicle."""
    return vehicles.hold_vehicle(
        vehicle_id=vehicle.pk,
        until=at + 60 * MINUTE,
        purpose=purpose,
        holder_ref=ref,
        at=at,
        by=SYSTEM,
    )


def alarms(vehicle: Vehicle) -> list[tuple[str, str]]:
    """Kind and state of all alarms of a vehicle, oldest first."""
    return list(Alarm.objects.filter(vehicle=vehicle).order_by("id").values_list("kind", "state"))


def crossings(vehicle: Vehicle) -> list[tuple[str, str]]:
    """Kind and zone of all crossings of a vehicle, in the order of their time."""
    rows = ZoneCrossing.objects.filter(vehicle=vehicle).order_by("at", "kind")
    return list(rows.values_list("kind", "zone__code"))
