"""How a plan's day goes: done and left, what was worth it, time and ways; and who decided what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.score import Outcome, Tariff, crew_work
from fleet.rebalancing.states import TaskKind, TaskState
from mobility.accounts.models import User
from mobility.core.audit import row_name
from mobility.core.models import AuditEntry

# Deeds of people and planners that change what crews do; every move of a task besides would drown them.
DECISIONS = (
    "request_plan", "request_revision", "revise_plan", "lock_task", "unlock_task", "place_task",
    "add_task", "assign_van",
)  # fmt: skip
RECENT = 40


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One entry of the audit trail about a plan or a task in it."""

    at: Any
    by: str
    action: str
    sequence: int | None
    changes: dict[str, Any]


def outcomes_of(plan: RebalancingPlan) -> list[Outcome]:
    """What every task of a plan promised and did; two queries."""
    return [_outcome(task) for task in plan.tasks.prefetch_related("deliveries")]


def tariff_of(plan: RebalancingPlan) -> Tariff:
    """What minutes cost and rides bring, as the plan reckoned."""
    parameters = Parameters.from_json(plan.parameters)
    margins = parameters.margin_cents.values()
    return Tariff(
        cost_cents_per_minute=parameters.cost_cents_per_minute,
        margin_cents=sum(margins) / max(1, len(margins)),
        detour=parameters.detour,
        planned_minutes=plan.summary.get("first", plan.summary).get("crew_minutes", 0.0),
    )


def figures_of(plan: RebalancingPlan) -> dict[str, Any]:
    """Figures of the day so far: tasks, value done and left, vehicles moved, batteries, crew, cost."""
    tasks = list(plan.tasks.prefetch_related("deliveries"))
    done = [task for task in tasks if task.state == TaskState.DONE]
    left = [task for task in tasks if task.state in (TaskState.OPEN, TaskState.CLAIMED)]
    crew = crew_work([_outcome(task) for task in tasks], tariff=tariff_of(plan))
    value = sum(task.value_cents for task in done)
    return {
        "tasks": len(tasks),
        "done": len(done),
        "left": len(left),
        "dropped": len(tasks) - len(done) - len(left),
        "value_done_cents": value,
        "value_left_cents": sum(task.value_cents for task in left),
        "moved": sum(t.done_quantity for t in done if t.kind == TaskKind.MOVE_DROPOFF),
        "swapped": sum(t.kind == TaskKind.SWAP_BATTERY for t in done),
        "crew": crew,
        "net_cents": value - crew["cost_cents"],
    }


def decisions_of(plan: RebalancingPlan) -> list[Decision]:
    """The newest decisions about a plan, the last first; two queries."""
    tasks = {row_name(task): task.sequence for task in plan.tasks.only("sequence")}
    rows = AuditEntry.objects.filter(
        row__in=[row_name(plan), *tasks], action__in=DECISIONS
    ).order_by("-at", "-id")
    return [
        Decision(
            at=row.at,
            by=row.by,
            action=row.action,
            sequence=tasks.get(row.row),
            changes=row.changes,
        )
        for row in rows[:RECENT]
    ]


def names_of(principals: Iterable[str]) -> dict[str, str]:
    """Names of the people among some principals; one query."""
    wanted = {name.removeprefix("user:") for name in principals if name.startswith("user:")}
    people = User.objects.filter(public_id__in=wanted)
    return {person.principal: person.name or person.email for person in people}


def _outcome(task: RebalancingTask) -> Outcome:
    """What a task promised and did, as the pure score wants it."""
    vehicles: tuple[int, ...] = ()
    if task.kind == TaskKind.SWAP_BATTERY and task.vehicle_id is not None:
        vehicles = (task.vehicle_id,)
    elif task.kind == TaskKind.MOVE_DROPOFF:
        brought = (pickup.vehicle_id for pickup in task.deliveries.all())
        vehicles = tuple(vehicle for vehicle in brought if vehicle is not None)
    promised = float(task.reason_params.get("trips", 0.0))
    return Outcome(
        value_cents=task.value_cents,
        done=task.state == TaskState.DONE,
        van=task.van,
        cell=task.cell,
        lon=task.lon,
        lat=task.lat,
        trips=promised * task.done_quantity / max(1, task.quantity),
        vehicles=vehicles,
        claimed_at=task.claimed_at,
        arrived_at=task.arrived_at,
        finished_at=task.finished_at,
        driven_m=task.driven_m,
        walked_m=task.walked_m,
    )
