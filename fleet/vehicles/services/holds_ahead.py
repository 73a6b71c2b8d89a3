"""Holds for later: taken now, begun when their time comes, moved to another vehicle if need be.

The same exclusion constraint decides as for holds from now on, so that nobody who takes a vehicle
now collides with somebody who has it later. What they raise is said in `holds`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg.errors
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from fleet.vehicles import history, rules
from fleet.vehicles.models import VehicleHold
from fleet.vehicles.services.holds import (
    VehicleNotRentable,
    VehicleTaken,
    free_vehicle,
    lock_hold,
    lock_vehicle,
    refuse_hopeless,
)
from fleet.vehicles.states import LifeState, RentalState

if TYPE_CHECKING:
    import datetime

    from fleet.vehicles.history import Subject
    from mobility.core.principals import Principal

# Without a target, ON CONFLICT answers to the exclusion constraint: no row means that it refused.
_INSERT = """
INSERT INTO fleet_vehiclehold (vehicle_id, during, purpose, holder_ref, ahead)
VALUES (%s, %s, %s, %s, true)
ON CONFLICT DO NOTHING RETURNING id
"""
_BEGIN = "UPDATE fleet_vehiclehold SET during = %s, ahead = false WHERE id = %s"
_OF = "SELECT vehicle_id FROM fleet_vehiclehold WHERE id = %s"


def hold_ahead(
    *,
    vehicle_id: int,
    during: DateTimeTZRange,
    purpose: str,
    holder_ref: str,
    at: datetime.datetime,
    by: Principal,
) -> VehicleHold:
    """Keep a vehicle for a time to come, `during` = [start, end); who has it now stays as it is.

    Raises `VehicleNotFound`, `VehicleNotRentable` if it is not in service, and `VehicleTaken` if
    any other hold overlaps.
    """
    with transaction.atomic():
        subject = lock_vehicle(vehicle_id)
        return _insert(
            subject,
            VehicleHold(
                vehicle=subject.vehicle,
                during=during,
                purpose=purpose,
                holder_ref=holder_ref,
                ahead=True,
            ),
        )


def begin_hold(*, hold_id: int, at: datetime.datetime, by: Principal) -> VehicleHold:
    """The time of a hold has come: its vehicle is held from `at` on, if it is there and free.

    Beginning twice is beginning once. Raises `HoldNotFound`, `HoldOver`, `VehicleTaken` while
    somebody else has the vehicle, `VehicleNotRentable` with all reasons.
    """
    with transaction.atomic():
        hold, subject = lock_hold(hold_id)
        if not hold.ahead:
            return hold
        refuse_hopeless(subject, purpose=hold.purpose)
        hold.during = DateTimeTZRange(min(at, hold.during.lower), hold.during.upper)
        _begin(hold)
        history.move_rental(subject, to=RentalState.HELD, at=at, by=by)
    return hold


def swap_hold(
    *, hold_id: int, vehicle_id: int, at: datetime.datetime, by: Principal
) -> VehicleHold:
    """Give the holder another vehicle for the same time; the first one is free again.

    The new hold is one for later, whether or not the old one had begun. Nothing changes if the
    other vehicle cannot be had. Raises `HoldNotFound`, `HoldOver`, `VehicleNotFound`,
    `VehicleNotRentable`, `VehicleTaken`.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_OF, [hold_id])
            old = cursor.fetchone()
        # Both at once and in the order of their ids, so that two swaps never wait in a circle.
        history.lock_vehicles([vehicle_id, *(old or ())])
        hold, left = lock_hold(hold_id)
        taken = _insert(
            lock_vehicle(vehicle_id),
            VehicleHold(
                vehicle_id=vehicle_id,
                during=hold.during,
                purpose=hold.purpose,
                holder_ref=hold.holder_ref,
                ahead=True,
            ),
        )
        free_vehicle(hold, left, at=at, by=by)
    return taken


def next_holds(*, vehicle_ids: list[int], at: datetime.datetime) -> dict[int, datetime.datetime]:
    """When the next hold for later begins, by vehicle, for those that have one; one query."""
    begins: dict[int, datetime.datetime] = {}
    waiting = VehicleHold.objects.waiting().filter(vehicle__in=vehicle_ids, during__endswith__gt=at)
    for vehicle_id, during in waiting.values_list("vehicle", "during"):
        begins[vehicle_id] = min(during.lower, begins.get(vehicle_id, during.lower))
    return begins


def _insert(subject: Subject, hold: VehicleHold) -> VehicleHold:
    if subject.vehicle.life_state != LifeState.IN_SERVICE:
        raise VehicleNotRentable(extra={"reasons": [rules.NOT_IN_SERVICE]})
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [hold.vehicle_id, hold.during, hold.purpose, hold.holder_ref])
        row = cursor.fetchone()
    if row is None:
        raise VehicleTaken
    hold.pk = row[0]
    hold._state.adding = False
    return hold


def _begin(hold: VehicleHold) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_BEGIN, [hold.during, hold.pk])
    except IntegrityError as error:
        if isinstance(error.__cause__, psycopg.errors.ExclusionViolation):
            raise VehicleTaken from error
        raise
    hold.ahead = False
