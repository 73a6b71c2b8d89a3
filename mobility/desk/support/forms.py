"""What staff type into the support console."""

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

CENTS = Decimal(100)


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
    """A word of staff in a case."""

    text = forms.CharField(label=_("Answer"), max_length=2000, widget=forms.Textarea)


class DecisionForm(forms.Form):
    """A second person's word on a refund."""

    verdict = forms.ChoiceField(choices=[("approve", ""), ("reject", "")])
    reason = forms.CharField(max_length=200, required=False)
