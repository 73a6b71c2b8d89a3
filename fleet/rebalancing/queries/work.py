"""Plans and tasks as staff see them."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.states import TaskState
from mobility.geography.models import Hub


def plans_with_progress(plans: QuerySet[RebalancingPlan]) -> QuerySet[RebalancingPlan]:
    """With `tasks_total`, `tasks_done` and `tasks_dropped`, in the same query."""
    return plans.select_related("organisation", "city").annotate(
        tasks_total=Count("tasks"),
        tasks_done=Count("tasks", filter=Q(tasks__state=TaskState.DONE)),
        tasks_dropped=Count("tasks", filter=Q(tasks__state=TaskState.DROPPED)),
    )


def tasks_with_place(tasks: QuerySet[RebalancingTask]) -> QuerySet[RebalancingTask]:
    """With plan, vehicle with its type and latest position, assignee and hold, in the same query."""
    return tasks.select_related("plan", "vehicle__type", "vehicle__latest", "assignee", "hold")


def hub_names() -> dict[int, dict[str, str]]:
    """Names of the hubs by cell; one query."""
    return {
        cell_at(lon=hub.location.x, lat=hub.location.y): hub.name
        for hub in Hub.objects.only("name", "location")
    }
