"""Vehicles for every room's tests, ready on the street: in service, heard, with a device."""

import dataclasses
import datetime
from collections.abc import Callable

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from fleet.telematics.models import Device, DeviceAssignment, LatestState
from fleet.vehicles.models import Vehicle, VehicleType
from fleet.vehicles.states import Kind, LifeState, LinkState, Propulsion
from mobility.accounts.models import Organisation
from mobility.core import clock, ids
from mobility.geography.models import City

MakeVehicle = Callable[..., Vehicle]


@dataclasses.dataclass(frozen=True)
class Model:
    """What a kind of vehicle is by default."""

    propulsion: str
    max_range_m: int
    max_speed_kmh: int
    battery_wh: int
    seats: int


MODELS = {
    Kind.BICYCLE: Model(Propulsion.ELECTRIC_ASSIST, 60_000, 25, 500, 1),
    Kind.SCOOTER: Model(Propulsion.ELECTRIC, 40_000, 20, 550, 1),
    Kind.CAR: Model(Propulsion.ELECTRIC, 250_000, 130, 42_000, 5),
}


@pytest.fixture
def make_vehicle(milan: City, ruote: Organisation) -> MakeVehicle:
    """`make_vehicle("scooter", lon=9.2, lat=45.45, battery_pct=80)`; its device's secret stands in
    `vehicle.device_secret`."""
    return maker_of_vehicles(milan, ruote)


def maker_of_vehicles(milan: City, ruote: Organisation) -> MakeVehicle:
    """What makes vehicles in this city for this operator, also outside of a test."""

    def make(
        kind: str = "scooter",
        lon: float = 9.2050,
        lat: float = 45.4510,
        battery_pct: int | None = 80,
        *,
        organisation: Organisation | None = None,
        city: City | None = None,
        code: str | None = None,
        locked: bool = True,
        at: datetime.datetime | None = None,
        **fields: object,
    ) -> Vehicle:
        owner, at = organisation or ruote, at or clock.now()
        vehicle = Vehicle.objects.create(
            organisation=owner,
            city=city or milan,
            type=vehicle_type(kind),
            code=code or ids.short_code(),
            **{"life_state": LifeState.IN_SERVICE, "link_state": LinkState.ONLINE, **fields},
        )
        vehicle.device_secret = give_device(vehicle, at=at)
        LatestState.objects.create(
            vehicle=vehicle,
            at=at,
            received_at=at,
            lon_e7=round(lon * 1e7),
            lat_e7=round(lat * 1e7),
            accuracy_dm=50,
            speed_cms=0,
            heading=0,
            battery_pct=battery_pct,
            odometer_m=0,
            locked=locked,
        )
        return vehicle

    return make


def vehicle_type(kind: str) -> VehicleType:
    """The usual type of a kind of vehicle."""
    kind = Kind(kind)
    model = MODELS[kind]
    found, _created = VehicleType.objects.get_or_create(
        code=f"test-{kind}",
        defaults={"name": {"it": kind.value}, "kind": kind, **dataclasses.asdict(model)},
    )
    return found


def give_device(vehicle: Vehicle, *, at: datetime.datetime) -> str:
    """Put a device into the vehicle; returns its secret."""
    secret = f"dev_{ids.secret()}"
    device = Device.objects.create(
        organisation=vehicle.organisation,
        serial=f"test-{vehicle.code}",
        secret_hash=ids.hash_secret(secret),
        created_at=at,
    )
    start = at - datetime.timedelta(days=60)
    DeviceAssignment.objects.create(
        device=device,
        vehicle=vehicle,
        during=DateTimeTZRange(start, None),
    )
    return secret
