"""What staff type into the support console."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.support.states import Resolution

CENTS = Decimal(100)
# What staff can say; only the person withdraws.
SETTLED = [one for one in Resolution.choices if one[0] != Resolution.WITHDRAWN]


class SearchForm(forms.Form):
    """Whom one looks for."""

    q = forms.CharField(
        label=_("E-mail address, name, case number, vehicle or ride"),
        min_length=3,
        max_length=100,
        strip=True,
    )


class RefundForm(forms.Form):
    """How much goes back, and why; the person reads it."""

    payment = forms.UUIDField(widget=forms.HiddenInput)
    attempt = forms.CharField(widget=forms.HiddenInput, max_length=64)
    amount = forms.DecimalField(
        label=_("Amount (€)"), min_value=Decimal("0.01"), max_digits=8, decimal_places=2
    )
    reason = forms.CharField(label=_("Reason"), max_length=200)

    @property
    def cents(self) -> int:
        """The amount in cents, which two places make exact."""
        return int(self.cleaned_data["amount"] * CENTS)


class AnswerForm(forms.Form):
    """A word of staff in a case, and, when that settles it, what came of it."""

    text = forms.CharField(label=_("Answer"), max_length=2000, widget=forms.Textarea)
    resolution = forms.ChoiceField(
        label=_("What came of it"),
        choices=[("", _("Not settled yet")), *SETTLED],
        required=False,
    )
    amount = forms.DecimalField(
        label=_("Amount (€)"),
        min_value=Decimal("0.01"),
        max_digits=8,
        decimal_places=2,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """Money goes back only where that is what came of it."""
        told = super().clean() or {}
        if (told.get("resolution") == Resolution.REFUNDED) != bool(told.get("amount")):
            self.add_error("amount", _("Say how much goes back, or choose something else."))
        return told

    @property
    def cents(self) -> int:
        """What goes back, in cents; 0 where nothing does."""
        return int((self.cleaned_data["amount"] or 0) * CENTS)


class DecisionForm(forms.Form):
    """A second person's word on a refund."""

    verdict = forms.ChoiceField(choices=[("approve", ""), ("reject", "")])
    reason = forms.CharField(max_length=200, required=False)
