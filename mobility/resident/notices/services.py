"""Remind people of what is about to happen; each thing once, however often one looks."""

import datetime
from collections.abc import Callable, Iterable

from django.utils.translation import gettext as _

from bookings.recharges.models import Recharge
from bookings.reservations.models import Booking, Reservation
from bookings.trips.models import Trip
from mobility.core import clock, sweeps
from mobility.core.money import format_money
from mobility.notifications.services import tell
from mobility.notifications.states import Topic
from mobility.resident.notices import queries
from mobility.resident.notices.queries import Told

Row = Reservation | Booking | Recharge | Trip


def remind(*, at: datetime.datetime) -> int:
    """Tell what came up since the last look; returns of how many things.

    1. Vehicles that are kept for a few minutes more, and cars booked for within the hour.
    2. Cars that are full and still stand at a charger.
    3. Rides that have just got their price.
    """
    return sum(
        (
            _each(queries.holds_ending(at), "hold", _hold_ends, at=at),
            _each(queries.bookings_soon(at), "soon", _booking_soon, at=at),
            _each(queries.charges_idle(at), "idle", _charge_idle, at=at),
            _each(queries.rides_just_priced(at), "ride", _ride_priced, at=at),
        )
    )


def _each(
    rows: Iterable[Row], what: str, words: Callable[..., None], *, at: datetime.datetime
) -> int:
    """Tell of every row that nobody was told of; one that cannot be told does not keep the others."""
    by_told = {Told(row.user_id, f"{what}:{row.public_id}"): row for row in rows}
    done = sweeps.each_alone(
        sorted(queries.untold(by_told)) if by_told else (),
        lambda told: words(by_told[told], ref=told.ref, at=at),
        event="notices.not_told",
        named=lambda told: told.ref,
    )
    return sum(1 for _told in done)


def _hold_ends(held: Reservation, *, ref: str, at: datetime.datetime) -> None:
    until = clock.local(held.expires_at)
    tell(
        principal=held.user.principal,
        topic=Topic.HOLD,
        ref=ref,
        subject=lambda: _("Your reservation ends soon"),
        body=lambda: (
            _("%(vehicle)s is kept for you until %(end)s.")
            % {"vehicle": held.vehicle.code, "end": f"{until:%H:%M}"}
        ),
        path=f"/book/{held.vehicle.code}/",
        at=at,
    )


def _booking_soon(booking: Booking, *, ref: str, at: datetime.datetime) -> None:
    start = clock.local(booking.starts_at)
    tell(
        principal=booking.user.principal,
        topic=Topic.BOOKING,
        ref=ref,
        subject=lambda: _("Your booking begins at %(start)s") % {"start": f"{start:%H:%M}"},
        body=lambda: (
            _("Car %(car)s. Your booking shows where it stands.") % {"car": booking.vehicle.code}
        ),
        path=f"/bookings/{booking.public_id}/",
        at=at,
    )


def _charge_idle(recharge: Recharge, *, ref: str, at: datetime.datetime) -> None:
    tell(
        principal=recharge.user.principal,
        topic=Topic.CHARGING,
        ref=ref,
        subject=lambda: _("Your car takes no more energy"),
        body=lambda: _("Please free the charger. Time after charging may cost extra."),
        path=f"/charge/{recharge.public_id}/",
        at=at,
    )


def _ride_priced(trip: Trip, *, ref: str, at: datetime.datetime) -> None:
    total = trip.price_cents or 0
    tell(
        principal=trip.user.principal,
        topic=Topic.RECEIPT,
        ref=ref,
        subject=lambda: _("Your receipt"),
        body=lambda: (
            _("Your ride with %(vehicle)s cost %(total)s.")
            % {"vehicle": trip.vehicle.code, "total": format_money(total)}
        ),
        path=f"/receipt/{trip.public_id}/",
        at=at,
    )
