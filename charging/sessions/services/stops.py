"""OCPP 1.6 style stops: one message ends a session, or is kept as an orphan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from charging.sessions.events import SessionEnded
from charging.sessions.facts import (
    AuthorizationVerdict,
    Reading,
    Sample,
    SessionStop,
    StopAnswer,
)
from charging.sessions.models import ChargingSession
from charging.sessions.rules import (
    is_own_reference,
    normal_uid,
    not_ahead,
    orphan_reference,
    stop_key,
)
from charging.sessions.services.authorisation import (
    ends_rightly,
    tokens_by_uid,
    verdict_as_json,
    verdict_from_json,
    verdict_on,
)
from charging.sessions.services.flags import add_flag, drop_flag
from charging.sessions.services.inbox import InboxFact, InboxKey, stored_answers, take_in
from charging.sessions.services.metering import reading_rows
from charging.sessions.services.rows import (
    ReadingRow,
    insert_readings,
    insert_sessions,
    update_sessions,
)
from charging.sessions.services.starts import station_identities
from charging.sessions.states import SESSION_OPEN, Flag, SessionState
from charging.stations import queries as stations
from charging.stations.queries import ConnectorRow
from mobility.core import outbox
from mobility.core.principals import system_principal
from mobility.core.transitions import move_many

# One name for all stations in the trail of moves: a batch moves sessions of hundreds of them in
# one statement, and each session's row says which station it was.
STATIONS = system_principal("stations")
END_OF_TRANSACTION = "Transaction.End"

SessionKey = tuple[int, str]
"""Station id and transaction reference."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A stop, the session it names if we know it, and its inbox fact."""

    stop: SessionStop
    session: ChargingSession | None
    fact: InboxFact
    rightly: bool = True


def stop_sessions(*, stops: Sequence[SessionStop], at: datetime) -> list[StopAnswer]:
    """End sessions, or answer repeats as before; answers in the order of the stops.

    1. Find and lock the sessions the stops name; a number that we never gave that station names
       none, and ends none.
    2. Take the facts into the inbox. What is there already is answered from there.
    3. Write end, register and reason; a stop without a session becomes an orphan session, which
       staff see and nobody bills.
    4. Move the sessions and publish that they ended.

    Runs inside the caller's transaction.
    """
    sessions = lock_sessions(
        {
            (stop.station_id, stop.transaction_ref)
            for stop in stops
            if is_own_reference(stop.transaction_ref)
        },
    )
    plans = _plan(stops, sessions, at=at)
    fresh = take_in(facts=[plan.fact for plan in plans], at=at)
    first = _first_of_each(plans, fresh)
    _write(list(first.values()), at=at)
    acting = {id(plan) for plan in first.values()}
    stored = stored_answers(keys=[p.fact.key for p in plans if id(p) not in acting])
    return [
        _answer(plan.fact.answer, duplicate=False)
        if id(plan) in acting
        else _answer(stored[plan.fact.key], duplicate=True)
        for plan in plans
    ]


def lock_sessions(keys: Iterable[SessionKey]) -> dict[SessionKey, ChargingSession]:
    """The sessions of these stations and references, locked in the order of their ids."""
    wanted = set(keys)
    if not wanted:
        return {}
    rows = (
        ChargingSession.objects.select_for_update(of=("self",))
        .filter(
            station_id__in={station_id for station_id, _ref in wanted},
            transaction_ref__in={reference for _pk, reference in wanted},
        )
        .order_by("pk")
    )
    found = {(row.station_id, row.transaction_ref): row for row in rows}
    return {key: row for key, row in found.items() if key in wanted}


def end_moved(
    sessions: Sequence[ChargingSession],
    *,
    identities: dict[int, str],
    at: datetime,
) -> None:
    """Move sessions whose end is written to ended, all in one go, and publish it."""
    ended = move_many(sessions, to=SessionState.ENDED, at=at, by=STATIONS)
    if ended:
        outbox.publish(
            *[session_ended(row, identity=identities[row.station_id]) for row in ended],
            at=at,
        )


def session_ended(session: ChargingSession, *, identity: str) -> SessionEnded:
    """The fact that a session is over."""
    # Only sessions with a known end are published; this narrows the type.
    assert session.ended_at is not None
    return SessionEnded(
        session_id=str(session.public_id),
        station_identity=identity,
        token_uid=session.token_uid,
        owner_ref=session.owner_ref,
        purpose_ref=session.purpose_ref,
        ended_at=session.ended_at,
        stop_reason=session.stop_reason,
        complete=session.complete,
    )


def _plan(
    stops: Sequence[SessionStop],
    sessions: dict[SessionKey, ChargingSession],
    *,
    at: datetime,
) -> list[_Plan]:
    shown = [stop.uid for stop in stops if stop.uid]
    # The owners' tokens too, in the same query: may the one that was shown end their session?
    owners = [session.token_uid for session in sessions.values()] if shown else []
    tokens = tokens_by_uid([*shown, *owners])
    plans = []
    for stop in stops:
        session = sessions.get((stop.station_id, stop.transaction_ref))
        verdict = verdict_on(tokens, uid=stop.uid, at=at) if stop.uid else None
        rightly = True
        if stop.uid and session is not None:
            rightly = ends_rightly(tokens, uid=stop.uid, owner_uid=session.token_uid)
        fact = _fact(stop, verdict, known=session is not None)
        plans.append(_Plan(stop, session, fact, rightly=rightly))
    return plans


def _fact(
    stop: SessionStop,
    verdict: AuthorizationVerdict | None,
    *,
    known: bool,
) -> InboxFact:
    return InboxFact(
        station_id=stop.station_id,
        business_key=stop_key(stop),
        action="stop",
        payload=stop.payload,
        answer={"verdict": verdict_as_json(verdict) if verdict else None, "known": known},
    )


def _first_of_each(plans: Sequence[_Plan], fresh: set[InboxKey]) -> dict[InboxKey, _Plan]:
    first: dict[InboxKey, _Plan] = {}
    for plan in plans:
        if plan.fact.key in fresh:
            first.setdefault(plan.fact.key, plan)
    return first


def _write(plans: Sequence[_Plan], *, at: datetime) -> None:
    if not plans:
        return
    connectors = _connectors_by_id({plan.stop.station_id for plan in plans})
    known = [(plan.stop, plan.session) for plan in plans if plan.session is not None]
    for plan in plans:
        if plan.session is not None and not plan.rightly:
            add_flag(plan.session, Flag.STOPPED_BY_OTHER)
    readings: list[ReadingRow] = []
    for stop, session in known:
        connector = connectors.get(session.connector_id or 0)
        readings += _stop_readings(stop, session, connector)
        note_end(session, stop, at=at)
    insert_sessions([_orphan(plan, at=at) for plan in plans if plan.session is None])
    update_sessions([session for _stop, session in known])
    insert_readings(readings)
    ending = [session for _stop, session in known if session.state in SESSION_OPEN]
    identities = station_identities({session.station_id for session in ending})
    end_moved(ending, identities=identities, at=at)


def _stop_readings(
    stop: SessionStop,
    session: ChargingSession,
    connector: ConnectorRow | None,
) -> list[ReadingRow]:
    place = str(connector.evse_number) if connector else f"session {session.pk}"
    # A settled session takes no end any more; as a reading it is there for who bills it anew.
    late = [_as_reading(stop)] if session.state == SessionState.SETTLED else []
    return reading_rows(
        [*stop.readings, *late],
        station_id=stop.station_id,
        place=place,
        connector=connector,
        session=session,
    )


def _as_reading(stop: SessionStop) -> Reading:
    register = Sample(value=stop.meter_stop_wh, unit="Wh", context=END_OF_TRANSACTION)
    raw = {"transaction": stop.transaction_ref, "meter": stop.meter_stop_wh, "reason": stop.reason}
    return Reading(at=stop.at, samples=(register,), raw=raw)


def note_end(session: ChargingSession, stop: SessionStop, *, at: datetime) -> None:
    """Write the station's end into the session, also one that was given up before.

    A settled session keeps the facts it was billed by; that more came is flagged.
    """
    session.heard_at = at
    if session.state == SessionState.SETTLED:
        add_flag(session, Flag.LATE_DATA)
        return
    drop_flag(session, Flag.LOST)
    # A station whose clock was set back between start and stop must not make time run backwards.
    ended_at = not_ahead(stop.at, at=at)
    session.ended_at = max(ended_at, session.started_at or ended_at)
    session.meter_stop_wh = stop.meter_stop_wh
    session.stop_reason = stop.reason[:30]
    session.stop_token_uid = normal_uid(stop.uid) if stop.uid else ""
    session.power_w = 0
    session.end_reported_at = session.end_reported_at or at
    session.complete = True


def _orphan(plan: _Plan, *, at: datetime) -> ChargingSession:
    stop = plan.stop
    return ChargingSession(
        station_id=stop.station_id,
        transaction_ref=orphan_reference(plan.fact.business_key),
        state=SessionState.ORPHAN,
        token_uid=normal_uid(stop.uid or ""),
        stop_token_uid=normal_uid(stop.uid or ""),
        ended_at=not_ahead(stop.at, at=at),
        heard_at=at,
        end_reported_at=at,
        meter_stop_wh=stop.meter_stop_wh,
        stop_reason=stop.reason[:30],
        flags=[Flag.UNKNOWN_TRANSACTION.value],
    )


def _connectors_by_id(station_ids: set[int]) -> dict[int, ConnectorRow]:
    rows = stations.connectors_by_key(station_ids=station_ids)
    return {row.pk: row for row in rows.values()}


def _answer(data: dict[str, Any], *, duplicate: bool) -> StopAnswer:
    verdict = data["verdict"]
    return StopAnswer(
        verdict=verdict_from_json(verdict) if verdict else None,
        known=data["known"],
        duplicate=duplicate,
    )
