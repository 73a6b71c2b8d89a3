"""State moves: declared, conditional, audited. Nothing else in the house writes a state column.

A model declares its moves, one table per state column:

    class Trip(PublicModel):
        moves: ClassVar = {"state": TRIP_MOVES}

A move takes along all that is written because of it: its audit entry, the events it `tells`, rows it
`leaves` in other tables. All of it is one statement, of which nothing happens if the row has moved.
"""

import dataclasses
import datetime
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.utils.translation import gettext_lazy as _

from mobility.core import audit, outbox
from mobility.core.errors import Conflict
from mobility.core.models import AuditEntry
from mobility.core.prepared import putter
from mobility.core.principals import Principal

_WAKE = f" RETURNING pg_notify('{outbox.CHANNEL}', '')"

Moves = Mapping[str, frozenset[str]]
Row = TypeVar("Row", bound=models.Model)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A row that a move leaves in another table: names and values of its columns."""

    table: str
    columns: Sequence[str]
    values: Sequence[Any]


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
    tells: Sequence[outbox.Event] = (),
    leaves: Sequence[Left] = (),
    alone: bool = False,
    **changes: Any,
) -> Row:
    """Move `row` to state `to`, writing `changes` in the same statement.

    1. Refuse a move that the model's table does not declare (`IllegalMove`).
    2. UPDATE … WHERE the state is still the one we loaded, and out of the row that moved the audit
       entry, the events it `tells` and the rows it `leaves`; zero rows means `LostRace`.

    Must run inside `transaction.atomic()`, so that the move and its reason commit together. A move
    that is `alone`, all that its caller has to write, needs none: it is one statement.
    """
    if not alone:
        _require_atomic()
    old = str(getattr(row, field))
    _require_declared(row, field=field, old=old, to=to)
    written = {field: to, **changes}
    statement = _Statement(row, field=field, old=old, written=written)
    for told in tells:
        values = outbox.values_of(told, at=at)
        statement.insert("mobility_outboxevent", outbox.COLUMNS, outbox.SELECTED, values)
    for left in leaves:
        places = ", ".join(["%s"] * len(left.values))
        statement.insert(left.table, ", ".join(left.columns), places, left.values)
    # Last, because of its count one knows whether the row moved.
    trace = audit.values(
        by=by, action=f"{field}:{to}", row=row, at=at, changes=_trace(old, str(to), reason)
    )
    statement.insert("mobility_auditentry", audit.COLUMNS, audit.SELECTED, trace)
    if not statement.run(wake=bool(tells)):
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


class _Statement:
    """A conditional UPDATE and all that is written out of the row that it moved, as one statement.

    Written as SQL because a move is the commonest write of the house: one round trip instead of
    four, and no query is built anew.
    """

    def __init__(
        self, row: models.Model, *, field: str, old: str, written: Mapping[str, Any]
    ) -> None:
        """The move itself, if the row is still in its `old` state."""
        self._move = (type(row), field, tuple(written))
        self._inserts: list[tuple[str, str, str]] = []
        self._values: list[Any] = []
        # The connection itself: what stands for it looks for it anew each time it is asked.
        put, database = _putters(type(row)), connections[DEFAULT_DB_ALIAS]
        for name, value in written.items():
            plain = value.pk if isinstance(value, models.Model) else value
            self._values.append(put[name](plain, database))
        self._values += [row.pk, old]

    def insert(self, table: str, columns: str, selected: str, values: Sequence[Any]) -> None:
        """A row that is written if the other one moved."""
        self._inserts.append((table, columns, selected))
        self._values += values

    def run(self, *, wake: bool) -> bool:
        """Whether the row moved; `wake` tells the relay, when the transaction commits."""
        statement = _text(*self._move, tuple(self._inserts), wake=wake)
        with connection.cursor() as cursor:
            cursor.execute(statement, self._values)
            return bool(cursor.rowcount)


@functools.cache
def _text(
    model: type[models.Model],
    field: str,
    written: tuple[str, ...],
    inserts: tuple[tuple[str, str, str], ...],
    *,
    wake: bool,
) -> str:
    """The statement of all moves that write the same columns and leave rows in the same tables."""
    meta, quote, fields = model._meta, connection.ops.quote_name, _fields(model)
    columns = ", ".join(f"{quote(fields[name].column)} = %s" for name in written)
    where = f"{quote(str(meta.pk.column))} = %s AND {quote(fields[field].column)} = %s"
    update = f"UPDATE {quote(meta.db_table)} SET {columns} WHERE {where} RETURNING 1"  # noqa: S608 - names from our models
    *others, last = [
        f"INSERT INTO {table} ({names}) SELECT {selected} FROM moved"  # noqa: S608 - constants
        for table, names, selected in inserts
    ]
    parts = [f"moved AS ({update})", *(f"row{at} AS ({one})" for at, one in enumerate(others))]
    return f"WITH {', '.join(parts)} {last}{_WAKE if wake else ''}"


@functools.cache
def _fields(model: type[models.Model]) -> dict[str, Any]:
    """The columns of a model, by both names that a relation has."""
    concrete = model._meta.concrete_fields
    return {name: one for one in concrete for name in (one.name, one.attname)}


@functools.cache
def _putters(model: type[models.Model]) -> dict[str, Callable[[Any, Any], Any]]:
    """What is sent for a value of each column, by both names that a relation has."""
    return {name: putter(one) for name, one in _fields(model).items()}


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
