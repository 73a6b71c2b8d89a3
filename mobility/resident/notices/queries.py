"""What is about to happen to somebody, or has just happened, that no event tells in time."""

import datetime
import uuid
from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from bookings.recharges.models import Recharge
from bookings.reservations.models import Booking, Reservation
from bookings.reservations.states import BookingState, ReservationState
from bookings.trips.models import Trip
from mobility.notifications.models import Notification, NotificationChoice, PushDevice
from mobility.notifications.states import Channel, Topic

HOLD_ENDS_IN = datetime.timedelta(minutes=3)
BOOKING_SOON = datetime.timedelta(hours=1)
# A pause of the car's own charger is no end: many take a break while they balance their cells.
IDLE_SINCE = datetime.timedelta(minutes=3)
# A ride is told of within this time of its end, by whichever sweep comes first.
JUST_ENDED = datetime.timedelta(minutes=20)
# Cars are booked for a weekend; longer rides have their receipt, but nobody is told.
LONGEST_RIDE = datetime.timedelta(days=4)
AT_ONCE = 500


class Told(NamedTuple):
    """Whom a notification is for, and what makes it one."""

    user_id: int
    ref: str


def untold(found: Iterable[Told]) -> set[Told]:
    """Those of `found` that nobody has told yet."""
    asked = set(found)
    rows = Notification.objects.filter(
        user__in={one.user_id for one in asked}, subject_ref__in={one.ref for one in asked}
    )
    return asked - {Told(*row) for row in rows.values_list("user_id", "subject_ref")}


def holds_ending(at: datetime.datetime) -> QuerySet[Reservation]:
    """Vehicles kept for somebody for a few minutes more; not those that were never kept for longer."""
    held = Reservation.objects.filter(
        state=ReservationState.HELD, expires_at__gt=at, expires_at__lte=at + HOLD_ENDS_IN
    )
    return held.filter(reserved_at__lt=at - HOLD_ENDS_IN).select_related("user", "vehicle")[
        :AT_ONCE
    ]


def bookings_soon(at: datetime.datetime) -> QuerySet[Booking]:
    """Cars booked ahead whose time begins within the hour; whoever booked within it knows."""
    coming = Booking.objects.filter(
        state=BookingState.CONFIRMED, starts_at__gt=at, starts_at__lte=at + BOOKING_SOON
    )
    early = coming.filter(requested_at__lt=at - BOOKING_SOON)
    return early.select_related("user", "vehicle")[:AT_ONCE]


def charges_idle(at: datetime.datetime) -> QuerySet[Recharge]:
    """Cars that take no energy any more and still stand at the connector."""
    idle = Recharge.objects.flowing().filter(
        Q(session__power_w__isnull=True) | Q(session__power_w=0),
        session__ended_at__isnull=True,
        session__charged_until__lte=at - IDLE_SINCE,
    )
    return idle[:AT_ONCE]


def rides_just_priced(at: datetime.datetime) -> QuerySet[Trip]:
    """Rides that have just got their price, of people who want to hear of it outside of the page.

    Looked for by the few who asked to be told, instead of heard of: an event for every ride would cost
    every ride something, and most people look at their phone while they end one.
    """
    devices = PushDevice.objects.filter(user=OuterRef("user"))
    mails = NotificationChoice.objects.filter(
        user=OuterRef("user"), topic=Topic.RECEIPT, channel=Channel.MAIL, wanted=True
    )
    # Public ids begin with their time (UUIDv7), so the index on them finds what is young.
    oldest = uuid.UUID(int=int((at - LONGEST_RIDE).timestamp() * 1000) << 80)
    ended = Trip.objects.filter(
        public_id__gt=oldest, ended_at__gt=at - JUST_ENDED, price_cents__isnull=False
    )
    wanted = ended.filter(Exists(devices) | Exists(mails))
    return wanted.select_related("user", "vehicle", "payment")[:AT_ONCE]
