"""Numbered documents: gapless per organisation, kind and year."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.documents.rules import fault_of
from bookings.payments.models import BillingDetails, Payment, Receipt
from bookings.payments.states import DocumentKind
from mobility.core import audit, clock
from mobility.core.errors import Conflict, Invalid
from mobility.core.money import PriceLine, VatPart, total_cents, vat_split
from mobility.core.prepared import insert
from mobility.core.principals import Principal

LETTERS = {DocumentKind.RECEIPT: "R", DocumentKind.CREDIT_NOTE: "N", DocumentKind.INVOICE: "F"}
# An invoice leaves within twelve days of the sale (art. 21 c. 4 DPR 633/1972).
INVOICE_DAYS = 12

_NEXT_NUMBER = """
    INSERT INTO bookings_documentseries (organisation_id, kind, year, last_number)
    VALUES (%s, %s, %s, 1)
    ON CONFLICT (organisation_id, kind, year)
    DO UPDATE SET last_number = bookings_documentseries.last_number + 1
    RETURNING last_number
"""


class BillingDetailsWrong(Invalid):
    """A field that the tax system would refuse."""

    code = "billing_details_wrong"
    message = _("Please check these details: the tax office would refuse them.")


class BillingDetailsMissing(Conflict):
    """Nobody to make the invoice out to."""

    code = "billing_details_missing"
    message = _("Please fill in your billing details first.")


class InvoiceTooLate(Conflict):
    """The law's days are over."""

    code = "invoice_too_late"
    message = _("An invoice can be asked for within %(days)s days.")


class NotInvoiceable(Conflict):
    """No receipt, nothing on it, or paid from credit whose invoice belongs to the top-up."""

    code = "not_invoiceable"
    message = _("No invoice can be made out for this document.")


def issue_document(
    *,
    payment: Payment,
    kind: DocumentKind,
    lines: Sequence[PriceLine],
    at: datetime.datetime,
    corrects: Receipt | None = None,
    vat: Sequence[VatPart] | None = None,
    customer: Mapping[str, Any] | None = None,
) -> Receipt:
    """Hand out the next document of the payment's organisation; VAT once per rate, unless given.

    Runs in the caller's transaction and keeps the series' row until it commits: a number is given
    exactly once, and a roll-back gives it back. A credit note on a receipt that an invoice has
    replaced reduces that invoice and is made out to the same customer.
    """
    if kind == DocumentKind.CREDIT_NOTE and customer is None:
        corrects, customer = _reduced(payment, corrects)
    year = clock.service_day(at).year
    sequence = _next_number(payment.organisation_id, kind, year)
    parts = vat_split(lines) if vat is None else vat
    document = Receipt(
        organisation_id=payment.organisation_id,
        payment=payment,
        kind=kind,
        year=year,
        sequence=sequence,
        number=f"{payment.organisation.slug}/{LETTERS[kind]}/{year}/{sequence:06d}",
        issued_at=at,
        currency=payment.currency,
        lines=[line.as_json() for line in lines],
        vat=[part.as_json() for part in parts],
        total_cents=total_cents(lines),
        corrects=corrects,
        customer=dict(customer or {}),
    )
    return insert(document)


def make_invoice(*, receipt: Receipt, at: datetime.datetime, by: Principal) -> Receipt:
    """Turn a receipt into an invoice to its payer; asked again, the same invoice.

    The invoice repeats the receipt's lines, less what credit notes have taken off them since, and
    takes the place of them all in the VAT register: the daily totals leave them out. Nothing is
    left to invoice where everything went back. Raises `NotInvoiceable`, `InvoiceTooLate`, `BillingDetailsMissing`.
    """
    payment = receipt.payment
    made = Receipt.objects.filter(payment=payment, kind=DocumentKind.INVOICE).first()
    if made is not None:
        return made
    if receipt.kind != DocumentKind.RECEIPT or not receipt.total_cents:
        raise NotInvoiceable
    if payment.provider == "wallet":
        raise NotInvoiceable
    if (clock.service_day(at) - clock.service_day(receipt.issued_at)).days > INVOICE_DAYS:
        raise InvoiceTooLate(days=INVOICE_DAYS)
    details = BillingDetails.objects.filter(user_id=payment.payer_id).first()
    if details is None:
        raise BillingDetailsMissing
    try:
        with transaction.atomic():
            # Its row: no credit note comes between the look and the invoice.
            Payment.objects.select_for_update().get(pk=payment.pk)
            lines, vat = _standing(receipt)
            if not total_cents(lines):
                raise NotInvoiceable
            invoice = issue_document(
                payment=payment,
                kind=DocumentKind.INVOICE,
                lines=lines,
                vat=vat,
                at=at,
                corrects=receipt,
                customer=customer_of(details),
            )
            audit.record(by=by, action="invoice:made", row=receipt, at=at)
    except IntegrityError:
        # Somebody asked at the same moment: one invoice a payment, and its number is not lost.
        return Receipt.objects.get(payment=payment, kind=DocumentKind.INVOICE)
    return invoice


def keep_billing_details(
    *, user_id: int, details: Mapping[str, str], at: datetime.datetime, by: Principal
) -> BillingDetails:
    """Keep whom a person's invoices are made out to; raises `BillingDetailsWrong` with every fault."""
    faults = fault_of(details)
    if faults:
        raise BillingDetailsWrong(extra={"fields": faults})
    with transaction.atomic():
        kept, _fresh = BillingDetails.objects.update_or_create(
            user_id=user_id, defaults={**details, "updated_at": at}
        )
        audit.record(by=by, action="billing_details:kept", row=kept, at=at)
    return kept


def vat_parts(receipt: Receipt) -> tuple[VatPart, ...]:
    """The VAT of a document as it was handed out."""
    return tuple(
        VatPart(
            rate=Decimal(part["rate"]),
            net_cents=part["net_cents"],
            vat_cents=part["vat_cents"],
            gross_cents=part["gross_cents"],
        )
        for part in receipt.vat
    )


def customer_of(details: BillingDetails) -> dict[str, str]:
    """The details as they are frozen on an invoice."""
    names = (
        "name", "tax_code", "vat_number", "address", "postcode", "town", "province", "country",
        "sdi_code", "pec",
    )  # fmt: skip
    return {name: getattr(details, name) for name in names}


def _standing(receipt: Receipt) -> tuple[list[PriceLine], tuple[VatPart, ...]]:
    """A receipt's lines and VAT with the credit notes on it taken off."""
    notes = list(
        Receipt.objects.filter(corrects=receipt, kind=DocumentKind.CREDIT_NOTE).order_by("pk")
    )
    lines = [PriceLine.from_json(line) for line in receipt.lines]
    lines += [
        dataclasses.replace(line, cents=-line.cents)
        for note in notes
        for line in (PriceLine.from_json(row) for row in note.lines)
    ]
    left = {part.rate: part for part in vat_parts(receipt)}
    for part in (part for note in notes for part in vat_parts(note)):
        whole = left.get(part.rate, VatPart(part.rate, 0, 0, 0))
        left[part.rate] = VatPart(
            rate=part.rate,
            net_cents=whole.net_cents - part.net_cents,
            vat_cents=whole.vat_cents - part.vat_cents,
            gross_cents=whole.gross_cents - part.gross_cents,
        )
    return lines, tuple(left.values())


def _reduced(
    payment: Payment, corrects: Receipt | None
) -> tuple[Receipt | None, Mapping[str, Any]]:
    kinds = [DocumentKind.RECEIPT, DocumentKind.INVOICE]
    documents = {row.kind: row for row in payment.documents.filter(kind__in=kinds)}
    invoice = documents.get(DocumentKind.INVOICE)
    if invoice is not None:
        return invoice, invoice.customer
    return corrects or documents.get(DocumentKind.RECEIPT), {}


def _next_number(organisation_id: int, kind: DocumentKind, year: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_NUMBER, [organisation_id, kind, year])
        (number,) = cursor.fetchone()
    return int(number)
