"""Swappable batteries: put somewhere, exchanged, retired.

DomainError
├── NotFound  BatteryNotFound
├── Invalid   NoSuchSlot
└── Conflict  SlotTaken, BatteryInVehicle, BatteryMovedSince
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import history
from fleet.vehicles.models import Battery, BatteryPlacement, BatterySwap, Vehicle
from fleet.vehicles.services.holds import VehicleNotFound
from fleet.vehicles.states import BatteryState
from mobility.core.errors import Conflict, Invalid, NotFound
from mobility.core.idempotency import KeyReused
from mobility.core.transitions import move

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from mobility.core.principals import Principal


class BatteryNotFound(NotFound):
    code = "battery_not_found"
    message = _("This operator has no such battery.")


class NoSuchSlot(Invalid):
    code = "no_such_slot"
    message = _("This vehicle has no such slot for a battery that can be swapped.")


class SlotTaken(Conflict):
    """`extra["serial"]` names the battery that is in the slot."""

    code = "slot_taken"
    message = _("There is a battery in this slot. Take it out first, or swap it.")


class BatteryInVehicle(Conflict):
    code = "battery_in_vehicle"
    message = _("This battery is in a vehicle. Take it out first.")


class BatteryMovedSince(Conflict):
    code = "battery_moved_since"
    message = _("This battery was moved later than that.")


def place_battery(
    *,
    battery_id: int,
    at: datetime.datetime,
    by: Principal,
    vehicle_id: int | None = None,
    slot: int = 1,
    hub_id: int | None = None,
    charging: bool = False,
) -> BatteryPlacement:
    """Put a battery into an empty slot of a vehicle, else into a hub, else just take it along.

    Outside a vehicle it is `charging` or in storage. Each time it goes into a vehicle counts as
    one cycle. Raises `BatteryNotFound`, `VehicleNotFound`, `NoSuchSlot`, `SlotTaken`,
    `BatteryMovedSince`, `IllegalMove` for one that is retired.
    """
    with transaction.atomic():
        _lock_vehicles({vehicle_id, _vehicle_of(battery_id)})
        vehicle = _locked_vehicle(vehicle_id) if vehicle_id is not None else None
        battery = _locked(pk=battery_id)
        if vehicle is not None:
            _require_slot(vehicle, slot)
            _require_same_owner(battery, vehicle)
            _require_empty(vehicle, slot)
        return _place(
            battery, vehicle=vehicle, slot=slot, hub_id=hub_id, charging=charging, at=at, by=by
        )


def swap_battery(
    *,
    vehicle_id: int,
    serial: str,
    idempotency_key: str,
    at: datetime.datetime,
    by: Principal,
    slot: int = 1,
    hub_id: int | None = None,
) -> BatterySwap:
    """Exchange the battery in a slot for the one with this serial number, of the same operator.

    What was in the slot goes to `hub_id` or along with the crew; a slot may have been empty. The
    same key again is the same swap. Raises `VehicleNotFound`, `BatteryNotFound`, `NoSuchSlot`,
    `BatteryInVehicle` if it is in another one, `BatteryMovedSince`, `IllegalMove`, `KeyReused` if
    the key was that of another swap.
    """
    with transaction.atomic():
        # The vehicle's row makes two taps of a crew come one after the other.
        vehicle = _locked_vehicle(vehicle_id)
        known = BatterySwap.objects.filter(vehicle=vehicle, idempotency_key=idempotency_key).first()
        if known is not None:
            if (known.inserted.serial, known.slot) != (serial, slot):
                raise KeyReused
            return known
        _require_slot(vehicle, slot)
        inserted, removed = _locked_pair(vehicle, slot=slot, serial=serial)
        if removed != inserted:
            if inserted.state == BatteryState.IN_VEHICLE:
                raise BatteryInVehicle
            if removed is not None:
                _place(removed, vehicle=None, slot=1, hub_id=hub_id, charging=False, at=at, by=by)
            _place(inserted, vehicle=vehicle, slot=slot, hub_id=None, charging=False, at=at, by=by)
        return BatterySwap.objects.create(
            vehicle=vehicle,
            slot=slot,
            removed=removed,
            inserted=inserted,
            at=at,
            by=by,
            idempotency_key=idempotency_key,
        )


def retire_battery(*, battery_id: int, at: datetime.datetime, by: Principal) -> Battery:
    """Take a battery out of use for good. Raises `BatteryNotFound`, `BatteryInVehicle`,
    `IllegalMove` for one that is retired."""
    with transaction.atomic():
        battery = _locked(pk=battery_id)
        if battery.state == BatteryState.IN_VEHICLE:
            raise BatteryInVehicle
        _close_placement(battery, at=at)
        return move(battery, to=BatteryState.RETIRED, at=at, by=by)


def take_out_batteries(*, vehicle_id: int, at: datetime.datetime, by: Principal) -> int:
    """Take every battery out of a vehicle that the caller has locked into storage; returns how
    many."""
    inside = BatteryPlacement.objects.current().filter(vehicle=vehicle_id).values("battery")
    rows = Battery.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=inside)
    locked = list(rows.order_by("pk"))
    # Somebody may have carried one off while we waited for it.
    still = set(inside.values_list("battery", flat=True))
    batteries = [battery for battery in locked if battery.pk in still]
    for battery in batteries:
        _place(battery, vehicle=None, slot=1, hub_id=None, charging=False, at=at, by=by)
    return len(batteries)


def _place(
    battery: Battery,
    *,
    vehicle: Vehicle | None,
    slot: int,
    hub_id: int | None,
    charging: bool,
    at: datetime.datetime,
    by: Principal,
) -> BatteryPlacement:
    _close_placement(battery, at=at)
    if vehicle is not None:
        to = BatteryState.IN_VEHICLE
        Battery.objects.filter(pk=battery.pk).update(cycles=F("cycles") + 1)
    else:
        to = BatteryState.CHARGING if charging else BatteryState.STORAGE
    if battery.state != to:
        move(battery, to=to, at=at, by=by)
    return BatteryPlacement.objects.create(
        battery=battery,
        vehicle=vehicle,
        slot=slot,
        hub_id=hub_id,
        during=DateTimeTZRange(at, None),
        placed_by=by,
    )


def _close_placement(battery: Battery, *, at: datetime.datetime) -> None:
    current = BatteryPlacement.objects.current().filter(battery=battery).first()
    if current is None:
        return
    if current.during.lower >= at:
        raise BatteryMovedSince
    current.during = DateTimeTZRange(current.during.lower, at)
    current.save(update_fields=["during"])


def _locked(**which: object) -> Battery:
    battery = Battery.objects.select_for_update(of=("self",)).filter(**which).first()
    if battery is None:
        raise BatteryNotFound
    return battery


def _locked_pair(vehicle: Vehicle, *, slot: int, serial: str) -> tuple[Battery, Battery | None]:
    """The battery with this serial number and the one in the slot, locked in the order of their ids.

    The slot is read again then: nobody puts one in without the vehicle's lock, which is ours, but
    the one that was in it may have been taken out by who has locked it and waits for nobody.
    """
    inserted = Battery.objects.filter(serial=serial, organisation=vehicle.organisation_id).first()
    if inserted is None:
        raise BatteryNotFound
    present = _battery_in(vehicle, slot)
    wanted = {inserted.pk} | ({present.pk} if present else set())
    rows = Battery.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=wanted)
    locked = {battery.pk: battery for battery in rows.order_by("pk")}
    present = _battery_in(vehicle, slot)
    return locked[inserted.pk], None if present is None else locked[present.pk]


def _vehicle_of(battery_id: int) -> int | None:
    current = BatteryPlacement.objects.current().filter(battery=battery_id)
    return current.values_list("vehicle", flat=True).first()


def _lock_vehicles(vehicle_ids: Collection[int | None]) -> None:
    """Where a battery comes from and where it goes, before the battery itself."""
    history.lock_vehicles([pk for pk in vehicle_ids if pk is not None])


def _locked_vehicle(vehicle_id: int) -> Vehicle:
    rows = Vehicle.objects.select_for_update(of=("self",), no_key=True).select_related("type")
    vehicle = rows.filter(pk=vehicle_id).first()
    if vehicle is None:
        raise VehicleNotFound
    return vehicle


def _require_slot(vehicle: Vehicle, slot: int) -> None:
    if not vehicle.type.swappable or not 1 <= slot <= vehicle.type.battery_slots:
        raise NoSuchSlot


def _require_same_owner(battery: Battery, vehicle: Vehicle) -> None:
    if battery.organisation_id != vehicle.organisation_id:
        raise BatteryNotFound


def _require_empty(vehicle: Vehicle, slot: int) -> None:
    present = _battery_in(vehicle, slot)
    if present is not None:
        raise SlotTaken(extra={"serial": present.serial})


def _battery_in(vehicle: Vehicle, slot: int) -> Battery | None:
    current = BatteryPlacement.objects.current().select_related("battery")
    found = current.filter(vehicle=vehicle, slot=slot).first()
    return None if found is None else found.battery
