"""What the staff API of vehicles says and hears."""

from typing import Any

from rest_framework import serializers

from fleet.vehicles import history, mds, rules, states
from fleet.vehicles.models import Vehicle, VehicleCommand


class VehicleOut(serializers.ModelSerializer[Vehicle]):
    """A vehicle as staff see it, loaded `with_condition()`."""

    id = serializers.UUIDField(source="public_id")
    kind = serializers.ChoiceField(choices=states.Kind.choices)
    type = serializers.SlugField(source="type.code")
    organisation = serializers.SlugField(source="organisation.slug")
    city = serializers.SlugField(source="city.slug")
    home_hub = serializers.CharField(source="home_hub.code", default=None)
    state = serializers.SerializerMethodField()
    rentable = serializers.SerializerMethodField()
    blocks = serializers.ListField(source="active_blocks", child=serializers.CharField())
    lat = serializers.FloatField(source="latest.lat", default=None)
    lon = serializers.FloatField(source="latest.lon", default=None)
    battery_pct = serializers.IntegerField(source="latest.battery_pct", default=None)
    locked = serializers.BooleanField(source="latest.locked", default=None, allow_null=True)
    reported_at = serializers.DateTimeField(source="latest.at", default=None)

    class Meta:
        model = Vehicle
        fields: tuple[str, ...] = (
            "id",
            "code",
            "kind",
            "type",
            "organisation",
            "city",
            "home_hub",
            "plate",
            "life_state",
            "rental_state",
            "link_state",
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
    what = serializers.ChoiceField(choices=("state", "command", "hold"))
    by = serializers.CharField()
    details = serializers.JSONField()


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
    life_state = serializers.ChoiceField(choices=states.LifeState.choices, required=False)
    rental_state = serializers.ChoiceField(choices=states.RentalState.choices, required=False)
    link_state = serializers.ChoiceField(choices=states.LinkState.choices, required=False)
    block = serializers.ChoiceField(choices=states.BlockReason.choices, required=False)
    code = serializers.CharField(max_length=16, required=False, help_text="Part of the code.")
