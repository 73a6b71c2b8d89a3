"""Admin pages of depots, vans, closed hours and travel times."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from fleet.vans.forms import ClosedHoursForm
from fleet.vans.models import ClosedHours, Depot, Van
from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.scoped_admin import ScopedAdmin
from mobility.accounts.states import Role
from mobility.core import audit, clock

OPERATORS = frozenset({Role.FLEET_OPERATOR})


class _Kept(ScopedAdmin[Any]):
    """Rows that an operator keeps by hand; whose and where is decided at the beginning."""

    viewers = FLEET_STAFF
    editors = OPERATORS
    list_filter: ClassVar[Any] = ("organisation", "city")
    list_select_related: ClassVar[Any] = ("organisation", "city")
    search_fields: ClassVar[Any] = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Owner and city of a row that exists."""
        return () if obj is None else ("organisation", "city")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """With a line in the audit."""
        super().save_model(request, obj, form, change)
        person: Any = request.user
        verb = "change" if change else "add"
        audit.record(
            by=person.principal,
            action=f"{verb}_{obj._meta.model_name}",
            row=obj,
            at=clock.now(),
            changes={name: str(form.cleaned_data[name]) for name in form.changed_data},
        )


@admin.register(Depot)
class DepotAdmin(_Kept):
    """Where vans start and end."""

    deletable = True
    list_display = ("name", "organisation", "city", "opens", "closes", "workshop")


@admin.register(Van)
class VanAdmin(_Kept):
    """Vans as plans reckon with them."""

    deletable = True
    list_display = (
        "name", "organisation", "city", "active", "scooters", "bicycles", "packs", "start", "end", "shift_start", "shift_minutes",
    )  # fmt: skip
    list_filter = ("active", "organisation", "city")
    list_select_related = ("organisation", "city", "start", "end")


@admin.register(ClosedHours)
class ClosedHoursAdmin(_Kept):
    """When nobody may work where."""

    deletable = True
    form = ClosedHoursForm
    list_display = ("name", "organisation", "city", "since", "until", "weekdays")
