"""Pure rules of messages: which is a repeat, whose clock is wrong, and when a story is whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from charging.sessions.facts import Reading, SessionStart, SessionStop, TransactionEvent
from charging.sessions.rules.tokens import normal_uid
from charging.stations.rules import storable_json

_MAX_GAP: Final = 1000
_MAX_AHEAD: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SequenceLog:
    """Which message numbers of a transaction were seen: all below `next` but the missing."""

    next: int = 0
    missing: tuple[int, ...] = ()
    jumped: bool = False


def not_ahead(reported_at: datetime, *, at: datetime) -> datetime:
    """The station's instant, or that of its arrival if its clock is more than a day ahead.

    Local time sent as UTC is hours ahead at both ends of a session, and harmless. A session that
    ends next year would be billed for a year.
    """
    return reported_at if reported_at <= at + _MAX_AHEAD else at


def note_sequence(log: SequenceLog, *, seq_no: int) -> SequenceLog:
    """The log after message `seq_no`; once more than 1,000 are missing, that is noted instead."""
    if seq_no < log.next:
        missing = tuple(number for number in log.missing if number != seq_no)
        return SequenceLog(next=log.next, missing=missing, jumped=log.jumped)
    if len(log.missing) + seq_no - log.next > _MAX_GAP:
        return SequenceLog(next=log.next, missing=log.missing, jumped=True)
    gap = tuple(range(log.next, seq_no))
    return SequenceLog(next=seq_no + 1, missing=log.missing + gap, jumped=log.jumped)


def is_whole(log: SequenceLog, *, first: int | None, last: int | None) -> bool:
    """Whether every message from the first (Started) to the last (Ended) was seen."""
    if first is None or last is None or log.jumped or log.next <= last:
        return False
    return not any(first <= number <= last for number in log.missing)


def start_key(start: SessionStart) -> str:
    """What makes two 1.6 starts the same one."""
    uid = normal_uid(start.uid)
    return f"start:{start.evse_number}:{uid}:{start.at.isoformat()}:{start.meter_start_wh}"


def is_own_reference(transaction_ref: str) -> bool:
    """Whether this can be a 1.6 transaction id of ours: a positive 32-bit integer."""
    return (
        transaction_ref.isascii()
        and transaction_ref.isdigit()
        and (0 < int(transaction_ref[:12]) < 2**31)
    )


def stop_key(stop: SessionStop) -> str:
    """What makes two 1.6 stops the same one; without a transaction of ours: when and at what."""
    if is_own_reference(stop.transaction_ref):
        return f"stop:{stop.transaction_ref}"
    return f"stop:{stop.transaction_ref[:20]}:{stop.at.isoformat()}:{stop.meter_stop_wh}"


def event_key(event: TransactionEvent) -> str:
    """What makes two 2.x transaction events the same one."""
    ref = event.transaction_ref[:64]
    return f"tx:{ref}:{event.seq_no}:{event.kind}:{event.at.isoformat()}"


def orphan_reference(key: str) -> str:
    """A transaction reference for a stop without a start; never equal to one we give out."""
    return f"unknown:{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"


def reading_fingerprint(*, place: str, reading: Reading) -> UUID:
    """What makes two readings the same one: the place, the instant, the content."""
    content = storable_json(reading.raw) if reading.raw else repr(reading.samples)
    text = f"{place}|{reading.at.isoformat()}|{content}"
    return UUID(bytes=hashlib.blake2b(text.encode(), digest_size=16).digest())


def signed_fingerprint(*, place: str, at: datetime, data: str) -> UUID:
    """What makes two signed values the same one: the place, the instant, what was signed."""
    text = f"{place}|{at.isoformat()}|{data}"
    return UUID(bytes=hashlib.blake2b(text.encode(errors="replace"), digest_size=16).digest())
