"""What one 2.x transaction event changes in its session; nothing here touches the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from charging.sessions.facts import AuthorizationVerdict, EventKind, TransactionEvent
from charging.sessions.models import ChargingSession
from charging.sessions.rules import (
    SequenceLog,
    is_whole,
    normal_uid,
    not_ahead,
    note_sequence,
)
from charging.sessions.services.flags import add_flag, drop_flag
from charging.sessions.services.metering import note_energy, reading_rows
from charging.sessions.services.rows import ReadingRow
from charging.sessions.states import SESSION_OPEN, Flag, SessionState
from charging.stations.queries import ConnectorRow

_ENERGY_FLOWS: Final = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})
_STOPPING: Final = frozenset({"StopAuthorized", "Deauthorized", "RemoteStop"})
_LARGEST_SEQ: Final = 2**31 - 1


@dataclass(slots=True)
class Story:
    """A session on its way through a batch of events."""

    session: ChargingSession
    is_new: bool
    connector: ConnectorRow | None = None
    began: bool = False
    readings: list[ReadingRow] = field(default_factory=list)

    @property
    def target_state(self) -> str:
        """Where the session stands by what is known of it; over is over."""
        session = self.session
        if not self.is_new and session.state not in {*SESSION_OPEN, SessionState.ORPHAN}:
            return session.state
        if session.started_at is None:
            return SessionState.ORPHAN
        if session.ended_at is not None:
            return SessionState.ENDED
        flows = session.charging_state in _ENERGY_FLOWS or session.charged_until is not None
        if flows or session.state == SessionState.CHARGING:
            return SessionState.CHARGING
        return SessionState.AUTHORISED


def new_session(event: TransactionEvent, *, reference: str, at: datetime) -> ChargingSession:
    """A session nobody has heard of yet; its first events say the rest."""
    return ChargingSession(
        station_id=event.station_id,
        transaction_ref=reference,
        state=SessionState.ORPHAN,
        heard_at=at,
    )


def takes_token(session: ChargingSession, event: TransactionEvent) -> bool:
    """Whether the token of this event is the one the session charges for."""
    if not event.uid or event.kind is EventKind.ENDED or event.trigger in _STOPPING:
        return False
    return session.token_uid in {"", normal_uid(event.uid)}


def apply_event(
    story: Story,
    event: TransactionEvent,
    *,
    verdict: AuthorizationVerdict | None,
    owner_ref: str,
    purpose_ref: str,
    at: datetime,
) -> None:
    """Write into the session what the event says. Events come in the order of their numbers.

    1. A settled session keeps the facts it was billed by; that more came is flagged.
    2. Place, token, charging state.
    3. The beginning by Started, the end by Ended.
    4. Readings, then which numbers are still missing.
    """
    session = story.session
    session.heard_at = max(session.heard_at, at)
    if session.state == SessionState.SETTLED:
        add_flag(session, Flag.LATE_DATA)
        story.readings += _readings(story, event)
        if event.kind is EventKind.ENDED:
            session.seq_last = _seq(event)
        _note_number(session, _seq(event))
        return
    session.charging_state = event.charging_state[:20] or session.charging_state
    session.purpose_ref = session.purpose_ref or purpose_ref
    if event.offline:
        add_flag(session, Flag.OFFLINE)
    _note_place(story, event)
    _note_token(session, event, verdict, owner_ref)
    if event.kind is EventKind.STARTED:
        story.began = session.started_at is None
        session.started_at, session.seq_first = not_ahead(event.at, at=at), _seq(event)
    rows = _readings(story, event)
    story.readings += rows
    if event.kind is EventKind.STARTED:
        _note_first_register(session, rows)
    if event.kind is EventKind.ENDED:
        _note_end(session, event, rows, at=at)
    _note_number(session, _seq(event))


def _note_place(story: Story, event: TransactionEvent) -> None:
    session = story.session
    if story.connector is not None:
        session.connector_id = story.connector.pk
        drop_flag(session, Flag.UNKNOWN_CONNECTOR)
    elif event.evse_number is not None and session.connector_id is None:
        add_flag(session, Flag.UNKNOWN_CONNECTOR)


def _note_token(
    session: ChargingSession,
    event: TransactionEvent,
    verdict: AuthorizationVerdict | None,
    owner_ref: str,
) -> None:
    if not event.uid:
        return
    if not takes_token(session, event):
        session.stop_token_uid = normal_uid(event.uid)
        return
    session.token_uid, session.owner_ref = normal_uid(event.uid), owner_ref
    if verdict is not None:
        session.verdict = str(verdict.status)
        drop_flag(session, Flag.UNAUTHORISED)
        if not verdict.accepted:
            add_flag(session, Flag.UNAUTHORISED)


def _readings(story: Story, event: TransactionEvent) -> list[ReadingRow]:
    place = str(event.evse_number) if event.evse_number is not None else event.transaction_ref
    return reading_rows(
        event.readings,
        station_id=event.station_id,
        place=place,
        connector=story.connector,
        session=story.session,
    )


def _note_first_register(session: ChargingSession, rows: Sequence[ReadingRow]) -> None:
    """What the Started says counts, also when it arrives after later values."""
    registers = [row for row in rows if row.register_wh is not None]
    begin = [row for row in registers if row.context == "Transaction.Begin"]
    if registers:
        session.meter_start_wh = (begin or registers)[0].register_wh
        note_energy(session)


def _note_end(
    session: ChargingSession,
    event: TransactionEvent,
    rows: Sequence[ReadingRow],
    *,
    at: datetime,
) -> None:
    registers = [row for row in rows if row.register_wh is not None]
    final = [row for row in registers if row.context == "Transaction.End"]
    if registers:
        session.meter_stop_wh = (final or registers)[-1].register_wh
    drop_flag(session, Flag.LOST)
    session.ended_at, session.seq_last = not_ahead(event.at, at=at), _seq(event)
    session.stop_reason = event.stop_reason[:30]
    session.power_w = 0
    session.end_reported_at = session.end_reported_at or at


def _note_number(session: ChargingSession, seq_no: int) -> None:
    log = SequenceLog(
        next=session.seq_next,
        missing=tuple(session.seq_missing),
        jumped=Flag.SEQUENCE_JUMP.value in session.flags,
    )
    log = note_sequence(log, seq_no=seq_no)
    session.seq_next, session.seq_missing = log.next, list(log.missing)
    if log.jumped:
        add_flag(session, Flag.SEQUENCE_JUMP)
    session.complete = is_whole(log, first=session.seq_first, last=session.seq_last)
    if session.started_at and session.ended_at:
        # A clock set back between the two must not make time run backwards.
        session.ended_at = max(session.ended_at, session.started_at)


def _seq(event: TransactionEvent) -> int:
    return min(max(event.seq_no, 0), _LARGEST_SEQ)
