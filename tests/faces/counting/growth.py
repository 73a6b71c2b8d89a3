"""Make a city many times as large: copies of every row, each with its own keys, in a statement a table.

Copy number `i` of a row points to copy `i` of what the row points to, so that each copy is a city like
the first: its own vehicles, stations, rides and papers, of the same organisations, staff and places. The
first copies belong to the same residents wherever the database allows it (one open ride of a rider, one
default card), all others to copies of them. Every second copy is of the past: its rides are over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db import DataError, connection, models, transaction
from psycopg import sql

from mobility.accounts.models import User

# Far above every key of the city that is copied: copy i of key k is k + i * STRIDE.
STRIDE = 1_000_000
# Who and where, and what has one row for a whole organisation by its nature.
SHARED = {
    "admin.LogEntry", "auth.Permission", "auth.Group", "auth.Group_permissions",
    "contenttypes.ContentType", "sessions.Session", "account.EmailAddress", "mobility.Organisation",
    "mobility.User_groups", "mobility.User_user_permissions", "mobility.Membership",
    "mobility.ApiToken", "mobility.City", "fleet.VehicleType", "fleet.IngestOffset",
}  # fmt: skip
# What an even copy tells instead: it is over, so that one person can have many of it.
PAST = {
    "bookings.Trip": {"state": "'settled'", "ended_at": "o.requested_at"},
    "bookings.Reservation": {"state": "'cancelled'"},
    "bookings.Booking": {"state": "'cancelled_free'"},
    "bookings.Recharge": {"state": "'settled'"},
    "bookings.Pass": {"state": "'ended'"},
    "bookings.PromoRedemption": {"state": "'used'"},
}
# What no copy may be a second time.
NEVER_TWICE = {
    "fleet.ZoneSet": {
        "state": "'draft'",
        "during": "NULL",
        "version": "NULL",
        "published_at": "NULL",
    },
    "fleet.RebalancingPlan": {"state": "'closed'"},
    "bookings.PaymentMethod": {"is_default": "false"},
    "bookings.PromoCode": {"code": "left(o.code, 10) || i"},
}
_RESIDENT = "NOT EXISTS (SELECT FROM mobility_membership m WHERE m.user_id = o.{0})"
_UNIQUE = """
SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_index i
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indrelid = %s::regclass AND i.indisunique GROUP BY i.indexrelid
"""
_COLUMNS = """
SELECT column_name, data_type, character_maximum_length FROM information_schema.columns
WHERE table_name = %s AND table_schema = current_schema() AND is_generated = 'NEVER'
"""
# The first of these that a unique key has is made different in each copy.
_VARIED = ("character varying", "text", "date", "integer", "bigint", "timestamp with time zone")


def grow(
    *,
    times: int,
    own: int,
    at_most: Mapping[str, int] | None = None,
    kept: frozenset[str] = frozenset(),
) -> dict[str, int]:
    """Add `times` copies of the city, or fewer of the tables named; rows added, by model.

    The first `own` copies belong to the residents of the first city where that is allowed. Rows of
    the tables `kept` stay single and are pointed to by all copies.
    """
    added = {}
    with transaction.atomic(), connection.cursor() as cursor:
        done: set[type[models.Model]] = set()
        for model in copied_models():
            if model._meta.label in kept:
                continue
            copies = min(times, (at_most or {}).get(model._meta.label, times))
            label, rows = model._meta.label, 0
            table = _Table(cursor, model, done, SHARED | kept)
            for same_people, up_to in ((True, min(own, copies)), (False, copies)):
                if same_people and model is User:
                    continue
                try:
                    cursor.execute(table.statement(same_people=same_people), [up_to])
                except DataError as problem:
                    raise ValueError(f"{label} cannot be copied {up_to} times") from problem
                rows += cursor.rowcount
            added[label] = rows
            done.add(model)
    return added


def copied_models() -> Iterator[type[models.Model]]:
    """Every table that is copied, what is pointed to before what points to it."""
    waiting = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model._meta.label not in SHARED
    ]
    while waiting:
        free = [model for model in waiting if not _targets(model) & (set(waiting) - {model})]
        # Tables that point to each other: the keys are checked at the end of the transaction.
        for model in free or waiting[:1]:
            waiting.remove(model)
            yield model


def _targets(model: type[models.Model]) -> set[Any]:
    return {field.related_model for field in model._meta.local_concrete_fields if field.is_relation}


class _Table:
    """How one table is copied."""

    def __init__(
        self, cursor: Any, model: type[models.Model], done: set[Any], shared: set[str]
    ) -> None:
        self.shared = shared
        self.model, self.done, table = model, done, model._meta.db_table
        cursor.execute(_COLUMNS, [table])
        self.kinds = {name: (kind, length) for name, kind, length in cursor.fetchall()}
        cursor.execute(_UNIQUE, [f'"{table}"'])
        self.unique = [set(row[0]) for row in cursor.fetchall() if row[0]]
        self.fields = {field.column: field for field in model._meta.local_concrete_fields}

    def statement(self, *, same_people: bool) -> sql.Composed:
        """One INSERT of all copies that may be; the parameter is how many."""
        values = self._values(same_people=same_people)
        there = [
            sql.SQL("(o.{0} IS NULL OR EXISTS (SELECT FROM {1} p WHERE p.{2} = {3}))").format(
                sql.Identifier(name),
                sql.Identifier(field.related_model._meta.db_table),
                sql.Identifier(field.related_model._meta.pk.column),
                values[name],
            )
            for name, field in self.fields.items()
            if field.related_model in self.done
        ]
        first = sql.Identifier("o", self.model._meta.pk.column)
        which = [sql.SQL("{0} < {1}").format(first, STRIDE), *there]
        if self.model is User:
            which.append(_format(_RESIDENT, "id"))
        return sql.SQL(
            "INSERT INTO {table} ({columns}) SELECT {values} FROM {table} o,"
            " generate_series(1::bigint, %s) i WHERE {which} ON CONFLICT DO NOTHING"
        ).format(
            table=sql.Identifier(self.model._meta.db_table),
            columns=sql.SQL(", ").join(map(sql.Identifier, values)),
            values=sql.SQL(", ").join(values.values()),
            which=sql.SQL(" AND ").join(which),
        )

    def _values(self, *, same_people: bool) -> dict[str, sql.Composable]:
        """What stands in each column of a copy: keys by the stride, ids by a hash, else what was."""
        values: dict[str, sql.Composable] = {n: sql.Identifier("o", n) for n in self.kinds}
        own: set[str] = set()
        for name, (kind, _length) in self.kinds.items():
            field = self.fields.get(name)
            target = field.related_model if field else None
            if target is User:
                if not same_people:
                    values[name] = _format(
                        "CASE WHEN " + _RESIDENT + " THEN o.{0} + i * {1} ELSE o.{0} END",
                        name, STRIDE,
                    )  # fmt: skip
                    own.add(name)
            elif (target is not None and target._meta.label not in self.shared) or (
                target is None and field is not None and field.primary_key
            ):
                values[name] = _format("o.{0} + i * {1}", name, STRIDE)
                own.add(name)
            elif kind == "uuid":
                values[name] = _format("md5(o.{0}::text || i)::uuid", name)
                own.add(name)
        self._make_different(values, own)
        self._tell(values)
        return values

    def _make_different(self, values: dict[str, sql.Composable], own: set[str]) -> None:
        for names in self.unique:
            plain = sorted(n for n in names if n in self.fields and not self.fields[n].is_relation)
            varied = [name for kind in _VARIED for name in plain if self.kinds[name][0] == kind]
            if not names & own and varied:
                own.add(varied[0])
                values[varied[0]] = _varied(varied[0], *self.kinds[varied[0]])

    def _tell(self, values: dict[str, sql.Composable]) -> None:
        label = self.model._meta.label
        for name, text in PAST.get(label, {}).items():
            values[name] = sql.SQL("CASE WHEN i %% 2 = 0 THEN " + text + " ELSE o.{0} END").format(
                sql.Identifier(name)
            )
        for name, text in NEVER_TWICE.get(label, {}).items():
            values[name] = sql.SQL(text)


def _varied(name: str, kind: str, length: int | None) -> sql.Composable:
    if kind == "date":
        return _format("o.{0} - i::int", name)
    if kind == "timestamp with time zone":
        return _format("o.{0} - i::int * interval '1 hour'", name)
    if kind in {"integer", "bigint"}:
        return _format("o.{0} + i::int * 1000", name)
    short = "left(o.{0}, {1} - length(i::text) - 1) || '-' || i"
    return _format("CASE o.{0} WHEN '' THEN '' ELSE " + short + " END", name, length or 250)


def _format(text: str, name: str, *more: int) -> sql.Composable:
    return sql.SQL(text).format(sql.Identifier(name), *more)
