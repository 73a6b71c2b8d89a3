"""Sites, stations and commands as operators' programs see them."""

from __future__ import annotations

from typing import Any

from django.core.validators import ProhibitNullCharactersValidator
from rest_framework import serializers

from charging.stations.models import ChargingStation, Connector, Site, StationCommand
from charging.stations.rules import without_nul
from charging.stations.states import CommandAction
from mobility.core import clock
from mobility.core.texts import pick


class SiteRowOut(serializers.ModelSerializer[Site]):
    """A site of the operator."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.SerializerMethodField()
    lat = serializers.FloatField(source="location.y")
    lon = serializers.FloatField(source="location.x")
    operator = serializers.CharField(source="organisation.slug")

    class Meta:
        model = Site
        fields = ("id", "name", "operator", "address", "lat", "lon", "grid_limit_w")

    def get_name(self, site: Site) -> str:
        """In the reader's language."""
        return pick(site.name)


class ConnectorRowOut(serializers.ModelSerializer[Connector]):
    """A connector with its last reported status."""

    id = serializers.UUIDField(source="public_id")
    evse = serializers.IntegerField(source="evse.number")

    class Meta:
        model = Connector
        fields = (
            "id",
            "evse",
            "number",
            "standard",
            "format",
            "power_type",
            "max_power_w",
            "status",
            "status_detail",
            "status_at",
            "error_code",
        )


class StationRowOut(serializers.ModelSerializer[ChargingStation]):
    """A station with its connection and its connectors."""

    id = serializers.UUIDField(source="public_id")
    site = serializers.UUIDField(source="site.public_id")
    online = serializers.SerializerMethodField()
    connectors = ConnectorRowOut(many=True, source="every_connector", read_only=True)

    class Meta:
        model = ChargingStation
        fields = (
            "id",
            "identity",
            "site",
            "vendor",
            "model",
            "serial",
            "firmware",
            "registration",
            "security_profile",
            "ocpp_version",
            "online",
            "connected_at",
            "last_seen_at",
            "booted_at",
            "status",
            "connectors",
        )

    def get_online(self, station: ChargingStation) -> bool:
        """Whether the station can be asked something now."""
        return station.is_online(at=clock.now())


class CommandOut(serializers.ModelSerializer[StationCommand]):
    """A command and what became of it."""

    id = serializers.UUIDField(source="public_id")
    station = serializers.UUIDField(source="station.public_id")
    identity = serializers.CharField(source="station.identity")
    connector = serializers.UUIDField(source="connector.public_id", allow_null=True, default=None)

    class Meta:
        model = StationCommand
        fields = (
            "id",
            "station",
            "identity",
            "connector",
            "action",
            "state",
            "by",
            "queued_at",
            "sent_at",
            "finished_at",
            "expires_at",
            "result",
        )


# These have doors of their own: keeping a connector, variables, local lists, passwords and
# certificates, tariffs and what a charge costs.
ELSEWHERE = frozenset(
    {
        CommandAction.RESERVE,
        CommandAction.CANCEL_RESERVATION,
        CommandAction.GET_VARIABLES,
        CommandAction.SET_VARIABLES,
        CommandAction.SEND_LIST,
        CommandAction.SET_PASSWORD,
        CommandAction.CERTIFICATE_SIGNED,
        CommandAction.SHOW_PRICE,
        CommandAction.COST_UPDATED,
        CommandAction.FINAL_COST,
        CommandAction.SET_DEFAULT_TARIFF,
        CommandAction.CLEAR_TARIFFS,
        CommandAction.CHANGE_TARIFF,
        CommandAction.WEB_PAYMENT,
    },
)
ASKABLE = [choice for choice in CommandAction.choices if choice[0] not in ELSEWHERE]
MESSAGES = [
    "status",
    "boot",
    "heartbeat",
    "meter_values",
    "firmware",
    "log",
    "sign_certificate",
    "sign_v2g_certificate",
    "transaction",
]


class CommandIn(serializers.Serializer[Any]):
    """What to ask of a station; which fields matter depends on the action."""

    action = serializers.ChoiceField(choices=ASKABLE)
    connector = serializers.UUIDField(required=False, help_text="remote_start, unlock")
    token = serializers.CharField(required=False, max_length=36, help_text="remote_start")
    session = serializers.UUIDField(required=False, help_text="remote_stop")
    kind = serializers.ChoiceField(choices=["soft", "hard"], default="soft", help_text="reset")
    operative = serializers.BooleanField(default=True, help_text="change_availability")
    message = serializers.ChoiceField(choices=MESSAGES, default="status", help_text="trigger")
    payload = serializers.DictField(
        default=dict,
        help_text="The arguments of all other actions, as the documentation of chargers lists them.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The fields that the action cannot do without; nothing that no column can hold."""
        if without_nul(attrs["payload"]) != attrs["payload"]:
            words = [ProhibitNullCharactersValidator.message]
            raise serializers.ValidationError({"payload": words})
        needed = {
            CommandAction.REMOTE_START: ("connector", "token"),
            CommandAction.REMOTE_STOP: ("session",),
            CommandAction.UNLOCK: ("connector",),
        }
        missing = [name for name in needed.get(attrs["action"], ()) if name not in attrs]
        if missing:
            raise serializers.ValidationError(
                dict.fromkeys(missing, "This field is required."),
                code="required",
            )
        return attrs
