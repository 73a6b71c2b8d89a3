"""Taking a vehicle now: held for its rider, or ridden at once.

DomainError
├── Conflict  AlreadyActive        as many vehicles as one may have
├── (429)     TooManyReservations  reserved again and again without riding
└── (429)     VehicleCoolDown      the same vehicle let go again and again
"""

import datetime
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from psycopg.errors import UniqueViolation

from bookings.pricing.queries import fare_for
from bookings.pricing.rules import Fare
from bookings.reservations import rules
from bookings.reservations.models import Reservation, ReservationPolicy
from bookings.reservations.policies import needs_time, policy_of
from bookings.reservations.services.close import expire
from bookings.reservations.states import ACTIVE, UNUSED, ReservationState
from bookings.riders.services.access import refuse_unfit
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import hold_vehicle
from fleet.vehicles.states import HoldPurpose
from mobility.core import ids
from mobility.core.errors import Conflict, DomainError
from mobility.core.prepared import insert, prepared
from mobility.core.principals import Principal


class AlreadyActive(Conflict):
    """The person has as many vehicles as allowed; `extra` names a reservation and its state."""

    code = "already_active"
    message = _("You already have a vehicle. End that trip or reservation first.")


class TooManyReservations(DomainError):
    """Reserving without riding, again and again."""

    code = "too_many_reservations"
    status: ClassVar[int] = 429
    message = _("You have reserved several times without riding. Please try again in a while.")


class VehicleCoolDown(DomainError):
    """The same vehicle, let go again and again; `extra["until"]` says when it can be had again."""

    code = "vehicle_cool_down"
    status: ClassVar[int] = 429
    message = _("You have let this vehicle go several times. Please choose another one for now.")


def reserve_vehicle(
    *, vehicle: Vehicle, user_id: int, at: datetime.datetime, by: Principal
) -> Reservation:
    """Hold `vehicle` (loaded with its type) for a person at the price of this moment.

    1. The person may ride it (`AccessRefused`), may have one more vehicle and does not hoard
       (`AlreadyActive`, `TooManyReservations`, `VehicleCoolDown`).
    2. The fare in force is frozen into the reservation (`NoPrice`).
    3. The fleet's hold decides who gets the vehicle (`VehicleTaken`, `VehicleNotRentable`); one
       that is booked for later is held until then, or not at all if that is soon
       (`VehicleBooked`).
    4. A unique index decides when one person reserves twice at once (`AlreadyActive`).
    """
    return take(vehicle=vehicle, user_id=user_id, state=ReservationState.HELD, at=at, by=by)


def take(
    *,
    vehicle: Vehicle,
    user_id: int,
    state: ReservationState,
    at: datetime.datetime,
    by: Principal,
    perks: list[Any] | None = None,
) -> Reservation:
    """The same, `held` or `consumed` at once; a lost race for a place is tried for the next one."""
    limit = policy_of(vehicle.organisation_id).group_limit
    for _try in range(limit):
        try:
            with transaction.atomic():
                return _take(vehicle, user_id=user_id, state=state, perks=perks or [], at=at, by=by)
        except IntegrityError as problem:
            if not isinstance(problem.__cause__, UniqueViolation):
                raise
    raise AlreadyActive


def slot_for(
    *, user_id: int, policy: ReservationPolicy, at: datetime.datetime, vehicle_id: int | None = None
) -> int:
    """A place for one more vehicle of this person; one query decides all.

    With `vehicle_id` the person must not hoard either: for a reservation, not for a booking.
    """
    window = max(rules.HOUR, datetime.timedelta(minutes=policy.cool_down_minutes))
    recent = _recent.all(user_id=user_id, since=at - window)
    overdue = [row for row in recent if _is_overdue(row, at=at)]
    if overdue:
        # The sweep has not come yet; its work must not stand in the person's way.
        expire(overdue, at=at)
    active = [row for row in recent if row.state in ACTIVE]
    slot = rules.free_slot((row.slot for row in active), limit=policy.group_limit)
    if slot is None:
        first = active[0]
        raise AlreadyActive(extra={"reservation": str(first.public_id), "state": first.state})
    if vehicle_id is not None:
        unused = [row for row in recent if row.state in UNUSED]
        _refuse_hoarding(unused, vehicle_id=vehicle_id, policy=policy, at=at)
    return slot


@prepared
def _recent(*, user_id: int, since: datetime.datetime) -> "QuerySet[Reservation]":
    lately = Q(state__in=UNUSED, closed_at__gt=since)
    return Reservation.objects.filter(Q(state__in=ACTIVE) | lately, user_id=user_id)


def _take(
    vehicle: Vehicle,
    *,
    user_id: int,
    state: ReservationState,
    perks: list[Any],
    at: datetime.datetime,
    by: Principal,
) -> Reservation:
    policy = policy_of(vehicle.organisation_id)
    refuse_unfit(
        user_id=user_id,
        organisation_id=vehicle.organisation_id,
        kind=vehicle.kind,
        type_code=vehicle.type.code,
        at=at,
    )
    slot = slot_for(user_id=user_id, policy=policy, vehicle_id=vehicle.pk, at=at)
    priced = fare_for(organisation_id=vehicle.organisation_id, kind=vehicle.kind, at=at)
    fare = priced.fare
    if state == ReservationState.HELD and policy.mobility_minutes:
        fare = _with_time(fare, user_id=user_id, policy=policy)
    expires_at = at + datetime.timedelta(minutes=rules.first_minutes(fare))
    public_id = ids.uuid7()
    soonest = datetime.timedelta(minutes=policy.shortest_minutes)
    hold = hold_vehicle(
        vehicle_id=vehicle.pk,
        until=expires_at + rules.HOLD_MARGIN,
        purpose=HoldPurpose.RIDE,
        holder_ref=f"reservation:{public_id}",
        shortest=soonest if vehicle.kind in rules.BOOKABLE else None,
        at=at,
        by=by,
    )
    reservation = Reservation(
        public_id=public_id,
        user_id=user_id,
        organisation_id=vehicle.organisation_id,
        vehicle=vehicle,
        hold=hold,
        tariff_version_id=priced.version_id,
        fare_terms=fare.as_json(),
        perks=perks,
        slot=slot,
        state=state,
        reserved_at=at,
        expires_at=min(expires_at, hold.until),
    )
    return insert(reservation)


def _with_time(fare: Fare, *, user_id: int, policy: ReservationPolicy) -> Fare:
    """Who needs more time to reach a vehicle has it for nothing."""
    if not needs_time(user_id):
        return fare
    return rules.with_time(fare, minutes=policy.mobility_minutes)


def _is_overdue(row: Reservation, *, at: datetime.datetime) -> bool:
    held = row.state == ReservationState.HELD
    return held and not rules.still_startable(expires_at=row.expires_at, at=at)


def _refuse_hoarding(
    unused: list[Reservation], *, vehicle_id: int, policy: ReservationPolicy, at: datetime.datetime
) -> None:
    lately = [row.reserved_at for row in unused if row.reserved_at > at - rules.HOUR]
    until = rules.hoarding_until(lately, policy=policy)
    if until is not None and until > at:
        raise TooManyReservations(extra={"retry_after_s": _seconds(at, until)})
    closed = [row.closed_at for row in unused if row.vehicle_id == vehicle_id and row.closed_at]
    until = rules.cooling_until(closed, policy=policy)
    if until is not None and until > at:
        raise VehicleCoolDown(
            extra={"retry_after_s": _seconds(at, until), "until": until.isoformat()}
        )


def _seconds(start: datetime.datetime, end: datetime.datetime) -> int:
    return max(1, int((end - start).total_seconds()))
