"""States of plans and tasks, their declared moves, and the reasons a task can have."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PlanState(models.TextChoices):
    """From a request to a closed night's work."""

    COMPUTING = "computing", _("Computing")
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    RUNNING = "running", _("Running")
    CLOSED = "closed", _("Closed")


class TaskState(models.TextChoices):
    """What became of one task."""

    OPEN = "open", _("Open")
    CLAIMED = "claimed", _("Claimed")
    DONE = "done", _("Done")
    DROPPED = "dropped", _("Dropped")


class TaskKind(models.TextChoices):
    """What a crew does."""

    MOVE_PICKUP = "move_pickup", _("Pick up")
    MOVE_DROPOFF = "move_dropoff", _("Drop off")
    SWAP_BATTERY = "swap_battery", _("Swap battery")
    UNLOAD = "unload", _("Unload at the workshop")
    DRIVE_TO_CHARGE = "drive_to_charge", _("Drive to a charger")


class Reason(models.TextChoices):
    """Why a task exists."""

    SURPLUS = "surplus", _("More vehicles than this place needs")
    SHORTAGE = "shortage", _("Fewer vehicles than this place needs")
    LOW_BATTERY = "low_battery", _("Low battery")
    BOOKING = "booking", _("Booked for later, and not charged enough")
    MAINTENANCE = "maintenance", _("Has to go to the workshop")
    REQUESTED = "requested", _("Asked for by staff")


class DropReason(models.TextChoices):
    """Why a task was given up."""

    RENTED = "rented", _("Somebody is riding it")
    MOVED = "moved", _("It is no longer there")
    NOT_FOUND = "not_found", _("The crew could not find it")
    UNREACHABLE = "unreachable", _("The place could not be reached")
    BROKEN = "broken", _("It is broken")
    NOTHING_ABOARD = "nothing_aboard", _("No vehicle was left on the van")
    NOT_NEEDED = "not_needed", _("No longer needed")
    CHARGED = "charged", _("Its battery is charged")
    REPLANNED = "replanned", _("The new plan does without it")
    PLAN_CLOSED = "plan_closed", _("The plan was closed")


# Plans whose tasks a crew may take.
WORKABLE = frozenset({PlanState.PUBLISHED, PlanState.RUNNING})

PLAN_MOVES: dict[str, frozenset[str]] = {
    PlanState.COMPUTING: frozenset({PlanState.DRAFT, PlanState.CLOSED}),
    PlanState.DRAFT: frozenset({PlanState.PUBLISHED, PlanState.CLOSED}),
    PlanState.PUBLISHED: frozenset({PlanState.RUNNING, PlanState.CLOSED}),
    PlanState.RUNNING: frozenset({PlanState.CLOSED}),
    PlanState.CLOSED: frozenset(),
}

TASK_MOVES: dict[str, frozenset[str]] = {
    TaskState.OPEN: frozenset({TaskState.CLAIMED, TaskState.DROPPED}),
    TaskState.CLAIMED: frozenset({TaskState.DONE, TaskState.DROPPED}),
    TaskState.DONE: frozenset(),
    TaskState.DROPPED: frozenset(),
}
