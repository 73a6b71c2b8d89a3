"""Forms of the wallet: credit to buy, a code to redeem, whom invoices are made out to."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

MOST_EUROS = Decimal(10_000)
SIGNS = r"^[0-9A-Za-z]*$"


class TopUpForm(forms.Form):
    """How much credit, at whom, from which card."""

    organisation = forms.UUIDField(label=_("For rides and charges with"))
    euros = forms.DecimalField(
        label=_("Amount (€)"),
        min_value=Decimal("0.01"),
        max_value=MOST_EUROS,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "0.01"}),
    )
    method = forms.UUIDField(label=_("Card"), required=False)

    @property
    def cents(self) -> int:
        """The amount in cents."""
        return int(self.cleaned_data["euros"] * 100)


class CodeForm(forms.Form):
    """A code as it was typed."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "autocomplete": "off"}),
    )


class BuyForm(forms.Form):
    """Which pass."""

    product = forms.UUIDField()
    auto_renew = forms.BooleanField(required=False)


class FeeForm(forms.Form):
    """Why a fee is wrong."""

    text = forms.CharField(
        label=_("Why is it wrong?"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )


class BillingForm(forms.Form):
    """Whom invoices are made out to; the check digits are the service's business."""

    name = forms.CharField(label=_("Name or company"), max_length=120)
    tax_code = forms.RegexField(SIGNS, label=_("Codice fiscale"), max_length=16, required=False)
    vat_number = forms.RegexField(SIGNS, label=_("VAT number"), max_length=14, required=False)
    address = forms.CharField(label=_("Street and number"), max_length=120)
    postcode = forms.CharField(label=_("Postcode"), max_length=12)
    town = forms.CharField(label=_("Town"), max_length=60)
    province = forms.RegexField(
        r"^([A-Za-z]{2})?$", label=_("Province (two letters)"), required=False
    )
    country = forms.RegexField(r"^[A-Za-z]{2}$", label=_("Country (two letters)"), initial="IT")
    sdi_code = forms.RegexField(
        r"^([0-9A-Za-z]{7})?$", label=_("SDI code (seven signs)"), required=False
    )
    pec = forms.EmailField(label=_("Certified e-mail (PEC)"), required=False)

    def clean(self) -> dict[str, Any]:
        """Capital letters where the tax system has them."""
        told = super().clean() or {}
        raised = ("tax_code", "vat_number", "province", "country", "sdi_code")
        return told | {name: told[name].upper() for name in raised if name in told}
