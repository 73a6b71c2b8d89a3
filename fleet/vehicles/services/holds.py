"""The one hold of a vehicle: taken, extended, released.

DomainError
├── NotFound  VehicleNotFound, HoldNotFound
├── Gone      HoldOver
└── Conflict  VehicleTaken, VehicleNotRentable
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg.errors
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import history, rules
from fleet.vehicles.history import Change
from fleet.vehicles.models import Vehicle, VehicleHold
from fleet.vehicles.states import STAFF_PURPOSES, LifeState, RentalState
from mobility.core.errors import Conflict, Gone, NotFound
from mobility.core.transitions import LostRace, move

if TYPE_CHECKING:
    import datetime

    from mobility.core.principals import Principal


class VehicleNotFound(NotFound):
    code = "vehicle_not_found"
    message = _("There is no such vehicle.")


class VehicleTaken(Conflict):
    code = "vehicle_taken"
    message = _("Somebody else has this vehicle. Please choose another one.")


class VehicleNotRentable(Conflict):
    """`extra["reasons"]` lists codes: not_in_service, no_contact or reasons of a block."""

    code = "vehicle_not_rentable"
    message = _("This vehicle cannot be rented at the moment. Please choose another one.")


class HoldNotFound(NotFound):
    code = "hold_not_found"
    message = _("There is no such hold of a vehicle.")


class HoldOver(Gone):
    code = "hold_over"
    message = _("The vehicle is no longer held for you.")


def hold_vehicle(
    *,
    vehicle_id: int,
    until: datetime.datetime,
    purpose: str,
    holder_ref: str,
    at: datetime.datetime,
    by: Principal,
) -> VehicleHold:
    """Take a free vehicle from `at` until `until`; of many who try at once, one gets it.

    1. Refuse what is hopeless, with the reasons (a courtesy; it decides nothing).
    2. Move the vehicle out of `free`. Rivals queue on its row here instead of meeting, and
       deadlocking, inside the exclusion constraint; those who come late find it taken.
    3. Insert the hold: the exclusion constraint is what makes two holds impossible.
    4. Write the state history.

    Staff (purposes crew and service) also get vehicles that residents are not offered.
    Raises `VehicleNotFound`, `VehicleTaken`, `VehicleNotRentable`.
    """
    with transaction.atomic():
        vehicle = load_vehicle(vehicle_id)
        refuse_hopeless(vehicle, purpose=purpose)
        before = history.condition_of(vehicle)
        taken = RentalState.STAFF if purpose in STAFF_PURPOSES else RentalState.HELD
        try:
            move(vehicle, field="rental_state", to=taken, at=at, by=by)
        except LostRace as lost:
            raise VehicleTaken from lost
        hold = _insert_hold(
            VehicleHold(
                vehicle=vehicle,
                during=DateTimeTZRange(at, until),
                purpose=purpose,
                holder_ref=holder_ref,
            ),
        )
        history.record_changes([Change(vehicle=vehicle, before=before)], at=at, by=by)
    return hold


def extend_hold(
    *,
    hold_id: int,
    until: datetime.datetime,
    at: datetime.datetime,
    by: Principal,
) -> VehicleHold:
    """Let an active hold end at `until` instead; it may not reach into the next one.

    A hold whose time ran out but that nobody released can still be extended: a start at the last
    moment wins over the expiry. Raises `HoldNotFound`, `HoldOver`, `VehicleTaken`.
    """
    with transaction.atomic():
        hold = _active_hold(hold_id)
        hold.during = DateTimeTZRange(hold.during.lower, until)
        try:
            with transaction.atomic():
                hold.save(update_fields=["during"])
        except IntegrityError as error:
            _raise_if_taken(error)
            raise
    return hold


def release_hold(
    *,
    hold_id: int,
    at: datetime.datetime,
    by: Principal,
    reason: str = "",
) -> VehicleHold:
    """Give the vehicle back; doing it twice is doing it once.

    `reason` "expired" is told apart from a cancellation in the history. Raises `HoldNotFound`.
    """
    with transaction.atomic():
        try:
            hold = _active_hold(hold_id)
        except HoldOver:
            return VehicleHold.objects.get(pk=hold_id)
        free_vehicle(hold, at=at, by=by, reason=reason)
    return hold


def load_vehicle(vehicle_id: int) -> Vehicle:
    """The vehicle with its condition, in one query; raises `VehicleNotFound`."""
    vehicle = Vehicle.objects.with_condition().filter(pk=vehicle_id).first()
    if vehicle is None:
        raise VehicleNotFound
    return vehicle


def lock_hold(hold_id: int) -> VehicleHold:
    """The active hold, locked so that only one caller at a time acts on it."""
    return _active_hold(hold_id)


def refuse_hopeless(vehicle: Vehicle, *, purpose: str) -> None:
    """Raise what a caller would run into anyway, with all reasons at once."""
    if purpose in STAFF_PURPOSES:
        if vehicle.life_state == LifeState.RETIRED:
            raise VehicleNotRentable(extra={"reasons": [rules.NOT_IN_SERVICE]})
    else:
        reasons = rules.obstacles(
            life=vehicle.life_state,
            link=vehicle.link_state,
            blocks=frozenset(vehicle.active_blocks),
        )
        if reasons:
            raise VehicleNotRentable(extra={"reasons": list(reasons)})
    if vehicle.rental_state != RentalState.FREE:
        raise VehicleTaken


def free_vehicle(
    hold: VehicleHold,
    *,
    at: datetime.datetime,
    by: Principal,
    trip_ref: str = "",
    reason: str = "",
) -> None:
    """Release an active hold that the caller has locked, and free its vehicle."""
    vehicle = load_vehicle(hold.vehicle_id)
    before = history.condition_of(vehicle)
    hold.released_at = at
    hold.save(update_fields=["released_at"])
    if vehicle.rental_state != RentalState.FREE:
        move(vehicle, field="rental_state", to=RentalState.FREE, at=at, by=by, reason=reason)
    change = Change(vehicle=vehicle, before=before)
    history.record_changes([change], at=at, by=by, trip_ref=trip_ref, reason=reason)


def _active_hold(hold_id: int) -> VehicleHold:
    hold = VehicleHold.objects.select_for_update(of=("self",)).filter(pk=hold_id).first()
    if hold is None:
        raise HoldNotFound
    if hold.released_at is not None:
        raise HoldOver
    return hold


def _insert_hold(hold: VehicleHold) -> VehicleHold:
    try:
        with transaction.atomic():
            hold.save(force_insert=True)
    except IntegrityError as error:
        _raise_if_taken(error)
        raise
    return hold


def _raise_if_taken(error: IntegrityError) -> None:
    if isinstance(error.__cause__, psycopg.errors.ExclusionViolation):
        raise VehicleTaken from error
