"""What money keeps about a person: the tax law has a say in how much of it goes."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from bookings.payments.models import (
    BillingDetails,
    Fee,
    Payment,
    PaymentMethod,
    Receipt,
    Refund,
)
from bookings.payments.queries import wallets_of
from bookings.payments.services import remove_payment_method
from bookings.payments.states import FeeState, PaymentState, RefundState
from bookings.riders import registry
from bookings.riders.rules import Obstacle
from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core.principals import Principal

UNSETTLED = (
    PaymentState.OPENING, PaymentState.AUTHORISED, PaymentState.CAPTURING, PaymentState.DUE,
)  # fmt: skip
OPEN_FEES = (FeeState.PROPOSED, FeeState.NOTICED, FeeState.DISPUTED)
OPEN_REFUNDS = (RefundState.PROPOSED, RefundState.REQUESTED)


def export(*, user: User) -> dict[str, Any]:
    """Cards as far as we know them, payments, refunds, fees and every document."""
    paid = {"payment__payer": user}
    return {
        "cards": list(
            PaymentMethod.objects.filter(user=user)
            .order_by("pk")
            .values("public_id", "provider", "label", "created_at", "removed_at")
        ),
        "billing": BillingDetails.objects.filter(user=user).values().first(),
        "credit": [
            {"organisation": account.organisation.slug, "cents": account.balance_cents}
            for account, _aside in wallets_of(user_id=user.pk)
        ],
        "payments": list(
            Payment.objects.filter(payer=user)
            .order_by("pk")
            .values(
                "public_id", "organisation__slug", "purpose", "purpose_ref", "state", "currency",
                "amount_cents", "captured_cents", "refunded_cents", "created_at", "captured_at",
            )
        ),
        "refunds": list(
            Refund.objects.filter(**paid)
            .order_by("pk")
            .values("public_id", "payment__public_id", "state", "cents", "reason", "done_at")
        ),
        "fees": list(
            Fee.objects.filter(user=user)
            .order_by("pk")
            .values("public_id", "state", "cents", "reason", "proposed_at", "dispute", "decision")
        ),
        "documents": list(
            Receipt.objects.filter(**paid)
            .order_by("pk")
            .values("number", "kind", "issued_at", "lines", "vat", "total_cents", "customer")
        ),
    }  # fmt: skip


def hindrances(*, user: User, at: datetime.datetime) -> list[privacy.Hindrance]:
    """Money is owed in one direction or the other."""
    payments = Payment.objects.filter(payer=user, state__in=UNSETTLED)
    refunds = Refund.objects.filter(payment__payer=user, state__in=OPEN_REFUNDS)
    fees = Fee.objects.filter(user=user, state__in=OPEN_FEES)
    found = []
    if payments.exists() or fees.exists():
        message = _("Something is not paid yet; pay it first.")
        found.append(privacy.Hindrance(code="payment_open", message=message))
    if refunds.exists():
        message = _("You get money back; wait until it has been sent.")
        found.append(privacy.Hindrance(code="refund_open", message=message))
    if any(account.balance_cents or aside for account, aside in wallets_of(user_id=user.pk)):
        message = _("There is credit left in your wallet; use it or ask to have it back.")
        found.append(privacy.Hindrance(code="credit_left", message=message))
    return found


def erase(*, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
    """Cards and billing details go, and what was said about fees; bookings of the ledger stay.

    Payments keep pointing to the account, which by now is an opaque number.
    """
    for method_id in PaymentMethod.objects.filter(user=user).values_list("pk", flat=True):
        remove_payment_method(method_id=method_id, at=at, by=by)
        PaymentMethod.objects.filter(pk=method_id).update(label="", token=f"erased-{method_id}")
    BillingDetails.objects.filter(user=user).delete()
    Fee.objects.filter(user=user).update(dispute="", evidence=[])


@registry.register
def debts(*, user_id: int, organisation_id: int, at: datetime.datetime) -> tuple[Obstacle, ...]:
    """What is unpaid stands in the way of riding, with every operator."""
    owed = Payment.objects.owed_by(user_id).exists()
    return (Obstacle("debt"),) if owed else ()


privacy.register(
    "payments",
    export=export,
    erase=erase,
    hindrances=hindrances,
    kept=_(
        "Receipts, invoices and the entries of the accounts, for ten years (art. 2220 of the Civil"
        " Code); invoices with the name they were made out to."
    ),
)
