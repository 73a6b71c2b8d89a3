"""A tariff version as an operator fills it in: lines of prices with their conditions, no JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet, formset_factory
from django.utils.translation import gettext_lazy as _

from charging.tariffs.models import Tariff, TariffVersion
from charging.tariffs.rules import DAYS, BadComponent, PriceComponent, check_limits
from charging.tariffs.states import ComponentKind
from mobility.accounts.models import User
from mobility.core.weekdays import WEEKDAYS

# What a line asks for by name, and how it is stored: the rest of a component is kept as it is.
_CONDITIONS: Final = ("start_time", "end_time", "day_of_week", "min_kwh", "max_kwh")
MOST_LINES: Final = 8
# Empty ones below those that are filled in: who needs more saves first.
SPARE_LINES: Final = 3
_CLOCK: Final = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class VersionForm(forms.Form):
    """From when, at least and at most how much."""

    tariff = forms.ModelChoiceField(Tariff.objects.none(), label=_("tariff"))
    valid_from = forms.DateTimeField(
        label=_("valid from"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    valid_until = forms.DateTimeField(
        label=_("valid until"),
        required=False,
        help_text=_("Empty: until the next version begins."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    min_cents = forms.IntegerField(
        label=_("least price of a charge (cents)"), min_value=0, max_value=10**6, required=False
    )
    max_cents = forms.IntegerField(
        label=_("most a charge costs (cents)"), min_value=0, max_value=10**6, required=False
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["tariff"]
        # It is a choice of rows; this narrows the type.
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Tariff.objects.visible_to(user).order_by("code", "pk")

    def clean(self) -> dict[str, Any]:
        """An end after the beginning, a least price not above the highest."""
        data = super().clean() or self.cleaned_data
        start, end = data.get("valid_from"), data.get("valid_until")
        if start is not None and end is not None and end <= start:
            self.add_error("valid_until", _("This ends before it begins."))
        try:
            check_limits(min_cents=data.get("min_cents"), max_cents=data.get("max_cents"))
        except BadComponent as problem:
            self.add_error("min_cents", str(problem))
        return data


class ComponentForm(forms.Form):
    """One price, and when it counts: of every kind the first line that applies does."""

    # The empty choice comes first, so that a line nobody touched says nothing.
    kind = forms.ChoiceField(label=_("what"), choices=[("", "–"), *ComponentKind.choices])
    unit_cents = forms.DecimalField(
        label=_("price, VAT included (cents)"), min_value=0, max_value=100_000, decimal_places=4
    )
    free_units = forms.DecimalField(
        label=_("of it free (kWh or minutes)"), min_value=0, max_value=100_000, required=False
    )
    cap_cents = forms.IntegerField(
        label=_("at most (cents)"), min_value=0, max_value=10**6, required=False
    )
    vat_percent = forms.DecimalField(
        label=_("VAT (%)"), min_value=0, max_value=99, decimal_places=2, initial=22
    )
    step = forms.IntegerField(
        label=_("blocks of (Wh or seconds)"), min_value=1, max_value=1_000_000, required=False
    )
    start_time = forms.TimeField(label=_("from the hour"), widget=_CLOCK, required=False)
    end_time = forms.TimeField(label=_("until the hour"), widget=_CLOCK, required=False)
    day_of_week = forms.MultipleChoiceField(
        label=_("only on"),
        choices=[(DAYS[day - 1], name) for day, name in WEEKDAYS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    min_kwh = forms.DecimalField(label=_("from so many kWh on"), min_value=0, required=False)
    max_kwh = forms.DecimalField(label=_("up to so many kWh"), min_value=0, required=False)
    # Conditions that this form has no field for (power, current, dates, durations).
    more = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        """The line as the price rule reads it, in `component`."""
        data = super().clean() or self.cleaned_data
        if self.errors or not data.get("kind"):
            return data
        try:
            data["component"] = PriceComponent.from_json(_component(data)).as_json()
        except (BadComponent, ValueError) as problem:
            raise ValidationError(str(problem)) from problem
        return data


ComponentsFormSet: type[BaseFormSet[ComponentForm]] = formset_factory(
    ComponentForm,
    extra=SPARE_LINES,
    min_num=1,
    validate_min=True,
    max_num=MOST_LINES,
    absolute_max=4 * MOST_LINES,
    can_delete=True,
)


def components_of(lines: BaseFormSet[ComponentForm]) -> list[dict[str, Any]]:
    """The components of checked lines, those left out that are empty or struck."""
    return [
        line.cleaned_data["component"]
        for line in lines
        if "component" in line.cleaned_data and not line.cleaned_data.get("DELETE")
    ]


def filled(version: TariffVersion) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the form and its lines say of a version that is there."""
    form = {
        "tariff": version.tariff_id,
        "valid_from": version.valid.lower,
        "valid_until": version.valid.upper,
        "min_cents": version.min_cents,
        "max_cents": version.max_cents,
    }
    return form, [_line(component) for component in version.components]


def _line(component: Mapping[str, Any]) -> dict[str, Any]:
    when = dict(component.get("when", {}))
    known = {name: when.pop(name) for name in _CONDITIONS if name in when}
    return {
        "kind": component["kind"],
        "unit_cents": Decimal(component["unit_cents"]),
        "free_units": Decimal(component.get("free_units", 0)) or None,
        "cap_cents": component.get("cap_cents"),
        "vat_percent": (Decimal(component["vat_rate"]) * 100).normalize() + 0,
        "step": component.get("step"),
        **known,
        "more": json.dumps(when) if when else "",
    }


def _component(data: Mapping[str, Any]) -> dict[str, Any]:
    when: dict[str, Any] = json.loads(data["more"]) if data.get("more") else {}
    for name in ("start_time", "end_time"):
        if data.get(name) is not None:
            when[name] = data[name].strftime("%H:%M")
    for name in ("min_kwh", "max_kwh"):
        if data.get(name) is not None:
            when[name] = str(data[name])
    if data.get("day_of_week"):
        when["day_of_week"] = list(data["day_of_week"])
    return {
        "kind": data["kind"],
        "unit_cents": str(data["unit_cents"]),
        "free_units": str(data.get("free_units") or 0),
        "cap_cents": data.get("cap_cents"),
        "vat_rate": str(Decimal(data["vat_percent"]) / 100),
        "step": data.get("step") or 1,
        **({"when": when} if when else {}),
    }
