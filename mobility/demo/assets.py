"""What belongs to the demo's vehicles: their papers and their batteries."""

import datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from fleet.vehicles.models import Battery, BatteryPlacement, Vehicle, VehicleDocument
from fleet.vehicles.states import BatteryState
from mobility.accounts.models import Organisation
from mobility.core import clock
from mobility.core.principals import Principal


@transaction.atomic
def ensure_papers(*, operator: Organisation, at: datetime.datetime) -> None:
    """The papers that the demo's vehicles need, where missing; some run out within the month."""
    today = clock.service_day(at)
    lacking = Vehicle.objects.filter(organisation=operator, documents=None).select_related("type")
    VehicleDocument.objects.bulk_create(
        VehicleDocument(
            vehicle=vehicle,
            kind=kind,
            number=f"{kind[:3].upper()}-{vehicle.code}",
            valid_from=today - datetime.timedelta(days=200),
            expires_on=today + datetime.timedelta(days=20 if index % 40 == 0 else 165),
        )
        for index, vehicle in enumerate(lacking.order_by("code"), start=1)
        for kind in vehicle.type.required_documents
    )


@transaction.atomic
def ensure_batteries(*, operator: Organisation, at: datetime.datetime, by: Principal) -> None:
    """A battery in every vehicle whose batteries are swapped, and one spare for every four."""
    if Battery.objects.filter(organisation=operator).exists():
        return
    swappable = Vehicle.objects.filter(organisation=operator, type__swappable=True)
    vehicles = list(swappable.select_related("type").order_by("code"))
    inside = [
        _battery(operator, number, vehicle.type.battery_wh, state=BatteryState.IN_VEHICLE)
        for number, vehicle in enumerate(vehicles, start=1)
    ]
    spare = [
        _battery(operator, len(inside) + number, vehicle.type.battery_wh)
        for number, vehicle in enumerate(vehicles[::4], start=1)
    ]
    Battery.objects.bulk_create([*inside, *spare])
    BatteryPlacement.objects.bulk_create(
        BatteryPlacement(
            battery=battery, vehicle=vehicle, during=DateTimeTZRange(at, None), placed_by=by
        )
        for battery, vehicle in zip(inside, vehicles, strict=True)
    )


def _battery(operator: Organisation, number: int, capacity_wh: int, **fields: str) -> Battery:
    return Battery(
        organisation=operator,
        serial=f"BAT-{number:04d}",
        capacity_wh=capacity_wh,
        cycles=number * 37 % 400,
        health_pct=100 - number * 37 % 400 // 25,
        **fields,
    )
