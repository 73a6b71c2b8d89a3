"""What the gateway tells of the wire, free of any protocol's field names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class FrameSeen(NamedTuple):
    """One frame, as it went over the wire. A tuple: there are thousands a second."""

    station_id: int
    at: datetime
    direction: str
    epoch: int
    version: str
    kind: int
    message_id: str
    action: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class QuirkUse:
    """How often a station needed one leniency since the last report."""

    station_id: int
    quirk: str
    times: int
    at: datetime
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgiveness:
    """An active leniency profile: glob patterns of a make, and what is forgiven to it."""

    vendor: str
    model: str
    firmware: str
    quirks: frozenset[str]
