"""Topics of vehicles at the broker, and what is said on them.

| Topic | From | What |
|---|---|---|
| `fleet/v/{serial}/t` | device | a report, the same JSON as over HTTP |
| `fleet/v/{serial}/a` | device | answers to commands: a report with `acks` alone |
| `fleet/v/{serial}/c` | edge | one command; expires with it |
| `fleet/v/{serial}/e` | edge | what could not be taken, and why |
| `fleet/v/{serial}/r` | edge | the whole reply, to a report that asks for it as its Response Topic |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import msgspec

from fleet.telematics.wire import CommandOut, Rejected, ReportOut

# Every edge takes a share of what comes in.
TAKEN_TOPICS = ("$share/edge/fleet/v/+/t", "$share/edge/fleet/v/+/a")
_TOPIC = re.compile(r"fleet/v/([^/]+)/[ta]")

_PORTS = {"mqtt": 1883, "mqtts": 8883}


class Refusal(msgspec.Struct, frozen=True):
    """Why a message, or some of its items, could not be taken."""

    code: str
    detail: str
    rejected: list[Rejected] = []


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the broker is."""

    host: str
    port: int
    tls: bool
    username: str
    password: str


def read_url(url: str) -> Address:
    """A broker's address from `mqtt[s]://[user:password@]host[:port]`. Raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("an address of a broker reads mqtt://host:1883 or mqtts://host:8883")
    return Address(
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def serial_in(topic: str) -> str | None:
    """Whose topic it is; the broker lets nobody write on another's."""
    match = _TOPIC.fullmatch(topic)
    return match[1] if match else None


def command_topic(serial: str) -> str:
    """Where a device hears commands."""
    return f"fleet/v/{serial}/c"


def error_topic(serial: str) -> str:
    """Where a device hears what was wrong."""
    return f"fleet/v/{serial}/e"


def reply_topic(serial: str) -> str:
    """The only topic a device may ask a reply on."""
    return f"fleet/v/{serial}/r"


def write(body: CommandOut | Refusal | ReportOut) -> bytes:
    """The JSON of what is said to a device."""
    return msgspec.json.encode(body)
