"""What the API of maintenance says and hears."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from fleet.maintenance import states
from fleet.maintenance.models import ChecklistAnswer, FaultReport, WorkOrder, WorkOrderPart
from fleet.maintenance.services.checklists import asked_items
from mobility.core.texts import pick


class PlaceIn(serializers.Serializer[Any]):
    """Where the reporter is; both or neither."""

    lat = serializers.FloatField(min_value=-90, max_value=90, required=False)
    lon = serializers.FloatField(min_value=-180, max_value=180, required=False)

    def place(self) -> tuple[float, float] | None:
        """Longitude and latitude, where both were given."""
        told = self.validated_data
        return (told["lon"], told["lat"]) if "lon" in told and "lat" in told else None


class FaultIn(PlaceIn):
    """What is wrong with a vehicle."""

    category = serializers.ChoiceField(choices=states.FaultCategory.choices)
    text = serializers.CharField(max_length=1000, default="", allow_blank=True)


class CrewFaultIn(FaultIn):
    """What a member of staff found on a vehicle, named by code or id."""

    vehicle = serializers.CharField(max_length=36)


class ReasonIn(serializers.Serializer[Any]):
    """Why, in a few words."""

    reason = serializers.CharField(max_length=200, default="", allow_blank=True)


class OwnFaultOut(serializers.ModelSerializer[FaultReport]):
    """A report as its reporter sees it."""

    id = serializers.UUIDField(source="public_id")
    vehicle = serializers.CharField(source="vehicle.code")

    class Meta:
        model = FaultReport
        fields: tuple[str, ...] = (
            "id",
            "case_number",
            "vehicle",
            "category",
            "text",
            "state",
            "at",
            "closed_at",
        )
        read_only_fields: tuple[str, ...] = fields


class FaultOut(OwnFaultOut):
    """A report as staff see it."""

    order = serializers.UUIDField(source="order.public_id", default=None, allow_null=True)

    class Meta(OwnFaultOut.Meta):
        fields = (
            *OwnFaultOut.Meta.fields,
            "source",
            "severity",
            "reported_by",
            "trip_ref",
            "evidence",
            "lat",
            "lon",
            "order",
        )
        read_only_fields = fields


class FaultQuery(serializers.Serializer[Any]):
    """Filters of the reports."""

    state = serializers.ChoiceField(choices=states.FaultState.choices, required=False)
    category = serializers.ChoiceField(choices=states.FaultCategory.choices, required=False)
    vehicle = serializers.CharField(max_length=16, required=False, help_text="Code.")


class PartOut(serializers.ModelSerializer[WorkOrderPart]):
    """A part and what it cost."""

    class Meta:
        model = WorkOrderPart
        fields = ("name", "sku", "quantity", "unit_cost_cents")


class AnswerOut(serializers.ModelSerializer[ChecklistAnswer]):
    """What was found at one item."""

    item = serializers.IntegerField(source="item_id")
    text = serializers.SerializerMethodField()

    class Meta:
        model = ChecklistAnswer
        fields = ("item", "text", "verdict", "note", "at", "by")

    def get_text(self, answer: ChecklistAnswer) -> str:
        """The item in the reader's language."""
        return pick(answer.item.text)


class WorkOrderOut(serializers.ModelSerializer[WorkOrder]):
    """An order, loaded `orders_with_story()`."""

    id = serializers.UUIDField(source="public_id")
    vehicle = serializers.UUIDField(source="vehicle.public_id")
    code = serializers.CharField(source="vehicle.code")
    kind = serializers.CharField(source="vehicle.kind")
    heading = serializers.CharField()
    assigned_to = serializers.UUIDField(
        source="assigned_to.public_id", default=None, allow_null=True
    )
    assigned_name = serializers.CharField(source="assigned_to.name", default=None, allow_null=True)
    hub = serializers.CharField(source="hub.code", default=None, allow_null=True)
    lat = serializers.SerializerMethodField()
    lon = serializers.SerializerMethodField()
    parts = PartOut(many=True)
    answers = AnswerOut(many=True)
    faults = OwnFaultOut(many=True)
    parts_cents = serializers.IntegerField()
    total_cents = serializers.IntegerField()
    downtime_s = serializers.SerializerMethodField()

    class Meta:
        model = WorkOrder
        fields: tuple[str, ...] = (
            "id", "vehicle", "code", "kind", "reason", "heading", "priority", "state", "due_at",
            "assigned_to", "assigned_name", "place", "hub", "lat", "lon", "opened_at",
            "started_at", "finished_at", "labour_minutes", "cost_cents", "parts_cents",
            "total_cents", "currency", "downtime_s", "notes", "parts", "answers", "faults",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields

    def get_lat(self, order: WorkOrder) -> float | None:
        """Where the vehicle is now, else where it was when the work was asked for."""
        latest = getattr(order.vehicle, "latest", None)
        return latest.lat if latest else order.lat

    def get_lon(self, order: WorkOrder) -> float | None:
        """Likewise."""
        latest = getattr(order.vehicle, "latest", None)
        return latest.lon if latest else order.lon

    def get_downtime_s(self, order: WorkOrder) -> int:
        """Seconds that the vehicle was away so far."""
        return int(order.downtime(at=self.context["at"]).total_seconds())


class WorkOrderWithListOut(WorkOrderOut):
    """An order with the items that it asks for."""

    checklist = serializers.SerializerMethodField()

    class Meta(WorkOrderOut.Meta):
        fields = (*WorkOrderOut.Meta.fields, "checklist")
        read_only_fields = fields

    def get_checklist(self, order: WorkOrder) -> list[dict[str, Any]]:
        """What has to be looked at before the order can be finished."""
        return [
            {"id": item.pk, "text": pick(item.text), "required": item.required}
            for item in asked_items(order)
        ]


class WorkOrderIn(serializers.Serializer[Any]):
    """Work that somebody asks for."""

    vehicle = serializers.CharField(max_length=36, help_text="Code or id.")
    reason = serializers.ChoiceField(choices=states.OrderReason.choices)
    title = serializers.CharField(max_length=200, default="", allow_blank=True)
    priority = serializers.ChoiceField(choices=states.Priority.choices, required=False)
    due_at = serializers.DateTimeField(required=False)


class WorkOrderQuery(serializers.Serializer[Any]):
    """Filters of the orders; without a state those that are not finished."""

    state = serializers.ChoiceField(choices=states.OrderState.choices, required=False)
    reason = serializers.ChoiceField(choices=states.OrderReason.choices, required=False)
    vehicle = serializers.CharField(max_length=16, required=False, help_text="Code.")
    mine = serializers.BooleanField(default=False)


class AssignIn(serializers.Serializer[Any]):
    """Who shall do it; without anybody the person who asks."""

    to = serializers.UUIDField(required=False)


class StartIn(serializers.Serializer[Any]):
    """Where the work is done."""

    place = serializers.ChoiceField(choices=states.Place.choices, default=states.Place.STREET)


class AnswerIn(serializers.Serializer[Any]):
    """What was found at one item."""

    item = serializers.IntegerField()
    verdict = serializers.ChoiceField(choices=states.Verdict.choices)
    note = serializers.CharField(max_length=300, default="", allow_blank=True)


class ChecklistIn(serializers.Serializer[Any]):
    """Answers to some items or all."""

    answers = AnswerIn(many=True, allow_empty=False)


class PartIn(serializers.Serializer[Any]):
    """A part that was used."""

    name = serializers.CharField(max_length=120)
    sku = serializers.CharField(max_length=60, default="", allow_blank=True)
    quantity = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    unit_cost_cents = serializers.IntegerField(min_value=0, max_value=100_000_00, default=0)


class FinishIn(serializers.Serializer[Any]):
    """What it took."""

    labour_minutes = serializers.IntegerField(min_value=0, max_value=100_000, default=0)
    cost_cents = serializers.IntegerField(min_value=0, max_value=100_000_00, default=0)
    notes = serializers.CharField(max_length=4000, default="", allow_blank=True)
    parts = PartIn(many=True, default=list)


class CostQuery(serializers.Serializer[Any]):
    """A period, and how the lines are gathered."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    by = serializers.ChoiceField(choices=("vehicle", "type"), default="type")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A period runs forward."""
        if attrs["end"] <= attrs["start"]:
            raise serializers.ValidationError({"end": [_("The end must be after the start.")]})
        return attrs


class CostOut(serializers.Serializer[Any]):
    """A line of the cost report: money in cents, labour in minutes, downtime in hours."""

    vehicle = serializers.CharField()
    type = serializers.CharField()
    vehicles = serializers.IntegerField()
    orders = serializers.IntegerField()
    labour_minutes = serializers.IntegerField()
    parts_cents = serializers.IntegerField()
    cost_cents = serializers.IntegerField()
    total_cents = serializers.IntegerField()
    downtime_hours = serializers.FloatField()
