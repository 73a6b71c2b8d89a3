"""The shapes of vehicles, prices and reservations in the API."""

from typing import Any

from rest_framework import serializers

from bookings.pricing.queries import price_board, quote
from bookings.reservations.models import Reservation
from bookings.reservations.queries import Offer
from fleet.vehicles.models import LatestState, Vehicle
from fleet.vehicles.rules import range_m
from fleet.vehicles.states import Equipment, FormFactor, Kind
from mobility.core.texts import pick


class PriceSerializer(serializers.Serializer[Any]):
    """Prices next to a vehicle, in cents, VAT included."""

    currency = serializers.CharField()
    unlock_cents = serializers.IntegerField()
    minute_cents = serializers.IntegerField()
    pause_minute_cents = serializers.IntegerField()
    hour_cents = serializers.IntegerField(help_text="What an hour of riding costs at most.")
    day_cap_cents = serializers.IntegerField(allow_null=True)


class LineSerializer(serializers.Serializer[Any]):
    """One line of a price."""

    kind = serializers.CharField()
    quantity = serializers.CharField()
    unit = serializers.CharField()
    cents = serializers.IntegerField()
    vat_rate = serializers.CharField()
    params = serializers.DictField()


class VatSerializer(serializers.Serializer[Any]):
    """The share of a document under one VAT rate."""

    rate = serializers.CharField()
    net_cents = serializers.IntegerField()
    vat_cents = serializers.IntegerField()
    gross_cents = serializers.IntegerField()


class EstimateSerializer(serializers.Serializer[Any]):
    """What an unbroken ride would cost."""

    minutes = serializers.IntegerField()
    total_cents = serializers.IntegerField()
    lines = LineSerializer(many=True)
    vat = VatSerializer(many=True)


class QuoteSerializer(PriceSerializer):
    """The whole offer before unlocking."""

    trip_cap_cents = serializers.IntegerField(allow_null=True)
    km_cents = serializers.IntegerField()
    free_km = serializers.IntegerField()
    hold_free_minutes = serializers.IntegerField()
    hold_minute_cents = serializers.IntegerField()
    hold_max_minutes = serializers.IntegerField()
    preauth_cents = serializers.IntegerField()
    vat_rate = serializers.CharField()
    tariff_version = serializers.CharField()
    estimate = EstimateSerializer()


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
    price = PriceSerializer()


class OffersSerializer(serializers.Serializer[Any]):
    """The vehicles near a place, nearest first."""

    results = OfferSerializer(many=True)


class VehicleOfferSerializer(VehicleSerializer):
    """One vehicle with its whole offer."""

    available = serializers.BooleanField()
    quote = QuoteSerializer()


class ReservationSerializer(serializers.Serializer[Any]):
    """A reservation."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    vehicle = VehicleSerializer()
    reserved_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    quote = QuoteSerializer()


class ReserveSerializer(serializers.Serializer[Any]):
    """What to reserve."""

    vehicle = serializers.CharField(
        max_length=40, help_text="The vehicle's id, or the code on its sticker."
    )


class SearchSerializer(serializers.Serializer[Any]):
    """Where to look for vehicles."""

    lat = serializers.FloatField(min_value=-90, max_value=90)
    lon = serializers.FloatField(min_value=-180, max_value=180)
    radius_m = serializers.FloatField(min_value=1, max_value=5000, default=500)
    kind = serializers.ChoiceField(choices=Kind.choices, required=False, allow_null=True)
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)


class QuoteQuerySerializer(serializers.Serializer[Any]):
    """What to price."""

    vehicle = serializers.CharField(max_length=40)
    minutes = serializers.IntegerField(min_value=1, max_value=43_200, default=20)


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


def reservation_body(reservation: Reservation) -> dict[str, Any]:
    """A reservation as its owner sees it."""
    return {
        "id": reservation.public_id,
        "state": reservation.state,
        "vehicle": vehicle_body(reservation.vehicle),
        "reserved_at": reservation.reserved_at,
        "expires_at": reservation.expires_at,
        "quote": quote(fare=reservation.fare),
    }
