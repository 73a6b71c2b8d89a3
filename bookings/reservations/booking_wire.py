"""The shapes of bookings, classes and calendars in the API."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from bookings.pricing.queries import quote
from bookings.pricing.rules import Fare
from bookings.pricing.wire import QuoteSerializer
from bookings.reservations import spans
from bookings.reservations.models import Booking, ReservationPolicy
from bookings.reservations.policies import policy_of
from bookings.reservations.queries import BookingClass
from bookings.reservations.queries.calendar import Slot, Span
from bookings.reservations.services import BookingOffer
from bookings.reservations.states import BookingState
from bookings.reservations.wallclock import shown
from bookings.reservations.wire import VehicleSerializer, vehicle_body
from fleet.vehicles.rules import range_m
from mobility.core.texts import pick

# Where a booked car stands is shown to its rider from this state on.
_THERE = frozenset({BookingState.WINDOW_OPEN, BookingState.IN_USE})
MOST_KM = 2_000


class SpanSerializer(serializers.Serializer[Any]):
    """From when until when: instants with an offset, or the city's wall time."""

    start = serializers.CharField(max_length=40, help_text="2027-10-31T02:30 or with an offset.")
    end = serializers.CharField(max_length=40)
    start_fold = serializers.IntegerField(
        min_value=0,
        max_value=1,
        required=False,
        help_text="Of a wall time that comes twice: 0 the first, 1 the second.",
    )
    end_fold = serializers.IntegerField(min_value=0, max_value=1, required=False)


class PlaceSerializer(SpanSerializer):
    """And where."""

    hub = serializers.CharField(max_length=40, required=False, help_text="A hub's code.")
    district = serializers.CharField(
        max_length=40, required=False, help_text="A district's code; without both: the whole city."
    )
    range_km = serializers.IntegerField(
        min_value=1, max_value=MOST_KM, required=False, help_text="How far the car has to go."
    )


class BookSerializer(PlaceSerializer):
    """What to book: a `vehicle`, or the best one of a `car_class`."""

    vehicle = serializers.CharField(max_length=40, required=False)
    car_class = serializers.CharField(max_length=120, required=False)
    charge_hub = serializers.CharField(
        max_length=40,
        required=False,
        help_text="Keep a charging point at this hub for the return.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two, not both."""
        if ("vehicle" in attrs) == ("car_class" in attrs):
            raise serializers.ValidationError(_("Give a vehicle or a class of cars."))
        return attrs


class ResizeSerializer(serializers.Serializer[Any]):
    """When it shall end instead."""

    end = serializers.CharField(max_length=40)
    end_fold = serializers.IntegerField(min_value=0, max_value=1, required=False)
    may_move = serializers.BooleanField(
        default=False, help_text="Take another car that is as good if this one is booked then."
    )


class MoveSerializer(serializers.Serializer[Any]):
    """To which car."""

    vehicle = serializers.CharField(
        max_length=40, required=False, help_text="Without it: the best other car that is as good."
    )


class StaffBookingsQuerySerializer(serializers.Serializer[Any]):
    """Which bookings."""

    day = serializers.DateField(required=False, help_text="A day of the city.")
    vehicle = serializers.CharField(max_length=40, required=False, help_text="A vehicle's code.")
    state = serializers.ChoiceField(choices=BookingState.choices, required=False)


class TermsSerializer(serializers.Serializer[Any]):
    """What is agreed besides the price."""

    free_until = serializers.DateTimeField(help_text="Cancelling costs nothing until then.")
    opens_at = serializers.DateTimeField(help_text="From then on it may be taken, if it is there.")
    no_show_at = serializers.DateTimeField(help_text="Whoever has not come by then pays a fee.")
    late_minutes = serializers.IntegerField(help_text="Coming back later than this costs a fee.")


class SpanBodySerializer(serializers.Serializer[Any]):
    """A span as everybody reads it."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    start_local = serializers.CharField(help_text="The city's wall clock, with its offset.")
    end_local = serializers.CharField()
    minutes = serializers.IntegerField(help_text="Elapsed, on the days of a clock change too.")


class BookingQuoteSerializer(SpanBodySerializer, TermsSerializer):
    """The whole price and the terms, before anything is confirmed."""

    vehicle = VehicleSerializer()
    total_cents = serializers.IntegerField(
        help_text="The estimate for the whole span, VAT included."
    )
    preauth_cents = serializers.IntegerField()
    quote = QuoteSerializer()


class WarningSerializer(serializers.Serializer[Any]):
    """What will stand in the way of the ride if nothing is done until then."""

    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()


class BookingSerializer(SpanBodySerializer, TermsSerializer):
    """A booking."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=BookingState.choices)
    vehicle = VehicleSerializer()
    chosen = serializers.BooleanField(help_text="This very vehicle was asked for.")
    hub = serializers.CharField(allow_null=True)
    district = serializers.CharField(allow_null=True)
    at_risk = serializers.BooleanField(help_text="The car may be late; cancelling is free.")
    moved = serializers.IntegerField(help_text="How often it was moved to another car.")
    connector_kept = serializers.BooleanField()
    total_cents = serializers.IntegerField()
    fee_cents = serializers.IntegerField(allow_null=True)
    requested_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    quote = QuoteSerializer()
    warnings = WarningSerializer(many=True, required=False)


class ClassesQuerySerializer(serializers.Serializer[Any]):
    """Classes at all, or with the free cars of a span."""

    start = serializers.CharField(max_length=40, required=False)
    end = serializers.CharField(max_length=40, required=False)
    start_fold = serializers.IntegerField(min_value=0, max_value=1, required=False)
    end_fold = serializers.IntegerField(min_value=0, max_value=1, required=False)
    hub = serializers.CharField(max_length=40, required=False)
    district = serializers.CharField(max_length=40, required=False)
    range_km = serializers.IntegerField(min_value=1, max_value=MOST_KM, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Both ends, or none."""
        if ("start" in attrs) != ("end" in attrs):
            raise serializers.ValidationError(_("Give both the beginning and the end."))
        return attrs


class ClassSerializer(serializers.Serializer[Any]):
    """A class of cars; with a span also how many of it are free and what it would cost."""

    id = serializers.CharField()
    organisation = serializers.CharField()
    name = serializers.CharField()
    seats = serializers.IntegerField()
    max_range_m = serializers.IntegerField()
    free = serializers.IntegerField(allow_null=True)
    longest_range_m = serializers.IntegerField(
        allow_null=True, help_text="How far the best charged free one goes now."
    )
    total_cents = serializers.IntegerField(allow_null=True)
    quote = QuoteSerializer()


class ClassesSerializer(serializers.Serializer[Any]):
    """All classes."""

    results = ClassSerializer(many=True)


class CalendarQuerySerializer(serializers.Serializer[Any]):
    """Which day of the city."""

    day = serializers.DateField()


class SlotSerializer(serializers.Serializer[Any]):
    """Half an hour of elapsed time."""

    start = serializers.DateTimeField()
    start_local = serializers.CharField(help_text="With its offset: 02:30 may come twice.")
    free = serializers.BooleanField()


class BusySerializer(serializers.Serializer[Any]):
    """Taken, by whom is nobody's business; pauses between bookings included."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class CalendarSerializer(serializers.Serializer[Any]):
    """A vehicle's day."""

    day = serializers.DateField()
    hours = serializers.IntegerField(help_text="23 and 25 on the days of a clock change.")
    slots = SlotSerializer(many=True)
    busy = BusySerializer(many=True)


def span_body(start: datetime.datetime, end: datetime.datetime) -> dict[str, Any]:
    """A span as everybody reads it."""
    return {
        "start": start,
        "end": end,
        "start_local": shown(start),
        "end_local": shown(end),
        "minutes": int((end - start).total_seconds()) // 60,
    }


def terms_body(
    starts_at: datetime.datetime, free_until: datetime.datetime, policy: ReservationPolicy
) -> dict[str, Any]:
    """What is agreed besides the price."""
    return {
        "free_until": free_until,
        "opens_at": spans.opens_at(starts_at, policy=policy),
        "no_show_at": spans.no_show_at(starts_at, policy=policy),
        "late_minutes": policy.late_minutes,
    }


def booking_body(booking: Booking) -> dict[str, Any]:
    """A booking as its owner sees it; where the car stands only once it waits for them."""
    policy = policy_of(booking.organisation_id)
    return {
        "id": booking.public_id,
        "state": booking.state,
        **span_body(booking.starts_at, booking.ends_at),
        **terms_body(booking.starts_at, booking.free_until, policy),
        "vehicle": vehicle_body(booking.vehicle, show_place=booking.state in _THERE),
        "chosen": booking.chosen,
        "hub": booking.hub.code if booking.hub else None,
        "district": booking.district.code if booking.district else None,
        "at_risk": booking.at_risk_since is not None,
        "moved": booking.moved,
        "connector_kept": booking.connector_hold_id is not None,
        "total_cents": booking.estimate_cents,
        "fee_cents": booking.fee_cents,
        "requested_at": booking.requested_at,
        "closed_at": booking.closed_at,
        "quote": _quote(booking.fare, booking.starts_at, booking.ends_at),
    }


def booking_quote_body(offer: BookingOffer) -> dict[str, Any]:
    """The whole price and the terms."""
    wish, fare = offer.wish, offer.priced.fare
    return {
        **span_body(wish.starts_at, wish.ends_at),
        **terms_body(wish.starts_at, offer.free_until, offer.policy),
        "vehicle": vehicle_body(offer.vehicle, show_place=False),
        "total_cents": offer.estimate_cents,
        "preauth_cents": fare.preauth_cents,
        "quote": _quote(fare, wish.starts_at, wish.ends_at),
    }


def class_body(
    one: BookingClass, *, span: Span | None, batteries: list[int | None] | None
) -> dict[str, Any]:
    """A class; `batteries` are the charges (per cent) of its free cars, best first."""
    best = batteries[0] if batteries else None
    body = quote(fare=one.fare) if span is None else _quote(one.fare, *span)
    return {
        "id": one.ref,
        "organisation": pick(one.organisation.name),
        "name": pick(one.type.name),
        "seats": one.type.seats,
        "max_range_m": one.type.max_range_m,
        "free": None if batteries is None else len(batteries),
        "longest_range_m": range_m(max_range_m=one.type.max_range_m, battery_pct=best),
        "total_cents": None if span is None else body["estimate"]["total_cents"],
        "quote": body,
    }


def calendar_body(day: datetime.date, slots: list[Slot], busy: list[Span]) -> dict[str, Any]:
    """A vehicle's day."""
    length = slots[-1].end - slots[0].start
    return {
        "day": day,
        "hours": int(length.total_seconds()) // 3600,
        "slots": [
            {"start": slot.start, "start_local": shown(slot.start), "free": slot.free}
            for slot in slots
        ],
        "busy": [{"start": start, "end": end} for start, end in busy],
    }


def _quote(fare: Fare, start: datetime.datetime, end: datetime.datetime) -> dict[str, Any]:
    minutes = -(-int((end - start).total_seconds()) // 60)
    return quote(fare=fare, minutes=minutes, at=start)
