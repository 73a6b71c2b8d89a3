"""Queries that are compiled once and asked again and again with other values.

The ORM builds and compiles a query anew each time it is asked, which for one row over some joins
costs several times what the database does. On the paths that every ride takes, a query is written
once, as a function from its values to a queryset, and compiled at its first use:

    @prepared
    def waiting(*, user_id: int) -> QuerySet[Trip]:
        return Trip.objects.select_related("vehicle").filter(user_id=user_id, state="starting")

    trip = waiting.first(user_id=7)

What comes back are the same rows as of the queryset itself. The function sees placeholders instead
of values, so the values must not decide its shape, and a list is looked up by `any_of`, not `in`.

`insert(row)` writes a new row the same way: as `row.save(force_insert=True)` does, compiled once.
"""

import datetime
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.base import ModelState
from django.db.models.expressions import Expression
from django.db.models.query import ModelIterable, ValuesListIterable
from psycopg.types.numeric import Int2, Int4, Int8

Row = TypeVar("Row")
Saved = TypeVar("Saved", bound=models.Model)


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where in the parameters of a compiled query a value goes."""

    name: str


class _Slot(Expression):
    """A value that is not known yet."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (_Mark(self.name),)


@models.Field.register_lookup
class AnyOf(models.Lookup[Any]):
    """`= ANY (list)`: one text of a statement for lists of any length, which `in` does not give."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} = ANY ({right})", (*left_params, *right_params)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A compiled query: its text, its parameters with marks, and how a row is made of a record."""

    database: str
    sql: str
    params: tuple[Any, ...]
    converters: tuple[tuple[int, tuple[Callable[..., Any], ...], Any], ...]
    make: Callable[[list[Any]], Any]
    missing: type[Exception]


class Prepared(Generic[Row]):
    """A queryset compiled once; made by `prepared`."""

    def __init__(self, build: Callable[..., "models.QuerySet[Any, Row]"]) -> None:
        self.__doc__ = build.__doc__
        self._build = build
        self._names = tuple(inspect.signature(build).parameters)

    def all(self, **values: Any) -> list[Row]:
        """All rows, in the queryset's order."""
        return list(self._rows(values))

    def first(self, **values: Any) -> Row | None:
        """The first row, or None; the queryset says itself which that is."""
        return next(self._rows(values), None)

    def get(self, **values: Any) -> Row:
        """The first row; raises the model's `DoesNotExist`."""
        row = self.first(**values)
        if row is None:
            raise self._plan.missing
        return row

    @functools.cached_property
    def _plan(self) -> _Plan:
        """Compiled at the first use, when all models are there."""
        queryset = self._build(**{name: _Slot(name) for name in self._names})
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, params = compiler.as_sql()
        fields = [column[0] for column in compiler.select[0 : compiler.col_count]]
        converters = compiler.get_converters(fields)
        return _Plan(
            database=queryset.db,
            sql=sql,
            params=tuple(params),
            converters=tuple((at, tuple(how), field) for at, (how, field) in converters.items()),
            make=_maker(queryset, compiler),
            missing=queryset.model.DoesNotExist,
        )

    def _rows(self, values: dict[str, Any]) -> Iterator[Row]:
        plan = self._plan
        connection = connections[plan.database]
        params = [values[param.name] if type(param) is _Mark else param for param in plan.params]
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, params)
            records = cursor.fetchall()
        for record in records:
            row = list(record)
            for at, convert, field in plan.converters:
                value = row[at]
                for how in convert:
                    value = how(value, field, connection)
                row[at] = value
            yield plan.make(row)


# Whole numbers say how large their column is, whatever they are: else the same statement would be
# another one for larger numbers.
_SIZED: dict[type, Callable[[int], Any]] = {
    models.SmallIntegerField: Int2,
    models.PositiveSmallIntegerField: Int2,
    models.IntegerField: Int4,
    models.PositiveIntegerField: Int4,
    models.BigIntegerField: Int8,
    models.BigAutoField: Int8,
}
# A moment has its time zone everywhere in the house, and Django would warn of one that has not.
_AS_IT_IS: dict[type, type] = {
    models.CharField: str,
    models.TextField: str,
    models.UUIDField: UUID,
    models.BooleanField: bool,
    models.DateTimeField: datetime.datetime,
}


def insert(row: Saved) -> Saved:
    """Insert a row that is not there yet, and give it its id; no signals are sent."""
    connection = connections[DEFAULT_DB_ALIAS]
    sql, fields = _insertion(type(row))
    values = [put(field.pre_save(row, add=True), connection) for field, put in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        (row.pk,) = cursor.fetchone()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return row


@functools.cache
def _insertion(model: type[models.Model]) -> tuple[str, tuple[Any, ...]]:
    """The statement that inserts a row of a model whose ids come from the database."""
    meta, quote = model._meta, connections[DEFAULT_DB_ALIAS].ops.quote_name
    fields = tuple(field for field in meta.concrete_fields if not field.primary_key)
    columns = ", ".join(quote(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    table, key = quote(meta.db_table), quote(str(meta.pk.column))
    statement = f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING {key}"  # noqa: S608 - names from our models
    return statement, tuple((field, putter(field)) for field in fields)


def putter(field: Any) -> Callable[[Any, Any], Any]:
    """`put(value, connection)`: what is sent to the server for a value of this field.

    Answers as the field's own `get_db_prep_save` does, but without its way through five methods for
    values that are sent as they are.
    """
    column = field.target_field if isinstance(field, models.ForeignKey) else field
    sized = _SIZED.get(type(column))
    as_it_is = _AS_IT_IS.get(type(column))

    def put(value: Any, connection: Any) -> Any:
        kind = type(value)
        if value is None or kind is as_it_is:
            return value
        if sized is not None and kind is int:
            return sized(value)
        return field.get_db_prep_save(value, connection)

    return put


def prepared(build: Callable[..., "models.QuerySet[Any, Row]"]) -> Prepared[Row]:
    """Compile what `build` answers once; its parameters are given by name each time."""
    return Prepared(build)


def _maker(queryset: "models.QuerySet[Any, Any]", compiler: Any) -> Callable[[list[Any]], Any]:
    """How the queryset would make a row."""
    if queryset._iterable_class is ValuesListIterable:
        return tuple
    if queryset._iterable_class is not ModelIterable:
        raise TypeError("only models and values_list can be prepared")
    build = _builder(compiler.klass_info, compiler.select, queryset.db)
    extra = tuple(compiler.annotation_col_map.items())
    if not extra:
        return build

    def make(row: list[Any]) -> Any:
        made = build(row)
        for name, at in extra:
            setattr(made, name, row[at])
        return made

    return make


def _builder(info: dict[str, Any], select: Any, database: str) -> Callable[[list[Any]], Any]:
    """How a row is made of its columns, with the rows that were joined to it.

    What a row of the database holds needs no defaults and no look at what was given by name:
    the values are put where `Model.__init__` would put them, at a fraction of its cost.
    """
    model, columns = info["model"], info["select_fields"]
    if info.get("from_parent") or model.__init__ is not models.Model.__init__:
        raise TypeError("a model that is made in its own way cannot be prepared")
    start, end = columns[0], columns[-1] + 1
    names = tuple(column[0].target.attname for column in select[start:end])
    key = start + names.index(model._meta.pk.attname)
    joined = tuple(
        (_builder(one, select, database), one["local_setter"], one["remote_setter"])
        for one in info.get("related_klass_infos", ())
    )

    def build(row: list[Any]) -> Any:
        if row[key] is None:
            return None
        made = model.__new__(model)
        made._state = state = ModelState()
        state.db, state.adding = database, False
        made.__dict__.update(zip(names, row[start:end], strict=True))
        for other, local_setter, remote_setter in joined:
            found = other(row)
            local_setter(made, found)
            if found is not None:
                remote_setter(found, made)
        return made

    return build
