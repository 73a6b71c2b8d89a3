"""Amounts on pages of the admin: as people write them, not in the cents that we count."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from django.contrib import admin

from mobility.core.money import EUR, format_money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import Model


def is_one(name: str) -> bool:
    """Whether a column of this name counts cents; the whole house calls them so."""
    return name == "cents" or name.endswith("_cents")


def told(model: type[Model], names: Iterable[Any]) -> list[Any]:
    """The names of columns, with each that counts cents replaced by what tells the amount."""
    own = columns(model)
    return [
        _amount(model, name) if isinstance(name, str) and name in own else name for name in names
    ]


@functools.cache
def columns(model: type[Model]) -> frozenset[str]:
    """The columns of the model that count cents."""
    return frozenset(field.name for field in model._meta.concrete_fields if is_one(field.name))


def cents_of(column: Any, row: Model) -> int | None:
    """The cents behind a column that `told` made; None for any other column, and where there are none."""
    name = getattr(column, "cents", None)
    return None if name is None else getattr(row, name)


@functools.cache
def _amount(model: type[Model], name: str) -> Callable[[Model], str | None]:
    field: Any = model._meta.get_field(name)

    @admin.display(description=field.verbose_name, ordering=name)
    def amount(row: Model) -> str | None:
        cents = getattr(row, name)
        return None if cents is None else format_money(cents, getattr(row, "currency", EUR))

    amount.__name__ = name
    amount.cents = name  # type: ignore[attr-defined]
    return amount
