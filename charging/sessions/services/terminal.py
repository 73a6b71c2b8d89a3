"""Payments that stations take themselves, at a terminal: kept, and joined to their session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from charging.sessions.facts import TerminalPayment, TerminalReceipt
from charging.sessions.models import ChargeRecord, ChargingSession, TerminalSettlement
from charging.sessions.states import RecordKind
from charging.stations.rules import without_nul


def record_settlements(
    *, payments: Sequence[TerminalPayment], at: datetime
) -> list[TerminalReceipt]:
    """Keep what terminals say they collected, once each; answers in the order of the payments.

    The answer names the session's charge detail record where it is there already. Runs inside the
    caller's transaction.
    """
    sessions = {
        (row.station_id, row.transaction_ref): row
        for row in ChargingSession.objects.filter(
            station_id__in={payment.station_id for payment in payments},
            transaction_ref__in={payment.transaction_ref for payment in payments} - {""},
        )
    }
    found = [sessions.get((one.station_id, one.transaction_ref)) for one in payments]
    TerminalSettlement.objects.bulk_create(
        [_row(payment, session, at=at) for payment, session in zip(payments, found, strict=True)],
        ignore_conflicts=True,
    )
    numbers = dict(
        ChargeRecord.objects.filter(
            session__in=[session for session in found if session is not None],
            kind=RecordKind.CHARGE,
            credited_by__isnull=True,
        ).values_list("session_id", "number")
    )
    return [TerminalReceipt(number=numbers.get(row.pk, "") if row else "") for row in found]


def _row(
    payment: TerminalPayment, session: ChargingSession | None, *, at: datetime
) -> TerminalSettlement:
    return TerminalSettlement(
        station_id=payment.station_id,
        session=session,
        transaction_ref=without_nul(payment.transaction_ref)[:64],
        psp_ref=without_nul(payment.psp_ref)[:255],
        status=payment.status[:8],
        amount_cents=payment.amount_cents,
        settled_at=payment.at,
        receipt_url=without_nul(payment.receipt_url)[:2000],
        note=without_nul(payment.note)[:500],
        reported_at=at,
    )
