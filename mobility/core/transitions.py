"""State moves: declared, conditional, audited. Nothing else in the house writes a state column.

A model declares its moves, one table per state column:

    class Trip(PublicModel):
        moves: ClassVar = {"state": TRIP_MOVES}
"""

import datetime
import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol, TypeVar

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from mobility.core import audit
from mobility.core.errors import Conflict
from mobility.core.models import AuditEntry
from mobility.core.principals import Principal

Moves = Mapping[str, frozenset[str]]
Row = TypeVar("Row", bound=models.Model)


class Movable(Protocol):
    """A model whose state columns move by declared tables."""

    moves: ClassVar[Mapping[str, Mapping[str, frozenset[str]]]]


class IllegalMove(Conflict):
    """The table of moves knows no such move; asking again will not help."""

    code = "illegal_move"
    message = _("This cannot be done in its present state.")


class LostRace(Conflict):
    """Somebody else moved the row first; reload and look again."""

    code = "lost_race"
    message = _("Somebody else was faster. Reload and look again.")


def move(
    row: Row,
    *,
    to: str,
    at: datetime.datetime,
    by: Principal,
    field: str = "state",
    reason: str = "",
    **changes: Any,
) -> Row:
    """Move `row` to state `to`, writing `changes` in the same statement.

    1. Refuse a move that the model's table does not declare (`IllegalMove`).
    2. UPDATE … WHERE the state is still the one we loaded, and the audit entry out of the row that
       moved, in one statement; zero rows means `LostRace`.

    Must run inside `transaction.atomic()`, so that the move and its reason commit together.
    """
    _require_atomic()
    old = str(getattr(row, field))
    _require_declared(row, field=field, old=old, to=to)
    written = {field: to, **changes}
    if not _update_and_record(
        row, field=field, old=old, written=written, at=at, by=by, reason=reason
    ):
        raise LostRace(row=audit.row_name(row), field=field, expected=old, to=to)
    for name, value in written.items():
        setattr(row, name, value)
    return row


def move_many(
    rows: Iterable[Row],
    *,
    to: str,
    at: datetime.datetime,
    by: Principal,
    field: str = "state",
    reason: str = "",
    **changes: Any,
) -> list[Row]:
    """Move all `rows` of one model and one old state in three statements; return those that moved.

    A row that somebody else moved first is left out of the answer, which is the caller's to read.
    The rows may stand in different old states, as long as the move is declared from each.
    """
    _require_atomic()
    candidates = {row.pk: row for row in rows}
    if not candidates:
        return []
    for row in candidates.values():
        _require_declared(row, field=field, old=str(getattr(row, field)), to=to)
    model = type(next(iter(candidates.values())))
    old_states = {pk: str(getattr(row, field)) for pk, row in candidates.items()}
    still = (
        model._base_manager.select_for_update(of=("self",))
        .filter(pk__in=candidates, **{f"{field}__in": set(old_states.values())})
        .order_by("pk")
        .values_list("pk", field)
    )
    moved = [candidates[pk] for pk, state in still if old_states[pk] == state]
    model._base_manager.filter(pk__in=[row.pk for row in moved]).update(**{field: to}, **changes)
    entries = []
    for row in moved:
        for name, value in {field: to, **changes}.items():
            setattr(row, name, value)
        trace = _trace(old_states[row.pk], to, reason)
        entries.append(audit.entry(by=by, action=f"{field}:{to}", row=row, at=at, changes=trace))
    AuditEntry.objects.bulk_create(entries)
    return moved


def _update_and_record(
    row: models.Model,
    *,
    field: str,
    old: str,
    written: Mapping[str, Any],
    at: datetime.datetime,
    by: Principal,
    reason: str,
) -> bool:
    """The conditional UPDATE and its audit entry as one statement; whether a row moved.

    Written as SQL because a move is the commonest write of the house, and one round trip is half of two.
    """
    meta, quote = row._meta, connection.ops.quote_name
    fields: dict[str, Any] = {
        name: one for one in meta.concrete_fields for name in (one.name, one.attname)
    }
    columns, values = [], []
    for name, value in written.items():
        columns.append(f"{quote(fields[name].column)} = %s")
        plain = value.pk if isinstance(value, models.Model) else value
        values.append(fields[name].get_db_prep_save(plain, connection))
    statement = (
        f"WITH moved AS (UPDATE {quote(meta.db_table)} SET {', '.join(columns)}"  # noqa: S608 - names from our models
        f" WHERE {quote(fields[meta.pk.name].column)} = %s AND {quote(fields[field].column)} = %s RETURNING 1)"
        " INSERT INTO mobility_auditentry (at, by, action, row, changes, request_id)"
        " SELECT %s, %s, %s, %s, %s::jsonb, %s FROM moved"
    )
    entry = audit.entry(
        by=by,
        action=f"{field}:{written[field]}",
        row=row,
        at=at,
        changes=_trace(old, str(written[field]), reason),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            [
                *values,
                row.pk,
                old,
                entry.at,
                entry.by,
                entry.action,
                entry.row,
                json.dumps(entry.changes),
                entry.request_id,
            ],
        )
        return bool(cursor.rowcount)


def _require_atomic() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("a state moves only inside transaction.atomic()")


def _require_declared(row: models.Model, *, field: str, old: str, to: str) -> None:
    tables: Mapping[str, Moves] = getattr(type(row), "moves", {})
    if to not in tables[field].get(old, frozenset()):
        raise IllegalMove(row=audit.row_name(row), field=field, expected=old, to=to)


def _trace(old: str, to: str, reason: str) -> dict[str, str]:
    trace = {"from": old, "to": to}
    return {**trace, "reason": reason} if reason else trace
