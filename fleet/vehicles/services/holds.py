"""The one hold of a vehicle: taken, extended, released.

DomainError
├── NotFound  VehicleNotFound, HoldNotFound
├── Gone      HoldOver
└── Conflict  VehicleTaken, VehicleNotRentable
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg.errors
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import history, rules
from fleet.vehicles.models import VehicleHold
from fleet.vehicles.states import STAFF_PURPOSES, LifeState, RentalState
from mobility.core.errors import Conflict, Gone, NotFound
from mobility.core.transitions import move

if TYPE_CHECKING:
    import datetime

    from fleet.vehicles.history import Subject
    from mobility.core.principals import Principal

# Without a target, ON CONFLICT answers to the exclusion constraint: no row means that it refused,
# without an error that would spoil the caller's transaction.
_INSERT = """
INSERT INTO fleet_vehiclehold (vehicle_id, during, purpose, holder_ref)
VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING id
"""
_STRETCH = "UPDATE fleet_vehiclehold SET during = %s WHERE id = %s"
_RELEASE = "UPDATE fleet_vehiclehold SET released_at = %s WHERE id = %s"


class VehicleNotFound(NotFound):
    code = "vehicle_not_found"
    message = _("There is no such vehicle.")


class VehicleTaken(Conflict):
    code = "vehicle_taken"
    message = _("Somebody else has this vehicle. Please choose another one.")


class VehicleInUse(VehicleTaken):
    """The same, said to staff, who want this one and no other."""

    message = _("Somebody has this vehicle. It has to be given back first.")


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

    1. Lock the vehicle and judge it as it is then: nobody blocks it, moves it on or takes it
       between the judgement and the hold. Rivals queue here instead of meeting, and deadlocking,
       inside the exclusion constraint.
    2. Move it out of `free`.
    3. Insert the hold: the exclusion constraint is what makes two holds impossible.
    4. Write the state history.

    Staff (purposes crew and service) also get vehicles that residents are not offered.
    Raises `VehicleNotFound`, `VehicleTaken`, `VehicleNotRentable`.
    """
    with transaction.atomic():
        subject = lock_vehicle(vehicle_id)
        refuse_hopeless(subject, purpose=purpose)
        taken = RentalState.STAFF if purpose in STAFF_PURPOSES else RentalState.HELD
        move(subject.vehicle, field="rental_state", to=taken, at=at, by=by)
        hold = VehicleHold(
            vehicle=subject.vehicle,
            during=DateTimeTZRange(at, until),
            purpose=purpose,
            holder_ref=holder_ref,
        )
        _insert_hold(hold)
        history.record_changes([subject], at=at, by=by)
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
    moment wins over the expiry. Raises `HoldNotFound`, `HoldOver`, `VehicleTaken`; the last one
    spoils a surrounding transaction, which has nothing left to do then but to roll back.
    """
    with transaction.atomic(savepoint=False):
        hold, _subject = lock_hold(hold_id)
        stretch_hold(hold, until=until)
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
            hold, subject = lock_hold(hold_id)
        except HoldOver:
            return VehicleHold.objects.get(pk=hold_id)
        free_vehicle(hold, subject, at=at, by=by, reason=reason)
    return hold


def lock_vehicle(vehicle_id: int) -> Subject:
    """The vehicle, locked and then read with its condition; raises `VehicleNotFound`."""
    for subject in history.lock_subjects([vehicle_id]):
        return subject
    raise VehicleNotFound


def lock_hold(hold_id: int) -> tuple[VehicleHold, Subject]:
    """The active hold and its vehicle, whose lock lets only one caller at a time act on them.

    Raises `HoldNotFound`, `HoldOver`.
    """
    held = history.lock_held(hold_id)
    if held is None:
        raise HoldNotFound
    if held[0].released_at is not None:
        raise HoldOver
    return held


def refuse_hopeless(subject: Subject, *, purpose: str) -> None:
    """Raise what a caller would run into anyway, with all reasons at once."""
    vehicle = subject.vehicle
    if purpose in STAFF_PURPOSES:
        if vehicle.life_state == LifeState.RETIRED:
            raise VehicleNotRentable(extra={"reasons": [rules.NOT_IN_SERVICE]})
    else:
        reasons = rules.obstacles(
            life=vehicle.life_state,
            link=vehicle.link_state,
            blocks=subject.blocks,
        )
        if reasons:
            raise VehicleNotRentable(extra={"reasons": list(reasons)})
    if vehicle.rental_state != RentalState.FREE:
        raise VehicleInUse if purpose in STAFF_PURPOSES else VehicleTaken


def stretch_hold(hold: VehicleHold, *, until: datetime.datetime) -> None:
    """Move the end of a hold that the caller has locked; raises `VehicleTaken`."""
    hold.during = DateTimeTZRange(hold.during.lower, until)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_STRETCH, [hold.during, hold.pk])
    except IntegrityError as error:
        if isinstance(error.__cause__, psycopg.errors.ExclusionViolation):
            raise VehicleTaken from error
        raise


def free_vehicle(
    hold: VehicleHold,
    subject: Subject,
    *,
    at: datetime.datetime,
    by: Principal,
    trip_ref: str = "",
    reason: str = "",
) -> None:
    """Release an active hold that the caller has locked, and free its vehicle."""
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [at, hold.pk])
    hold.released_at = at
    vehicle = subject.vehicle
    if vehicle.rental_state != RentalState.FREE:
        move(vehicle, field="rental_state", to=RentalState.FREE, at=at, by=by, reason=reason)
    history.record_changes([subject], at=at, by=by, trip_ref=trip_ref, reason=reason)


def _insert_hold(hold: VehicleHold) -> None:
    """Insert the hold where the constraint lets it; raises `VehicleTaken`."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [hold.vehicle_id, hold.during, hold.purpose, hold.holder_ref])
        row = cursor.fetchone()
    if row is None:
        raise VehicleTaken
    hold.pk = row[0]
    hold._state.adding = False
