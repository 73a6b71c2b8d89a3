"""Charging sessions as operators' programs see them."""

from __future__ import annotations

from rest_framework import serializers

from charging.sessions.models import ChargingSession


class SessionOut(serializers.ModelSerializer[ChargingSession]):
    """A session; energy and price are final once it is settled."""

    id = serializers.UUIDField(source="public_id")
    station = serializers.UUIDField(source="station.public_id")
    identity = serializers.CharField(source="station.identity")
    connector = serializers.UUIDField(source="connector.public_id", allow_null=True, default=None)

    class Meta:
        model = ChargingSession
        fields = (
            "id",
            "station",
            "identity",
            "connector",
            "transaction_ref",
            "state",
            "charging_state",
            "token_uid",
            "started_at",
            "ended_at",
            "energy_wh",
            "power_w",
            "soc_pct",
            "stop_reason",
            "complete",
            "flags",
            "price_cents",
            "currency",
            "lines",
            "vat",
            "settled_at",
        )
