"""What the tests of vehicles do again and again, said once."""

import datetime
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from fleet.vehicles import services
from fleet.vehicles.models import Vehicle, VehicleBlock, VehicleEvent, VehicleHold, VehicleType
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM

# Noon in Milan.
AT = datetime.datetime(2026, 5, 4, 10, 0, tzinfo=datetime.UTC)
NOW: dict[str, Any] = {"at": AT, "by": SYSTEM}


def after(**passed: float) -> dict[str, Any]:
    """`NOW`, later."""
    return {"at": AT + datetime.timedelta(**passed), "by": SYSTEM}


def hold(
    vehicle: Vehicle, *, purpose: str = "ride", holder: str = "reservation:1", minutes: int = 15
) -> VehicleHold:
    return services.hold_vehicle(
        vehicle_id=vehicle.pk,
        until=AT + datetime.timedelta(minutes=minutes),
        purpose=purpose,
        holder_ref=holder,
        **NOW,
    )


def ride(vehicle: Vehicle, *, ref: str = "trip:1") -> VehicleHold:
    """A rider on the way."""
    taken = hold(vehicle)
    for mark in ("starting", "running"):
        services.mark_trip(hold_id=taken.pk, mark=mark, trip_ref=ref, **NOW)
    return taken


def change_type(vehicle: Vehicle, **fields: object) -> None:
    VehicleType.objects.filter(pk=vehicle.type_id).update(**fields)
    vehicle.refresh_from_db()


def blocks_of(vehicle: Vehicle) -> set[str]:
    return set(
        VehicleBlock.objects.active().filter(vehicle=vehicle).values_list("reason", flat=True)
    )


def told(name: str) -> list[dict[str, Any]]:
    """The payloads of the facts of one kind, oldest first."""
    return [row.payload for row in OutboxEvent.objects.filter(name=name).order_by("id")]


def moment(text: str) -> datetime.datetime:
    parsed = parse_datetime(text)
    assert parsed is not None
    return parsed


def last_event(vehicle: Vehicle) -> VehicleEvent:
    return VehicleEvent.objects.filter(vehicle=vehicle).order_by("-id")[0]


def commit_at_once(monkeypatch: Any) -> None:
    """The transaction of a test never commits; what waits for it runs where it was asked for."""
    monkeypatch.setattr(transaction, "on_commit", lambda callback, **_: callback())
