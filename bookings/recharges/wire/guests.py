"""The shapes of charging without an account."""

from typing import Any

from rest_framework import serializers

from bookings.recharges import rules
from bookings.recharges.wire.recharges import RechargeSerializer


class GuestOrderSerializer(serializers.Serializer[Any]):
    """What a driver at a charger gives."""

    code = serializers.CharField(max_length=16, help_text="The code on the sticker.")
    card = serializers.CharField(
        max_length=255, help_text="The provider's token for a card; for the local provider demo-ok."
    )
    limit_cents = serializers.IntegerField(
        required=False, min_value=rules.LEAST_LIMIT_CENTS, max_value=rules.MOST_LIMIT_CENTS
    )
    email = serializers.EmailField(
        required=False, default="", allow_blank=True, help_text="Where the receipt shall go."
    )
    language = serializers.ChoiceField(choices=["it", "en"], default="it")


class GuestRechargeSerializer(RechargeSerializer):
    """A charge of somebody without an account; the secret is shown this once."""

    secret = serializers.CharField()
    watch_url = serializers.URLField()
