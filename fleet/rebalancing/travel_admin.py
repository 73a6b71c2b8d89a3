"""Admin page of travel times: look, import, put aside."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from fleet.rebalancing import services
from fleet.vans.forms import TravelTableForm
from fleet.vans.models import TravelTable
from fleet.vans.services import TableUnreadable
from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.scoped_admin import ScopedAdmin
from mobility.accounts.states import Role
from mobility.core import clock


class ImportForm(TravelTableForm):
    """The file is read while the form is checked, so that a slip stands at its field."""

    person: Any = None

    def clean(self) -> dict[str, Any]:
        """Import what the form says; what cannot be read stands at the file."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        try:
            cleaned["table"] = services.import_travel_table(
                organisation_id=cleaned["organisation"].pk,
                city_id=cleaned["city"].pk,
                name=cleaned["name"],
                text=cleaned["csv"],
                at=clock.now(),
                by=self.person.principal,
            )
        except TableUnreadable as refusal:
            self.add_error("csv", refusal.detail)
        return cleaned


@admin.register(TravelTable)
class TravelTableAdmin(ScopedAdmin[TravelTable]):
    """Tables are never changed: a new one takes the old one's place."""

    viewers = FLEET_STAFF
    editors = frozenset({Role.FLEET_OPERATOR})
    list_display = ("name", "organisation", "city", "source", "active", "holes", "created_at")
    list_filter = ("source", "active", "organisation", "city")
    list_select_related = ("organisation", "city")
    search_fields = ("name",)

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's
        **kwargs: Any,
    ) -> Any:
        """A file to import for a new table; only whether it is used for one that exists."""
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        form: Any = super().get_form(request, obj, change, form=ImportForm, **kwargs)
        form.person = request.user
        return form

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What is asked for, or what there is to know."""
        if obj is None:
            return ("organisation", "city", "name", "csv")
        return (
            "organisation",
            "city",
            "name",
            "source",
            "active",
            "holes",
            "created_at",
            "created_by",
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """All but whether plans use it."""
        told = ("organisation", "city", "name", "source", "holes", "created_at", "created_by")
        return () if obj is None else told

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:  # noqa: FBT001 - Django's
        """The row that was imported, or the one that was changed."""
        if change:
            return super().save_form(request, form, change)
        form.save_m2m = list  # nothing hangs on it
        return form.cleaned_data["table"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """A new one is stored already; say how many ways it does not know."""
        if change:
            super().save_model(request, obj, form, change)
        elif obj.holes:
            text = _("%(holes)s pairs have no way, not even over other places.")
            messages.warning(request, text % {"holes": obj.holes})
