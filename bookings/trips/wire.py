"""The shapes of trips in the API, and the sentences for what stands in the way of an end."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from bookings.pricing.queries import quote
from bookings.reservations.wire import QuoteSerializer, VehicleSerializer, vehicle_body
from bookings.trips.models import Trip
from bookings.trips.queries import MOVING, EndCondition, price_lines
from bookings.trips.states import ACTIVE, TripState
from fleet.zones.rules import BAYS_ONLY, NO_PARKING, OUTSIDE_OPERATING_AREA
from mobility.core.money import total_cents
from mobility.core.texts import pick


class StartSerializer(serializers.Serializer[Any]):
    """What to ride: one of the two."""

    reservation = serializers.UUIDField(required=False)
    vehicle = serializers.CharField(
        max_length=40, required=False, help_text="The vehicle's id, or the code on its sticker."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one."""
        if ("reservation" in attrs) == ("vehicle" in attrs):
            raise serializers.ValidationError(_("Give either a reservation or a vehicle."))
        return attrs


class EndSerializer(serializers.Serializer[Any]):
    """Where the rider's phone is, for when the vehicle itself is silent."""

    lat = serializers.FloatField(min_value=-90, max_value=90, required=False)
    lon = serializers.FloatField(min_value=-180, max_value=180, required=False)
    accuracy_m = serializers.FloatField(min_value=0, max_value=10_000, required=False)


class ForceEndSerializer(serializers.Serializer[Any]):
    """Why staff end the trip."""

    reason = serializers.CharField(max_length=200)


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
    quote = QuoteSerializer()
    cost_so_far_cents = serializers.IntegerField()
    price_cents = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    distance_m = serializers.IntegerField(allow_null=True)
    flags = serializers.ListField(child=serializers.CharField())
    failure = serializers.CharField()


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
        "quote": quote(fare=fare),
        "cost_so_far_cents": so_far if trip.price_cents is None else trip.price_cents,
        "price_cents": trip.price_cents,
        "currency": fare.currency,
        "distance_m": trip.distance_m,
        "flags": list(trip.flags),
        "failure": trip.failure,
    }
