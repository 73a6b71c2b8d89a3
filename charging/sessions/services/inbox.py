"""The inbox: one row per business fact, so that a repeat finds the answer it got before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from charging.sessions.models import InboxMessage
from charging.stations.rules import storable_json

# Sorted, so that two gateways with the same facts in hand lock them in the same order.
_INSERT = """
INSERT INTO charging_inboxmessage
       (station_id, business_key, action, payload, answer, at, problem)
SELECT station_id, business_key, action, payload, answer, %s, problem
  FROM jsonb_to_recordset(%s::jsonb)
       AS fact (station_id bigint, business_key text, action text, payload jsonb, answer jsonb,
                problem text)
 ORDER BY station_id, business_key
    ON CONFLICT (station_id, business_key) DO NOTHING
RETURNING station_id, business_key
"""
_ANSWER = """
UPDATE charging_inboxmessage AS message
   SET answer = given.answer
  FROM jsonb_to_recordset(%s::jsonb)
       AS given (station_id bigint, business_key text, answer jsonb)
 WHERE message.station_id = given.station_id AND message.business_key = given.business_key
"""

InboxKey = tuple[int, str]
"""Station id and business key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFact:
    """A fact about to be taken in, with the answer it will get."""

    station_id: int
    business_key: str
    action: str
    payload: dict[str, Any]
    answer: dict[str, Any]
    problem: str = ""

    @property
    def key(self) -> InboxKey:
        return self.station_id, self.business_key


def take_in(*, facts: Sequence[InboxFact], at: datetime) -> set[InboxKey]:
    """Store the facts and return the keys that are new; the others were taken in before.

    A fact that another transaction is just taking in is waited for, then counts as a repeat.
    """
    first: dict[InboxKey, InboxFact] = {}
    for fact in facts:
        first.setdefault(fact.key, fact)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [at, storable_json([_row(fact) for fact in first.values()])])
        return {(station_id, key) for station_id, key in cursor.fetchall()}


def stored_answers(*, keys: Sequence[InboxKey]) -> dict[InboxKey, dict[str, Any]]:
    """The answers that facts taken in before were given."""
    if not keys:
        return {}
    wanted = set(keys)
    rows = InboxMessage.objects.filter(
        station_id__in={station_id for station_id, _key in wanted},
        business_key__in={key for _station_id, key in wanted},
    ).values_list("station_id", "business_key", "answer")
    return {(pk, key): answer for pk, key, answer in rows if (pk, key) in wanted}


def keep_answers(*, answers: dict[InboxKey, dict[str, Any]]) -> None:
    """Fill in the answers of facts that were just taken in."""
    if not answers:
        return
    rows = [
        {"station_id": station_id, "business_key": key, "answer": answer}
        for (station_id, key), answer in answers.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ANSWER, [storable_json(rows)])


def _row(fact: InboxFact) -> dict[str, Any]:
    return {
        "station_id": fact.station_id,
        "business_key": fact.business_key,
        "action": fact.action,
        "payload": fact.payload,
        "answer": fact.answer,
        "problem": fact.problem,
    }


@transaction.atomic
def quarantine(
    *,
    station_id: int,
    action: str,
    payload: dict[str, Any],
    reason: str,
    at: datetime,
) -> None:
    """Keep a message that could not be processed, with the reason; a repeat is kept once.

    Called outside the transaction that failed.
    """
    digest = hashlib.blake2b(storable_json(payload).encode(), digest_size=16).hexdigest()
    fact = InboxFact(
        station_id=station_id,
        business_key=f"quarantine:{action[:30]}:{digest}",
        action=action[:30],
        payload=payload,
        answer={},
        problem=reason.replace("\x00", "")[:200] or "unknown",
    )
    take_in(facts=[fact], at=at)
