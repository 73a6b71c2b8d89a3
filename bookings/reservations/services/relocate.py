"""Another car for a booking: as good or better, near the first one, at the same price."""

import datetime
from collections.abc import Sequence

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _

from bookings.reservations import rules, spans
from bookings.reservations.events import BookingDisplaced, BookingMoved
from bookings.reservations.models import Booking
from bookings.reservations.policies import policy_of
from bookings.reservations.queries.cars import Place, free_cars
from bookings.reservations.services.connectors import give_connector
from bookings.reservations.services.telling import tell
from bookings.reservations.states import WAITING_BOOKINGS, BookingState
from fleet.vehicles.models import LatestState, Vehicle, VehicleHold
from fleet.vehicles.services import (
    HoldOver,
    VehicleNotRentable,
    VehicleTaken,
    hold_ahead,
    lock_vehicle,
    release_hold,
    swap_hold,
)
from fleet.vehicles.states import HoldPurpose
from mobility.core.errors import Conflict
from mobility.core.principals import Principal, system_principal
from mobility.core.transitions import move

KEEPER = system_principal("booking-keeper")
# A walk that still counts as the same place.
NEARBY_M = 1500.0
TRIES = 8
A_MINUTE = datetime.timedelta(minutes=1)


class BookingNotMovable(Conflict):
    """It is ridden already, or over."""

    code = "booking_not_movable"
    message = _("This booking cannot be moved to another vehicle any more.")


class NoOtherCar(Conflict):
    """None that is as good is free for the whole time."""

    code = "no_other_car"
    message = _("No other car that is as good is free for the whole time.")


def lock_waiting(booking_id: int) -> Booking | None:
    """The booking, locked before any vehicle is; None if nobody waits for it any more."""
    rows = Booking.objects.select_for_update(of=("self",)).select_related(
        "vehicle__type", "vehicle__latest", "hold", "user", "hub", "district"
    )
    return rows.filter(pk=booking_id, state__in=WAITING_BOOKINGS).first()


def relocate(
    booking: Booking, *, reason: str, at: datetime.datetime, by: Principal = KEEPER
) -> bool:
    """Give a locked, waiting booking the best other car there is; whether there was one.

    As many seats and as long a range at least, at the hub or in the district that was asked for,
    else within a walk of the first car. The price stays. Its rider is told (`BookingMoved`).
    """
    since = max(booking.starts_at, at)
    cars = free_cars(
        organisation_id=booking.organisation_id,
        starts_at=since,
        until=max(booking.hold.until, since + A_MINUTE),
        as_good_as=booking.vehicle,
        range_needed_m=booking.range_m,
        place=place_of(booking),
        without=[booking.vehicle_id],
        at=at,
    )
    for car in cars[:TRIES]:
        try:
            put_on(booking, vehicle=car.vehicle, reason=reason, at=at, by=by)
        except (VehicleTaken, VehicleNotRentable):
            continue
        return True
    return False


def move_booking(
    *, booking_id: int, vehicle: Vehicle, reason: str, at: datetime.datetime, by: Principal
) -> Booking:
    """Staff put a booking on another car of the same operator that is free for its time.

    Raises `BookingNotMovable`, `NoOtherCar`, `VehicleTaken`, `VehicleNotRentable`.
    """
    with transaction.atomic():
        booking = lock_waiting(booking_id)
        if booking is None:
            raise BookingNotMovable
        own = vehicle.organisation_id == booking.organisation_id
        if not own or vehicle.kind not in rules.BOOKABLE or vehicle.pk == booking.vehicle_id:
            raise NoOtherCar
        put_on(booking, vehicle=vehicle, reason=reason, at=at, by=by)
    return booking


def exchange(*, booking_id: int, reason: str, at: datetime.datetime, by: Principal) -> Booking:
    """Staff give a booking the best other car. Raises `BookingNotMovable`, `NoOtherCar`."""
    with transaction.atomic():
        booking = lock_waiting(booking_id)
        if booking is None:
            raise BookingNotMovable
        if not relocate(booking, reason=reason, at=at, by=by):
            raise NoOtherCar
    return booking


def put_on(
    booking: Booking, *, vehicle: Vehicle, reason: str, at: datetime.datetime, by: Principal
) -> None:
    """Hold this car for the booking instead, and tell its rider; nothing changes if it is taken.

    A booking whose window was open waits again: the new car has to be there first.
    """
    before = booking.vehicle_id
    with transaction.atomic():
        booking.hold = _hold_instead(booking, vehicle, at=at, by=by)
        booking.vehicle, booking.at_risk_since = vehicle, None
        booking.moved += 1
        booking.save(update_fields=["hold", "vehicle", "at_risk_since", "moved"])
        if booking.state == BookingState.WINDOW_OPEN:
            move(booking, to=BookingState.CONFIRMED, at=at, by=by, reason=reason)
        tell(BookingMoved, booking, at=at, from_vehicle_id=before, reason=reason)


def put_all_on(
    pairs: Sequence[tuple[Booking, Vehicle]], *, reason: str, at: datetime.datetime
) -> None:
    """Hold other cars for locked, waiting bookings, all at once, so that they may also exchange them.

    All holds are let go before any is taken anew: what is raised has to undo the transaction.
    Raises `VehicleTaken`, `VehicleNotRentable`.
    """
    with transaction.atomic():
        involved = {booking.vehicle_id for booking, _car in pairs} | {car.pk for _b, car in pairs}
        for vehicle_id in sorted(involved):
            lock_vehicle(vehicle_id)
        for booking, _vehicle in pairs:
            release_hold(hold_id=booking.hold_id, at=at, by=KEEPER)
        for booking, vehicle in pairs:
            before = booking.vehicle_id
            booking.hold = _hold(booking, vehicle, at=at, by=KEEPER)
            booking.vehicle, booking.at_risk_since = vehicle, None
            booking.moved += 1
            booking.save(update_fields=["hold", "vehicle", "at_risk_since", "moved"])
            tell(BookingMoved, booking, at=at, from_vehicle_id=before, reason=reason)


def hold_again(
    booking: Booking, *, vehicle: Vehicle, at: datetime.datetime, by: Principal = KEEPER
) -> None:
    """Hold the car anew for a booking whose hold is over. Raises `VehicleTaken`, …"""
    with transaction.atomic():
        booking.hold = _hold(booking, vehicle, at=at, by=by)
        booking.save(update_fields=["hold"])


def displace(
    booking: Booking, *, reason: str, at: datetime.datetime, by: Principal = KEEPER
) -> None:
    """End a locked booking for which there is no car; nothing is charged."""
    with transaction.atomic():
        move(booking, to=BookingState.DISPLACED, at=at, by=by, reason=reason, closed_at=at)
        release_hold(hold_id=booking.hold_id, at=at, by=by)
        give_connector(booking, at=at, by=by)
        tell(BookingDisplaced, booking, at=at, reason=reason)


def _hold_instead(
    booking: Booking, vehicle: Vehicle, *, at: datetime.datetime, by: Principal
) -> VehicleHold:
    try:
        return swap_hold(hold_id=booking.hold_id, vehicle_id=vehicle.pk, at=at, by=by)
    except HoldOver:
        # The fleet has taken the first car away already.
        return _hold(booking, vehicle, at=at, by=by)


def _hold(
    booking: Booking, vehicle: Vehicle, *, at: datetime.datetime, by: Principal
) -> VehicleHold:
    """What is left of its time, at least a minute; the pause after it included."""
    policy = policy_of(booking.organisation_id)
    since = max(booking.starts_at, at)
    until = max(spans.hold_until(booking.ends_at, policy=policy), since + A_MINUTE)
    return hold_ahead(
        vehicle_id=vehicle.pk,
        during=DateTimeTZRange(since, until),
        purpose=HoldPurpose.BOOKING,
        holder_ref=f"booking:{booking.public_id}",
        at=at,
        by=by,
    )


def place_of(booking: Booking) -> Place:
    """Where a car for it must stand: what was asked for, else a walk from the one it has."""
    if booking.hub is not None or booking.district is not None:
        return Place(hub=booking.hub, district=booking.district)
    latest: LatestState | None = getattr(booking.vehicle, "latest", None)
    if latest is None:
        return Place()
    return Place(lon=latest.lon, lat=latest.lat, radius_m=NEARBY_M)
