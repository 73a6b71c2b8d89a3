"""Facts that a resident should hear of now, in a sentence and with the page that shows it."""

import datetime
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later

from bookings.payments.events import RefundDone
from bookings.payments.states import Purpose
from bookings.recharges.events import RechargePriced
from bookings.recharges.models import Recharge
from bookings.recharges.states import Origin
from bookings.reservations.events import BookingWindowOpened, ReservationExpired
from bookings.support.events import CaseAnswered, CaseResolved
from bookings.support.models import SupportCase
from bookings.trips.events import DisputeDecided, TripEnded, TripPrompted, TripStartFailed
from bookings.trips.states import DisputeState, EndReason, Notice
from fleet.vehicles.models import Vehicle
from mobility.core import clock
from mobility.core.money import format_money
from mobility.core.outbox import handles
from mobility.core.principals import user_principal
from mobility.notifications.services import tell
from mobility.notifications.states import Topic

PROMPTS: Mapping[str, str | Promise] = {
    Notice.IDLE_FIRST: _later("The vehicle stands locked. Do you still need it?"),
    Notice.IDLE_LAST: _later("The vehicle stands locked. Your ride ends by itself soon."),
    Notice.PAUSE_ENDS: _later("Your pause ends soon. Ride on or end the ride."),
    Notice.LOW_BATTERY: _later("The battery is low. Look for a place to park."),
}
# Whoever ended it themselves knows; the others hear that nothing is charged any more.
ENDED_BY_US: Mapping[str, str | Promise] = {
    EndReason.STAFF: _later("Our staff ended your ride."),
    EndReason.IDLE: _later("Your ride ended by itself: the vehicle stood locked."),
    EndReason.PAUSE_OVER: _later("Your ride ended by itself: the pause was over."),
    EndReason.LOCK_SHUT: _later("Your ride ended: the lock was shut by hand."),
    EndReason.BATTERY_DEAD: _later("Your ride ended: the battery died."),
    EndReason.OUTAGE: _later("Your ride ended while the vehicle could not be heard."),
}
PLACES: Mapping[str, str] = {Purpose.TRIP: "/rides/{}/", Purpose.RECHARGE: "/charge/{}/receipt/"}


@handles(TripPrompted)
def on_trip_prompted(event: TripPrompted, *, at: datetime.datetime) -> None:
    """Something about a ride under way, before we act by ourselves."""
    tell(
        principal=event.user_principal,
        topic=Topic.RIDE,
        ref=f"{event.notice}:{event.trip_id}",
        subject=lambda: _("Your ride"),
        body=lambda: str(PROMPTS[event.notice]),
        path=f"/trip/{event.trip_id}/",
        at=at,
    )


@handles(TripEnded, when=lambda event: event.reason in ENDED_BY_US)
def on_trip_ended_by_us(event: TripEnded, *, at: datetime.datetime) -> None:
    """A ride that its rider did not end."""
    tell(
        principal=event.user_principal,
        topic=Topic.RIDE,
        ref=f"ended:{event.trip_id}",
        subject=lambda: _("Your ride is over"),
        body=lambda: f"{ENDED_BY_US[event.reason]} {_('The price no longer grows.')}",
        path=f"/rides/{event.trip_id}/",
        at=at,
    )


@handles(TripStartFailed)
def on_trip_start_failed(event: TripStartFailed, *, at: datetime.datetime) -> None:
    """A vehicle that did not unlock."""
    tell(
        principal=event.user_principal,
        topic=Topic.RIDE,
        ref=f"failed:{event.trip_id}",
        subject=lambda: _("The vehicle did not unlock"),
        body=lambda: _("You pay nothing. Please choose another one."),
        path=f"/trip/{event.trip_id}/",
        at=at,
    )


@handles(ReservationExpired)
def on_reservation_expired(event: ReservationExpired, *, at: datetime.datetime) -> None:
    """A vehicle that is kept no longer."""
    tell(
        principal=event.user_principal,
        topic=Topic.HOLD,
        ref=f"expired:{event.reservation_id}",
        subject=lambda: _("Your reservation has ended"),
        body=lambda: _("The reservation has ended. The vehicle is free for others again."),
        path="/",
        at=at,
    )


@handles(BookingWindowOpened)
def on_booking_window_opened(event: BookingWindowOpened, *, at: datetime.datetime) -> None:
    """A booked car that can be unlocked now."""
    code = Vehicle.objects.values_list("code", flat=True).get(pk=event.vehicle_id)
    until = clock.local(event.ends_at)
    tell(
        principal=event.user_principal,
        topic=Topic.BOOKING,
        ref=f"waiting:{event.booking_id}",
        subject=lambda: _("Your car is waiting"),
        body=lambda: (
            _("Car %(car)s is yours until %(end)s. Look at it and unlock it.")
            % {"car": code, "end": f"{until:%H:%M}"}
        ),
        path=f"/bookings/{event.booking_id}/",
        at=at,
    )


@handles(RechargePriced)
def on_recharge_priced(event: RechargePriced, *, at: datetime.datetime) -> None:
    """A charge that is over; who bought it without an account gets a receipt by mail instead."""
    recharge = Recharge.objects.select_related("user").get(public_id=event.recharge_id)
    if recharge.origin == Origin.AD_HOC:
        return
    tell(
        principal=recharge.user.principal,
        topic=Topic.RECEIPT,
        ref=f"charge:{event.recharge_id}",
        subject=lambda: _("Your charge is done"),
        body=lambda: (
            _("%(energy).1f kWh for %(total)s. The receipt is ready.")
            % {
                "energy": event.energy_wh / 1000,
                "total": format_money(event.price_cents, event.currency),
            }
        ),
        path=f"/charge/{event.recharge_id}/receipt/",
        at=at,
    )


@handles(RefundDone)
def on_refund_done(event: RefundDone, *, at: datetime.datetime) -> None:
    """Money that went back."""
    place = PLACES.get(event.purpose, "/wallet/")
    tell(
        principal=event.payer,
        topic=Topic.MONEY,
        ref=f"refund:{event.refund_id}",
        subject=lambda: _("Money back"),
        body=lambda: (
            _("We gave you back %(amount)s. A card shows it within a few days.")
            % {"amount": format_money(event.cents, event.currency)}
        ),
        path=place.format(event.purpose_ref),
        at=at,
    )


@handles(DisputeDecided)
def on_dispute_decided(event: DisputeDecided, *, at: datetime.datetime) -> None:
    """The answer to an objection."""
    agreed = event.outcome == DisputeState.ACCEPTED
    tell(
        principal=event.user,
        topic=Topic.SUPPORT,
        ref=f"dispute:{event.dispute_id}",
        subject=lambda: _("Your objection %(number)s") % {"number": event.case_number},
        body=lambda: (
            _("You were right, and the ride is corrected.")
            if agreed
            else _("We have answered. The ride stays as it was; see why.")
        ),
        path=f"/rides/{event.trip_id}/",
        at=at,
    )


@handles(CaseAnswered)
def on_case_answered(event: CaseAnswered, *, at: datetime.datetime) -> None:
    """A word of staff in a case."""
    _tell_of_case(
        event.case_id,
        # Every answer is news of its own.
        ref=f"answer:{event.case_id}:{int(at.timestamp())}",
        body=_later("We have answered you. You can write back there."),
        at=at,
    )


@handles(CaseResolved)
def on_case_resolved(event: CaseResolved, *, at: datetime.datetime) -> None:
    """The last word in a case."""
    _tell_of_case(
        event.case_id,
        ref=f"resolved:{event.case_id}:{int(at.timestamp())}",
        body=_later("It is settled. See what came of it."),
        at=at,
    )


def _tell_of_case(case_id: str, *, ref: str, body: Promise, at: datetime.datetime) -> None:
    person, number = SupportCase.objects.values_list("user__public_id", "case_number").get(
        public_id=case_id
    )
    tell(
        principal=user_principal(person),
        topic=Topic.SUPPORT,
        ref=ref,
        subject=lambda: _("Your case %(number)s") % {"number": number},
        body=lambda: str(body),
        path=f"/help/{case_id}/",
        at=at,
    )
