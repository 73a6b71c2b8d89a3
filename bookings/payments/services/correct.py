"""A new version of a price that was charged already."""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import Payment, Receipt, Refund
from bookings.payments.services.refund import REFUNDABLE, request_refund
from bookings.payments.states import DocumentKind
from mobility.core.errors import Conflict
from mobility.core.money import PriceLine, total_cents
from mobility.core.principals import SYSTEM, Principal


class CorrectionCostsMore(Conflict):
    """A correction never charges by itself; `extra["cents"]` says how much more it would be."""

    code = "correction_costs_more"
    message = _("The corrected price is higher. It is not charged by itself.")


def correct_charge(
    *,
    payment: Payment,
    lines: Sequence[PriceLine],
    reason: str,
    at: datetime.datetime,
    by: Principal,
) -> Refund | None:
    """Give back what the new price `lines` is lower than what was charged and still stands.

    `None` where as much went back already, or nobody has to pay it any more; higher than what was
    charged raises `CorrectionCostsMore`. A correction by a person goes through four eyes like any
    refund, one by the platform itself does not. The credit note lies on the VAT rates that became
    cheaper.
    """
    with transaction.atomic():
        # Locked, so that no refund comes between the look and the request.
        standing = Payment.objects.select_for_update().get(pk=payment.pk)
        more = total_cents(lines) - standing.amount_cents
        if more > 0:
            raise CorrectionCostsMore(extra={"cents": more})
        lower = -more - standing.refunded_cents
        if lower <= 0 or standing.state not in REFUNDABLE:
            return None
        return request_refund(
            payment_id=payment.pk,
            cents=lower,
            reason=reason,
            at=at,
            by=by,
            automatic=by.startswith(SYSTEM.partition(":")[0] + ":"),
            shares=_cheaper(standing, lines, cents=lower),
        )


def _cheaper(
    payment: Payment, lines: Sequence[PriceLine], *, cents: int
) -> dict[Decimal, int] | None:
    """By how much each VAT rate became cheaper; `None` where one became dearer."""
    by_rate: dict[Decimal, int] = {}
    for receipt in Receipt.objects.filter(payment=payment).exclude(kind=DocumentKind.INVOICE):
        sign = -1 if receipt.kind == DocumentKind.CREDIT_NOTE else 1
        for part in receipt.vat:
            rate = Decimal(part["rate"])
            by_rate[rate] = by_rate.get(rate, 0) + sign * part["gross_cents"]
    for line in lines:
        by_rate[line.vat_rate] = by_rate.get(line.vat_rate, 0) - line.cents
    plain = min(by_rate.values(), default=0) >= 0 and sum(by_rate.values()) == cents
    return by_rate if plain else None
