"""Settling a session anew: a credit of its record, and another in its place."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from charging.sessions.models import ChargeRecord, ChargingSession
from charging.sessions.services.billing import Bill, bill_session, join_readings
from charging.sessions.services.flags import add_flag, drop_flag
from charging.sessions.services.lost import take_late_end
from charging.sessions.services.records import (
    ReasonMissing,
    issue_record,
    open_records,
    publish_correction,
    take_back,
)
from charging.sessions.services.settlement import locked_session
from charging.sessions.services.signatures import verify_session
from charging.sessions.states import Flag, SessionState
from mobility.core import audit
from mobility.core.errors import Conflict, Invalid
from mobility.core.money import total_cents, vat_split
from mobility.core.principals import Principal

# What a bill says of the data it stands on; a new one judges anew, with all that came by then.
_JUDGED: Final = (
    Flag.ESTIMATED,
    Flag.SUSPECT_METER,
    Flag.STUCK_METER,
    Flag.NO_TARIFF,
    Flag.NO_ENERGY,
    Flag.LATE_DATA,
)


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

    1. A session that we had given up and whose station told its end after all ends there.
    2. Bill it as at settlement, by the tariff frozen at its start; `energy_wh` replaces the meter.
    3. Take its record back by a credit, if one stands, and issue the next.
    4. Write the new figures and flags into the session and publish SessionCorrected. Nothing is
       charged or refunded here: who bought the session decides.

    Raises ReasonMissing, NotSettled, WhollyCredited, EnergyImplausible, NothingToCorrect.
    """
    if not reason.strip():
        raise ReasonMissing
    session = locked_session(session_id)
    if session.state != SessionState.SETTLED:
        raise NotSettled
    take_late_end(session)
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
    _write(session, bill)
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


def _write(session: ChargingSession, bill: Bill) -> None:
    """All that a bill says of its session, as it stands now; what no longer holds is unsaid."""
    for flag in _JUDGED:
        drop_flag(session, flag)
    for flag in bill.flags:
        add_flag(session, flag)
    session.energy_wh, session.price_cents = bill.energy.energy_wh, total_cents(bill.lines)
    session.charging_ended_at = bill.charging_ended_at
    session.tariff_version = bill.version
    session.currency = bill.version.tariff.currency if bill.version else session.currency
    session.lines = [line.as_json() for line in bill.lines]
    session.vat = [part.as_json() for part in vat_split(bill.lines)]
    session.save(
        update_fields=[
            "energy_wh", "price_cents", "charging_ended_at", "tariff_version", "currency", "lines",
            "vat", "signature", "flags", "ended_at", "meter_stop_wh", "stop_reason", "complete",
        ]
    )  # fmt: skip


def _refuse_implausible(session: ChargingSession, energy_wh: int) -> None:
    # Settled sessions have both; this narrows the types.
    assert session.started_at is not None
    assert session.ended_at is not None
    hours = (session.ended_at - session.started_at).total_seconds() / 3600
    most = session.connector.max_power_w * hours * 1.2 + 500 if session.connector else None
    if energy_wh < 0 or (most is not None and energy_wh > most):
        raise EnergyImplausible
