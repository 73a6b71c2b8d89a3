"""The shapes of trips in the API, and the sentences for what stands in the way of an end."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from bookings.pricing.queries import quote
from bookings.pricing.wire import QuoteSerializer
from bookings.reservations.wire import VehicleSerializer, vehicle_body
from bookings.trips.models import Trip
from bookings.trips.queries import (
    BAY_UNKNOWN,
    CABLE,
    MOVING,
    PHOTO_REQUIRED,
    EndCondition,
    frozen_perks,
    price_lines,
)
from bookings.trips.states import ACTIVE, RIDING, EndReason, Notice, TripState, Waiver
from fleet.maintenance.states import FaultCategory
from fleet.telematics.queries import NearbyVehicle
from fleet.zones.rules import BAYS_ONLY, NO_PARKING, OUTSIDE_OPERATING_AREA
from mobility.core.money import total_cents
from mobility.core.texts import pick


class StartSerializer(serializers.Serializer[Any]):
    """What to ride: one of the three."""

    reservation = serializers.UUIDField(required=False)
    booking = serializers.UUIDField(required=False)
    vehicle = serializers.CharField(
        max_length=40, required=False, help_text="The vehicle's id, or the code on its sticker."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one."""
        if len(attrs) != 1:
            raise serializers.ValidationError(
                _("Give either a reservation, a booking or a vehicle.")
            )
        return attrs


class EndSerializer(serializers.Serializer[Any]):
    """Where the rider's phone is, for when the vehicle itself is silent or unsure."""

    lat = serializers.FloatField(min_value=-90, max_value=90, required=False)
    lon = serializers.FloatField(min_value=-180, max_value=180, required=False)
    accuracy_m = serializers.FloatField(min_value=0, max_value=10_000, required=False)
    bay = serializers.CharField(
        max_length=40,
        required=False,
        help_text="The code on the bay's post or in its QR code, for where no position is known.",
    )


class ForceEndSerializer(serializers.Serializer[Any]):
    """Why staff end the trip."""

    reason = serializers.CharField(max_length=200)


class BrokenSerializer(serializers.Serializer[Any]):
    """What is wrong with the vehicle."""

    category = serializers.ChoiceField(
        choices=FaultCategory.choices, default=FaultCategory.OTHER.value
    )
    text = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)


class RiderWordsSerializer(serializers.Serializer[Any]):
    """What the rider says."""

    text = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)


class NearestPlaceSerializer(serializers.Serializer[Any]):
    """Where the vehicle could be left instead."""

    name = serializers.CharField()
    lat = serializers.FloatField()
    lon = serializers.FloatField()
    distance_m = serializers.IntegerField()


class EndConditionSerializer(serializers.Serializer[Any]):
    """One thing that stands in the way of an end."""

    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    nearest = NearestPlaceSerializer(allow_null=True)


class EndBlockedSerializer(serializers.Serializer[Any]):
    """Since when the trip could not be ended, how often that was tried, and why it last failed."""

    since = serializers.DateTimeField()
    refusals = serializers.IntegerField()
    conditions = EndConditionSerializer(many=True)


class PhotoAskedSerializer(serializers.Serializer[Any]):
    """That a photo of the parked vehicle is expected."""

    until = serializers.DateTimeField()


class AlternativeVehicleSerializer(serializers.Serializer[Any]):
    """The nearest vehicle of the same kind."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    lat = serializers.FloatField()
    lon = serializers.FloatField()
    battery_pct = serializers.IntegerField(allow_null=True)
    distance_m = serializers.IntegerField()


class TripSerializer(serializers.Serializer[Any]):
    """A trip."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=TripState.choices)
    vehicle = VehicleSerializer()
    reservation = serializers.UUIDField()
    requested_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    end_requested_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    end_reason = serializers.ChoiceField(choices=EndReason.choices, allow_blank=True)
    end_blocked = EndBlockedSerializer(allow_null=True)
    quote = QuoteSerializer()
    cost_so_far_cents = serializers.IntegerField()
    price_cents = serializers.IntegerField(allow_null=True)
    waived = serializers.ChoiceField(
        choices=Waiver.choices,
        allow_blank=True,
        help_text="What of the price is not asked for, because the fault was ours.",
    )
    version = serializers.IntegerField(help_text="Above 1: the trip was corrected.")
    currency = serializers.CharField()
    distance_m = serializers.IntegerField(allow_null=True)
    flags = serializers.ListField(child=serializers.CharField())
    notices = serializers.ListField(
        child=serializers.ChoiceField(choices=Notice.choices),
        help_text="What the rider should know while the trip goes on.",
    )
    photo_asked = PhotoAskedSerializer(allow_null=True)
    failure = serializers.CharField()
    alternative = AlternativeVehicleSerializer(
        required=False,
        allow_null=True,
        help_text="After a start that failed or a broken vehicle; not in lists.",
    )


MESSAGES = {
    OUTSIDE_OPERATING_AREA: (
        _("The vehicle is outside the area where trips can end."),
        _("Ride to the nearest place inside the area; we show it on the map."),
    ),
    NO_PARKING: (
        _("Parking is not allowed here."),
        _("Move the vehicle out of the zone, or to the nearest parking bay."),
    ),
    BAYS_ONLY: (
        _("Here vehicles can be left only in a parking bay."),
        _("Ride to the nearest bay; we show it on the map."),
    ),
    MOVING: (
        _("The vehicle is still moving."),
        _("Stop, put it on its stand, and try again."),
    ),
    PHOTO_REQUIRED: (
        _("A photo of the parked vehicle is missing."),
        _("Take a photo that shows the whole vehicle and where it stands, and try again."),
    ),
    CABLE: (
        _("The car is not plugged in."),
        _("Plug it in and wait until it charges. If no charger works, tell us."),
    ),
    BAY_UNKNOWN: (
        _("We do not know this parking bay."),
        _("Check the code on the post, or scan it again."),
    ),
}
UNFIT = (_("The trip cannot end here."), _("Move the vehicle to the place shown and try again."))


def condition_body(condition: EndCondition) -> dict[str, Any]:
    """One unmet condition: a code for programs, two sentences for the rider."""
    message, hint = MESSAGES.get(condition.code, UNFIT)
    nearest = condition.nearest
    return {
        "code": condition.code,
        "message": str(message),
        "hint": str(hint),
        "nearest": nearest
        and {
            "name": pick(nearest.name),
            "lat": nearest.lat,
            "lon": nearest.lon,
            "distance_m": round(nearest.distance_m),
        },
    }


def trip_body(trip: Trip, *, at: datetime.datetime) -> dict[str, Any]:
    """A trip (loaded with its story) as its rider sees it at `at`."""
    fare = trip.reservation.fare
    under_way = trip.state in ACTIVE
    so_far = total_cents(price_lines(trip=trip, at=at))
    return {
        "id": trip.public_id,
        "state": trip.state,
        # Where the vehicle is now is the rider's business only while they ride it.
        "vehicle": vehicle_body(trip.vehicle, show_place=under_way),
        "reservation": trip.reservation.public_id,
        "requested_at": trip.requested_at,
        "started_at": trip.started_at,
        "end_requested_at": trip.end_requested_at,
        "ended_at": trip.ended_at,
        "end_reason": trip.end_reason,
        "end_blocked": _blocked_body(trip),
        "quote": quote(fare=fare, perks=frozen_perks(trip)),
        "cost_so_far_cents": so_far if trip.price_cents is None else trip.price_cents,
        "price_cents": trip.price_cents,
        "waived": trip.waiver,
        "version": trip.version,
        "currency": fare.currency,
        "distance_m": trip.distance_m,
        "flags": list(trip.flags),
        "notices": list(trip.noticed) if under_way else [],
        "photo_asked": _photo_asked(trip, at=at),
        "failure": trip.failure,
    }


def alternative_body(found: NearbyVehicle | None) -> dict[str, Any] | None:
    """What to take instead."""
    if found is None:
        return None
    return {
        "id": found.public_id,
        "code": found.code,
        "lat": found.lat,
        "lon": found.lon,
        "battery_pct": found.battery_pct,
        "distance_m": round(found.distance_m),
    }


def _blocked_body(trip: Trip) -> dict[str, Any] | None:
    if trip.end_blocked_at is None or trip.state not in RIDING:
        return None
    return {
        "since": trip.end_blocked_at,
        "refusals": trip.end_refusals,
        "conditions": [condition_body(EndCondition(code)) for code in trip.last_refusal],
    }


def _photo_asked(trip: Trip, *, at: datetime.datetime) -> dict[str, Any] | None:
    if trip.photo_due_at is None or at > trip.photo_due_at:
        return None
    return {"until": trip.photo_due_at}
