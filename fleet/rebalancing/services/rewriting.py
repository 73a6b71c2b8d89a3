"""Writing a plan's new version over its old one: rows that stay, rows that go, rows that come."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Max
from psycopg.types.json import Jsonb

from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.rules.draft import TaskDraft
from fleet.rebalancing.states import DropReason, TaskState
from mobility.core.principals import Principal
from mobility.core.transitions import move_many

UNFINISHED = (TaskState.OPEN, TaskState.CLAIMED)

# What a new version may change of a row, and what the database calls its type. `bulk_update` would
# build a CASE of hundreds of branches for each of them: two seconds for a city's plan.
_COLUMNS = {
    "van": "smallint",
    "sequence": "integer",
    "quantity": "smallint",
    "value_cents": "integer",
    "cost_cents": "integer",
    "reason_params": "jsonb",
    "due_at": "timestamptz",
    "planned_at": "timestamptz",
}
_FOLLOW = f"""
UPDATE {RebalancingTask._meta.db_table} task
SET {", ".join(f"{name} = version.{name}" for name in _COLUMNS)}
FROM unnest(%s::bigint[], {", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())})
    AS version (id, {", ".join(_COLUMNS)})
WHERE task.id = version.id
"""  # noqa: S608 -- the table's own name and columns


def write_version(
    plan: RebalancingPlan, *, drafted: list[TaskDraft], at: datetime.datetime, by: Principal
) -> None:
    """Match the drafted tasks to the rows there are; number all that is left in driving order.

    Inside the transaction of the caller, who holds the plan.
    """
    rows = list(plan.tasks.select_for_update(of=("self",)).order_by("sequence"))
    known = {row.pk: row for row in rows if row.state in UNFINISHED}
    # What a crew has or had in hand by now is not to be asked for once more.
    gone = {row.vehicle_id for row in rows if row.state in (TaskState.CLAIMED, TaskState.DONE)}
    open_rows = [row for row in known.values() if row.state == TaskState.OPEN]
    free = {_key(row): row for row in open_rows if not (row.locked or row.forced)}
    sequence = last_sequence(plan)
    kept: dict[int, RebalancingTask] = {}
    fresh: list[RebalancingTask] = []
    for draft in drafted:
        sequence += 1
        row = known.get(draft.task_id or 0) or free.pop(_key(draft), None)
        if row is not None:
            _follow(row, draft=draft, sequence=sequence)
            kept[row.pk] = row
        elif draft.task_id is None and (draft.vehicle_id is None or draft.vehicle_id not in gone):
            columns: dict[str, Any] = {**draft.columns(), "sequence": sequence}
            fresh.append(RebalancingTask(plan=plan, **columns))
    _store(kept.values())
    # What has to be done stays to be done, though nobody has time for it now.
    without = [row.pk for row in open_rows if row.pk not in kept and not row.forced]
    drop_tasks(plan, task_ids=without, reason=DropReason.REPLANNED, at=at, by=by)
    RebalancingTask.objects.bulk_create(fresh)


def drop_tasks(
    plan: RebalancingPlan,
    *,
    task_ids: list[int],
    reason: DropReason,
    at: datetime.datetime,
    by: Principal,
) -> None:
    """Drop those of the tasks that are still open."""
    move_many(
        plan.tasks.filter(pk__in=task_ids, state=TaskState.OPEN),
        to=TaskState.DROPPED,
        at=at,
        by=by,
        drop_reason=reason,
        finished_at=at,
        locked=False,
    )


def last_sequence(plan: RebalancingPlan) -> int:
    """The highest number so far: numbers only grow, no two tasks of a plan ever had the same."""
    return plan.tasks.aggregate(last=Max("sequence"))["last"] or 0


def _key(task: RebalancingTask | TaskDraft) -> tuple[str, str, int | None, int]:
    """What makes a new task the same as an old one."""
    return task.kind, task.vehicle_kind, task.vehicle_id, task.cell


def _follow(row: RebalancingTask, *, draft: TaskDraft, sequence: int) -> None:
    """Take the new order; and the new figures, unless the row was decided and not drafted."""
    row.van, row.sequence, row.planned_at = draft.van, sequence, draft.planned_at
    if draft.task_id is None:
        row.quantity, row.due_at = draft.quantity, draft.due_at
        row.value_cents, row.cost_cents = draft.value_cents, draft.cost_cents
        row.reason_params = draft.reason_params


def _store(rows: Iterable[RebalancingTask]) -> None:
    """One statement for all."""
    chosen = list(rows)
    columns: list[list[Any]] = [[getattr(row, name) for row in chosen] for name in _COLUMNS]
    columns[list(_COLUMNS).index("reason_params")] = [Jsonb(row.reason_params) for row in chosen]
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW, [[row.pk for row in chosen], *columns])
