"""Admin pages of zones: an operator drafts and publishes its own sets, the city's officer the city's."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.gis.db.models import MultiPolygonField
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from fleet.vehicles.scoping import FLEET_STAFF
from fleet.zones import queries, services, wire
from fleet.zones.forms import GeoJsonArea, PublishForm, ZoneSetForm
from fleet.zones.models import Zone, ZoneRule, ZoneSet
from fleet.zones.states import SetState
from mobility.accounts.scoped_admin import ScopedAdmin, ScopedInline, while_reading
from mobility.accounts.states import Role
from mobility.core import audit, clock
from mobility.core.errors import DomainError
from mobility.geography.queries import map_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import ForeignKey, QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

EDITORS = frozenset({Role.FLEET_OPERATOR, Role.CITY_OFFICER})


def own_sets(request: HttpRequest) -> QuerySet[ZoneSet]:
    """The sets of the organisations for which this person draws."""
    person: Any = request.user
    return ZoneSet.objects.run_by(person, *EDITORS)


def may_edit(request: HttpRequest, zone_set_id: int) -> bool:
    """Whether this is a draft of one's own."""
    drafts = own_sets(request).filter(state=SetState.DRAFT, pk=zone_set_id)
    return while_reading(request, (may_edit, zone_set_id), drafts.exists)


@admin.register(ZoneSet)
class ZoneSetAdmin(ScopedAdmin[ZoneSet]):
    """Versions of zones: draw, look at the check, publish, go back."""

    viewers = FLEET_STAFF
    editors = EDITORS
    form = ZoneSetForm
    change_form_template = "admin/fleet/zoneset/change_form.html"
    list_display = ("title", "organisation", "city", "state", "version", "during", "published_at")
    list_filter = ("state", "organisation", "city")
    list_select_related = ("organisation", "city")
    search_fields = ("title",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Whose and where is decided at the beginning."""
        told = ("state", "version", "during", "based_on", "created_at", "published_at")
        return () if obj is None else ("organisation", "city", *told)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The drawing only where it can be changed; what is in force stands on the map."""
        fields = super().get_fields(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fields
        return [name for name in fields if name != "drawing"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Drafts of one's own organisation."""
        return super().has_change_permission(request, obj) and (
            obj is None or may_edit(request, obj.pk)
        )

    def save_model(
        self,
        request: HttpRequest,
        obj: ZoneSet,
        form: Any,
        change: bool,  # noqa: FBT001 - Django's
    ) -> None:
        """Through the services, as the API does."""
        at, by = clock.now(), _principal(request)
        if not change:
            present = ZoneSet.objects.of(
                organisation_id=obj.organisation_id, city_id=obj.city_id
            ).in_force(at)
            source = None if form.cleaned_data["drawing"] else present.first()
            draft = services.create_draft(
                organisation_id=obj.organisation_id,
                city_id=obj.city_id,
                title=obj.title,
                based_on=source.pk if source else None,
                at=at,
                by=by,
            )
            obj.__dict__.update(draft.__dict__)
        elif "title" in form.changed_data:
            ZoneSet.objects.filter(pk=obj.pk).update(title=obj.title)
            audit.record(by=by, action="rename", row=obj, at=at, changes={"title": obj.title})
        drawing = form.cleaned_data.get("read")
        if drawing is not None and "drawing" in form.changed_data:
            services.replace_zones(
                set_id=obj.pk, zones=drawing.zones, global_rules=drawing.global_rules, at=at, by=by
            )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With the map, the check of a draft, and the deeds that are possible."""
        zone_set = kwargs.get("obj")
        own = zone_set is not None and own_sets(request).filter(pk=zone_set.pk).exists()
        draft = zone_set is not None and zone_set.state == SetState.DRAFT
        context |= {
            "page": {
                "map": dataclasses.asdict(map_start()),
                "texts": {"new_zone": str(_("New zone"))},
                "zones": queries.set_features(zone_set=zone_set) if zone_set else None,
            },
            "findings": _findings(zone_set) if zone_set is not None and draft else None,
            "may_publish": own and draft,
            "may_go_back": own and not draft,
            "publish_form": PublishForm(),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """The deeds beside saving."""
        deeds = {"publish": self.publish, "rollback": self.rollback, "copy": self.copy}
        own: list[URLPattern] = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(self._deed(deed)),
                name=f"fleet_zoneset_{name}",
            )
            for name, deed in deeds.items()
        ]
        return own + super().get_urls()

    def publish(self, request: HttpRequest, zone_set: ZoneSet) -> ZoneSet:
        """Put a draft into force, unless the moment cannot be read."""
        form = PublishForm(request.POST)
        # An empty moment means "at once", so one that cannot be read must not pass for empty.
        if not form.is_valid():
            for told in form.errors.values():
                messages.error(request, " ".join(map(str, told)))
            return zone_set
        return services.publish(
            set_id=zone_set.pk,
            starts_at=form.cleaned_data["starts_at"],
            acknowledged=form.cleaned_data["acknowledged"],
            at=clock.now(),
            by=_principal(request),
        )

    def rollback(self, request: HttpRequest, zone_set: ZoneSet) -> ZoneSet:
        """Publish what this version said, again."""
        return services.rollback(set_id=zone_set.pk, at=clock.now(), by=_principal(request))

    def copy(self, request: HttpRequest, zone_set: ZoneSet) -> ZoneSet:
        """A draft of the same."""
        return services.create_draft(
            organisation_id=zone_set.organisation_id,
            city_id=zone_set.city_id,
            title=zone_set.title,
            based_on=zone_set.pk,
            at=clock.now(),
            by=_principal(request),
        )

    def _deed(self, act: Callable[[HttpRequest, ZoneSet], ZoneSet]) -> Any:
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            zone_set = get_object_or_404(self.get_queryset(request), pk=pk)
            if not own_sets(request).filter(pk=pk).exists():
                raise PermissionDenied
            try:
                zone_set = act(request, zone_set)
            except DomainError as refusal:
                messages.error(request, refusal.detail)
            return redirect(reverse("admin:fleet_zoneset_change", args=[zone_set.pk]))

        return view


class RuleInline(ScopedInline):
    """The rules of a zone; without any its kind says what holds."""

    model = ZoneRule
    viewers = FLEET_STAFF
    editors = EDITORS
    deletable = True
    exclude = ("zone_set",)
    verbose_name_plural = _("rules (without any, the kind of the zone decides)")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """In drafts of one's own."""
        return obj is None or may_edit(request, obj.zone_set_id)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """In drafts of one's own."""
        return obj is None or may_edit(request, obj.zone_set_id)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """In drafts of one's own."""
        return obj is None or may_edit(request, obj.zone_set_id)


@admin.register(Zone)
class ZoneAdmin(ScopedAdmin[Zone]):
    """Zones one by one: shape and rules of drafts, and what was in force."""

    viewers = FLEET_STAFF
    editors = EDITORS
    inlines = (RuleInline,)
    list_display = ("code", "name", "kind", "zone_set", "position")
    list_filter = ("kind", "zone_set__state")
    list_select_related = ("zone_set",)
    search_fields = ("code", "name")
    formfield_overrides: ClassVar[dict[Any, Any]] = {
        MultiPolygonField: {
            "widget": GeoJsonArea,
            "help_text": _("GeoJSON MultiPolygon in WGS 84, longitude first."),
        },
    }

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may draw zones draws in drafts of the own organisation, not in all that are in sight."""
        return super().has_change_permission(request, obj) and (
            obj is None or may_edit(request, obj.zone_set_id)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Out of a draft of one's own."""
        return obj is not None and self.has_change_permission(request, obj)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest | None, **kwargs: Any
    ) -> Any:
        """A zone goes into a draft of one's own."""
        if db_field.name == "zone_set" and request is not None:
            kwargs["queryset"] = own_sets(request).filter(state=SetState.DRAFT)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(
        self,
        request: HttpRequest,
        obj: Zone,
        form: Any,
        change: bool,  # noqa: FBT001 - Django's
    ) -> None:
        """On the grid that the index keeps, and with a trace at the set."""
        obj.boundary = services.on_grid(obj.boundary)
        super().save_model(request, obj, form, change)
        _trace(request, obj, "change_zone" if change else "add_zone")

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        """Rules belong to the set of their zone."""
        for row in formset.save(commit=False):
            row.zone_set_id = row.zone.zone_set_id
            row.save()
        for row in formset.deleted_objects:
            row.delete()

    def delete_model(self, request: HttpRequest, obj: Zone) -> None:
        """With a trace at the set."""
        _trace(request, obj, "delete_zone")
        super().delete_model(request, obj)


def _trace(request: HttpRequest, zone: Zone, action: str) -> None:
    audit.record(
        by=_principal(request),
        action=action,
        row=zone.zone_set,
        at=clock.now(),
        changes={"zone": zone.code},
    )


def _findings(zone_set: ZoneSet) -> list[dict[str, Any]]:
    return [wire.finding_body(finding) for finding in services.check_draft(zone_set=zone_set)]


def _principal(request: HttpRequest) -> Any:
    person: Any = request.user
    return person.principal
