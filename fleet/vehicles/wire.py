"""What the staff API of vehicles says and hears."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from fleet.vehicles import history, mds, rules, states, telling
from fleet.vehicles.models import (
    BatterySwap,
    ServiceTrip,
    Vehicle,
    VehicleCase,
    VehicleCommand,
    VehicleDocument,
)
from fleet.vehicles.queries import TimelineEntry
from fleet.vehicles.services import BULK_CAP


class VehicleOut(serializers.ModelSerializer[Vehicle]):
    """A vehicle as staff see it, loaded `with_condition()`."""

    id = serializers.UUIDField(source="public_id")
    kind = serializers.ChoiceField(choices=states.Kind.choices)
    type = serializers.SlugField(source="type.code")
    form_factor = serializers.ChoiceField(choices=states.FormFactor.choices, source="type.form")
    organisation = serializers.SlugField(source="organisation.slug")
    city = serializers.SlugField(source="city.slug")
    home_hub = serializers.CharField(source="home_hub.code", default=None, allow_null=True)
    state = serializers.SerializerMethodField()
    rentable = serializers.SerializerMethodField()
    blocks = serializers.ListField(source="active_blocks", child=serializers.CharField())
    lat = serializers.FloatField(source="latest.lat", default=None, allow_null=True)
    lon = serializers.FloatField(source="latest.lon", default=None, allow_null=True)
    battery_pct = serializers.IntegerField(
        source="latest.battery_pct", default=None, allow_null=True
    )
    locked = serializers.BooleanField(source="latest.locked", default=None, allow_null=True)
    reported_at = serializers.DateTimeField(source="latest.at", default=None, allow_null=True)

    class Meta:
        model = Vehicle
        fields: tuple[str, ...] = (
            "id",
            "code",
            "kind",
            "type",
            "form_factor",
            "equipment",
            "qr_code",
            "organisation",
            "city",
            "home_hub",
            "plate",
            "life_state",
            "rental_state",
            "link_state",
            "outside_since",
            "state",
            "rentable",
            "blocks",
            "lat",
            "lon",
            "battery_pct",
            "locked",
            "reported_at",
        )
        read_only_fields: tuple[str, ...] = fields

    def get_state(self, vehicle: Vehicle) -> str:
        """The public state, in the words of MDS."""
        return mds.mds_state(history.condition_of(vehicle)).value

    def get_rentable(self, vehicle: Vehicle) -> bool:
        """Whether a resident may take it now."""
        return rules.is_rentable(
            life=vehicle.life_state,
            rental=vehicle.rental_state,
            link=vehicle.link_state,
            blocks=frozenset(vehicle.active_blocks),
        )


class TimelineEntryOut(serializers.Serializer[Any]):
    """One thing that happened."""

    at = serializers.DateTimeField()
    what = serializers.CharField(
        help_text="state, command, hold, block, block_lifted, document, battery, case, …"
    )
    by = serializers.CharField()
    title = serializers.SerializerMethodField(help_text="What happened, in words.")
    words = serializers.SerializerMethodField(help_text="What people read of it.")
    details = serializers.JSONField()

    def get_title(self, entry: TimelineEntry) -> str:
        """In the reader's language."""
        return telling.title_of(entry)

    def get_words(self, entry: TimelineEntry) -> str:
        """Likewise; empty where the title says it all."""
        return telling.words_of(entry)


class VehicleWithTimelineOut(VehicleOut):
    """A vehicle and what happened to it lately, newest first."""

    timeline = TimelineEntryOut(many=True)

    class Meta(VehicleOut.Meta):
        fields = (*VehicleOut.Meta.fields, "timeline")
        read_only_fields = fields


class VehicleCommandIn(serializers.Serializer[Any]):
    """An order to a vehicle."""

    kind = serializers.ChoiceField(choices=states.CommandKind.choices)
    parameters = serializers.DictField(
        default=dict,
        help_text='For `set_speed_limit`: {"max_kmh": 6}, or null to lift the limit.',
    )


class VehicleCommandOut(serializers.ModelSerializer[VehicleCommand]):
    """An order and how far it has come."""

    id = serializers.UUIDField(source="public_id")

    class Meta:
        model = VehicleCommand
        fields = (
            "id",
            "sequence",
            "kind",
            "parameters",
            "state",
            "created_at",
            "expires_at",
            "finished_at",
        )
        read_only_fields = fields


class VehicleOrdersIn(VehicleCommandIn):
    """The same order to many vehicles, named by their codes."""

    vehicles = serializers.ListField(
        child=serializers.CharField(max_length=16), min_length=1, max_length=BULK_CAP
    )


class VehicleOrdersOut(serializers.Serializer[Any]):
    """What became of an order to many."""

    ordered = serializers.ListField(child=serializers.CharField(), help_text="Codes.")
    unsupported = serializers.ListField(
        child=serializers.CharField(), help_text="Codes of vehicles whose type cannot do it."
    )
    unknown = serializers.ListField(
        child=serializers.CharField(), help_text="Codes that are no vehicle of yours."
    )


class VehicleDocumentIn(serializers.Serializer[Any]):
    """A paper of the vehicle; the same one sent again takes the new last day."""

    kind = serializers.ChoiceField(choices=states.DocumentKind.choices)
    number = serializers.CharField(max_length=64)
    valid_from = serializers.DateField()
    expires_on = serializers.DateField(allow_null=True, default=None, help_text="Last good day.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """It ends after it began."""
        if attrs["expires_on"] is not None and attrs["expires_on"] < attrs["valid_from"]:
            raise serializers.ValidationError(
                {"expires_on": _("The last day lies before the first.")}
            )
        return attrs


class VehicleDocumentOut(serializers.ModelSerializer[VehicleDocument]):
    """A paper of a vehicle."""

    id = serializers.UUIDField(source="public_id")

    class Meta:
        model = VehicleDocument
        fields = ("id", "kind", "number", "valid_from", "expires_on")
        read_only_fields = fields


class BatterySwapIn(serializers.Serializer[Any]):
    """Which battery was put into which slot."""

    serial = serializers.CharField(max_length=40)
    slot = serializers.IntegerField(min_value=1, max_value=16, default=1)


class BatterySwapOut(serializers.ModelSerializer[BatterySwap]):
    """An exchange of batteries."""

    id = serializers.UUIDField(source="public_id")
    removed = serializers.CharField(source="removed.serial", default=None, allow_null=True)
    inserted = serializers.CharField(source="inserted.serial")

    class Meta:
        model = BatterySwap
        fields = ("id", "slot", "removed", "inserted", "at")
        read_only_fields = fields


class ServiceTripIn(serializers.Serializer[Any]):
    """Why staff take the vehicle."""

    reason = serializers.ChoiceField(choices=states.ServiceReason.choices)
    ticket = serializers.CharField(max_length=80, default="", allow_blank=True)
    notes = serializers.CharField(max_length=500, default="", allow_blank=True)


class ServiceTripOut(serializers.ModelSerializer[ServiceTrip]):
    """A drive of staff."""

    id = serializers.UUIDField(source="public_id")
    ticket = serializers.CharField(source="ticket_ref")
    distance_m = serializers.IntegerField(allow_null=True)

    class Meta:
        model = ServiceTrip
        fields = ("id", "reason", "ticket", "notes", "started_at", "ended_at", "distance_m")
        read_only_fields = fields


class VehicleCaseIn(serializers.Serializer[Any]):
    """A vehicle that went astray, or what became known of it."""

    kind = serializers.ChoiceField(choices=states.CaseKind.choices)
    reference = serializers.CharField(max_length=80, default="", allow_blank=True)
    notes = serializers.CharField(max_length=2000, default="", allow_blank=True)


class VehicleCaseOut(serializers.ModelSerializer[VehicleCase]):
    """A case and how it ended."""

    id = serializers.UUIDField(source="public_id")
    outcome = serializers.ChoiceField(choices=states.CaseOutcome.choices, allow_blank=True)

    class Meta:
        model = VehicleCase
        fields = (
            "id",
            "kind",
            "reference",
            "notes",
            "opened_at",
            "lat",
            "lon",
            "seen_at",
            "closed_at",
            "outcome",
        )
        read_only_fields = fields


class TimelineQuery(serializers.Serializer[Any]):
    """Which part of a timeline."""

    until = serializers.DateTimeField(required=False, help_text="Only what came before.")
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)


class VehicleBlocksIn(serializers.Serializer[Any]):
    """Reasons to block for, and reasons to lift."""

    block = serializers.ListField(
        child=serializers.ChoiceField(choices=states.BlockReason.choices),
        default=list,
    )
    lift = serializers.ListField(
        child=serializers.ChoiceField(choices=states.BlockReason.choices),
        default=list,
    )


class VehicleLifeIn(serializers.Serializer[Any]):
    """Where the vehicle goes in its life."""

    to = serializers.ChoiceField(choices=states.LifeState.choices)
    reason = serializers.CharField(max_length=200, default="", allow_blank=True)


class VehicleQuery(serializers.Serializer[Any]):
    """Filters of the list."""

    kind = serializers.ChoiceField(choices=states.Kind.choices, required=False)
    type = serializers.SlugField(required=False)
    form_factor = serializers.ChoiceField(choices=states.FormFactor.choices, required=False)
    equipment = serializers.ChoiceField(choices=states.Equipment.choices, required=False)
    life_state = serializers.ChoiceField(choices=states.LifeState.choices, required=False)
    rental_state = serializers.ChoiceField(choices=states.RentalState.choices, required=False)
    link_state = serializers.ChoiceField(choices=states.LinkState.choices, required=False)
    block = serializers.ChoiceField(choices=states.BlockReason.choices, required=False)
    code = serializers.CharField(max_length=16, required=False, help_text="Part of the code.")
