"""Numbered documents as they were handed out."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.models.payments import Payment
from bookings.payments.models.scoping import MoneyQuerySet
from bookings.payments.states import DocumentKind
from mobility.core.models import PublicModel
from mobility.core.money import EUR

if TYPE_CHECKING:
    from mobility.accounts.models import User


class DocumentSeries(models.Model):
    """The last number given in an organisation's year; its row lock makes the numbers gapless."""

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=DocumentKind)
    year = models.PositiveSmallIntegerField(_("year"))
    last_number = models.PositiveIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("document series")
        verbose_name_plural = _("document series")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "year"], name="document_series_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.kind} {self.year}"


class Receipt(PublicModel):
    """A numbered document as it was handed out; never changed, corrected only by a credit note."""

    owner_path: ClassVar = "payment__payer"
    organisation_path: ClassVar = "organisation"

    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="documents", verbose_name=_("payment")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=DocumentKind)
    year = models.PositiveSmallIntegerField(_("year"))
    sequence = models.PositiveIntegerField(_("sequence"))
    number = models.CharField(_("number"), max_length=60)
    issued_at = models.DateTimeField(_("issued at"))
    currency = models.CharField(_("currency"), max_length=3, default=EUR)
    lines = models.JSONField(_("lines"))
    vat = models.JSONField(_("VAT"))
    total_cents = models.IntegerField(_("total"))
    # A credit note names the document that it reduces, an invoice the receipt that it replaces.
    corrects = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="+", verbose_name=_("refers to")
    )
    # Whom an invoice is made out to, as they were on that day.
    customer = models.JSONField(_("customer"), default=dict, blank=True)

    objects = MoneyQuerySet["Receipt"].as_manager()

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "year", "sequence"], name="document_number_once"
            ),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(kind=DocumentKind.RECEIPT),
                name="one_receipt_a_payment",
            ),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(kind=DocumentKind.INVOICE),
                name="one_invoice_a_payment",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organisation", "issued_at"], name="document_day"),
        ]

    def __str__(self) -> str:
        return self.number


class BillingDetailsQuerySet(models.QuerySet["BillingDetails"]):
    """Billing details by owner."""

    def visible_to(self, user: "User") -> Self:
        """A person's own; staff read them on the invoice."""
        return self if user.is_superuser else self.filter(user=user)


class BillingDetails(models.Model):
    """Whom a person's invoices are made out to, and where the tax system sends them."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="billing_details",
        verbose_name=_("person"),
    )
    name = models.CharField(_("name"), max_length=120)
    tax_code = models.CharField(_("codice fiscale"), max_length=16, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=14, blank=True)
    address = models.CharField(_("address"), max_length=120)
    postcode = models.CharField(_("postcode"), max_length=12)
    town = models.CharField(_("town"), max_length=60)
    province = models.CharField(_("province"), max_length=2, blank=True)
    country = models.CharField(_("country"), max_length=2, default="IT")
    sdi_code = models.CharField(_("SDI code"), max_length=7, blank=True)
    pec = models.EmailField(_("certified e-mail (PEC)"), blank=True)
    updated_at = models.DateTimeField(_("changed at"))

    objects = BillingDetailsQuerySet.as_manager()

    class Meta:
        verbose_name = _("billing details")
        verbose_name_plural = _("billing details")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(tax_code="") | ~Q(vat_number=""), name="billing_details_taxed"
            ),
        ]

    def __str__(self) -> str:
        return self.name
