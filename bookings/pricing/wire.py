"""The shapes of prices in the API; amounts in cents, VAT included."""

from typing import Any

from rest_framework import serializers


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
    distance_m = serializers.IntegerField()
    total_cents = serializers.IntegerField()
    lines = LineSerializer(many=True)
    vat = VatSerializer(many=True)


class StepSerializer(serializers.Serializer[Any]):
    """Until minute `until` each started `minutes` cost `cents`."""

    until = serializers.IntegerField(allow_null=True)
    minutes = serializers.IntegerField()
    cents = serializers.IntegerField()


class PackageSerializer(serializers.Serializer[Any]):
    """Minutes and kilometres together, taken when it is the cheapest."""

    minutes = serializers.IntegerField()
    km = serializers.IntegerField()
    cents = serializers.IntegerField()


class SurchargeSerializer(serializers.Serializer[Any]):
    """When (`hours`) or where (`zone`) it costs something else."""

    kind = serializers.ChoiceField(choices=("hours", "zone"))
    start = serializers.CharField(required=False)
    end = serializers.CharField(required=False)
    weekdays = serializers.ListField(
        child=serializers.IntegerField(), required=False, help_text="1 is Monday; none: every day."
    )
    minute_cents = serializers.IntegerField(required=False, allow_null=True)
    pause_minute_cents = serializers.IntegerField(required=False, allow_null=True)
    unlock_cents = serializers.IntegerField(required=False, allow_null=True)
    when = serializers.ChoiceField(choices=("start", "end"), required=False)
    zone_code = serializers.CharField(required=False)
    zone_kind = serializers.CharField(required=False)
    cents = serializers.IntegerField(required=False, help_text="Negative: a discount.")


class AppliedPerkSerializer(serializers.Serializer[Any]):
    """A pass, a code or a discount that the estimate counts with."""

    kind = serializers.ChoiceField(choices=("pass", "promo", "discount", "day_cap"))
    id = serializers.CharField(allow_null=True)
    minutes = serializers.IntegerField()
    unlock = serializers.BooleanField()
    percent = serializers.IntegerField()
    cents = serializers.IntegerField()


class QuoteSerializer(PriceSerializer):
    """The whole offer before unlocking."""

    trip_cap_cents = serializers.IntegerField(allow_null=True)
    person_day_cap_cents = serializers.IntegerField(
        allow_null=True, help_text="What all rides of a person within 24 hours cost at most."
    )
    km_cents = serializers.IntegerField()
    free_km = serializers.IntegerField()
    hold_free_minutes = serializers.IntegerField()
    hold_minute_cents = serializers.IntegerField()
    hold_max_minutes = serializers.IntegerField()
    hold_extend_minutes = serializers.IntegerField(help_text="0: no extension is offered.")
    hold_longest_minutes = serializers.IntegerField()
    no_show_cents = serializers.IntegerField()
    late_cancel_cents = serializers.IntegerField()
    free_cancel_before_h = serializers.IntegerField()
    overstay_cents = serializers.IntegerField()
    steps = StepSerializer(many=True)
    packages = PackageSerializer(many=True)
    surcharges = SurchargeSerializer(many=True)
    preauth_cents = serializers.IntegerField()
    preauth_release_days = serializers.IntegerField(
        help_text="What was promised and not used is released with the receipt, by the bank at the"
        " latest after so many days."
    )
    vat_rate = serializers.CharField()
    tariff_version = serializers.CharField()
    perks = AppliedPerkSerializer(many=True)
    estimate = EstimateSerializer()
