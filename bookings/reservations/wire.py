"""The shapes of vehicles, prices and reservations in the API."""

import datetime
from typing import Any

from rest_framework import serializers

from bookings.pricing.queries import price_board, quote
from bookings.pricing.rules import Perk
from bookings.pricing.wire import PriceSerializer, QuoteSerializer
from bookings.reservations import rules
from bookings.reservations.models import Reservation
from bookings.reservations.needs import Need
from bookings.reservations.queries import Offer
from bookings.reservations.states import ACTIVE, ReservationState
from fleet.vehicles.models import LatestState, Vehicle
from fleet.vehicles.rules import range_m
from fleet.vehicles.services import free_from
from fleet.vehicles.states import Equipment, FormFactor, Kind
from mobility.core.texts import pick


class VehicleSerializer(serializers.Serializer[Any]):
    """A vehicle as a rider sees it."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    name = serializers.CharField()
    form_factor = serializers.ChoiceField(
        choices=FormFactor.choices, required=False, help_text="GBFS; not in lists."
    )
    equipment = serializers.ListField(
        child=serializers.ChoiceField(choices=Equipment.choices),
        required=False,
        help_text="What it carries besides itself; not in lists.",
    )
    lat = serializers.FloatField(allow_null=True)
    lon = serializers.FloatField(allow_null=True)
    battery_pct = serializers.IntegerField(allow_null=True)
    range_m = serializers.IntegerField(allow_null=True)
    reported_at = serializers.DateTimeField(allow_null=True)


class OfferSerializer(VehicleSerializer):
    """A vehicle near a place, with its price."""

    distance_m = serializers.IntegerField()
    available_until = serializers.DateTimeField(
        allow_null=True, help_text="From then on somebody else has booked it."
    )
    price = PriceSerializer()


class OffersSerializer(serializers.Serializer[Any]):
    """The vehicles near a place, nearest first."""

    results = OfferSerializer(many=True)


class VehicleOfferSerializer(VehicleSerializer):
    """One vehicle with its whole offer."""

    available = serializers.BooleanField()
    available_until = serializers.DateTimeField(
        allow_null=True, help_text="From then on somebody else has booked it."
    )
    quote = QuoteSerializer()


class ReservationSerializer(serializers.Serializer[Any]):
    """A reservation."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    vehicle = VehicleSerializer()
    booking = serializers.UUIDField(allow_null=True)
    reserved_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    free_until = serializers.DateTimeField(help_text="Reserved minutes after it cost money.")
    extendable_until = serializers.DateTimeField(
        allow_null=True, help_text="As long as it can be made; null when it cannot be made longer."
    )
    available_until = serializers.DateTimeField(
        allow_null=True, help_text="From then on somebody else has booked the vehicle."
    )
    quote = QuoteSerializer()


class ReserveSerializer(serializers.Serializer[Any]):
    """What to reserve."""

    vehicle = serializers.CharField(
        max_length=40, help_text="The vehicle's id, or the code on its sticker."
    )


class ExtendSerializer(serializers.Serializer[Any]):
    """For how much longer."""

    minutes = serializers.IntegerField(
        min_value=1, max_value=240, required=False, help_text="Without it: one extension."
    )


class SearchSerializer(serializers.Serializer[Any]):
    """Where to look for vehicles."""

    lat = serializers.FloatField(min_value=-90, max_value=90)
    lon = serializers.FloatField(min_value=-180, max_value=180)
    radius_m = serializers.FloatField(min_value=1, max_value=5000, default=500)
    kind = serializers.ChoiceField(choices=Kind.choices, required=False, allow_null=True)
    range_m = serializers.IntegerField(
        min_value=0, max_value=1_000_000, default=0, help_text="Only those that go at least so far."
    )
    needs = serializers.MultipleChoiceField(
        choices=Need.choices, default=set, help_text="Only those that have all of it."
    )
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)


class QuoteQuerySerializer(serializers.Serializer[Any]):
    """What to price."""

    vehicle = serializers.CharField(max_length=40)
    minutes = serializers.IntegerField(min_value=1, max_value=43_200, default=20)
    distance_m = serializers.IntegerField(min_value=0, max_value=5_000_000, default=0)


def offer_body(offer: Offer) -> dict[str, Any]:
    """A vehicle near a place, with its price."""
    vehicle = offer.vehicle
    return {
        "id": vehicle.public_id,
        "code": vehicle.code,
        "kind": vehicle.kind,
        "name": pick(vehicle.type_name),
        "lat": vehicle.lat,
        "lon": vehicle.lon,
        "battery_pct": vehicle.battery_pct,
        "range_m": vehicle.range_m,
        "distance_m": round(vehicle.distance_m),
        "reported_at": vehicle.reported_at,
        "available_until": offer.available_until,
        "price": price_board(offer.fare),
    }


def vehicle_body(vehicle: Vehicle, *, show_place: bool = True) -> dict[str, Any]:
    """A vehicle with its last word about itself, if the asker may know where it is."""
    latest: LatestState | None = getattr(vehicle, "latest", None) if show_place else None
    battery = latest.battery_pct if latest else None
    return {
        "id": vehicle.public_id,
        "code": vehicle.code,
        "kind": vehicle.kind,
        "name": pick(vehicle.type.name),
        "form_factor": vehicle.type.form,
        "equipment": vehicle.equipment,
        "lat": latest.lat if latest else None,
        "lon": latest.lon if latest else None,
        "battery_pct": battery,
        "range_m": range_m(max_range_m=vehicle.type.max_range_m, battery_pct=battery),
        "reported_at": latest.at if latest else None,
    }


def reservation_body(reservation: Reservation, *, at: datetime.datetime) -> dict[str, Any]:
    """A reservation as its owner sees it."""
    fare, since = reservation.fare, reservation.reserved_at
    free_until = since + datetime.timedelta(minutes=fare.hold_free_minutes)
    booked = _booked_from(reservation, at=at)
    longest = since + datetime.timedelta(minutes=rules.longest_minutes(fare))
    longest = min(longest, booked) if booked else longest
    held = reservation.state == ReservationState.HELD
    return {
        "id": reservation.public_id,
        "state": reservation.state,
        "vehicle": vehicle_body(reservation.vehicle),
        "booking": reservation.booking.public_id if reservation.booking else None,
        "reserved_at": since,
        "expires_at": reservation.expires_at,
        "free_until": free_until,
        "extendable_until": longest if held and longest > reservation.expires_at else None,
        "available_until": booked,
        "quote": quote(fare=fare, perks=_frozen(reservation), at=at),
    }


def _booked_from(reservation: Reservation, *, at: datetime.datetime) -> datetime.datetime | None:
    """Only cars are booked ahead, and only who has one now wants to know."""
    vehicle = reservation.vehicle
    if reservation.state not in ACTIVE or vehicle.kind not in rules.BOOKABLE:
        return None
    return free_from(vehicle_id=vehicle.pk, at=at)


def _frozen(reservation: Reservation) -> tuple[Perk, ...]:
    """What the ride counts with, once it is claimed."""
    return tuple(Perk.from_json(perk) for perk in reservation.perks)
