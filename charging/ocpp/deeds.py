"""What lies between a protocol version and the gateway: one call means one deed.

A version's inbound table turns a checked payload into a ``Deed`` (something the writer thread
commits before we answer) or, where nothing is to be stored, into the reply itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from charging.ocpp.rpc.frames import Payload
from charging.ocpp.rpc.versions import Version
from charging.stations.facts import CommandResult, CommandToSend


class Verb(StrEnum):
    """The services the gateway calls, each in batches; see ``gateway.verbs``."""

    FIND = "find"
    OPEN = "open"
    CLOSE = "close"
    HELD = "held"
    SEEN = "seen"
    REFUSED = "refused"
    FRAMES = "frames"
    QUIRKS = "quirks"
    FORGIVEN = "forgiven"
    BOOT = "boot"
    SIGNING = "signing_request"
    SECURITY_EVENT = "security_event"
    STREAM_OPEN = "stream_open"
    STREAM_CLOSE = "stream_close"
    STREAM_VALUES = "stream_values"
    STATUS = "status"
    AUTHORIZE = "authorize"
    START = "start"
    STOP = "stop"
    READINGS = "readings"
    EVENT = "event"
    SETTLEMENT = "settlement"
    DEVICE = "device"
    ENERGY = "energy"
    TAKE_COMMANDS = "take_commands"
    MARK_SENT = "mark_sent"
    FINISH_COMMAND = "finish_command"


@dataclass(slots=True)
class Asked:
    """A checked call of a known station, received at ``at``."""

    station_id: int
    payload: Payload
    at: datetime


@dataclass(slots=True)
class Deed:
    """A fact for one service verb, and how the service's answer is said on the wire."""

    verb: Verb
    fact: Any
    reply: Callable[[Any], Payload]


@dataclass(frozen=True, slots=True)
class Errand:
    """Something to be asked elsewhere before we answer, and the answer where nobody replies.

    ``run`` blocks, bounded by time-outs of its own; it runs in a thread and raises what it likes.
    """

    run: Callable[[], Payload]
    otherwise: Payload


Handler = Callable[[Asked], Deed | Errand | Payload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One protocol version: what we understand, and how our commands are said in it."""

    version: Version
    inbound: Mapping[str, Handler]
    say: Callable[[CommandToSend], tuple[str, Payload]]
    """Action and payload of a command; raises Unspeakable where the version has no word."""
    hear: Callable[[CommandToSend, Payload], CommandResult]
    """What the station's answer means."""


class Unspeakable(Exception):
    """The command cannot be said in this version, or to this station."""
