"""Settling a session anew: a credit of its record, and another in its place."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from charging.sessions.models import ChargeRecord, ChargingSession
from charging.sessions.services.billing import bill_session, join_readings
from charging.sessions.services.records import (
    ReasonMissing,
    issue_record,
    open_records,
    publish_correction,
    take_back,
)
from charging.sessions.services.settlement import locked_session
from charging.sessions.services.signatures import verify_session
from charging.sessions.states import SessionState
from mobility.core import audit
from mobility.core.errors import Conflict, Invalid
from mobility.core.money import total_cents, vat_split
from mobility.core.principals import Principal


class NotSettled(Conflict):
    """Only what was billed can be corrected."""

    code = "session_not_settled"
    message = _("This session is not settled yet.")


class NothingToCorrect(Conflict):
    """The same energy and the same price again."""

    code = "nothing_to_correct"
    message = _("Settled anew this session comes to the same.")


class WhollyCredited(Conflict):
    """Its buyer has had everything back, and is never asked for more than they were."""

    code = "session_wholly_credited"
    message = _("This session was credited whole; it stays so.")


class EnergyImplausible(Invalid):
    """More than the connector can have given."""

    code = "energy_implausible"
    message = _("The connector cannot have given so much energy in that time.")


@transaction.atomic
def correct_session(
    *,
    session_id: int,
    reason: str,
    at: datetime,
    by: Principal,
    energy_wh: int | None = None,
) -> ChargeRecord:
    """Bill a settled session again, with data that came late or with energy that staff found.

    1. Bill it as at settlement, by the tariff frozen at its start; `energy_wh` replaces the meter.
    2. Take its record back by a credit, if one stands, and issue the next.
    3. Write the new figures into the session and publish SessionCorrected. Nothing is charged or
       refunded here: who bought the session decides.

    Raises ReasonMissing, NotSettled, WhollyCredited, EnergyImplausible, NothingToCorrect.
    """
    if not reason.strip():
        raise ReasonMissing
    session = locked_session(session_id)
    if session.state != SessionState.SETTLED:
        raise NotSettled
    if energy_wh is not None:
        _refuse_implausible(session, energy_wh)
    before = list(open_records(session_id=session.pk))
    if not before and ChargeRecord.objects.filter(session_id=session.pk).exists():
        raise WhollyCredited
    join_readings(session)
    verify_session(session, at=at)
    bill = bill_session(session, energy_wh=energy_wh)
    cents = total_cents(bill.lines)
    if before and (before[0].gross_cents, before[0].energy_wh) == (cents, bill.energy.energy_wh):
        raise NothingToCorrect
    for record in before:
        take_back(record, reason=reason, at=at, by=by)
    session.energy_wh, session.price_cents = bill.energy.energy_wh, cents
    session.lines = [line.as_json() for line in bill.lines]
    session.vat = [part.as_json() for part in vat_split(bill.lines)]
    session.save(update_fields=["energy_wh", "price_cents", "lines", "vat", "signature", "flags"])
    replacement = issue_record(session, bill, at=at)
    for record in before:
        publish_correction(record, replacement, reason=reason, at=at)
    audit.record(
        by=by,
        action="correct_session",
        row=session,
        at=at,
        changes={"reason": reason[:200], "price_cents": cents, "energy_wh": session.energy_wh},
    )
    return replacement


def _refuse_implausible(session: ChargingSession, energy_wh: int) -> None:
    # Settled sessions have both; this narrows the types.
    assert session.started_at is not None
    assert session.ended_at is not None
    hours = (session.ended_at - session.started_at).total_seconds() / 3600
    most = session.connector.max_power_w * hours * 1.2 + 500 if session.connector else None
    if energy_wh < 0 or (most is not None and energy_wh > most):
        raise EnergyImplausible
