"""A choice of one row out of many, which is looked for while one types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Model, QuerySet
from django.forms import ModelChoiceField


class RowSearch(AutocompleteSelect):
    """The admin's own search; what was sent and is no id is no row, not an error of the server."""

    def optgroups(
        self, name: str, value: Sequence[str], attrs: dict[str, Any] | None = None
    ) -> Any:
        """The chosen row only."""
        return super().optgroups(name, [one for one in value if one.isdecimal()], attrs)


def row_search(
    *, model: type[Model], column: str, among: QuerySet[Any], **options: Any
) -> ModelChoiceField[Any]:
    """A field that chooses `among` rows, as the `column` of `model` would.

    Made for each form anew: whom it shows and in which language is a matter of who opened it.
    """
    widget = RowSearch(model._meta.get_field(column), admin.site)
    return ModelChoiceField(queryset=among, widget=widget, **options)
