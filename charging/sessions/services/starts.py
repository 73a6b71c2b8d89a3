"""OCPP 1.6 style starts: one message begins a session and asks for its number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from charging.sessions.events import SessionStarted
from charging.sessions.facts import AuthorizationVerdict, SessionStart, StartAnswer
from charging.sessions.models import ChargingSession
from charging.sessions.rules import normal_uid, not_ahead, start_key
from charging.sessions.services.authorisation import (
    Grounds,
    OpenSessions,
    TokenRow,
    starting_verdict,
    tokens_by_uid,
    verdict_as_json,
    verdict_from_json,
    verdict_on,
)
from charging.sessions.services.inbox import InboxFact, InboxKey, stored_answers, take_in
from charging.sessions.services.rows import insert_sessions, next_transaction_ids
from charging.sessions.states import Flag, SessionState
from charging.stations import queries as stations
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.queries import ConnectorRow
from charging.stations.states import CommandAction, CommandState
from charging.tariffs.queries import versions_for_connectors
from mobility.core import outbox

# A remote start names its token; the station's start follows within a plug's time.
_REMOTE_START_WINDOW: Final = timedelta(minutes=10)
# A start reported so late was made while the station was offline; clocks differ by less.
_OFFLINE: Final = timedelta(minutes=10)


def start_sessions(*, starts: Sequence[SessionStart], at: datetime) -> list[StartAnswer]:
    """Begin sessions, or answer repeats as before; answers in the order of the starts.

    1. Judge every token; a refused one still gets a session and a positive number, because the
       station may have delivered energy already (1.6 edition 2 §4.8).
    2. Take the facts into the inbox. What is there already is answered from there.
    3. Create the new sessions and publish that they started.

    Runs inside the caller's transaction.
    """
    connectors = stations.connectors_by_key(station_ids={start.station_id for start in starts})
    plans = _plan(starts, connectors, at=at)
    fresh = take_in(facts=[plan.fact for plan in plans], at=at)
    first = _first_of_each(plans, fresh)
    _create_sessions(first, at=at)
    acting = set(first)
    stored = stored_answers(keys=[plan.fact.key for plan in plans if plan not in acting])
    return [
        _answer(plan.fact.answer, duplicate=False)
        if plan in acting
        else _answer(stored[plan.fact.key], duplicate=True)
        for plan in plans
    ]


class _Plan:
    """A start with everything that was found out about it."""

    def __init__(
        self,
        *,
        start: SessionStart,
        connector: ConnectorRow | None,
        token: TokenRow | None,
        verdict: AuthorizationVerdict,
        transaction_id: int,
    ) -> None:
        self.start = start
        self.connector = connector
        self.token = token
        self.verdict = verdict
        self.reference = str(transaction_id)
        answer = {"transaction_ref": self.reference, **verdict_as_json(verdict)}
        self.fact = InboxFact(
            station_id=start.station_id,
            business_key=start_key(start),
            action="start",
            payload=start.payload,
            answer=answer,
        )

    def session(self, *, purpose_ref: str, at: datetime) -> ChargingSession:
        """The session this start begins."""
        start = self.start
        flags = [] if self.verdict.accepted else [Flag.UNAUTHORISED.value]
        if self.connector is None:
            flags.append(Flag.UNKNOWN_CONNECTOR.value)
        if at - start.at > _OFFLINE:
            flags.append(Flag.OFFLINE.value)
        return ChargingSession(
            station_id=start.station_id,
            connector_id=self.connector.pk if self.connector else None,
            transaction_ref=self.reference,
            state=SessionState.CHARGING,
            token_uid=normal_uid(start.uid),
            owner_ref=self.token.owner_ref if self.token else "",
            purpose_ref=purpose_ref,
            verdict=str(self.verdict.status),
            started_at=not_ahead(start.at, at=at),
            heard_at=at,
            meter_start_wh=start.meter_start_wh,
            flags=flags,
        )


def _plan(
    starts: Sequence[SessionStart],
    connectors: dict[stations.ConnectorKey, ConnectorRow],
    *,
    at: datetime,
) -> list[_Plan]:
    tokens = tokens_by_uid(start.uid for start in starts)
    charging = OpenSessions(start.uid for start in starts)
    grounds = Grounds(tokens, station_ids={start.station_id for start in starts})
    numbers = next_transaction_ids(count=len(starts))
    plans = []
    for start, number in zip(starts, numbers, strict=True):
        connector = connectors.get((start.station_id, start.evse_number, None))
        token = tokens.get(normal_uid(start.uid))
        allowed = grounds.judge(
            starting_verdict(tokens, verdict_on(tokens, uid=start.uid, at=at), uid=start.uid),
            uid=start.uid,
            station_id=start.station_id,
            evse_number=start.evse_number,
        )
        verdict = charging.judge(
            allowed,
            token=token,
            uid=start.uid,
            place=(start.station_id, connector.pk if connector else None, start_key(start)),
        )
        plan = _Plan(
            start=start,
            connector=connector,
            token=token,
            verdict=verdict,
            transaction_id=number,
        )
        plans.append(plan)
    return plans


def _first_of_each(plans: Sequence[_Plan], fresh: set[InboxKey]) -> list[_Plan]:
    """The plans that act: of facts that are new, the first within the batch."""
    seen: set[InboxKey] = set()
    first = []
    for plan in plans:
        if plan.fact.key in fresh and plan.fact.key not in seen:
            seen.add(plan.fact.key)
            first.append(plan)
    return first


def _create_sessions(plans: Sequence[_Plan], *, at: datetime) -> None:
    if not plans:
        return
    purposes = _Purposes({plan.start.station_id for plan in plans}, at=at)
    sessions = [plan.session(purpose_ref=purposes.of(plan), at=at) for plan in plans]
    _freeze_prices(sessions, at=at)
    insert_sessions(sessions)
    identities = station_identities({session.station_id for session in sessions})
    events = [
        session_started(session, identity=identities[session.station_id], connector=plan.connector)
        for plan, session in zip(plans, sessions, strict=True)
    ]
    outbox.publish(*events, at=at)


def _freeze_prices(sessions: Sequence[ChargingSession], *, at: datetime) -> None:
    """What a session costs is decided when it begins; of one that began offline, at settlement."""
    versions = versions_for_connectors(
        connector_ids={s.connector_id for s in sessions if s.connector_id is not None},
        at=at,
        with_tariff=False,
    )
    for session in sessions:
        version = versions.get(session.connector_id or 0)
        if version is not None and session.started_at in version.valid:
            session.tariff_version_id = version.pk


def station_identities(station_ids: set[int]) -> dict[int, str]:
    """Identities by station id."""
    rows = ChargingStation.objects.filter(pk__in=station_ids).values_list("pk", "identity")
    return dict(rows)


def session_started(
    session: ChargingSession,
    *,
    identity: str,
    connector: ConnectorRow | None,
) -> SessionStarted:
    """The fact that a session began."""
    # Only sessions with a known beginning are published; this narrows the type.
    assert session.started_at is not None
    return SessionStarted(
        session_id=str(session.public_id),
        station_identity=identity,
        connector_id=str(connector.public_id) if connector else None,
        token_uid=session.token_uid,
        owner_ref=session.owner_ref,
        purpose_ref=session.purpose_ref,
        verdict=session.verdict,
        started_at=session.started_at,
    )


class _Purposes:
    """What remote starts of the last minutes were for; one query for a batch."""

    def __init__(self, station_ids: set[int], *, at: datetime) -> None:
        self._commands = list(
            StationCommand.objects.filter(
                station_id__in=station_ids,
                action=CommandAction.REMOTE_START,
                state__in=[CommandState.SENT, CommandState.ACCEPTED, CommandState.TIMED_OUT],
                queued_at__gte=at - _REMOTE_START_WINDOW,
            )
            .exclude(purpose_ref="")
            .order_by("-id")
            .values_list("station_id", "connector_id", "payload", "queued_at", "purpose_ref"),
        )

    def of(self, plan: _Plan) -> str:
        """The newest remote start that this start can be the fruit of; empty for none."""
        start = plan.start
        for station_id, connector_id, payload, queued_at, purpose_ref in self._commands:
            # A command without a connector, or a start on one we do not know, fits anywhere.
            fitting = {None, plan.connector.pk if plan.connector else connector_id}
            here = station_id == start.station_id and connector_id in fitting
            named = normal_uid(payload.get("token_uid", "")) == normal_uid(start.uid)
            # Clocks of stations differ by minutes; an offline start of an hour ago is another.
            if here and named and start.at >= queued_at - _REMOTE_START_WINDOW:
                return str(purpose_ref)
        return ""


def _answer(data: dict[str, Any], *, duplicate: bool) -> StartAnswer:
    return StartAnswer(
        transaction_ref=data["transaction_ref"],
        verdict=verdict_from_json(data),
        duplicate=duplicate,
    )
