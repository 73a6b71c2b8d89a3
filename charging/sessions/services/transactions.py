"""OCPP 2.x transactions: numbered events that may arrive late, twice or in the wrong order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from charging.sessions.facts import (
    AuthorizationVerdict,
    EventAnswer,
    EventKind,
    TransactionEvent,
)
from charging.sessions.models import ChargingSession
from charging.sessions.rules import event_key, normal_uid, not_ahead
from charging.sessions.services.authorisation import (
    Grounds,
    OpenSessions,
    ends_rightly,
    starting_verdict,
    tokens_by_uid,
    verdict_as_json,
    verdict_from_json,
    verdict_on,
)
from charging.sessions.services.flags import add_flag
from charging.sessions.services.inbox import (
    InboxFact,
    InboxKey,
    keep_answers,
    stored_answers,
    take_in,
)
from charging.sessions.services.pricing import RunningCosts
from charging.sessions.services.rows import insert_readings, insert_sessions, update_sessions
from charging.sessions.services.starts import session_started, station_identities
from charging.sessions.services.stops import (
    STATIONS,
    SessionKey,
    end_moved,
    lock_sessions,
    session_ended,
)
from charging.sessions.services.stories import Story, apply_event, new_session, takes_token
from charging.sessions.states import Flag, SessionState
from charging.stations import queries as stations
from charging.stations.models import StationCommand
from charging.stations.states import CommandAction
from charging.tariffs.models import TariffVersion
from charging.tariffs.queries import versions_for_connectors
from mobility.core import outbox
from mobility.core.transitions import move_many


class _Wish(NamedTuple):
    """What a remote start was for, and the most it may cost; 0 for no limit."""

    purpose_ref: str = ""
    limit_cents: int = 0


_NO_WISH: Final = _Wish()


def record_transaction_events(
    *,
    events: Sequence[TransactionEvent],
    at: datetime,
) -> list[EventAnswer]:
    """Take in transaction events and answer them, repeats as before; answers in order.

    1. Take the facts into the inbox. What is there already is answered from there.
    2. Lock the sessions they belong to; an event of a transaction we never heard of makes one,
       an orphan until its Started arrives.
    3. Apply the events of each session by number, not by arrival.
    4. Write sessions and readings, move the states, publish starts and ends.
    5. Keep the answers: the verdict where a token was shown, the cost where there is a tariff.

    Runs inside the caller's transaction.
    """
    keys = [(event.station_id, event_key(event)) for event in events]
    facts = [_fact(event, key) for event, key in zip(events, keys, strict=True)]
    fresh = take_in(facts=facts, at=at)
    first: dict[InboxKey, int] = {}
    for index, key in enumerate(keys):
        if key in fresh:
            first.setdefault(key, index)
    answers = _work_off({key: events[index] for key, index in first.items()}, at=at)
    answers |= stored_answers(keys=[key for key in keys if key not in first])
    return [
        _answer(answers[key], duplicate=first.get(key) != index) for index, key in enumerate(keys)
    ]


def _fact(event: TransactionEvent, key: InboxKey) -> InboxFact:
    return InboxFact(
        station_id=event.station_id,
        business_key=key[1],
        action=f"transaction_{event.kind.lower()}",
        payload=event.payload,
        answer={},
    )


def _work_off(
    events: dict[InboxKey, TransactionEvent],
    *,
    at: datetime,
) -> dict[InboxKey, dict[str, Any]]:
    """Apply new events in the order of their numbers; the answers by inbox key."""
    if not events:
        return {}
    ordered = dict(sorted(events.items(), key=lambda item: item[1].seq_no))
    stories = _load_stories(ordered.values(), at=at)
    wishes = _wishes(ordered.values())
    verdicts = _apply_all(ordered, stories, wishes, at=at)
    _give_tariffs(stories.values(), at=at)
    _save(stories.values(), at=at)
    costs = RunningCosts(story.session for story in stories.values())
    answers = {
        key: _answer_data(
            stories[_session_key(event)].session, event, verdicts[key], costs=costs, at=at
        )
        for key, event in ordered.items()
    }
    for key, event in ordered.items():
        limit_cents = wishes.get(_wish_key(event), _NO_WISH).limit_cents
        if limit_cents:
            answers[key]["limit_cents"] = limit_cents
    keep_answers(answers={key: answer for key, answer in answers.items() if answer})
    return answers


def _load_stories(
    events: Iterable[TransactionEvent],
    *,
    at: datetime,
) -> dict[SessionKey, Story]:
    by_key = {_session_key(event): event for event in events}
    found = lock_sessions(by_key)
    stories = {}
    for key, event in by_key.items():
        session = found.get(key) or new_session(event, reference=key[1], at=at)
        stories[key] = Story(session=session, is_new=key not in found)
    return stories


def _apply_all(
    events: dict[InboxKey, TransactionEvent],
    stories: dict[SessionKey, Story],
    wishes: dict[tuple[int, int], _Wish],
    *,
    at: datetime,
) -> dict[InboxKey, AuthorizationVerdict | None]:
    connectors = stations.connectors_by_key(station_ids={e.station_id for e in events.values()})
    by_id = {row.pk: row for row in connectors.values()}
    uids = [event.uid for event in events.values() if event.uid]
    owners = [story.session.token_uid for story in stories.values()] if uids else []
    tokens, charging = tokens_by_uid([*uids, *owners]), OpenSessions(uids)
    grounds = Grounds(tokens, station_ids={event.station_id for event in events.values()})
    verdicts: dict[InboxKey, AuthorizationVerdict | None] = {}
    for key, event in events.items():
        story = stories[_session_key(event)]
        named = stations.find_connector(
            connectors,
            station_id=event.station_id,
            evse_number=event.evse_number,
            connector_number=event.connector_number,
        )
        story.connector = named or by_id.get(story.session.connector_id or 0)
        token = tokens.get(normal_uid(event.uid or ""))
        verdict = None
        if event.uid or event.token_kind:
            verdict = verdict_on(tokens, uid=event.uid or "", token_kind=event.token_kind, at=at)
        if verdict is not None and takes_token(story.session, event):
            place = (event.station_id, story.connector.pk if story.connector else None)
            allowed = grounds.judge(
                starting_verdict(tokens, verdict, uid=event.uid or ""),
                uid=event.uid or "",
                station_id=event.station_id,
                evse_number=story.connector.evse_number if story.connector else None,
            )
            verdict = charging.judge(
                allowed,
                token=token,
                uid=event.uid or "",
                place=(*place, story.session.transaction_ref),
            )
        elif event.uid and story.session.token_uid:
            owner_uid = story.session.token_uid
            if not ends_rightly(tokens, uid=event.uid, owner_uid=owner_uid):
                add_flag(story.session, Flag.STOPPED_BY_OTHER)
        verdicts[key] = verdict
        apply_event(
            story,
            event,
            verdict=verdict,
            owner_ref=token.owner_ref if token else "",
            purpose_ref=wishes.get(_wish_key(event), _NO_WISH).purpose_ref,
            at=at,
        )
    return verdicts


def _wishes(events: Iterable[TransactionEvent]) -> dict[tuple[int, int], _Wish]:
    """What the remote starts that the events name wanted, by station and command."""
    numbers = {event.remote_start_id for event in events if event.remote_start_id}
    if not numbers:
        return {}
    rows = StationCommand.objects.filter(pk__in=numbers, action=CommandAction.REMOTE_START)
    named = rows.values_list("station_id", "pk", "purpose_ref", "payload__limit_cents")
    return {
        (station_id, pk): _Wish(purpose_ref, limit_cents or 0)
        for station_id, pk, purpose_ref, limit_cents in named
    }


def _wish_key(event: TransactionEvent) -> tuple[int, int]:
    return event.station_id, event.remote_start_id or 0


def _give_tariffs(stories: Iterable[Story], *, at: datetime) -> None:
    """Fix the tariff version of sessions that began under one, and load it for the cost."""
    sessions = [story.session for story in stories if story.session.started_at is not None]
    without = {s.connector_id for s in sessions if s.tariff_version_id is None and s.connector_id}
    versions = versions_for_connectors(connector_ids=without, at=at, with_tariff=False)
    known = {s.tariff_version_id for s in sessions if s.tariff_version_id}
    loaded = TariffVersion.objects.in_bulk(known) if known else {}
    for session in sessions:
        if session.tariff_version_id is not None:
            session.tariff_version = loaded[session.tariff_version_id]
            continue
        version = versions.get(session.connector_id or 0)
        # An offline start of last week may fall under an older version: settlement finds that.
        if version is not None and session.started_at in version.valid:
            session.tariff_version = version


def _save(stories: Iterable[Story], *, at: datetime) -> None:
    chapters = list(stories)
    targets = [story.target_state for story in chapters]
    new = [story for story in chapters if story.is_new]
    for story, target in zip(chapters, targets, strict=True):
        if story.is_new:
            story.session.state = target
    insert_sessions(story.session for story in new)
    update_sessions([story.session for story in chapters if not story.is_new])
    insert_readings(
        [replace(row, session_id=story.session.pk) for story in chapters for row in story.readings],
    )
    identities = station_identities({story.session.station_id for story in chapters})
    _publish_new(chapters, new, identities, at=at)
    for to in (SessionState.AUTHORISED, SessionState.CHARGING, SessionState.ENDED):
        moving = [
            story.session
            for story, target in zip(chapters, targets, strict=True)
            if not story.is_new and target == to and story.session.state != to
        ]
        if to == SessionState.ENDED:
            end_moved(moving, identities=identities, at=at)
        else:
            move_many(moving, to=to, at=at, by=STATIONS)


def _publish_new(
    stories: Sequence[Story],
    new: Sequence[Story],
    identities: dict[int, str],
    *,
    at: datetime,
) -> None:
    started = [
        session_started(
            story.session,
            identity=identities[story.session.station_id],
            connector=story.connector,
        )
        for story in stories
        if story.began
    ]
    ended = [
        session_ended(story.session, identity=identities[story.session.station_id])
        for story in new
        if story.session.state == SessionState.ENDED
    ]
    if started or ended:
        outbox.publish(*started, *ended, at=at)


def _session_key(event: TransactionEvent) -> SessionKey:
    return event.station_id, event.transaction_ref[:64]


def _answer_data(
    session: ChargingSession,
    event: TransactionEvent,
    verdict: AuthorizationVerdict | None,
    *,
    costs: RunningCosts,
    at: datetime,
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if verdict is not None:
        data["verdict"] = verdict_as_json(verdict)
    if event.kind is not EventKind.STARTED:
        cost = costs.of(session, until=not_ahead(event.at, at=at))
        if cost is not None:
            data |= {"cost_cents": cost, "currency": session.currency}
    return data


def _answer(data: dict[str, Any], *, duplicate: bool) -> EventAnswer:
    verdict = data.get("verdict")
    return EventAnswer(
        verdict=verdict_from_json(verdict) if verdict else None,
        cost_cents=data.get("cost_cents"),
        currency=data.get("currency", "EUR"),
        limit_cents=data.get("limit_cents"),
        duplicate=duplicate,
    )
