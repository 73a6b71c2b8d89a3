"""What pages of the admin only show, as people write it: cents as amounts, ranges of time as moments."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from mobility.core.money import EUR, format_money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import Model

    Column = Callable[[Model], str]


def counts_cents(name: str) -> bool:
    """Whether a column of this name counts cents; the whole house calls them so."""
    return name == "cents" or name.endswith("_cents")


def told(model: type[Model], names: Iterable[Any]) -> list[Any]:
    """The names of columns, with each that people would write otherwise replaced by what tells it."""
    known = columns(model)
    return [known.get(name, name) if isinstance(name, str) else name for name in names]


@functools.cache
def columns(model: type[Model]) -> dict[str, Column]:
    """What tells the columns of the model that people would write otherwise."""
    found = {}
    for field in model._meta.concrete_fields:
        if counts_cents(field.name):
            found[field.name] = _amount(field)
        elif isinstance(field, DateTimeRangeField | DateRangeField):
            found[field.name] = _range(field)
    return found


def range_words(values: Any) -> str:
    """A range of dates or moments in the active language; its end is the first that is not in it."""
    start, end = (value and _moment(value) for value in (values.lower, values.upper))
    if start and end:
        return _("%(start)s to %(end)s") % {"start": start, "end": end}
    if start:
        return _("from %(start)s") % {"start": start}
    return _("until %(end)s") % {"end": end} if end else _("always")


def _amount(field: Any) -> Column:
    name = field.name

    @admin.display(description=field.verbose_name, ordering=name)
    def amount(row: Model) -> str:
        cents = getattr(row, name)
        return "–" if cents is None else format_money(cents, getattr(row, "currency", EUR))

    amount.__name__ = name
    # For files, which have numbers.
    amount.cents = name  # type: ignore[attr-defined]
    return amount


def _range(field: Any) -> Column:
    name = field.name

    @admin.display(description=field.verbose_name, ordering=name)
    def words(row: Model) -> str:
        values = getattr(row, name)
        return "–" if values is None else range_words(values)

    words.__name__ = name
    return words


def _moment(value: Any) -> str:
    if hasattr(value, "hour"):
        return formats.date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
    return formats.date_format(value, "SHORT_DATE_FORMAT")
