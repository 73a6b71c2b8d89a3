"""What an operator's pages work out by themselves: the checklist, the chart, the square code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from charging.desk.states import StepCode
from charging.stations.states import Registration
from mobility.core.qr import qr_runs

WIDTH: Final = 720
HEIGHT: Final = 220
_TLS_PROFILE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstContact:
    """What is known of a station's first steps; instants are None for what has not happened."""

    connected_at: datetime | None
    refused: str
    """Why its last try was turned away, as a code; empty if it got in since, or never tried."""
    refused_at: datetime | None
    booted_at: datetime | None
    registration: str
    statuses: int
    connectors: int
    status_at: datetime | None
    heartbeat_at: datetime | None
    session_at: datetime | None
    reading_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A line of the checklist. `trouble` says that something was tried and went wrong."""

    code: StepCode
    done: bool
    at: datetime | None = None
    trouble: str = ""
    count: int = 0
    total: int = 0


def checklist(contact: FirstContact) -> list[Step]:
    """The steps from the first handshake to the first measured charge, in their order."""
    booted = contact.booted_at is not None
    accepted = booted and contact.registration == Registration.ACCEPTED
    whole = contact.connectors > 0 and contact.statuses >= contact.connectors
    return [
        Step(
            code=StepCode.HANDSHAKE,
            done=contact.connected_at is not None,
            at=contact.connected_at or contact.refused_at,
            trouble=contact.refused,
        ),
        Step(
            code=StepCode.BOOT,
            done=accepted,
            at=contact.booted_at,
            trouble=contact.registration if booted and not accepted else "",
        ),
        Step(
            code=StepCode.STATUS,
            done=whole,
            at=contact.status_at,
            count=contact.statuses,
            total=contact.connectors,
        ),
        _step(StepCode.HEARTBEAT, contact.heartbeat_at),
        _step(StepCode.SESSION, contact.session_at),
        _step(StepCode.READINGS, contact.reading_at),
    ]


def _step(code: StepCode, at: datetime | None) -> Step:
    return Step(code=code, done=at is not None, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A line of power over time as SVG coordinates, with the site's limit as a level."""

    line: str
    area: str
    limit_y: float | None
    top_w: int
    hours: list[tuple[float, datetime]]
    peak_w: int


def power_chart(
    powers: Mapping[datetime, int],
    *,
    since: datetime,
    until: datetime,
    bucket: timedelta,
    limit_w: int | None,
) -> Chart:
    """Draw the power (W) of each bucket between two instants; a bucket without a word is zero."""
    count = int((until - since) / bucket)
    values = [powers.get(since + bucket * place, 0) for place in range(count)]
    top = _round_up(max([*values, limit_w or 0, 1000]))
    step = WIDTH / max(count, 1)
    corners: list[str] = []
    for place, value in enumerate(values):
        y = _y(value, top)
        corners += [f"{place * step:.1f},{y:.1f}", f"{(place + 1) * step:.1f},{y:.1f}"]
    return Chart(
        line=" ".join(corners),
        area=" ".join([f"0,{HEIGHT}", *corners, f"{WIDTH},{HEIGHT}"]),
        limit_y=None if limit_w is None else _y(limit_w, top),
        top_w=top,
        hours=[
            (place * step, since + bucket * place) for place in range(0, count, max(count // 4, 1))
        ],
        peak_w=max(values, default=0),
    )


def _y(value: int, top: int) -> float:
    return round(HEIGHT * (1 - max(0, min(value, top)) / top), 1)


def _round_up(value: int) -> int:
    """The next 1, 2 or 5 times a power of ten."""
    unit: int = 10 ** (len(str(value)) - 1)
    return next(unit * times for times in (1, 2, 5, 10) if unit * times >= value)


def addresses(*, identity: str, profile: int, servers: Sequence[str]) -> list[str]:
    """The whole addresses a station may be given, best first; from profile 2 on encrypted ones only.

    Empty where the servers have none that fits (OCPP security white paper, profiles 2 and 3).
    """
    fit = [one for one in servers if one and (profile < _TLS_PROFILE or one.startswith("wss://"))]
    return [f"{one.rstrip('/')}/{quote(identity, safe='')}" for one in dict.fromkeys(fit)]


def qr_path(text: str) -> tuple[int, str]:
    """A QR code as the side of its square, quiet zone included, and the path of its dark modules."""
    side, runs = qr_runs(text)
    return side, "".join(f"M{run.column} {run.row}h{run.length}v1h-{run.length}z" for run in runs)
