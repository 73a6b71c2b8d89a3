"""What the staff API of alarms says and hears."""

from typing import Any

from rest_framework import serializers

from fleet.telematics import states
from fleet.telematics.models import Alarm


class AlarmOut(serializers.ModelSerializer[Alarm]):
    """An alarm as staff see it; `details` depend on the kind."""

    id = serializers.UUIDField(source="public_id")
    vehicle = serializers.CharField(source="vehicle.code")
    assigned_to = serializers.EmailField(source="assigned_to.email", default=None, allow_null=True)
    details = serializers.DictField(child=serializers.JSONField())

    class Meta:
        model = Alarm
        fields = (
            "id",
            "vehicle",
            "kind",
            "severity",
            "state",
            "opened_at",
            "last_seen_at",
            "count",
            "assigned_to",
            "details",
            "closed_at",
            "closed_by",
        )


class AlarmQuery(serializers.Serializer[Any]):
    """Which alarms; without `state` those that go on."""

    kind = serializers.ChoiceField(choices=states.AlarmKind.choices, required=False)
    severity = serializers.ChoiceField(choices=states.AlarmSeverity.choices, required=False)
    state = serializers.ChoiceField(choices=states.AlarmState.choices, required=False)
    vehicle = serializers.CharField(max_length=16, required=False)


class AlarmAssignIn(serializers.Serializer[Any]):
    """Who takes care: a member of the operator's staff, or null for nobody."""

    email = serializers.EmailField(allow_null=True)
