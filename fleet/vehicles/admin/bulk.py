"""Changing and ordering many vehicles: a page that says what will happen, then one that says what did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import rules, services
from fleet.vehicles.admin.scope import deed, editable
from fleet.vehicles.models import Vehicle, VehicleType
from fleet.vehicles.states import (
    HAND_BLOCKS,
    CommandKind,
    Equipment,
    LifeState,
    ServiceReason,
)
from mobility.core import ids
from mobility.core.errors import DomainError
from mobility.geography.models import Hub

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest

COMMAND_TTL_S = 60
_KEEP = [("", _("as it is"))]
_BLOCKS = [(reason.value, reason.label) for reason in HAND_BLOCKS]
_MANY: dict[str, Any] = {"required": False, "widget": forms.CheckboxSelectMultiple}


@dataclass(frozen=True, kw_only=True)
class Line:
    """What became of one vehicle."""

    code: str
    done: bool
    detail: Any = ""


class ChosenForm(forms.Form):
    """Which vehicles: their ids in one field, because a form may have only so many fields."""

    chosen = forms.CharField(widget=forms.HiddenInput, max_length=20_000)

    def clean_chosen(self) -> list[int]:
        """At most as many as one order may go to."""
        parts = [part for part in str(self.cleaned_data["chosen"]).split(",") if part]
        if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
            raise forms.ValidationError(_("These are no vehicles."))
        if not 1 <= len(parts) <= services.BULK_CAP:
            raise forms.ValidationError(
                _("Choose at most %(cap)d vehicles.") % {"cap": services.BULK_CAP}
            )
        return [int(part) for part in parts]


class BulkEditForm(ChosenForm):
    """What changes; what is left alone stays."""

    type = forms.ModelChoiceField(
        label=_("Type"),
        queryset=VehicleType.objects.all(),
        required=False,
        empty_label=_("as it is"),
    )
    home_hub = forms.ModelChoiceField(
        label=_("Home hub"),
        queryset=Hub.objects.select_related("city"),
        required=False,
        empty_label=_("as it is"),
    )
    no_hub = forms.BooleanField(label=_("No home hub"), required=False)
    add_equipment = forms.MultipleChoiceField(
        label=_("Add equipment"), choices=Equipment.choices, **_MANY
    )
    remove_equipment = forms.MultipleChoiceField(
        label=_("Remove equipment"), choices=Equipment.choices, **_MANY
    )
    block = forms.MultipleChoiceField(label=_("Block for"), choices=_BLOCKS, **_MANY)
    lift = forms.MultipleChoiceField(label=_("Lift block"), choices=_BLOCKS, **_MANY)
    life = forms.ChoiceField(
        label=_("Move to"),
        required=False,
        choices=[*_KEEP, *(one for one in LifeState.choices if one[0] != LifeState.DRAFT)],
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)

    def edit(self) -> services.BulkEdit:
        """The form as the service wants it."""
        clean = self.cleaned_data
        many = {
            name: frozenset(clean[name])
            for name in ("add_equipment", "remove_equipment", "block", "lift")
        }
        return services.BulkEdit(
            type_id=clean["type"] and clean["type"].pk,
            home_hub_id=clean["home_hub"] and clean["home_hub"].pk,
            no_hub=clean["no_hub"],
            life=clean["life"],
            reason=clean["reason"],
            **many,
        )


class BulkOrderForm(ChosenForm):
    """What the vehicles are told to do; the key makes a page sent twice one order."""

    kind = forms.ChoiceField(label=_("Order"), choices=CommandKind.choices)
    max_kmh = forms.IntegerField(
        label=_("Speed limit (km/h)"),
        required=False,
        min_value=1,
        max_value=rules.TOP_LIMIT_KMH,
        help_text=_("Only for the order to limit the speed; empty lifts the limit."),
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=64, initial=ids.uuid7)

    def parameters(self) -> dict[str, Any]:
        """What goes with the command."""
        limited = self.cleaned_data["kind"] == CommandKind.SET_SPEED_LIMIT
        return {"max_kmh": self.cleaned_data["max_kmh"]} if limited else {}


class ServiceTripForm(ChosenForm):
    """Why staff take the vehicles."""

    reason = forms.ChoiceField(label=_("Reason"), choices=ServiceReason.choices)
    ticket_ref = forms.CharField(label=_("Ticket"), max_length=80, required=False)
    notes = forms.CharField(label=_("Notes"), max_length=500, required=False)


def edit_page(
    page: ModelAdmin[Vehicle], request: HttpRequest, *, chosen: str = ""
) -> TemplateResponse:
    """The form for the ids in `chosen` on the first visit, the report once it was sent."""
    form = BulkEditForm(_sent(request), initial={"chosen": chosen})
    lines = None
    if form.is_valid():
        vehicles = _mine(request, form)
        report = services.edit_vehicles(vehicle_ids=vehicles, edit=form.edit(), **deed(request))
        lines = [
            Line(
                code=code,
                done=pk in report.changed,
                detail=report.refused[pk].detail
                if pk in report.refused
                else ("" if pk in report.changed else _("nothing to change")),
            )
            for pk, code in vehicles.items()
        ]
    title = _("Change several vehicles")
    return _answer(page, request, form, lines, title=title, name="bulk_edit")


def order_page(
    page: ModelAdmin[Vehicle], request: HttpRequest, *, chosen: str = ""
) -> TemplateResponse:
    """The form for the ids in `chosen` on the first visit, the report once it was sent."""
    form = BulkOrderForm(_sent(request), initial={"chosen": chosen})
    lines = None
    if form.is_valid():
        try:
            lines = _ordered(request, form)
        except DomainError as refusal:
            form.add_error(None, refusal.detail)
    return _answer(page, request, form, lines, title=_("Order several vehicles"), name="bulk_order")


def service_page(
    page: ModelAdmin[Vehicle], request: HttpRequest, *, chosen: str = ""
) -> TemplateResponse:
    """Take vehicles for a drive of staff: the form on the first visit, then the report."""
    form = ServiceTripForm(_sent(request), initial={"chosen": chosen})
    lines = None
    if form.is_valid():
        what = {name: form.cleaned_data[name] for name in ("reason", "ticket_ref", "notes")}
        lines = [
            _line(code, services.start_service_trip, vehicle_id=pk, **what, **deed(request))
            for pk, code in _mine(request, form).items()
        ]
    return _answer(page, request, form, lines, title=_("Take for a drive"), name="bulk_service")


def _ordered(request: HttpRequest, form: BulkOrderForm) -> list[Line]:
    vehicles = _mine(request, form)
    report = services.queue_commands(
        vehicle_ids=vehicles,
        kind=form.cleaned_data["kind"],
        parameters=form.parameters(),
        idempotency_key=f"desk:{form.cleaned_data['key']}",
        ttl_s=COMMAND_TTL_S,
        purpose_ref="staff",
        **deed(request),
    )
    unable = set(report.unsupported)
    return [
        Line(
            code=code,
            done=pk not in unable,
            detail=services.CommandUnsupported.message if pk in unable else "",
        )
        for pk, code in vehicles.items()
    ]


def _line(code: str, do: Any, **what: Any) -> Line:
    try:
        do(**what)
    except DomainError as refusal:
        return Line(code=code, done=False, detail=refusal.detail)
    return Line(code=code, done=True)


def _sent(request: HttpRequest) -> Any:
    return request.POST if "apply" in request.POST else None


def _mine(request: HttpRequest, form: ChosenForm) -> dict[int, str]:
    """The chosen vehicles as far as they are the person's to act on."""
    mine = editable(request).filter(pk__in=form.cleaned_data["chosen"])
    return dict(mine.order_by("code").values_list("pk", "code"))


def _answer(
    page: ModelAdmin[Vehicle],
    request: HttpRequest,
    form: ChosenForm,
    lines: Sequence[Line] | None,
    *,
    title: Any,
    name: str,
) -> TemplateResponse:
    chosen = str(form["chosen"].value() or "")
    context = {
        **page.admin_site.each_context(request),
        "opts": Vehicle._meta,
        "title": title,
        "form": form,
        "lines": lines,
        "done": sum(line.done for line in lines or ()),
        "count": len([part for part in chosen.split(",") if part]),
        "address": reverse(f"admin:fleet_vehicle_{name}"),
    }
    return TemplateResponse(request, "admin/fleet/vehicle/bulk.html", context)
