"""The shapes of charging cards, kept connectors, and what operators look at."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bookings.recharges import rules
from bookings.recharges.models import ConnectorCode, KeptConnector, VehicleCharge
from bookings.recharges.wire.recharges import RechargeConnectorSerializer, connector_body
from charging.sessions.models import ChargingSession, Token


class CardIn(serializers.Serializer[Any]):
    """The number printed on an RFID card."""

    uid = serializers.CharField(max_length=36)
    # DRF names a field attribute of its own "label"; as a declared field it is only a field.
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=80, required=False, default="", allow_blank=True
    )


class CardOut(serializers.ModelSerializer[Token]):
    """A card that charges in one's name; only the end of its number is shown."""

    id = serializers.UUIDField(source="public_id")
    ending = serializers.SerializerMethodField()

    class Meta:
        model = Token
        fields: tuple[str, ...] = (
            "id", "ending", "label", "state", "block_reason", "expires_at", "created_at",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields

    def get_ending(self, token: Token) -> str:
        """The last four characters of the number."""
        return token.uid[-4:]


class HoldIn(serializers.Serializer[Any]):
    """For how long."""

    minutes = serializers.IntegerField(
        min_value=1, max_value=rules.MOST_KEEP_MINUTES, default=rules.KEEP_MINUTES
    )


class KeptOut(serializers.ModelSerializer[KeptConnector]):
    """A connector that is kept for somebody, loaded with its station."""

    id = serializers.UUIDField(source="public_id")
    connector = serializers.SerializerMethodField()

    class Meta:
        model = KeptConnector
        fields: tuple[str, ...] = (
            "id", "state", "connector", "charger_knows", "created_at", "until",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(RechargeConnectorSerializer())
    def get_connector(self, kept: KeptConnector) -> dict[str, Any]:
        """Where it is."""
        return connector_body(kept.connector)


class CodeOut(serializers.ModelSerializer[ConnectorCode]):
    """The code of a connector and the address its sticker shows."""

    connector = serializers.UUIDField(source="connector.public_id")
    station = serializers.CharField(source="connector.evse.station.identity")
    evse = serializers.IntegerField(source="connector.evse.number")
    url = serializers.SerializerMethodField()

    class Meta:
        model = ConnectorCode
        fields: tuple[str, ...] = (
            "connector", "station", "evse", "code", "url", "issued_at", "valid_until",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields

    def get_url(self, code: ConnectorCode) -> str:
        """What the QR code says."""
        address: str = self.context["request"].build_absolute_uri(f"/charge/{code.code}/")
        return address


class StickersQuery(serializers.Serializer[Any]):
    """Of one station, else of all."""

    station = serializers.UUIDField(required=False)


class CodeIn(serializers.Serializer[Any]):
    """Whether the old code shall end now, because it leaked or was pasted over."""

    at_once = serializers.BooleanField(default=False)


class UnbilledOut(serializers.ModelSerializer[ChargingSession]):
    """A session with a price that nobody pays."""

    id = serializers.UUIDField(source="public_id")
    station = serializers.CharField(source="station.identity")

    class Meta:
        model = ChargingSession
        fields: tuple[str, ...] = (
            "id", "station", "token_uid", "owner_ref", "purpose_ref", "started_at", "ended_at",
            "energy_wh", "price_cents", "currency", "flags",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields


class VehicleChargeOut(serializers.ModelSerializer[VehicleCharge]):
    """What a vehicle's own token cost its organisation."""

    id = serializers.UUIDField(source="public_id")
    organisation = serializers.CharField(source="organisation.slug")
    operator = serializers.CharField(source="operator.slug")

    class Meta:
        model = VehicleCharge
        fields: tuple[str, ...] = (
            "id", "organisation", "operator", "owner_ref", "energy_wh", "cents", "currency",
            "lines", "at",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields
