"""What reservations and bookings cost by themselves: reserved minutes, not coming, coming late."""

import datetime

from bookings.payments.services import charge_directly
from bookings.payments.states import Purpose
from bookings.pricing.rules import FeeKind, fee_lines, hold_lines
from bookings.reservations.models import Booking, Reservation
from bookings.riders.queries import obstacles
from mobility.core.money import total_cents
from mobility.core.principals import Principal


def charge_hold(
    reservation: Reservation, *, until: datetime.datetime, at: datetime.datetime, by: Principal
) -> int:
    """Charge the minutes reserved beyond the free ones without a ride; returns how many.

    A ride has them in its own price. Once per reservation, whoever asks.
    """
    held_s = int((until - reservation.reserved_at).total_seconds())
    lines = hold_lines(fare=reservation.fare, hold_s=held_s)
    if lines:
        charge_directly(
            payer_id=reservation.user_id,
            organisation_id=reservation.organisation_id,
            purpose=Purpose.HOLD,
            purpose_ref=reservation.public_id,
            lines=lines,
            currency=reservation.fare.currency,
            at=at,
            by=by,
        )
    return sum(int(line.quantity) for line in lines)


def is_excused(booking: Booking, *, at: datetime.datetime) -> bool:
    """Whether a booking costs nothing to lose.

    It is early enough, its car is at risk, its rider came and the car did not start (which makes it
    free until its end), or they may not ride at all now.
    """
    if booking.at_risk_since is not None or at <= booking.free_until:
        return True
    found = obstacles(
        user_id=booking.user_id,
        organisation_id=booking.organisation_id,
        kind=booking.vehicle.kind,
        type_code=booking.vehicle.type.code,
        at=at,
    )
    return any(one.blocking for one in found)


def charge_fee(booking: Booking, *, kind: FeeKind, at: datetime.datetime, by: Principal) -> int:
    """Charge a fee of the booking's tariff; returns its gross cents, 0 if the tariff asks nothing.

    One booking has one fee at most: the payment's purpose allows no second one.
    """
    fare = booking.fare
    lines = fee_lines(fare=fare, kind=kind)
    if lines:
        charge_directly(
            payer_id=booking.user_id,
            organisation_id=booking.organisation_id,
            purpose=Purpose.BOOKING,
            purpose_ref=booking.public_id,
            lines=lines,
            currency=fare.currency,
            at=at,
            by=by,
        )
    return total_cents(lines)
