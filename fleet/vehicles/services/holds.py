"""The one hold of a vehicle: taken, extended, released.

DomainError
├── NotFound  VehicleNotFound, HoldNotFound
├── Gone      HoldOver
└── Conflict  VehicleTaken (VehicleBooked), VehicleNotRentable

Holds for later are in `holds_ahead`.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import psycopg.errors
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import history, rules
from fleet.vehicles.events import TripEnded
from fleet.vehicles.models import VehicleHold
from fleet.vehicles.states import STAFF_PURPOSES, LifeState, RentalState
from mobility.core.database import joined
from mobility.core.errors import Conflict, Gone, NotFound

if TYPE_CHECKING:
    from fleet.vehicles.history import Subject
    from mobility.core.principals import Principal

# Without a target, ON CONFLICT answers to the exclusion constraint: no row means that it refused,
# without an error that would spoil the caller's transaction.
# A hold from now on ends where the next one for later begins, if that is far enough away.
_INSERT = """
INSERT INTO fleet_vehiclehold (vehicle_id, during, purpose, holder_ref, ahead)
SELECT %(vehicle)s, tstzrange(%(at)s, LEAST(%(until)s, next.start)), %(purpose)s, %(ref)s, false
FROM (
    SELECT min(lower(during)) AS start FROM fleet_vehiclehold
    WHERE vehicle_id = %(vehicle)s AND released_at IS NULL AND lower(during) > %(at)s
) next
WHERE COALESCE(next.start, 'infinity') >= %(shortest)s
ON CONFLICT DO NOTHING RETURNING id, upper(during)
"""
# As far as `until`, but not into the next hold, and never back.
_REACH = """
UPDATE fleet_vehiclehold hold SET during = tstzrange(lower(hold.during), GREATEST(
    upper(hold.during), LEAST(%s, (
        SELECT min(lower(other.during)) FROM fleet_vehiclehold other
        WHERE other.vehicle_id = hold.vehicle_id AND other.released_at IS NULL
          AND other.id <> hold.id AND lower(other.during) >= upper(hold.during)
    ))
)) WHERE hold.id = %s RETURNING upper(hold.during)
"""
_NEXT = """
SELECT min(lower(during)) FROM fleet_vehiclehold
WHERE vehicle_id = %s AND released_at IS NULL AND ahead AND upper(during) > %s
"""
_STRETCH = "UPDATE fleet_vehiclehold SET during = %s WHERE id = %s"
_STAFF_AT_LEAST = datetime.timedelta(minutes=1)
_RELEASE = "UPDATE fleet_vehiclehold SET released_at = %s WHERE id = %s"
# The ride began with the first row of the history in which it runs.
_RELEASE_RIDDEN = f"""{_RELEASE} RETURNING (
    SELECT min(at) FROM fleet_vehicleevent
    WHERE vehicle_id = %s AND at >= %s AND trip_ref = %s AND rental_state = 'on_trip'
)"""  # noqa: S608 - constants


class VehicleNotFound(NotFound):
    code = "vehicle_not_found"
    message = _("There is no such vehicle.")


class VehicleTaken(Conflict):
    code = "vehicle_taken"
    message = _("Somebody else has this vehicle. Please choose another one.")


class VehicleBooked(VehicleTaken):
    """It is booked too soon; `extra["available_until"]` says from when on."""

    code = "vehicle_booked"
    message = _("This vehicle is booked by somebody else soon. Please choose another one.")


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
    shortest: datetime.timedelta | None = None,
) -> VehicleHold:
    """Take a free vehicle from `at` until `until`; of many who try at once, one gets it.

    A hold that meets a booking ahead ends where that begins, if the vehicle is to be had for
    `shortest` at least; without it a resident's hold is as long as asked or not at all, and that of
    staff lasts a minute at least.

    1. Lock the vehicle and judge it as it is then: nobody blocks it, moves it on or takes it
       between the judgement and the hold. Rivals queue here instead of meeting, and deadlocking,
       inside the exclusion constraint.
    2. Insert the hold: the exclusion constraint is what makes two holds impossible. Up to here
       nothing is written if it is refused.
    3. Move the vehicle out of `free`, with its history.

    Staff (purposes crew and service) also get vehicles that residents are not offered.
    Raises `VehicleNotFound`, `VehicleTaken`, `VehicleBooked`, `VehicleNotRentable`.
    """
    if shortest is None:
        shortest = _STAFF_AT_LEAST if purpose in STAFF_PURPOSES else until - at
    with joined():
        subject = lock_vehicle(vehicle_id)
        refuse_hopeless(subject, purpose=purpose)
        hold = VehicleHold(
            vehicle=subject.vehicle,
            during=DateTimeTZRange(at, until),
            purpose=purpose,
            holder_ref=holder_ref,
        )
        _insert_now(hold, shortest=at + shortest)
        taken = RentalState.STAFF if purpose in STAFF_PURPOSES else RentalState.HELD
        history.move_rental(subject, to=taken, at=at, by=by)
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


def extend_as_far(
    *, hold_id: int, until: datetime.datetime, at: datetime.datetime, by: Principal
) -> datetime.datetime:
    """Let an active hold reach towards `until`, but not into the next one; returns how far it does.

    Raises `HoldNotFound`, `HoldOver`.
    """
    with transaction.atomic(savepoint=False):
        hold, _subject = lock_hold(hold_id)
        reach_hold(hold, until=until)
    return hold.until


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
    """Release an active hold that the caller has locked, and free its vehicle if it had begun.

    If the trip `trip_ref` ever ran on it, that it has ended is told with that (`TripEnded`).
    """
    started_at = _release(hold, trip_ref=trip_ref, at=at)
    if hold.ahead:
        return
    if subject.vehicle.rental_state == RentalState.FREE:
        return
    tells = (
        []
        if started_at is None
        else [
            TripEnded(
                vehicle_id=hold.vehicle_id, trip_ref=trip_ref, started_at=started_at, ended_at=at
            )
        ]
    )
    history.move_rental(
        subject, to=RentalState.FREE, at=at, by=by, trip_ref=trip_ref, reason=reason, tells=tells
    )


def _release(
    hold: VehicleHold, *, trip_ref: str, at: datetime.datetime
) -> datetime.datetime | None:
    """Release the hold; since when the trip ran, if it ever did."""
    values: list[Any] = [at, hold.pk]
    ridden = [hold.vehicle_id, hold.during.lower, trip_ref] if trip_ref else []
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE_RIDDEN if trip_ref else _RELEASE, values + ridden)
        row = cursor.fetchone() if trip_ref else None
    hold.released_at = at
    return None if row is None else row[0]


def reach_hold(hold: VehicleHold, *, until: datetime.datetime) -> None:
    """Move the end of a hold that the caller has locked as far towards `until` as it may go."""
    with connection.cursor() as cursor:
        cursor.execute(_REACH, [until, hold.pk])
        (upper,) = cursor.fetchone()
    hold.during = DateTimeTZRange(hold.during.lower, upper)


def free_from(*, vehicle_id: int, at: datetime.datetime) -> datetime.datetime | None:
    """When the next hold for later begins that is not over at `at`; None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [vehicle_id, at])
        (start,) = cursor.fetchone()
    begins: datetime.datetime | None = start
    return begins


def _insert_now(hold: VehicleHold, *, shortest: datetime.datetime) -> None:
    """Insert a hold that begins now where the constraint lets it; raises `VehicleTaken`."""
    at = hold.during.lower
    values = {
        "vehicle": hold.vehicle_id,
        "at": at,
        "until": hold.during.upper,
        "shortest": shortest,
        "purpose": hold.purpose,
        "ref": hold.holder_ref,
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        row = cursor.fetchone()
    if row is None:
        begins = free_from(vehicle_id=hold.vehicle_id, at=at)
        if begins is None or begins <= at:
            raise VehicleTaken
        raise VehicleBooked(extra={"available_until": begins.isoformat()})
    hold.pk, upper = row
    hold.during = DateTimeTZRange(at, upper)
    hold._state.adding = False
