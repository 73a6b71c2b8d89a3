"""The form on the page of drivers without an account."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.recharges import rules
from bookings.recharges.services import GuestOrder


class GuestOrderForm(forms.Form):
    """A card, a limit in euros if one wants one, an address if one wants the receipt sent."""

    attempt = forms.CharField(widget=forms.HiddenInput, max_length=300)
    card = forms.CharField(label=_("Card"), max_length=255, required=False)
    limit = forms.DecimalField(
        label=_("Spend at most (€)"),
        required=False,
        max_digits=6,
        decimal_places=2,
        min_value=Decimal(rules.LEAST_LIMIT_CENTS) / 100,
        max_value=Decimal(rules.MOST_LIMIT_CENTS) / 100,
    )
    email = forms.EmailField(label=_("E-mail for the receipt"), required=False)

    def order(self, *, code: str, language: str) -> GuestOrder:
        """What the form says, once it is valid; the limit in cents."""
        told: dict[str, Any] = self.cleaned_data
        limit = told["limit"]
        return GuestOrder(
            code=code,
            card_token=told["card"],
            limit_cents=None if limit is None else int(limit * 100),
            email=told["email"],
            language=language[:2] if language[:2] in {"it", "en"} else "it",
        )
