"""The shapes of offers and rewards in the API."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from bookings.rewards.models import RewardClaim
from bookings.rewards.states import ClaimState, ReleaseReason
from fleet.incentives.models import IncentiveOffer
from fleet.incentives.rules.places import HUB_RADIUS_M, outline
from fleet.incentives.states import Direction, Need
from fleet.vehicles.states import Kind
from mobility.core.money import EUR, format_money
from mobility.core.texts import pick

LONGEST_M = 5_000


class OfferSearchSerializer(serializers.Serializer[Any]):
    """Around which point, for which kind of vehicle."""

    lat = serializers.FloatField(min_value=-90, max_value=90)
    lon = serializers.FloatField(min_value=-180, max_value=180)
    radius_m = serializers.IntegerField(min_value=1, max_value=LONGEST_M, default=1_500)
    kind = serializers.ChoiceField(choices=Kind.choices, required=False)
    direction = serializers.ChoiceField(choices=Direction.choices, required=False)
    vehicle = serializers.CharField(
        max_length=40, required=False, help_text="The vehicle's id or code: offers to take it."
    )


class AcceptSerializer(serializers.Serializer[Any]):
    """For which ride: one of the two."""

    trip = serializers.UUIDField(required=False)
    reservation = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one."""
        if len(attrs) != 1:
            raise serializers.ValidationError(_("Give either a trip or a reservation."))
        return attrs


class OfferPlaceSerializer(serializers.Serializer[Any]):
    """Where it is: a hub with its radius, or an area with its outline (GeoJSON Polygon)."""

    name = serializers.CharField(allow_blank=True)
    lat = serializers.FloatField()
    lon = serializers.FloatField()
    radius_m = serializers.FloatField(allow_null=True)
    area = serializers.JSONField(allow_null=True)


class RideOfferSerializer(serializers.Serializer[Any]):
    """A reward for taking a vehicle, or for ending a ride in a place."""

    id = serializers.UUIDField()
    direction = serializers.ChoiceField(choices=Direction.choices)
    need = serializers.ChoiceField(choices=Need.choices)
    text = serializers.CharField()
    vehicle_kind = serializers.ChoiceField(choices=Kind.choices)
    vehicle = serializers.UUIDField(allow_null=True)
    place = OfferPlaceSerializer()
    battery_below_pct = serializers.IntegerField(allow_null=True)
    reward_cents = serializers.IntegerField()
    currency = serializers.CharField()
    valid_until = serializers.DateTimeField()


class RideOffersSerializer(serializers.Serializer[Any]):
    """Offers, the best first."""

    results = RideOfferSerializer(many=True)


class RewardSerializer(serializers.Serializer[Any]):
    """A promised reward and what became of it."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=ClaimState.choices)
    offer = RideOfferSerializer()
    reservation = serializers.UUIDField()
    reward_cents = serializers.IntegerField()
    granted_cents = serializers.IntegerField()
    promised_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    reason = serializers.ChoiceField(choices=ReleaseReason.choices, allow_blank=True)


class TripOffersSerializer(RideOffersSerializer):
    """Where a trip could end for a reward, and the one that it carries."""

    reward = RewardSerializer(allow_null=True)


def offer_text(offer: IncentiveOffer) -> str:
    """What to do for what, in a sentence."""
    asked: Mapping[str, Any] = {"reward": format_money(offer.reward_cents)}
    if offer.direction == Direction.START:
        return _("Take this vehicle out of the area and get %(reward)s off your ride.") % asked
    if offer.need == Need.CHARGE and offer.hub is not None:
        place = {"hub": pick(offer.hub.name)}
        return _("End your ride at %(hub)s, where it is charged: %(reward)s off.") % {
            **asked,
            **place,
        }
    return _("End your ride in this area: %(reward)s off.") % asked


def ride_offer_body(offer: IncentiveOffer) -> dict[str, Any]:
    """An offer (loaded with hub and vehicle) as residents see it: no word of what it is worth to us."""
    hub = offer.hub
    area = None
    if hub is None:
        area = {"type": "Polygon", "coordinates": [outline(offer.cell)]}
    return {
        "id": offer.public_id,
        "direction": offer.direction,
        "need": offer.need,
        "text": offer_text(offer),
        "vehicle_kind": offer.vehicle_kind,
        "vehicle": offer.vehicle.public_id if offer.vehicle else None,
        "place": {
            "name": pick(hub.name) if hub else "",
            "lat": offer.lat,
            "lon": offer.lon,
            "radius_m": HUB_RADIUS_M if hub else None,
            "area": area,
        },
        "battery_below_pct": offer.below_pct,
        "reward_cents": offer.reward_cents,
        "currency": EUR,
        "valid_until": offer.valid_until,
    }


def reward_body(claim: RewardClaim) -> dict[str, Any]:
    """A promised reward (loaded with its offer) as its person sees it."""
    return {
        "id": claim.public_id,
        "state": claim.state,
        "offer": ride_offer_body(claim.offer),
        "reservation": claim.ride,
        "reward_cents": claim.reward_cents,
        "granted_cents": claim.granted_cents,
        "promised_at": claim.promised_at,
        "expires_at": claim.expires_at,
        "reason": claim.release_reason,
    }
