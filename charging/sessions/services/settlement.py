"""The last word on a session: its energy, its price, and the record of both."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from django.db import transaction

from charging.sessions.events import SessionPriced
from charging.sessions.models import ChargingSession
from charging.sessions.services.billing import Bill, bill_session, join_readings
from charging.sessions.services.flags import add_flag
from charging.sessions.services.records import issue_record
from charging.sessions.services.signatures import verify_session
from charging.sessions.states import SessionState
from mobility.core import outbox, sweeps
from mobility.core.money import total_cents, vat_split
from mobility.core.principals import system_principal
from mobility.core.transitions import move

SETTLEMENT: Final = system_principal("settlement")
# How long a session with gaps may wait for its missing messages.
WAIT_FOR_GAPS: Final = timedelta(minutes=15)
_LOOKS: Final = 50


@transaction.atomic
def settle_session(*, session_id: int, at: datetime) -> bool:
    """Price an ended session once and for all; False if it is not ended or still waits for data.

    1. Lock it. A session with gaps waits 15 minutes for its missing messages, then is settled on
       what there is and flagged as estimated.
    2. Join readings of its connector that came without a transaction and fall into its time.
    3. Verify what its meter signed; what does not verify is flagged and counts for nothing alone.
    4. Bill it, see `billing.bill_session`.
    5. Move it to settled, issue its charge detail record and publish SessionPriced, in the same
       transaction.
    """
    session = locked_session(session_id)
    if session.state != SessionState.ENDED or _waits(session, at=at):
        return False
    join_readings(session)
    verify_session(session, at=at)
    bill = bill_session(session)
    for flag in bill.flags:
        add_flag(session, flag)
    _settle(session, bill, at=at)
    issue_record(session, bill, at=at)
    return True


def locked_session(session_id: int) -> ChargingSession:
    """The session, locked, with all that a bill asks for; raises ChargingSession.DoesNotExist."""
    session: ChargingSession = (
        ChargingSession.objects.select_for_update(of=("self",))
        .select_related("connector__evse", "station__site", "tariff_version__tariff")
        .get(pk=session_id)
    )
    return session


def settle_due(*, at: datetime, limit: int = 200) -> int:
    """Settle what is due and was not settled by its event; returns how many.

    A session that cannot be settled is logged and does not keep the others waiting, however many
    such there are: up to `limit` are settled, not looked at.
    """
    due = ChargingSession.objects.to_settle(before=at - WAIT_FOR_GAPS)
    settled = sweeps.each_alone(
        list(due.order_by("end_reported_at", "pk").values_list("pk", flat=True)[: limit * _LOOKS]),
        lambda session_id: settle_session(session_id=session_id, at=at),
        event="charging.settlement_failed",
        named=lambda session_id: session_id,
    )
    return sum(islice(filter(None, settled), limit))


def _waits(session: ChargingSession, *, at: datetime) -> bool:
    if session.complete or session.end_reported_at is None:
        return False
    return at - session.end_reported_at < WAIT_FOR_GAPS


def _settle(session: ChargingSession, bill: Bill, *, at: datetime) -> None:
    move(
        session,
        to=SessionState.SETTLED,
        at=at,
        by=SETTLEMENT,
        energy_wh=bill.energy.energy_wh,
        flags=session.flags,
        signature=session.signature,
        charging_ended_at=bill.charging_ended_at,
        tariff_version=bill.version,
        price_cents=total_cents(bill.lines),
        currency=bill.version.tariff.currency if bill.version else session.currency,
        lines=[line.as_json() for line in bill.lines],
        vat=[part.as_json() for part in vat_split(bill.lines)],
        settled_at=at,
    )
    outbox.publish(_priced(session), at=at)


def _priced(session: ChargingSession) -> SessionPriced:
    # A settled session has all of these; this narrows the types.
    assert session.started_at is not None
    assert session.ended_at is not None
    assert session.price_cents is not None
    return SessionPriced(
        session_id=str(session.public_id),
        station_identity=session.station.identity,
        connector_id=str(session.connector.public_id) if session.connector else None,
        operator_id=session.station.site.organisation_id,
        token_uid=session.token_uid,
        owner_ref=session.owner_ref,
        purpose_ref=session.purpose_ref,
        energy_wh=session.energy_wh,
        started_at=session.started_at,
        ended_at=session.ended_at,
        price_cents=session.price_cents,
        currency=session.currency,
        lines=session.lines,
        vat=session.vat,
        flags=session.flags,
    )
