"""Facts about vehicles that others may want to know."""

import datetime
from dataclasses import dataclass
from typing import ClassVar

from mobility.core.outbox import Event


@dataclass(frozen=True, kw_only=True)
class CommandFinished(Event):
    """A command to a vehicle came to an end.

    `result` is confirmed, rejected, expired (never delivered in time), unknown (delivered, no
    answer in time) or superseded (a newer command made it pointless). After `unknown` a late
    answer of the vehicle gives a second event, with `late` set.
    """

    name: ClassVar[str] = "fleet.command_finished.v1"

    command_id: str
    vehicle_id: int
    vehicle_public_id: str
    kind: str
    result: str
    purpose_ref: str
    late: bool = False


@dataclass(frozen=True, kw_only=True)
class TripEnded(Event):
    """A ride that had begun is over; `trip_ref` is the name its owner gave it."""

    name: ClassVar[str] = "fleet.trip_ended.v1"

    vehicle_id: int
    trip_ref: str
    started_at: datetime.datetime
    ended_at: datetime.datetime


@dataclass(frozen=True, kw_only=True)
class LifeChanged(Event):
    """A vehicle went to another part of its life (`LifeState`), for a reason if one was given."""

    name: ClassVar[str] = "fleet.life_changed.v1"

    vehicle_id: int
    before: str
    after: str
    at: datetime.datetime
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class HoldDisplaced(Event):
    """A hold was taken away before its use began; its holder must look for another vehicle."""

    name: ClassVar[str] = "fleet.hold_displaced.v1"

    hold_id: int
    vehicle_id: int
    purpose: str
    holder_ref: str
    reason: str
