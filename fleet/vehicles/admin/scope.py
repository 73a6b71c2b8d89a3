"""Who may look at vehicles at the desk, and who may act on which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.utils.text import capfirst

from fleet.vehicles.models import Vehicle
from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.states import Role
from mobility.core import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

READERS = FLEET_STAFF | {Role.CITY_OFFICER}
OPERATORS = frozenset({Role.FLEET_OPERATOR})


class ListsAsBoxes:
    """Lists of known words are ticked, not typed."""

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """A box for each word of an array that has choices."""
        if not isinstance(db_field, ArrayField) or not db_field.base_field.choices:
            return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        return forms.MultipleChoiceField(
            choices=db_field.base_field.choices,
            label=capfirst(str(db_field.verbose_name)),
            required=not db_field.blank,
            widget=forms.CheckboxSelectMultiple,
        )


def editable(request: HttpRequest) -> QuerySet[Vehicle]:
    """The vehicles that the person at the desk may act on."""
    person: Any = request.user
    return Vehicle.objects.run_by(person, *OPERATORS)


def deed(request: HttpRequest) -> dict[str, Any]:
    """When, and by whom: what every service wants to know."""
    person: Any = request.user
    return {"at": clock.now(), "by": person.principal}
