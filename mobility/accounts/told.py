"""What pages of the admin only show, as people write it: cents as amounts, ranges of time as moments."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.postgres.fields import DateTimeRangeField
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from mobility.core.money import EUR, format_money

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model

    # What Django calls as it calls a method of the page. `plain` is what stands in files: an amount as
    # a number, a range as ISO 8601 writes it.
    Column = Any

# Two moments nearer than this are told with their seconds.
_NEAR = timedelta(minutes=5)


def counts_cents(name: str) -> bool:
    """Whether a column of this name counts cents; the whole house calls them so."""
    return name == "cents" or name.endswith("_cents")


def told(
    model: type[Model], names: Iterable[Any], *, among: Iterable[Any] | None = None
) -> list[Any]:
    """The names of columns, also in groups, with each that people would write otherwise told.

    With `among` only those named there.
    """
    known: dict[Any, Column] = dict(told_columns(model))
    if among is not None:
        known = {name: known[name] for name in among if name in known}
    return [
        tuple(told(model, name, among=among)) if isinstance(name, list | tuple)
        else known.get(name, name)
        for name in names
    ]  # fmt: skip


def told_parts(model: type[Model], parts: Iterable[Any], *, among: Iterable[Any]) -> list[Any]:
    """The parts of a form likewise."""
    names = list(among)
    return [
        (title, {**part, "fields": told(model, part["fields"], among=names)})
        for title, part in parts
    ]


@functools.cache
def told_columns(model: type[Model]) -> dict[str, Column]:
    """What tells the columns of the model that people would write otherwise."""
    found = {}
    for field in model._meta.concrete_fields:
        if counts_cents(field.name):
            found[field.name] = _amount(field)
        elif isinstance(field, DateTimeRangeField):
            found[field.name] = _range(field)
    return found


def range_words(values: Any) -> str:
    """A range of moments in the active language; its end is the first moment that is not in it."""
    if values.isempty:
        return _("never")
    start, end = values.lower, values.upper
    exact = bool(start and end and end - start < _NEAR)
    if start and end:
        return _("%(start)s to %(end)s") % {
            "start": _moment(start, exact=exact), "end": _moment(end, exact=exact),
        }  # fmt: skip
    if start:
        return _("from %(start)s") % {"start": _moment(start)}
    return _("until %(end)s") % {"end": _moment(end)} if end else _("always")


def currency_of(row: Any) -> str:
    """In what the row counts: its own currency, else euros."""
    return str(getattr(row, "currency", EUR))


def _amount(field: Any) -> Column:
    def words(row: Model) -> str:
        cents = getattr(row, field.name)
        return "–" if cents is None else format_money(cents, currency_of(row))

    def plain(row: Model) -> object:
        cents = getattr(row, field.name)
        return "" if cents is None else cents / 100

    return _column(field, words, plain, is_amount=True)


def _range(field: Any) -> Column:
    def words(row: Model) -> str:
        values = getattr(row, field.name)
        return "–" if values is None else range_words(values)

    def plain(row: Model) -> object:
        values = getattr(row, field.name)
        if values is None or values.isempty:
            return ""
        return "/".join(end.isoformat() if end else ".." for end in (values.lower, values.upper))

    return _column(field, words, plain, is_amount=False)


def _column(field: Any, words: Any, plain: Any, *, is_amount: bool) -> Column:
    column = admin.display(description=field.verbose_name, ordering=field.name)(words)
    column.__name__ = field.name
    column.plain, column.is_amount = plain, is_amount
    return column


def _moment(value: Any, *, exact: bool = False) -> str:
    shape = formats.get_format("SHORT_DATETIME_FORMAT") + (":s" if exact else "")
    return formats.date_format(timezone.localtime(value), shape)
