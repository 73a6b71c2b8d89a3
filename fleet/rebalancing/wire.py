"""The shapes of plans and tasks in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from fleet.maintenance.states import FaultCategory
from fleet.rebalancing import queries
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.states import DropReason, TaskKind, TaskState
from mobility.core.texts import pick


class InfluenceIn(serializers.Serializer[Any]):
    """What the history cannot know: demand times `factor`, everywhere or around a point."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    factor = serializers.FloatField(min_value=0, max_value=20)
    lon = serializers.FloatField(min_value=-180, max_value=180, required=False)
    lat = serializers.FloatField(min_value=-90, max_value=90, required=False)
    radius_m = serializers.FloatField(min_value=1, max_value=50_000, required=False)


class ParametersIn(serializers.Serializer[Any]):
    """What an operator may set; everything else keeps its default."""

    vans = serializers.IntegerField(min_value=1, max_value=50, required=False)
    van_capacity = serializers.IntegerField(min_value=1, max_value=60, required=False)
    van_packs = serializers.IntegerField(min_value=0, max_value=200, required=False)
    shift_minutes = serializers.IntegerField(min_value=30, max_value=720, required=False)
    crew_cents_per_hour = serializers.IntegerField(min_value=0, max_value=20_000, required=False)
    margin_cents = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=10_000), required=False
    )
    horizon_hours = serializers.IntegerField(min_value=1, max_value=48, required=False)
    history_days = serializers.IntegerField(min_value=1, max_value=90, required=False)
    low_battery_pct = serializers.IntegerField(min_value=0, max_value=100, required=False)

    driven_cents = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=10_000),
        required=False,
        help_text="Kinds that a crew drives to a charger, with what one more trip leaves.",
    )
    workshop_trips = serializers.FloatField(min_value=0, max_value=100, required=False)
    booking_battery_pct = serializers.IntegerField(min_value=0, max_value=100, required=False)
    depot_lon = serializers.FloatField(min_value=-180, max_value=180, required=False)
    depot_lat = serializers.FloatField(min_value=-90, max_value=90, required=False)
    influences = InfluenceIn(many=True, required=False)

    def validate_influences(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """As plain values, which is how a plan keeps them."""
        return [
            {**each, "since": each["since"].isoformat(), "until": each["until"].isoformat()}
            for each in value
        ]


class PlanRequest(serializers.Serializer[Any]):
    """A wish for a plan. `organisation` is needed only by people who run several fleets."""

    organisation = serializers.SlugField(required=False)
    seconds = serializers.FloatField(min_value=0.1, max_value=600, default=20)
    parameters = ParametersIn(required=False)


class ToldIn(serializers.Serializer[Any]):
    """What a crew's phone knows of a deed; it may come late, when the network is back."""

    happened_at = serializers.DateTimeField(
        required=False, help_text="When it was; later than now counts as now."
    )
    driven_m = serializers.IntegerField(
        min_value=0, max_value=300_000, required=False, help_text="Measured, with consent."
    )
    walked_m = serializers.IntegerField(min_value=0, max_value=30_000, required=False)


class CompleteRequest(ToldIn):
    """Codes of the vehicles put down, without them the oldest aboard; or the batteries put in."""

    vehicles = serializers.ListField(
        child=serializers.CharField(max_length=16),
        required=False,
        allow_empty=False,
        max_length=100,
    )
    batteries = serializers.ListField(
        child=serializers.CharField(max_length=40),
        required=False,
        max_length=16,
        help_text="Serial numbers, from the first slot on; for a battery swap.",
    )


class AddRequest(serializers.Serializer[Any]):
    """A task that has to be done, whatever it brings."""

    vehicle = serializers.CharField(max_length=16)
    kind = serializers.ChoiceField(
        choices=[(kind.value, kind.label) for kind in (TaskKind.MOVE_PICKUP, TaskKind.SWAP_BATTERY)]
    )


class LockRequest(serializers.Serializer[Any]):
    """Whether a task stays as and where it is."""

    locked = serializers.BooleanField()


class PlaceRequest(serializers.Serializer[Any]):
    """The van, and the open task to come right after; without one it comes last."""

    van = serializers.IntegerField(min_value=0, max_value=49)
    before = serializers.UUIDField(required=False, allow_null=True)


class DropRequest(serializers.Serializer[Any]):
    """Why a task is given up."""

    reason = serializers.ChoiceField(choices=DropReason.choices)


class TaskProblemIn(serializers.Serializer[Any]):
    """What is wrong, and whether the task is given up for it."""

    category = serializers.ChoiceField(choices=FaultCategory.choices)
    text = serializers.CharField(max_length=1000, allow_blank=True, default="")
    vehicle = serializers.CharField(
        max_length=16,
        allow_blank=True,
        default="",
        help_text="Code; without it the vehicle of the task.",
    )
    give_up = serializers.BooleanField(default=False)


class TaskPhotoIn(serializers.Serializer[Any]):
    """A picture of how the place was left."""

    photo = serializers.FileField()


class TaskPhotoOut(serializers.Serializer[Any]):
    """A picture that was kept; its content is a private file."""

    id = serializers.UUIDField(source="public_id")
    file = serializers.UUIDField(source="file.public_id")
    taken_at = serializers.DateTimeField()


class AssignRequest(serializers.Serializer[Any]):
    """Who drives a van, which counts from 0; null for nobody."""

    van = serializers.IntegerField(min_value=0, max_value=49)
    crew = serializers.UUIDField(allow_null=True)


class PackLoadOut(serializers.Serializer[Any]):
    """Charged batteries to take along for one model."""

    model = serializers.CharField()
    name = serializers.DictField(child=serializers.CharField())
    capacity_wh = serializers.IntegerField()
    packs = serializers.IntegerField()


class TourOut(serializers.Serializer[Any]):
    """One van's way through a plan; `van` counts from 0."""

    van = serializers.IntegerField()
    name = serializers.CharField()
    crew = serializers.UUIDField(allow_null=True)
    crew_name = serializers.CharField()
    stops = serializers.IntegerField()
    done = serializers.IntegerField()
    value_cents = serializers.IntegerField()
    load = PackLoadOut(many=True)
    to_bring = serializers.DictField(child=serializers.IntegerField())
    to_drop = serializers.DictField(child=serializers.IntegerField())
    aboard = serializers.DictField(child=serializers.IntegerField())


class PackOut(serializers.Serializer[Any]):
    """A battery that could be taken along, and the hub where it lies."""

    serial = serializers.CharField()
    capacity_wh = serializers.IntegerField()
    charging = serializers.BooleanField()
    hub = serializers.DictField(child=serializers.CharField(), allow_null=True)


class CrewOut(serializers.Serializer[Any]):
    """Somebody who may drive."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class VansOut(serializers.Serializer[Any]):
    """The vans of a plan; batteries and, for who decides, people to choose from."""

    vans = TourOut(many=True)
    packs = PackOut(many=True)
    crews = CrewOut(many=True)


class CrewWorkOut(serializers.Serializer[Any]):
    """Time and ways of all vans so far."""

    planned_minutes = serializers.FloatField()
    minutes = serializers.FloatField()
    stop_minutes = serializers.FloatField()
    km = serializers.FloatField()
    walked_km = serializers.FloatField()
    measured_pct = serializers.FloatField()
    cost_cents = serializers.IntegerField()


class PlanFiguresOut(serializers.Serializer[Any]):
    """How a plan's day goes."""

    tasks = serializers.IntegerField()
    done = serializers.IntegerField()
    left = serializers.IntegerField()
    dropped = serializers.IntegerField()
    value_done_cents = serializers.IntegerField()
    value_left_cents = serializers.IntegerField()
    moved = serializers.IntegerField()
    swapped = serializers.IntegerField()
    crew = CrewWorkOut()
    net_cents = serializers.IntegerField()


class DecisionOut(serializers.Serializer[Any]):
    """Who decided what about a plan, or about the task of that number."""

    at = serializers.DateTimeField()
    by = serializers.SerializerMethodField()
    action = serializers.CharField()
    task = serializers.IntegerField(source="sequence", allow_null=True)
    changes = serializers.DictField()

    def get_by(self, decision: queries.Decision) -> str:
        """A person's name, or the part of the house that did it."""
        return str(self.context.get("names", {}).get(decision.by, decision.by))


def tour_body(tour: queries.Tour) -> dict[str, Any]:
    """A tour as the API tells it."""
    crew = tour.crew
    return {
        **{
            key: getattr(tour, key)
            for key in (
                "van",
                "name",
                "stops",
                "done",
                "value_cents",
                "to_bring",
                "to_drop",
                "aboard",
            )
        },
        "crew": str(crew.public_id) if crew else None,
        "crew_name": (crew.name or crew.email) if crew else "",
        "load": [vars(load) for load in tour.load],
    }


class PlanOut(serializers.ModelSerializer[RebalancingPlan]):
    """A plan, what it promises, how far it is, and how right it was."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    organisation: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )
    city: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )
    score = serializers.JSONField(read_only=True)
    tasks_total = serializers.IntegerField(read_only=True)
    tasks_done = serializers.IntegerField(read_only=True)
    tasks_dropped = serializers.IntegerField(read_only=True)
    notes = serializers.SerializerMethodField()

    class Meta:
        model = RebalancingPlan
        fields = (
            "id", "state", "organisation", "city", "requested_at", "horizon_start", "horizon_end",
            "published_at", "closed_at", "version", "revised_at",
            "parameters", "summary", "notes", "score",
            "tasks_total", "tasks_done", "tasks_dropped",
        )  # fmt: skip

    def get_notes(self, plan: RebalancingPlan) -> list[str]:
        """What stood in the way, in the reader's language."""
        return queries.note_texts(plan)


class TaskOut(serializers.ModelSerializer[RebalancingTask]):
    """A task with its place, its worth and the reason in words."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    plan = serializers.UUIDField(source="plan.public_id", read_only=True)
    vehicle: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="code", read_only=True
    )
    assignee = serializers.UUIDField(
        source="assignee.public_id", read_only=True, default=None, allow_null=True
    )
    qr_code = serializers.CharField(source="vehicle.qr_code", read_only=True, default=None)
    battery_slots = serializers.IntegerField(
        source="vehicle.type.battery_slots", read_only=True, default=None
    )
    pack_wh = serializers.SerializerMethodField()
    aboard = serializers.SerializerMethodField()
    place = serializers.SerializerMethodField()
    reason_text = serializers.SerializerMethodField()
    drop_text = serializers.SerializerMethodField()

    class Meta:
        model = RebalancingTask
        fields = (
            "id", "plan", "van", "sequence", "kind", "vehicle_kind", "vehicle", "quantity",
            "qr_code", "battery_slots", "pack_wh", "aboard", "lon", "lat", "place", "value_cents", "cost_cents",
            "reason", "reason_params", "reason_text", "state", "assignee",
            "locked", "forced", "due_at", "planned_at", "claimed_at", "arrived_at", "finished_at", "driven_m", "walked_m",
            "done_quantity", "drop_reason", "drop_text",
        )  # fmt: skip

    def get_pack_wh(self, task: RebalancingTask) -> int | None:
        """What one battery of the vehicle holds, so that a crew takes one that fits."""
        model = task.vehicle.type if task.vehicle else None
        return model.battery_wh // model.battery_slots if model else None

    def get_aboard(self, task: RebalancingTask) -> bool:
        """Whether the vehicle of a pick-up still stands on the van."""
        picked_up = task.kind == TaskKind.MOVE_PICKUP and task.state == TaskState.DONE
        held = task.hold is not None and task.hold.released_at is None
        return picked_up and held and task.delivered_by_id is None

    def get_place(self, task: RebalancingTask) -> str:
        """Name of the hub, or nothing on the open street."""
        return pick(self.context.get("places", {}).get(task.cell))

    def get_reason_text(self, task: RebalancingTask) -> str:
        """Why, in the reader's language."""
        return queries.reason_text(task)

    def get_drop_text(self, task: RebalancingTask) -> str:
        """Why it was given up."""
        return queries.drop_text(task)


class TaskProblemOut(serializers.Serializer[Any]):
    """The number of the case, and the task as it stands now."""

    case_number = serializers.CharField()
    task = TaskOut()
