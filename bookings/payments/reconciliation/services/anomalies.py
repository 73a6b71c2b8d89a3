"""Anomalies: found once, open until somebody says what they were."""

import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import Anomaly, Payment, Refund, StatementLine
from bookings.payments.reconciliation.states import AnomalyKind, AnomalyState
from mobility.core.errors import Invalid
from mobility.core.money import EUR
from mobility.core.principals import Principal
from mobility.core.transitions import move


class NoteMissing(Invalid):
    """Closing an anomaly without a word helps nobody next year."""

    code = "note_missing"
    message = _("Please write down what it was.")


def report_anomaly(
    *,
    kind: AnomalyKind,
    subject: str,
    provider: str,
    at: datetime.datetime,
    payment: Payment | None = None,
    refund: Refund | None = None,
    line: StatementLine | None = None,
    booked_cents: int = 0,
    stated_cents: int = 0,
    currency: str = EUR,
) -> Anomaly:
    """Put something that does not agree into the queue; the same thing found again is one row."""
    payment = payment or (refund.payment if refund else None)
    anomaly, _fresh = Anomaly.objects.get_or_create(
        kind=kind,
        subject=subject,
        defaults={
            "organisation_id": payment.organisation_id if payment else None,
            "provider": provider,
            "payment": payment,
            "refund": refund,
            "line": line,
            "booked_cents": booked_cents,
            "stated_cents": stated_cents,
            "currency": currency,
            "found_at": at,
        },
    )
    return anomaly


def explain_anomaly(
    *, anomaly: Anomaly, note: str, at: datetime.datetime, by: Principal
) -> Anomaly:
    """Say what it was; nothing else has to happen. Raises `NoteMissing`, `LostRace`."""
    return _close(anomaly, AnomalyState.EXPLAINED, note=note, at=at, by=by)


def resolve_anomaly(
    *, anomaly: Anomaly, note: str, at: datetime.datetime, by: Principal
) -> Anomaly:
    """Say what was done about it, or that the other half has turned up. Raises as above."""
    return _close(anomaly, AnomalyState.RESOLVED, note=note, at=at, by=by)


def _close(
    anomaly: Anomaly, state: AnomalyState, *, note: str, at: datetime.datetime, by: Principal
) -> Anomaly:
    if not note.strip():
        raise NoteMissing
    with transaction.atomic():
        return move(
            anomaly, to=state, at=at, by=by, reason=note, note=note, closed_at=at, closed_by=by
        )
