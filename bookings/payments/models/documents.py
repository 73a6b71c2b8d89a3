"""Numbered documents as they were handed out."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.payments.models.payments import Payment
from bookings.payments.models.scoping import MoneyQuerySet
from bookings.payments.states import DocumentKind
from mobility.core.models import PublicModel
from mobility.core.money import EUR


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
        ]

    def __str__(self) -> str:
        return self.number
