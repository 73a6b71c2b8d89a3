"""Reads of documents, and the daily totals that the VAT register wants."""

import dataclasses
import datetime
from collections.abc import Collection
from decimal import Decimal

from django.db import connection

from bookings.payments.models import MoneyQuerySet, Receipt
from mobility.core.clock import CITY_ZONE

# Receipts that an invoice has replaced stand in the register of invoices, and so do all credit notes
# on that payment: those before the invoice are in its total, those after it reduce it. What was paid from credit was taxed when the credit was bought.
_TOTALS = """
    SELECT document.organisation_id,
           (document.issued_at AT TIME ZONE %(zone)s)::date AS day,
           (part ->> 'rate')::numeric AS rate,
           document.currency,
           count(DISTINCT document.id) FILTER (WHERE document.kind = 'receipt'),
           count(DISTINCT document.id) FILTER (WHERE document.kind = 'credit_note'),
           sum(sign * (part ->> 'net_cents')::bigint)::bigint,
           sum(sign * (part ->> 'vat_cents')::bigint)::bigint,
           sum(sign * (part ->> 'gross_cents')::bigint)::bigint
    FROM bookings_receipt AS document
    JOIN bookings_payment AS payment ON payment.id = document.payment_id
    CROSS JOIN LATERAL jsonb_array_elements(document.vat) AS part
    CROSS JOIN LATERAL (SELECT CASE document.kind WHEN 'receipt' THEN 1 ELSE -1 END AS sign) AS way
    WHERE document.organisation_id = ANY(%(organisations)s)
      AND document.issued_at >= %(since)s AND document.issued_at < %(until)s
      AND payment.provider <> 'wallet'
      AND document.kind IN ('receipt', 'credit_note') AND NOT EXISTS (
          SELECT 1 FROM bookings_receipt AS invoice
          WHERE invoice.payment_id = document.payment_id AND invoice.kind = 'invoice')
    GROUP BY 1, 2, 3, 4
    ORDER BY 2, 1, 3
"""


@dataclasses.dataclass(frozen=True, slots=True)
class DayTotal:
    """The corrispettivi of one organisation, day and VAT rate; credit notes already taken off."""

    organisation_id: int
    day: datetime.date
    rate: Decimal
    currency: str
    receipts: int
    credit_notes: int
    net_cents: int
    vat_cents: int
    gross_cents: int


def shown_documents() -> MoneyQuerySet[Receipt]:
    """Documents with all that showing them takes, in one query."""
    return Receipt.objects.select_related("organisation", "payment__method", "corrects")


def daily_totals(
    *, organisation_ids: Collection[int], first: datetime.date, last: datetime.date
) -> list[DayTotal]:
    """The corrispettivi between two days of the city's calendar, both included, in one query."""
    after = last + datetime.timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(
            _TOTALS,
            {
                "zone": str(CITY_ZONE),
                "organisations": list(organisation_ids),
                "since": _midnight(first),
                "until": _midnight(after),
            },
        )
        return [DayTotal(*row) for row in cursor.fetchall()]


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), tzinfo=CITY_ZONE)
