"""What charging costs, said before."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from bookings.recharges.wire.recharges import RechargeConnectorSerializer


class QuoteQuery(serializers.Serializer[Any]):
    """Where, and how much somebody means to charge."""

    connector = serializers.UUIDField(required=False)
    code = serializers.CharField(required=False, max_length=16, help_text="The sticker's code.")
    kwh = serializers.DecimalField(
        required=False, max_digits=6, decimal_places=2, min_value=0, max_value=500
    )
    minutes = serializers.IntegerField(required=False, min_value=1, max_value=2880)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two ways to name a connector."""
        if ("connector" in attrs) == ("code" in attrs):
            raise serializers.ValidationError({"connector": [_("Give a connector or a code.")]})
        return attrs


class PricePartSerializer(serializers.Serializer[Any]):
    """One price: `unit_cents` gross per unit, the first `free_units` cost nothing.

    Billed in whole blocks of `step` Wh or seconds. Of every kind the first one counts whose `when`
    is met; `words` say all of it to a person.
    """

    kind = serializers.CharField()
    unit = serializers.CharField()
    unit_cents = serializers.CharField()
    free_units = serializers.CharField()
    cap_cents = serializers.IntegerField(allow_null=True)
    vat_rate = serializers.CharField()
    step = serializers.IntegerField()
    when = serializers.DictField()
    words = serializers.CharField()


class RechargeEstimateSerializer(serializers.Serializer[Any]):
    """What that much would cost."""

    energy_wh = serializers.IntegerField()
    minutes = serializers.IntegerField()
    cents = serializers.IntegerField()
    lines = serializers.ListField(child=serializers.DictField())


class RechargeQuoteSerializer(serializers.Serializer[Any]):
    """Prices by energy first, then time, then what is paid once; VAT included."""

    connector = RechargeConnectorSerializer()
    tariff_version = serializers.CharField()
    currency = serializers.CharField()
    prices = PricePartSerializer(many=True)
    words = serializers.ListField(child=serializers.CharField())
    min_cents = serializers.IntegerField(allow_null=True)
    max_cents = serializers.IntegerField(allow_null=True)
    idle_fee_after_minutes = serializers.FloatField(
        allow_null=True,
        help_text="Minutes after the end of charging from which staying costs; null: never.",
    )
    estimate = RechargeEstimateSerializer()
    preauth_cents = serializers.IntegerField()
    preauth_release = serializers.CharField()
    least_limit_cents = serializers.IntegerField()
    most_limit_cents = serializers.IntegerField()
    usable = serializers.BooleanField()
    connector_status = serializers.CharField(help_text="What stands in the way; empty if nothing.")
