"""Booking a car for later: this very one, or the best of a class.

DomainError
├── Invalid   BookingSpanRefused  every fault of the span at once
├── Conflict  NoCarFree           with the next spans or places where there is one
├── Conflict  TooManyBookings
└── Conflict  NoConnectorFree
"""

import dataclasses
import datetime

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _
from psycopg.errors import ExclusionViolation

from bookings.payments.services import refuse_debtor
from bookings.pricing import rules as pricing
from bookings.pricing.queries import PricedVersion, fare_for
from bookings.reservations import rules, spans
from bookings.reservations.events import BookingConfirmed
from bookings.reservations.models import Booking, ReservationPolicy
from bookings.reservations.policies import policy_of
from bookings.reservations.queries.cars import ANYWHERE, Place, free_cars
from bookings.reservations.queries.classes import BookingClass
from bookings.reservations.services.connectors import keep_connector
from bookings.reservations.services.telling import tell
from bookings.reservations.states import OPEN_BOOKINGS, BookingState
from bookings.riders.queries import obstacles
from bookings.riders.rules import Obstacle
from bookings.riders.services.access import refuse_unfit
from fleet.vehicles.models import Vehicle, VehicleHold
from fleet.vehicles.services import VehicleNotRentable, VehicleTaken, hold_ahead
from fleet.vehicles.states import HoldPurpose, Kind
from mobility.accounts.models import User
from mobility.core import ids
from mobility.core.errors import Conflict, Invalid
from mobility.core.money import total_cents
from mobility.core.principals import Principal
from mobility.core.transitions import move
from mobility.geography.models import Hub

# So many cars are tried that others take in the same moment.
TRIES = 8


class BookingSpanRefused(Invalid):
    """`extra["reasons"]` lists codes: in_past, no_length, too_short, too_long, too_far_ahead."""

    code = "booking_span_refused"
    message = _("A car cannot be booked for this time. Please change the beginning or the end.")


class NotBookable(Conflict):
    """Only cars are booked ahead; others are reserved now."""

    code = "not_bookable"
    message = _("This vehicle cannot be booked ahead. Reserve it when you need it.")


class NoCarFree(Conflict):
    """None of the class, or not this one, is free for the span."""

    code = "no_car_free"
    message = _("No such car is free for this time. Please choose another time or class.")


class TooManyBookings(Conflict):
    """As many open bookings, or cars at the same time, as one person may have."""

    code = "too_many_bookings"
    message = _("You already have a booking for this time, or as many as you may have.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants: a `vehicle` (loaded with its type) or one of a `car_class`, and when."""

    starts_at: datetime.datetime
    ends_at: datetime.datetime
    vehicle: Vehicle | None = None
    car_class: BookingClass | None = None
    place: Place = ANYWHERE
    range_m: int | None = None
    # Where the car will be plugged in at its return.
    charge_hub: Hub | None = None

    @property
    def organisation_id(self) -> int:
        """Whose car it will be."""
        # One of the two is given; this narrows the type.
        owner = self.car_class.organisation if self.car_class else self.vehicle
        assert owner is not None
        return owner.pk if self.vehicle is None else self.vehicle.organisation_id

    @property
    def kind(self) -> str:
        """The kind of vehicle, by which it has a price."""
        return Kind.CAR if self.vehicle is None else self.vehicle.kind


@dataclasses.dataclass(frozen=True, kw_only=True)
class BookingOffer:
    """What a wish would come to: the car one would get now, the whole price, the terms."""

    wish: Wish
    vehicle: Vehicle
    priced: PricedVersion
    estimate_cents: int
    free_until: datetime.datetime
    policy: ReservationPolicy


def offer_booking(*, wish: Wish, at: datetime.datetime) -> BookingOffer:
    """The total and the terms before anything is confirmed; nothing is held by asking.

    Raises `BookingSpanRefused`, `NotBookable`, `NoPrice`, `NoCarFree`.
    """
    policy = policy_of(wish.organisation_id)
    _refuse_span(wish, policy=policy, at=at)
    priced = fare_for(organisation_id=wish.organisation_id, kind=wish.kind, at=at)
    cars = _candidates(wish, policy=policy, at=at)
    if not cars:
        raise NoCarFree
    return _offer(wish, cars[0], priced=priced, policy=policy, at=at)


def book_car(*, user: User, wish: Wish, at: datetime.datetime, by: Principal) -> Booking:
    """Keep a car for a person, at the price of this moment.

    1. The span is one that can be booked, the person may ride and owes nothing.
    2. Of a class the best charged car that suffices is tried first, then the next one: the
       fleet's hold, which covers the pause after the booking too, decides each.
    3. A connector for the return is kept in the same transaction, if asked for.
    4. The person's own limit is decided by the database.
    Raises `BookingSpanRefused`, `NotBookable`, `NoPrice`, `NoCarFree`, `TooManyBookings`,
    `NoConnectorFree`, `AccessRefused`, `DebtOutstanding`.
    """
    policy = policy_of(wish.organisation_id)
    _refuse_span(wish, policy=policy, at=at)
    refuse_debtor(payer_id=user.pk)
    try:
        with transaction.atomic():
            # Inside: it keeps the account from being erased until the booking stands.
            _refuse_unfit(user, wish, at=at)
            priced = fare_for(organisation_id=wish.organisation_id, kind=wish.kind, at=at)
            return _book(user, wish, priced=priced, policy=policy, at=at, by=by)
    except IntegrityError as problem:
        if isinstance(problem.__cause__, ExclusionViolation):
            raise TooManyBookings from problem
        raise


def _book(
    user: User,
    wish: Wish,
    *,
    priced: PricedVersion,
    policy: ReservationPolicy,
    at: datetime.datetime,
    by: Principal,
) -> Booking:
    lock_person(user)
    slot = _slot(user, wish, policy=policy)
    public_id = ids.uuid7()
    vehicle, hold = _hold(wish, public_id=str(public_id), policy=policy, at=at, by=by)
    offer = _offer(wish, vehicle, priced=priced, policy=policy, at=at)
    booking = Booking(
        public_id=public_id,
        user=user,
        organisation_id=wish.organisation_id,
        vehicle=vehicle,
        chosen=wish.vehicle is not None,
        hub=wish.place.hub,
        district=wish.place.district,
        range_m=wish.range_m,
        hold=hold,
        tariff_version_id=priced.version_id,
        fare_terms=priced.fare.as_json(),
        estimate_cents=offer.estimate_cents,
        slot=slot,
        starts_at=wish.starts_at,
        ends_at=wish.ends_at,
        free_until=offer.free_until,
        requested_at=at,
    )
    if wish.charge_hub is not None:
        booking.connector_hold = keep_connector(
            hub=wish.charge_hub, booking=booking, policy=policy, at=at, by=by
        )
    booking.save(force_insert=True)
    move(booking, to=BookingState.CONFIRMED, at=at, by=by)
    told = {"estimate_cents": booking.estimate_cents, "currency": priced.fare.currency}
    tell(BookingConfirmed, booking, at=at, **told)
    return booking


def _refuse_span(wish: Wish, *, policy: ReservationPolicy, at: datetime.datetime) -> None:
    if wish.kind not in rules.BOOKABLE:
        raise NotBookable
    faults = spans.span_faults(starts_at=wish.starts_at, ends_at=wish.ends_at, at=at, policy=policy)
    if faults:
        limits = {
            "shortest_minutes": policy.booking_minutes,
            "longest_hours": policy.booking_hours,
            "days_ahead": policy.days_ahead,
        }
        raise BookingSpanRefused(extra={"reasons": list(faults), "limits": limits})


def booking_warnings(*, booking: Booking, at: datetime.datetime) -> tuple[Obstacle, ...]:
    """What will stand in the way of the ride if nothing is done, a licence that ends before it."""
    found = obstacles(
        user_id=booking.user_id,
        organisation_id=booking.organisation_id,
        kind=booking.vehicle.kind,
        type_code=booking.vehicle.type.code,
        at=at,
        ends_at=booking.ends_at,
    )
    return tuple(one for one in found if not one.blocking)


def _refuse_unfit(user: User, wish: Wish, *, at: datetime.datetime) -> None:
    """A document that is good today and not then is a warning only: it is judged at the start."""
    vehicle_type = wish.vehicle.type if wish.vehicle else wish.car_class and wish.car_class.type
    refuse_unfit(
        user_id=user.pk,
        organisation_id=wish.organisation_id,
        kind=wish.kind,
        type_code=vehicle_type.code if vehicle_type else "",
        at=at,
        ends_at=wish.ends_at,
    )


def lock_person(user: User) -> None:
    """One booking of a person after the other.

    Two that meet inside the exclusion constraint would wait for each other for ever.
    """
    User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk").first()


def _slot(user: User, wish: Wish, *, policy: ReservationPolicy) -> int:
    """A place beside the bookings that overlap; the constraint decides when two ask at once."""
    mine = list(Booking.objects.filter(user=user, state__in=OPEN_BOOKINGS))
    meanwhile = [
        one.slot for one in mine if one.starts_at < wish.ends_at and wish.starts_at < one.ends_at
    ]
    slot = rules.free_slot(meanwhile, limit=policy.group_limit)
    if slot is None or len(mine) >= policy.bookings_at_once:
        raise TooManyBookings
    return slot


def _hold(
    wish: Wish,
    *,
    public_id: str,
    policy: ReservationPolicy,
    at: datetime.datetime,
    by: Principal,
) -> tuple[Vehicle, VehicleHold]:
    during = DateTimeTZRange(wish.starts_at, spans.hold_until(wish.ends_at, policy=policy))
    for vehicle in _candidates(wish, policy=policy, at=at)[:TRIES]:
        try:
            hold = hold_ahead(
                vehicle_id=vehicle.pk,
                during=during,
                purpose=HoldPurpose.BOOKING,
                holder_ref=f"booking:{public_id}",
                at=at,
                by=by,
            )
        except (VehicleTaken, VehicleNotRentable):
            # Somebody else was faster at this one.
            continue
        return vehicle, hold
    raise NoCarFree


def _candidates(wish: Wish, *, policy: ReservationPolicy, at: datetime.datetime) -> list[Vehicle]:
    """The cars to try in their order; a vehicle that was asked for is tried as it is."""
    if wish.vehicle is not None:
        return [wish.vehicle]
    # Without a vehicle there is a class; this narrows the type.
    assert wish.car_class is not None
    cars = free_cars(
        organisation_id=wish.organisation_id,
        starts_at=wish.starts_at,
        until=spans.hold_until(wish.ends_at, policy=policy),
        type_id=wish.car_class.type.pk,
        range_needed_m=wish.range_m,
        place=wish.place,
        at=at,
    )
    return [car.vehicle for car in cars]


def _offer(
    wish: Wish,
    vehicle: Vehicle,
    *,
    priced: PricedVersion,
    policy: ReservationPolicy,
    at: datetime.datetime,
) -> BookingOffer:
    minutes = -(-int((wish.ends_at - wish.starts_at).total_seconds()) // 60)
    lines = pricing.estimate(fare=priced.fare, minutes=minutes, at=wish.starts_at)
    return BookingOffer(
        wish=wish,
        vehicle=vehicle,
        priced=priced,
        estimate_cents=total_cents(lines),
        free_until=spans.cancelled_free_until(fare=priced.fare, starts_at=wish.starts_at, at=at),
        policy=policy,
    )
