"""What has to happen to bookings by itself: cars made ready, exchanged in time, given up.

1. From early access on, the car of a confirmed booking is held for its rider as soon as it is free.
2. From half an hour ahead, one that will not be there (late, silent, blocked, empty) is exchanged;
   if there is no other, its rider is told and may cancel free.
3. Somewhat after the beginning, without any car, the booking ends and costs nothing.
4. After the grace time, nobody having come, the car is free again and the fee is due, once.
5. Before the end of a ride its rider is reminded.
"""

import datetime
import uuid
from collections.abc import Callable

from django.db import transaction
from django.db.models import Max, QuerySet

from bookings.pricing.rules import FeeKind
from bookings.reservations import rules, spans
from bookings.reservations.events import (
    BookingAtRisk,
    BookingNoShow,
    BookingReminder,
    BookingWindowOpened,
)
from bookings.reservations.models import Booking, ReservationPolicy
from bookings.reservations.policies import policy_of
from bookings.reservations.services.connectors import give_connector
from bookings.reservations.services.fees import charge_fee, is_excused
from bookings.reservations.services.relocate import KEEPER, displace, lock_waiting, relocate
from bookings.reservations.services.telling import tell
from bookings.reservations.states import BookingState
from fleet.vehicles import rules as fleet
from fleet.vehicles.models import Vehicle, VehicleHold
from fleet.vehicles.services import (
    HoldOver,
    VehicleNotRentable,
    VehicleTaken,
    begin_hold,
    free_from,
    release_hold,
)
from fleet.vehicles.states import RentalState
from mobility.core import sweeps
from mobility.core.transitions import move

LIMIT = 200
_BRIEF = frozenset({RentalState.HELD, RentalState.STAFF})
LATE = "late_return"
UNFIT = "vehicle_unfit"
EMPTY = "battery_low"


def tend_bookings(*, at: datetime.datetime) -> dict[str, int]:
    """Do all five; returns how many bookings each of them changed."""
    ready = Booking.objects.coming(before=at + _farthest()).order_by("starts_at", "pk")
    unclaimed = Booking.objects.unclaimed(since=at - rules.TIE)
    ending = Booking.objects.filter(
        state=BookingState.IN_USE, reminded_at=None, ends_at__lte=at + spans.REMIND_BEFORE
    ).order_by("ends_at")
    return {
        "prepared": _each(ready, lambda pk: _prepare(pk, at=at)),
        "no_shows": _each(unclaimed, lambda pk: _give_up(pk, at=at)),
        "reminded": _each(ending, lambda pk: _remind(pk, at=at)),
    }


def _farthest() -> datetime.timedelta:
    """How far ahead anything may have to be done: some operators let people in very early."""
    earliest = ReservationPolicy.objects.aggregate(most=Max("early_minutes"))["most"] or 0
    return max(spans.LOOK_AHEAD, datetime.timedelta(minutes=earliest))


def open_window(booking: Booking, *, at: datetime.datetime) -> None:
    """Hold the car for its rider from now on.

    Raises `VehicleTaken`, `VehicleNotRentable`, `HoldOver`; then nothing has changed.
    """
    with transaction.atomic():
        begin_hold(hold_id=booking.hold_id, at=at, by=KEEPER)
        move(booking, to=BookingState.WINDOW_OPEN, at=at, by=KEEPER)
        tell(BookingWindowOpened, booking, at=at)


def make_ready(booking: Booking, *, at: datetime.datetime) -> bool:
    """Open the window of a locked, confirmed booking, on another car if need be."""
    for _car in range(2):
        try:
            open_window(booking, at=at)
        except (VehicleTaken, HoldOver):
            reason = LATE
        except VehicleNotRentable:
            reason = UNFIT
        else:
            return True
        if not relocate(booking, reason=reason, at=at):
            return False
    return False


def foreseen(booking: Booking, *, at: datetime.datetime) -> str:
    """Why its car will not be there in time, as far as one can tell now; empty if it will."""
    vehicle = Vehicle.objects.with_condition().get(pk=booking.vehicle_id)
    if fleet.obstacles(
        life=vehicle.life_state, link=vehicle.link_state, blocks=frozenset(vehicle.active_blocks)
    ):
        return UNFIT
    latest = getattr(vehicle, "latest", None)
    battery = latest.battery_pct if latest else None
    reach = fleet.range_m(max_range_m=vehicle.type.max_range_m, battery_pct=battery)
    if booking.range_m is not None and (reach is None or reach < booking.range_m):
        return EMPTY
    return LATE if _too_late(booking, vehicle.rental_state, at=at) else ""


def _too_late(booking: Booking, rental: str, *, at: datetime.datetime) -> bool:
    """Whether who has the car now is not expected to bring it back in time.

    A reservation ends before the booking begins, and staff work in the time before it. Somebody who
    rides without a booking may go on as long as they like.
    """
    if rental == RentalState.FREE:
        return False
    if rental in _BRIEF:
        return at >= booking.starts_at
    return not _back_by(booking, at=at)


def make_room(*, vehicle_id: int, until: datetime.datetime, at: datetime.datetime) -> None:
    """Move the next booking of a ridden car to another one, if the ride is about to meet it."""
    soon = min(until, at + spans.LOOK_AHEAD)
    waiting = Booking.objects.coming(before=soon).filter(vehicle=vehicle_id)
    for pk in waiting.values_list("pk", flat=True)[:1]:
        with transaction.atomic():
            booking = lock_waiting(pk)
            if booking is not None and booking.state == BookingState.CONFIRMED:
                _exchange_early(booking, at=at)


def displace_booking(*, public_id: uuid.UUID, reason: str, at: datetime.datetime) -> bool:
    """The fleet took its car away: another one, or a free end; whether the booking still waited."""
    with transaction.atomic():
        found = Booking.objects.filter(public_id=public_id).values_list("pk", flat=True).first()
        booking = None if found is None else lock_waiting(found)
        if booking is None or booking.hold.released_at is None:
            # Over, or on another car by now.
            return False
        why = f"vehicle_{reason}"
        if not relocate(booking, reason=why, at=at):
            displace(booking, reason=why, at=at)
    return True


def _back_by(booking: Booking, *, at: datetime.datetime) -> bool:
    """Whether who has the car now has booked it, and the booking is not over yet."""
    now = VehicleHold.objects.active().filter(vehicle=booking.vehicle_id, ahead=False)
    refs = now.values_list("holder_ref", flat=True)
    names = [ref.removeprefix("booking:") for ref in refs if ref.startswith("booking:")]
    return bool(names) and not Booking.objects.filter(public_id__in=names, ends_at__lte=at).exists()


def _prepare(pk: int, *, at: datetime.datetime) -> bool:
    booking = lock_waiting(pk)
    if booking is None or booking.state != BookingState.CONFIRMED:
        return False
    policy = policy_of(booking.organisation_id)
    if at < spans.opens_at(booking.starts_at, policy=policy):
        return _exchange_early(booking, at=at)
    if _can_open(booking):
        return make_ready(booking, at=at)
    return _exchange_late(booking, policy=policy, at=at)


def _can_open(booking: Booking) -> bool:
    """Whether opening the window has a chance; spares a failing try every few seconds."""
    vehicle = Vehicle.objects.with_condition().get(pk=booking.vehicle_id)
    return fleet.is_rentable(
        life=vehicle.life_state,
        rental=vehicle.rental_state,
        link=vehicle.link_state,
        blocks=frozenset(vehicle.active_blocks),
    )


def _exchange_early(booking: Booking, *, at: datetime.datetime) -> bool:
    reason = foreseen(booking, at=at)
    if not reason:
        return _all_clear(booking)
    return relocate(booking, reason=reason, at=at) or _warn(booking, reason=reason, at=at)


def _exchange_late(booking: Booking, *, policy: ReservationPolicy, at: datetime.datetime) -> bool:
    """The window should be open and the car is not there."""
    reason = foreseen(booking, at=at) or (LATE if at >= booking.starts_at else "")
    if not reason:
        return _all_clear(booking)
    if relocate(booking, reason=reason, at=at):
        if _can_open(booking):
            make_ready(booking, at=at)
        return True
    if at >= booking.starts_at + datetime.timedelta(minutes=policy.wait_minutes):
        displace(booking, reason=reason, at=at)
        return True
    return _warn(booking, reason=reason, at=at)


def _warn(booking: Booking, *, reason: str, at: datetime.datetime) -> bool:
    if booking.at_risk_since is not None:
        return False
    booking.at_risk_since = at
    booking.save(update_fields=["at_risk_since"])
    tell(BookingAtRisk, booking, at=at, reason=reason)
    return True


def _all_clear(booking: Booking) -> bool:
    if booking.at_risk_since is None:
        return False
    booking.at_risk_since = None
    booking.save(update_fields=["at_risk_since"])
    return True


def _give_up(pk: int, *, at: datetime.datetime) -> bool:
    """A start in the same moment wins: it has moved the booking, which is then not ours."""
    booking = lock_waiting(pk)
    if booking is None or booking.state != BookingState.WINDOW_OPEN:
        return False
    policy = policy_of(booking.organisation_id)
    if at < spans.no_show_at(booking.starts_at, policy=policy) + rules.TIE:
        return False
    end_as_no_show(booking, at=at)
    return True


def end_as_no_show(booking: Booking, *, at: datetime.datetime) -> None:
    """Nobody came: the car is free again; the fee is due unless the rider is excused."""
    fee = 0
    if not is_excused(booking, at=at):
        fee = charge_fee(booking, kind=FeeKind.NO_SHOW, at=at, by=KEEPER)
    move(booking, to=BookingState.NO_SHOW, at=at, by=KEEPER, closed_at=at, fee_cents=fee)
    release_hold(hold_id=booking.hold_id, at=at, by=KEEPER, reason="expired")
    give_connector(booking, at=at, by=KEEPER)
    tell(BookingNoShow, booking, at=at, fee_cents=fee)


def _remind(pk: int, *, at: datetime.datetime) -> bool:
    rows = Booking.objects.select_for_update(of=("self",)).select_related("user")
    booking = rows.filter(pk=pk, state=BookingState.IN_USE, reminded_at=None).first()
    if booking is None:
        return False
    booking.reminded_at = at
    booking.save(update_fields=["reminded_at"])
    awaited = free_from(vehicle_id=booking.vehicle_id, at=at)
    horizon = booking.ends_at + datetime.timedelta(hours=1)
    tell(BookingReminder, booking, at=at, next_booked=bool(awaited and awaited <= horizon))
    return True


def _each(bookings: "QuerySet[Booking]", deed: Callable[[int], bool]) -> int:
    """Tend one by one; returns for how many there was something to do."""
    pks = list(bookings.values_list("pk", flat=True)[:LIMIT])
    return sum(
        sweeps.each_alone(pks, deed, event="bookings.booking_not_tended", named=lambda pk: pk)
    )
