"""The staff's side of a case: answer, resolve, give money back."""

import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.services import request_refund
from bookings.support import rules
from bookings.support.events import CaseAnswered, CaseResolved
from bookings.support.models import CaseMessage, SupportCase
from bookings.support.states import CaseState, Resolution
from mobility.core import outbox
from mobility.core.errors import Conflict
from mobility.core.principals import Principal, system_principal
from mobility.core.transitions import move, move_many

KEEPER = system_principal("support-keeper")
LIMIT = 500


class NothingToRefund(Conflict):
    """No payment belongs to the case, or nothing of it was asked for."""

    code = "nothing_to_refund"
    message = _("There is no payment in this case that could be given back.")


def answer_case(
    *, case: SupportCase, text: str, at: datetime.datetime, by: Principal
) -> SupportCase:
    """A word of staff; from now on the person is to speak. Raises `IllegalMove` when it is over."""
    with transaction.atomic():
        case = SupportCase.objects.select_for_update().get(pk=case.pk)
        CaseMessage.objects.create(case=case, by=by, from_staff=True, text=text, at=at)
        outbox.publish(
            CaseAnswered(
                case_id=str(case.public_id),
                case_number=case.case_number,
                organisation_id=case.organisation_id,
            ),
            at=at,
        )
        first = case.answered_at or at
        if case.state == CaseState.ANSWERED:
            return case
        return move(case, to=CaseState.ANSWERED, at=at, by=by, answered_at=first)


def resolve_case(
    *,
    case: SupportCase,
    resolution: str,
    text: str,
    at: datetime.datetime,
    by: Principal,
    refund_cents: int = 0,
) -> SupportCase:
    """Settle a case with a last word, and with money where that is the answer.

    The refund keeps every rule of refunds: never more than was paid, a second person above the
    organisation's limit. Raises `NothingToRefund`, `RefundTooLarge`, `IllegalMove`.
    """
    with transaction.atomic():
        case = (
            SupportCase.objects.select_for_update(of=("self",))
            .select_related("payment")
            .get(pk=case.pk)
        )
        refund = None
        if (resolution == Resolution.REFUNDED) != (refund_cents > 0) or (
            refund_cents and case.payment is None
        ):
            raise NothingToRefund
        if case.payment is not None and refund_cents:
            reason = f"{case.case_number}: {text}"[:200]
            refund = request_refund(
                payment_id=case.payment.pk, cents=refund_cents, reason=reason, at=at, by=by
            )
        CaseMessage.objects.create(case=case, by=by, from_staff=True, text=text, at=at)
        outbox.publish(
            CaseResolved(
                case_id=str(case.public_id),
                case_number=case.case_number,
                organisation_id=case.organisation_id,
                kind=case.kind,
                resolution=resolution,
            ),
            at=at,
        )
        return move(
            case,
            to=CaseState.RESOLVED,
            at=at,
            by=by,
            answered_at=case.answered_at or at,
            resolved_at=at,
            resolution=resolution,
            refund=refund,
        )


def close_resolved(*, at: datetime.datetime) -> int:
    """Close what was resolved two weeks ago; returns how many."""
    old = SupportCase.objects.filter(
        state=CaseState.RESOLVED, resolved_at__lte=at - rules.REOPEN_WITHIN
    )
    with transaction.atomic():
        return len(move_many(old.order_by("pk")[:LIMIT], to=CaseState.CLOSED, at=at, by=KEEPER))
