"""The shapes of passes and codes in the API."""

from typing import Any

from rest_framework import serializers

from bookings.passes.models import Pass, PassProduct, PromoRedemption
from bookings.passes.states import PassShape, PassState, RedemptionState
from fleet.vehicles.states import Kind
from mobility.core.texts import pick


class ProductQuerySerializer(serializers.Serializer[Any]):
    """Which passes to show."""

    kind = serializers.ChoiceField(choices=Kind.choices, required=False)


class ProductSerializer(serializers.Serializer[Any]):
    """A pass on offer; cents with VAT included."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    organisation = serializers.CharField()
    organisation_id = serializers.UUIDField(help_text="Credit is topped up under it.")
    vehicle_kinds = serializers.ListField(child=serializers.ChoiceField(choices=Kind.choices))
    shape = serializers.ChoiceField(choices=PassShape.choices)
    minutes = serializers.IntegerField(help_text="Of a bundle in all, of a period with each trip.")
    free_unlock = serializers.BooleanField()
    days = serializers.IntegerField()
    price_cents = serializers.IntegerField()
    currency = serializers.CharField()
    vat_rate = serializers.CharField()
    renewable = serializers.BooleanField()


class ProductsSerializer(serializers.Serializer[Any]):
    """The passes on offer."""

    results = ProductSerializer(many=True)


class PassSerializer(serializers.Serializer[Any]):
    """A bought pass, on the terms of the day it was bought."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=PassState.choices)
    name = serializers.CharField()
    vehicle_kinds = serializers.ListField(child=serializers.ChoiceField(choices=Kind.choices))
    shape = serializers.ChoiceField(choices=PassShape.choices)
    minutes = serializers.IntegerField()
    minutes_left = serializers.IntegerField(allow_null=True, help_text="Of a bundle.")
    free_unlock = serializers.BooleanField()
    price_cents = serializers.IntegerField()
    currency = serializers.CharField()
    bought_at = serializers.DateTimeField()
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    rides = serializers.IntegerField()
    auto_renew = serializers.BooleanField()
    payment = serializers.UUIDField(allow_null=True)


class BuyPassSerializer(serializers.Serializer[Any]):
    """Which pass to buy."""

    product = serializers.UUIDField()
    auto_renew = serializers.BooleanField(default=False)


class RenewalSerializer(serializers.Serializer[Any]):
    """Whether the pass renews itself."""

    auto_renew = serializers.BooleanField()


class RedeemSerializer(serializers.Serializer[Any]):
    """The code as it was typed."""

    code = serializers.CharField(max_length=40)


class RedemptionSerializer(serializers.Serializer[Any]):
    """A redeemed code."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=RedemptionState.choices)
    code = serializers.CharField()
    name = serializers.CharField()
    vehicle_kinds = serializers.ListField(child=serializers.ChoiceField(choices=Kind.choices))
    percent = serializers.IntegerField()
    cents = serializers.IntegerField()
    minutes = serializers.IntegerField()
    most_cents = serializers.IntegerField(allow_null=True)
    redeemed_at = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    saved_cents = serializers.IntegerField()


def product_body(product: PassProduct) -> dict[str, Any]:
    """A pass on offer (loaded with its organisation)."""
    return {
        "id": product.public_id,
        "name": str(product),
        "organisation": str(product.organisation),
        "organisation_id": product.organisation.public_id,
        "vehicle_kinds": product.vehicle_kinds,
        "shape": product.shape,
        "minutes": product.minutes,
        "free_unlock": product.free_unlock,
        "days": product.days,
        "price_cents": product.price_cents,
        "currency": product.currency,
        "vat_rate": str(product.vat_rate),
        "renewable": product.renewable,
    }


def pass_body(bought: Pass) -> dict[str, Any]:
    """A bought pass (loaded with its payment)."""
    terms = bought.terms
    return {
        "id": bought.public_id,
        "state": bought.state,
        "name": pick(terms["title"]),
        "vehicle_kinds": bought.vehicle_kinds,
        "shape": terms["shape"],
        "minutes": terms["minutes"],
        "minutes_left": bought.minutes_left,
        "free_unlock": terms["free_unlock"],
        "price_cents": terms["price_cents"],
        "currency": terms["currency"],
        "bought_at": bought.bought_at,
        "starts_at": bought.starts_at,
        "ends_at": bought.ends_at,
        "rides": bought.uses,
        "auto_renew": bought.auto_renew,
        "payment": bought.payment.public_id if bought.payment else None,
    }


def redemption_body(redemption: PromoRedemption) -> dict[str, Any]:
    """A redeemed code (loaded with the code)."""
    promo = redemption.promo
    return {
        "id": redemption.public_id,
        "state": redemption.state,
        "code": promo.code,
        "name": pick(promo.title),
        "vehicle_kinds": promo.vehicle_kinds,
        "percent": promo.percent,
        "cents": promo.cents,
        "minutes": promo.minutes,
        "most_cents": promo.most_cents,
        "redeemed_at": redemption.redeemed_at,
        "valid_until": redemption.valid_until,
        "saved_cents": redemption.saved_cents,
    }
