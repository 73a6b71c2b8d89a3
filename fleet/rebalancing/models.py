"""Counted searches, plans, and the tasks of crews."""

from __future__ import annotations

import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fleet.rebalancing import states
from fleet.vehicles.scoping import FleetScoped
from fleet.vehicles.states import Kind
from mobility.core.models import PublicModel


class DemandCount(models.Model):
    """How often somebody looked for a vehicle in a cell within an hour, and how often found one.

    Counters only: nobody's search can be told from another's.
    """

    id = models.BigAutoField(primary_key=True)
    cell = models.BigIntegerField(_("H3 cell"))
    # Empty when the person would have taken any kind.
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, blank=True)
    hour = models.DateTimeField(_("hour"))
    searched = models.PositiveIntegerField(_("searched"))
    found = models.PositiveIntegerField(_("found"))

    class Meta:
        verbose_name = _("demand count")
        verbose_name_plural = _("demand counts")
        constraints = (
            models.UniqueConstraint(fields=("hour", "cell", "kind"), name="fleet_demand_once"),
            models.CheckConstraint(
                condition=Q(found__lte=F("searched")), name="fleet_demand_found_was_searched"
            ),
        )

    def __str__(self) -> str:
        return f"{self.cell:x} {self.kind} {self.hour:%Y-%m-%d %H}: {self.found}/{self.searched}"


class PlanQuerySet(FleetScoped["RebalancingPlan"]):
    """Plans by where they stand."""

    staff_paths = ("organisation",)

    def workable(self) -> PlanQuerySet:
        """Whose tasks crews may take."""
        return self.filter(state__in=states.WORKABLE)

    def ended_unscored(self, *, at: datetime.datetime) -> PlanQuerySet:
        """Published at some time, their horizon over, not yet compared with what happened."""
        return self.filter(published_at__isnull=False, horizon_end__lte=at, score__isnull=True)


class RebalancingPlan(PublicModel):
    """One round of work for the vans of an operator, computed for a stretch of demand to come."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="rebalancing_plans",
        verbose_name=_("organisation"),
    )
    city = models.ForeignKey(
        "mobility.City",
        on_delete=models.PROTECT,
        related_name="rebalancing_plans",
        verbose_name=_("city"),
    )
    state = models.CharField(
        _("state"),
        max_length=16,
        choices=states.PlanState.choices,
        default=states.PlanState.COMPUTING,
    )
    requested_at = models.DateTimeField(_("requested"))
    requested_by = models.CharField(_("requested by"), max_length=100)
    horizon_start = models.DateTimeField(_("horizon starts"))
    horizon_end = models.DateTimeField(_("horizon ends"))
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    # Counts how often the rest of the plan was routed anew, and when last.
    version = models.PositiveIntegerField(_("version"), default=1)
    revised_at = models.DateTimeField(_("revised"), null=True, blank=True)
    parameters = models.JSONField(_("parameters"), default=dict)
    summary = models.JSONField(_("summary"), default=dict)
    # Departures expected by kind and cell, kept for the score.
    expected = models.JSONField(_("expected trips"), default=dict)
    score = models.JSONField(_("score"), null=True, blank=True)
    # Travel times it was made with; straight lines when there are none.
    travel = models.ForeignKey(
        "fleet.TravelTable",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="plans",
        verbose_name=_("travel times"),
    )

    moves: ClassVar = {"state": states.PLAN_MOVES}
    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("rebalancing plan")
        verbose_name_plural = _("rebalancing plans")
        ordering = ("-id",)
        constraints = (
            # Crews of one operator follow one plan.
            models.UniqueConstraint(
                fields=("organisation", "city"),
                condition=Q(state__in=("published", "running")),
                name="fleet_one_workable_plan",
            ),
            models.CheckConstraint(
                condition=Q(horizon_end__gt=F("horizon_start")), name="fleet_plan_has_a_horizon"
            ),
        )

    def __str__(self) -> str:
        return f"{self.requested_at:%Y-%m-%d %H:%M} {self.get_state_display()}"


class TaskQuerySet(FleetScoped["RebalancingTask"]):
    """Tasks by what is left to do."""

    staff_paths = ("plan__organisation",)

    def workable(self) -> TaskQuerySet:
        """Open or claimed, in a plan that crews follow."""
        unfinished = (states.TaskState.OPEN, states.TaskState.CLAIMED)
        return self.filter(state__in=unfinished, plan__state__in=states.WORKABLE)

    def aboard(self) -> TaskQuerySet:
        """Pick-ups whose vehicle still stands on a van."""
        return self.filter(
            kind=states.TaskKind.MOVE_PICKUP,
            state=states.TaskState.DONE,
            delivered_by=None,
            hold__released_at=None,
        )


class RebalancingTask(PublicModel):
    """One thing for a crew to do at one place, with what it is worth and why."""

    plan = models.ForeignKey(
        RebalancingPlan, on_delete=models.PROTECT, related_name="tasks", verbose_name=_("plan")
    )
    van = models.PositiveSmallIntegerField(_("van"))
    sequence = models.PositiveIntegerField(_("sequence"))
    kind = models.CharField(_("kind"), max_length=16, choices=states.TaskKind.choices)
    vehicle_kind = models.CharField(_("vehicle kind"), max_length=16, choices=Kind.choices)
    vehicle = models.ForeignKey(
        "fleet.Vehicle",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="rebalancing_tasks",
        verbose_name=_("vehicle"),
    )
    quantity = models.PositiveSmallIntegerField(_("quantity"), default=1)
    cell = models.BigIntegerField(_("H3 cell"))
    lon = models.FloatField(_("longitude"))
    lat = models.FloatField(_("latitude"))
    value_cents = models.IntegerField(_("value"))
    cost_cents = models.IntegerField(_("cost"))
    reason = models.CharField(_("reason"), max_length=24, choices=states.Reason.choices)
    reason_params = models.JSONField(_("reason in figures"), default=dict)
    # Staff decided: it stays as and where it is, whatever a new search finds.
    locked = models.BooleanField(_("locked"), default=False)
    # It has to be done, whatever it brings.
    forced = models.BooleanField(_("must be done"), default=False)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    # When the plan sees the van there; the crew may well be earlier or later.
    planned_at = models.DateTimeField(_("planned"), null=True, blank=True)
    state = models.CharField(
        _("state"),
        max_length=16,
        choices=states.TaskState.choices,
        default=states.TaskState.OPEN,
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="rebalancing_tasks",
        verbose_name=_("assignee"),
    )
    claimed_at = models.DateTimeField(_("claimed"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    done_quantity = models.PositiveSmallIntegerField(_("done"), default=0)
    # As the crew's phone told it: when the van stood there, and how far they came for it. Only the
    # sums leave the phone, and only from those who agreed to be measured.
    arrived_at = models.DateTimeField(_("arrived"), null=True, blank=True)
    driven_m = models.PositiveIntegerField(_("driven (m)"), null=True, blank=True)
    walked_m = models.PositiveIntegerField(_("walked (m)"), null=True, blank=True)
    drop_reason = models.CharField(
        _("drop reason"), max_length=24, choices=states.DropReason.choices, blank=True
    )
    hold = models.ForeignKey(
        "fleet.VehicleHold",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("hold"),
    )
    # On a pick-up: the drop-off that put the vehicle down again.
    delivered_by = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="deliveries",
        verbose_name=_("delivered by"),
    )

    moves: ClassVar = {"state": states.TASK_MOVES}
    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("rebalancing task")
        verbose_name_plural = _("rebalancing tasks")
        ordering = ("plan_id", "van", "sequence")
        constraints = (
            models.UniqueConstraint(fields=("plan", "sequence"), name="fleet_task_sequence_once"),
            models.CheckConstraint(
                condition=Q(kind__in=("move_dropoff", "unload")) ^ Q(vehicle__isnull=False),
                name="fleet_task_vehicle_fits_kind",
            ),
        )
        indexes = (
            models.Index(
                fields=("assignee",),
                condition=Q(state="claimed"),
                name="fleet_task_claimed",
            ),
        )

    def __str__(self) -> str:
        return f"{self.sequence}. {self.get_kind_display()}"


class VanCrewQuerySet(FleetScoped["VanCrew"]):
    """Whose van it is today."""

    staff_paths = ("plan__organisation",)


class VanCrew(models.Model):
    """Who drives one of a plan's vans: given by staff, or taken by scanning its route sheet."""

    plan = models.ForeignKey(
        RebalancingPlan, on_delete=models.CASCADE, related_name="crews", verbose_name=_("plan")
    )
    van = models.PositiveSmallIntegerField(_("van"))
    crew = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("crew"),
    )
    assigned_at = models.DateTimeField(_("assigned"))
    assigned_by = models.CharField(_("assigned by"), max_length=100)

    objects = VanCrewQuerySet.as_manager()

    class Meta:
        verbose_name = _("crew of a van")
        verbose_name_plural = _("crews of vans")
        ordering = ("plan_id", "van")
        constraints = (
            models.UniqueConstraint(fields=("plan", "van"), name="fleet_one_crew_per_van"),
        )

    def __str__(self) -> str:
        return f"{self.plan_id}/{self.van}"


class TaskPhotoQuerySet(FleetScoped["TaskPhoto"]):
    """Proofs of work."""

    staff_paths = ("task__plan__organisation",)


class TaskPhoto(PublicModel):
    """A picture of how a crew left a place."""

    task = models.ForeignKey(
        RebalancingTask, on_delete=models.PROTECT, related_name="photos", verbose_name=_("task")
    )
    file = models.OneToOneField(
        "mobility.StoredFile",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("file"),
    )
    taken_at = models.DateTimeField(_("taken at"))
    taken_by = models.CharField(_("taken by"), max_length=100)

    objects = TaskPhotoQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo of a task")
        verbose_name_plural = _("photos of tasks")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.task_id} {self.taken_at:%Y-%m-%d %H:%M}"


class DayReplayQuerySet(FleetScoped["DayReplay"]):
    """Days lived again."""

    staff_paths = ("organisation",)


class DayReplay(PublicModel):
    """A past day lived again, with a plan and without one, under the same wishes of riders."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="day_replays",
        verbose_name=_("organisation"),
    )
    city = models.ForeignKey(
        "mobility.City",
        on_delete=models.PROTECT,
        related_name="day_replays",
        verbose_name=_("city"),
    )
    # The plan that was walked; none where one is drafted only for the replay.
    plan = models.ForeignKey(
        RebalancingPlan,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="replays",
        verbose_name=_("plan"),
    )
    start = models.DateTimeField(_("from"))
    end = models.DateTimeField(_("until"))
    replayed_at = models.DateTimeField(_("replayed"))
    replayed_by = models.CharField(_("replayed by"), max_length=100)
    seeds = models.PositiveSmallIntegerField(_("seeds"))
    parameters = models.JSONField(_("parameters"), default=dict)
    result = models.JSONField(_("result"), default=dict)

    objects = DayReplayQuerySet.as_manager()

    class Meta:
        verbose_name = _("day replayed")
        verbose_name_plural = _("days replayed")
        ordering = ("-start", "-id")
        constraints = (
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="fleet_replay_has_a_day"),
        )

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M}"
