"""Numbered documents: gapless per organisation, kind and year."""

import datetime
from collections.abc import Sequence

from django.db import connection

from bookings.payments.models import Payment, Receipt
from bookings.payments.states import DocumentKind
from mobility.core import clock
from mobility.core.money import PriceLine, VatPart, total_cents, vat_split

LETTERS = {DocumentKind.RECEIPT: "R", DocumentKind.CREDIT_NOTE: "N"}

_NEXT_NUMBER = """
    INSERT INTO bookings_documentseries (organisation_id, kind, year, last_number)
    VALUES (%s, %s, %s, 1)
    ON CONFLICT (organisation_id, kind, year)
    DO UPDATE SET last_number = bookings_documentseries.last_number + 1
    RETURNING last_number
"""


def issue_document(
    *,
    payment: Payment,
    kind: DocumentKind,
    lines: Sequence[PriceLine],
    at: datetime.datetime,
    vat: Sequence[VatPart] | None = None,
) -> Receipt:
    """Hand out the next document of the payment's organisation; VAT once per rate.

    `vat` is the split where the lines alone do not say it: parts of a receipt add up to it.

    Runs in the caller's transaction and keeps the series' row until it commits: a number is given
    exactly once, and a roll-back gives it back.
    """
    year = clock.service_day(at).year
    sequence = _next_number(payment.organisation_id, kind, year)
    return Receipt.objects.create(
        organisation_id=payment.organisation_id,
        payment=payment,
        kind=kind,
        year=year,
        sequence=sequence,
        number=f"{payment.organisation.slug}/{LETTERS[kind]}/{year}/{sequence:06d}",
        issued_at=at,
        currency=payment.currency,
        lines=[line.as_json() for line in lines],
        vat=[part.as_json() for part in (vat_split(lines) if vat is None else vat)],
        total_cents=total_cents(lines),
    )


def _next_number(organisation_id: int, kind: DocumentKind, year: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_NUMBER, [organisation_id, kind, year])
        (number,) = cursor.fetchone()
    return int(number)
