"""Riders hear what becomes of their bookings, by mail and in their language."""

import datetime

from django.utils import formats
from django.utils.translation import gettext as _

from bookings.reservations.events import (
    BookingAtRisk,
    BookingCancelled,
    BookingConfirmed,
    BookingDisplaced,
    BookingMoved,
    BookingNoShow,
    BookingReminder,
)
from fleet.vehicles.models import Vehicle
from mobility.core import clock
from mobility.core.money import format_money
from mobility.core.outbox import handles
from mobility.notifications.services import tell
from mobility.notifications.states import Topic

_AboutABooking = (
    BookingConfirmed
    | BookingMoved
    | BookingAtRisk
    | BookingDisplaced
    | BookingReminder
    | BookingCancelled
    | BookingNoShow
)


@handles(BookingConfirmed)
def tell_confirmed(event: BookingConfirmed, *, at: datetime.datetime) -> None:
    """When, which car, what it will cost."""
    code = _code(event.vehicle_id)
    tell(
        principal=event.user_principal,
        topic=Topic.BOOKING,
        ref=_ref("confirmed", event, at=at),
        subject=lambda: _("Your car is booked"),
        body=lambda: (
            _(
                "Your booking from %(start)s until %(end)s is confirmed, with car %(car)s. For the"
                " whole time it will cost about %(total)s, VAT included."
            )
            % {
                "start": _when(event.starts_at),
                "end": _when(event.ends_at),
                "car": code,
                "total": format_money(event.estimate_cents, event.currency),
            }
        ),
        path=f"/bookings/{event.booking_id}/",
        at=at,
    )


@handles(BookingMoved)
def tell_moved(event: BookingMoved, *, at: datetime.datetime) -> None:
    """Another car, the same price."""
    code = _code(event.vehicle_id)
    tell(
        principal=event.user_principal,
        topic=Topic.BOOKING,
        ref=_ref("moved", event, at=at),
        subject=lambda: _("Another car for your booking"),
        body=lambda: (
            _(
                "Your booking of %(start)s has another car: %(car)s, as good as the first one and at"
                " the same price. Your booking shows where it stands when it is time."
            )
            % {"start": _when(event.starts_at), "car": code}
        ),
        path=f"/bookings/{event.booking_id}/",
        at=at,
    )


@handles(BookingAtRisk)
def tell_at_risk(event: BookingAtRisk, *, at: datetime.datetime) -> None:
    """The car may be late."""
    tell(
        principal=event.user_principal,
        topic=Topic.BOOKING,
        ref=_ref("at_risk", event, at=at),
        subject=lambda: _("Your booked car may be late"),
        body=lambda: (
            _(
                "The car for your booking of %(start)s may not be there in time. We keep looking for"
                " another one; until then you can cancel free of charge."
            )
            % {"start": _when(event.starts_at)}
        ),
        path=f"/bookings/{event.booking_id}/",
        at=at,
    )


@handles(BookingDisplaced)
def tell_displaced(event: BookingDisplaced, *, at: datetime.datetime) -> None:
    """There is none."""
    tell(
        principal=event.user_principal,
        topic=Topic.BOOKING,
        ref=_ref("displaced", event, at=at),
        subject=lambda: _("There is no car for your booking"),
        body=lambda: (
            _(
                "We are sorry: there is no car for your booking of %(start)s. It has ended and costs"
                " nothing."
            )
            % {"start": _when(event.starts_at)}
        ),
        path=f"/bookings/{event.booking_id}/",
        at=at,
    )


@handles(BookingReminder)
def tell_reminder(event: BookingReminder, *, at: datetime.datetime) -> None:
    """It ends soon."""
    tell(
        principal=event.user_principal,
        topic=Topic.BOOKING,
        ref=_ref("reminder", event, at=at),
        subject=lambda: _("Your booking ends soon"),
        body=lambda: (
            _("Your booking ends at %(end)s.") % {"end": _when(event.ends_at)}
            + " "
            + (
                _("Somebody else waits for the car: please bring it back in time.")
                if event.next_booked
                else _("If you need the car longer, extend the booking now.")
            )
        ),
        path=f"/bookings/{event.booking_id}/",
        at=at,
    )


@handles(BookingCancelled, when=lambda event: event.fee_cents > 0)
def tell_late_fee(event: BookingCancelled, *, at: datetime.datetime) -> None:
    """Cancelled too late."""
    tell(
        principal=event.user_principal,
        topic=Topic.BOOKING,
        ref=_ref("late_fee", event, at=at),
        subject=lambda: _("A fee for your booking"),
        body=lambda: (
            _("You cancelled your booking of %(start)s late. The fee is %(fee)s.")
            % {"start": _when(event.starts_at), "fee": format_money(event.fee_cents)}
        ),
        path=f"/bookings/{event.booking_id}/",
        at=at,
    )


@handles(BookingNoShow)
def tell_no_show(event: BookingNoShow, *, at: datetime.datetime) -> None:
    """Nobody came."""
    tell(
        principal=event.user_principal,
        topic=Topic.BOOKING,
        ref=_ref("no_show", event, at=at),
        subject=lambda: _("Your booking has ended"),
        body=lambda: _nobody_came(event),
        path=f"/bookings/{event.booking_id}/",
        at=at,
    )


def _nobody_came(event: BookingNoShow) -> str:
    """Who could not come for our sake, or pays nothing by the tariff, hears of no fee."""
    if not event.fee_cents:
        return _(
            "Nobody came for your booking of %(start)s, and the car is free for others again."
            " It costs nothing."
        ) % {"start": _when(event.starts_at)}
    return _(
        "Nobody came for your booking of %(start)s, and the car is free for others again."
        " The fee is %(fee)s."
    ) % {"start": _when(event.starts_at), "fee": format_money(event.fee_cents)}


def _ref(what: str, event: _AboutABooking, *, at: datetime.datetime) -> str:
    """What may happen to a booking more than once is news every time."""
    return f"{what}:{event.booking_id}:{int(at.timestamp())}"


def _when(moment: datetime.datetime) -> str:
    return formats.date_format(clock.local(moment), "SHORT_DATETIME_FORMAT")


def _code(vehicle_id: int) -> str:
    return Vehicle.objects.values_list("code", flat=True).get(pk=vehicle_id)
