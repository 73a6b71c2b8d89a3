"""Charging sessions as operators' programs see them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from charging.sessions.models import ChargingSession, Token
from charging.sessions.states import TokenKind


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
            "charging_ended_at",
            "signature",
            "stop_reason",
            "complete",
            "flags",
            "price_cents",
            "currency",
            "lines",
            "vat",
            "settled_at",
        )


class TokenOut(serializers.ModelSerializer[Token]):
    """A card an operator issued; `only_sites` and `only_evses` bind it to places by their ids."""

    id = serializers.UUIDField(source="public_id")

    class Meta:
        model = Token
        fields = (
            "id", "uid", "kind", "state", "block_reason", "expires_at", "group", "allows_parallel",
            "is_master", "only_sites", "only_evses", "label", "created_at",
        )  # fmt: skip


class TokenIn(serializers.Serializer[Any]):
    """A card to issue; given again it brings its details up to date."""

    uid = serializers.CharField(max_length=36)
    kind = serializers.ChoiceField(
        choices=[TokenKind.RFID, TokenKind.AD_HOC], default=TokenKind.RFID
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    group = serializers.CharField(max_length=36, required=False, allow_blank=True)
    # DRF names a field attribute of its own "label"; as a declared field it is only a field.
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=80, required=False, allow_blank=True
    )
    allows_parallel = serializers.BooleanField(default=False)
    is_master = serializers.BooleanField(default=False)
    organisation = serializers.SlugField(
        required=False, help_text="The issuer, where one operates for several."
    )


class PlacesIn(serializers.Serializer[Any]):
    """Where a token may charge: public ids of sites, and EVSEs as `identity/number`; none: everywhere."""

    sites = serializers.ListField(child=serializers.UUIDField(), default=list, max_length=200)
    evses = serializers.ListField(
        child=serializers.CharField(max_length=60), default=list, max_length=200
    )
