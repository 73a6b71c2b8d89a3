"""What reservations and bookings keep about a person, and how it is cut off from them."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from bookings.reservations.models import Booking, Reservation
from bookings.reservations.states import ACTIVE, OPEN_BOOKINGS
from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core.principals import Principal


def export(*, user: User) -> dict[str, Any]:
    """Every vehicle that was reserved or booked."""
    mine = {"user": user}
    return {
        "reservations": list(
            Reservation.objects.filter(**mine)
            .order_by("pk")
            .values(
                "public_id", "vehicle__code", "state", "reserved_at", "expires_at", "closed_at",
                "fare_terms",
            )
        ),
        "bookings": list(
            Booking.objects.filter(**mine)
            .order_by("pk")
            .values(
                "public_id", "vehicle__code", "state", "starts_at", "ends_at", "requested_at",
                "closed_at", "fee_cents",
            )
        ),
    }  # fmt: skip


def hindrances(*, user: User, at: datetime.datetime) -> list[privacy.Hindrance]:
    """A vehicle is theirs, or will be."""
    found = []
    if Reservation.objects.filter(user=user, state__in=ACTIVE).exists():
        message = _("You have a vehicle; end the trip or cancel the reservation first.")
        found.append(privacy.Hindrance(code="reservation_active", message=message))
    if Booking.objects.filter(user=user, state__in=OPEN_BOOKINGS).exists():
        message = _("You have booked a vehicle; cancel the booking first.")
        found.append(privacy.Hindrance(code="booking_open", message=message))
    return found


def erase(*, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
    """What was reserved stays for the fleet's history; by whom does not."""
    for model in (Reservation, Booking):
        model._default_manager.filter(user=user).update(user=nobody)


privacy.register("reservations", export=export, erase=erase, hindrances=hindrances)
