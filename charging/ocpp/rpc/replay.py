"""Answers given before, for a station that repeats a call under the same message id.

Second line only: the first are the business keys in the database, which also know a repetition
under a new id and one that follows a crash of ours. Hence the bounds may be tight: a station
has one call out at a time, so what it repeats is what it sent last.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

FACT_TTL_S: Final = 24 * 3600.0
QUESTION_TTL_S: Final = 300.0
_FACTS: Final = frozenset(
    {"StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"},
)
"""Calls that say when something happened: their answer holds for a day.

The rest ask for the present. Stations that count ids from 1 after each restart will repeat an
old pair of id and content as a new question, and must not get an old clock as its answer: hence
their answers hold for minutes, and for one connection.
"""


class _Entry(NamedTuple):
    digest: int
    reply: bytes
    expires_s: float
    is_fact: bool


_Entries = OrderedDict[str, _Entry]


class ReplayCache:
    """Replies by station and message id, only for exactly the same frame; oldest out."""

    def __init__(self, *, max_stations: int = 20_000, max_per_station: int = 16) -> None:
        self._max_stations = max_stations
        self._max_per_station = max_per_station
        self._stations: OrderedDict[int, _Entries] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(entries) for entries in self._stations.values())

    def remember(
        self,
        *,
        station_id: int,
        message_id: str,
        action: str,
        frame: bytes,
        reply: bytes,
        now_s: float,
    ) -> None:
        """Keep ``reply``; ``now_s`` is any monotonic clock in seconds."""
        entries = self._stations.setdefault(station_id, OrderedDict())
        self._stations.move_to_end(station_id)
        is_fact = action in _FACTS
        lifetime_s = FACT_TTL_S if is_fact else QUESTION_TTL_S
        entries[message_id] = _Entry(_digest(frame), reply, now_s + lifetime_s, is_fact)
        entries.move_to_end(message_id)
        if len(entries) > self._max_per_station:
            entries.popitem(last=False)
        if len(self._stations) > self._max_stations:
            self._stations.popitem(last=False)

    def recall(
        self,
        *,
        station_id: int,
        message_id: str,
        frame: bytes,
        now_s: float,
    ) -> bytes | None:
        """The reply this very frame got before, or None."""
        entries = self._stations.get(station_id)
        entry = entries.get(message_id) if entries else None
        if entry is None:
            return None
        known = entry.expires_s >= now_s and entry.digest == _digest(frame)
        return entry.reply if known else None

    def forget_questions(self, *, station_id: int) -> None:
        """The station connected anew: only what it said of the past is still the same."""
        entries = self._stations.get(station_id, OrderedDict())
        for message_id in [name for name, entry in entries.items() if not entry.is_fact]:
            del entries[message_id]

    def forget_station(self, *, station_id: int) -> None:
        """The station restarted: its ids may begin anew."""
        self._stations.pop(station_id, None)


def _digest(frame: bytes) -> int:
    """Enough to tell two frames of one station apart; who makes them collide repeats only itself."""
    return hash(frame)
