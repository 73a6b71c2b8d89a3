"""A draft of a tariff as somebody fills it in: its parts as tables of prices, no JSON."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.pricing.models import TariffVersion
from bookings.pricing.rules.check import check_part, check_parts
from bookings.pricing.rules.terms import PART_READERS, ZoneWhen
from fleet.zones.states import ZoneKind
from mobility.core.errors import DomainError
from mobility.core.rows import RowsField
from mobility.core.weekdays import WEEKDAYS

_MOST_CENTS = 10**7
_MOST_MINUTES = 60 * 24 * 366


def _cents(label: Any, *, required: bool = True, least: int = 0) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=required, min_value=least, max_value=_MOST_CENTS
    )


def _minutes(label: Any, *, required: bool = True) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=required, min_value=1, max_value=_MOST_MINUTES)


def _hour(label: Any) -> forms.CharField:
    # Not an input of the clock: it knows no 24:00.
    return forms.CharField(
        label=label,
        max_length=5,
        widget=forms.TextInput(attrs={"placeholder": "07:30", "size": 5}),
    )


class TariffVersionForm(forms.ModelForm[TariffVersion]):
    """A draft, whose parts must be readable."""

    blocks = RowsField(
        {"minutes": _minutes(_("minutes")), "cents": _cents(_("cents together"), least=1)},
        label=_("time blocks"),
        help_text=_("What so many minutes cost at most, shortest first."),
    )
    steps = RowsField(
        {
            "until": _minutes(_("until minute"), required=False),
            "minutes": _minutes(_("each started minutes")),
            "cents": _cents(_("cost cents")),
        },
        label=_("steps"),
        help_text=_("Instead of minutes. The last step has no end: it goes on for ever."),
    )
    packages = RowsField(
        {
            "minutes": _minutes(_("minutes")),
            "km": forms.IntegerField(
                label=_("kilometres"), required=False, min_value=0, max_value=10_000
            ),
            "cents": _cents(_("cents together"), least=1),
        },
        label=_("packages"),
        help_text=_("Whole offers, taken by themselves when they are cheaper."),
    )
    windows = RowsField(
        {
            "start": _hour(_("from the hour")),
            "end": _hour(_("until the hour")),
            "weekdays": forms.TypedMultipleChoiceField(
                label=_("only on"),
                choices=WEEKDAYS,
                coerce=int,
                required=False,
                widget=forms.CheckboxSelectMultiple,
            ),
            "minute_cents": _cents(_("cents per minute"), required=False),
            "pause_minute_cents": _cents(_("cents per paused minute"), required=False),
            "unlock_cents": _cents(_("cents for unlocking"), required=False),
        },
        label=_("hours with prices of their own"),
        help_text=_("By the city's clocks; a price left empty stays as it is at other hours."),
    )
    zone_fees = RowsField(
        {
            # The empty choice comes first, so that a line nobody touched says nothing.
            "when": forms.ChoiceField(
                label=_("when the ride"),
                choices=[("", "–"), (ZoneWhen.START, _("starts")), (ZoneWhen.END, _("ends"))],
            ),
            "kind": forms.ChoiceField(
                label=_("in a zone of the kind"),
                choices=[("", "–"), *ZoneKind.choices],
                required=False,
            ),
            "code": forms.CharField(label=_("with the code"), max_length=50, required=False),
            "cents": _cents(_("cents, below 0 a discount"), least=-_MOST_CENTS),
        },
        label=_("zone fees and discounts"),
    )

    class Meta:
        model = TariffVersion
        fields = (
            "tariff",
            "valid",
            "currency",
            "vat_rate",
            "unlock_cents",
            "minute_cents",
            "pause_minute_cents",
            "hold_free_minutes",
            "hold_minute_cents",
            "hold_max_minutes",
            "hold_extend_minutes",
            "hold_longest_minutes",
            "km_cents",
            "free_km",
            "blocks",
            "steps",
            "packages",
            "windows",
            "zone_fees",
            "day_cap_cents",
            "trip_cap_cents",
            "person_day_cap_cents",
            "discount_pct",
            "preauth_cents",
            "grace_s",
            "no_show_cents",
            "late_cancel_cents",
            "free_cancel_before_h",
            "overstay_cents",
        )

    def clean(self) -> dict[str, Any] | None:
        """The same check as publishing makes; what is wrong is said beside the field."""
        data = super().clean()
        parts = {name: self.cleaned_data.get(name) or [] for name in PART_READERS}
        for name, rows in parts.items():
            self._check(name, partial(check_part, name, rows))
        if not self.errors:
            self._check("steps", partial(check_parts, parts))
        return data

    def _check(self, name: str, check: Callable[[], None]) -> None:
        if name in self.errors:
            return
        try:
            check()
        except DomainError as problem:
            self.add_error(name, problem.detail)
