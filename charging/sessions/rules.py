"""Pure rules of charging: what a meter can have shown, which message is a repeat, what is whole."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from charging.sessions.facts import (
    AuthorizationStatus,
    AuthorizationVerdict,
    Reading,
    Sample,
    SessionStart,
    SessionStop,
    TransactionEvent,
)
from charging.stations.rules import storable_json

# No meter of a charging station counts further; more is a fault or an attack.
MAX_REGISTER_WH: Final = 10**12
# Assumed where a connector is not in our records: the strongest chargers built today.
FALLBACK_POWER_W: Final = 500_000
# Registers tick in steps of up to 100 Wh and clocks are coarse; a step this small is no evidence.
_STEP_TOLERANCE_WH: Final = 500
_POWER_TOLERANCE: Final = 1.2
# Below this a register's rise is noise of the electronics, not charging.
_RISE_WH: Final = 10
# Coarse registers tick every 100 Wh: who got less than one tick got nothing, and pays nothing.
NOTHING_WH: Final = 100
_MAX_GAP: Final = 1000
_MAX_CHAIN: Final = 400
_MAX_AHEAD: Final = timedelta(days=1)

_SCALE: Final = {"": 1.0, "Wh": 1.0, "kWh": 1000.0, "W": 1.0, "kW": 1000.0}
_CONTEXT_ORDER: Final = {"Transaction.Begin": 0, "Transaction.End": 2}


@dataclass(frozen=True, slots=True)
class MeterPicture:
    """One instant's values in Wh, W and %, each None where the station did not say."""

    register_wh: int | None = None
    power_w: int | None = None
    soc_pct: int | None = None
    context: str = ""
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class RegisterPoint:
    """A register value and the instant it was read."""

    at: datetime
    register_wh: int


@dataclass(frozen=True, slots=True)
class BillableEnergy:
    """Energy that may be billed, in Wh, and whether staff should look at it first."""

    energy_wh: int
    suspect: bool


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


def normal_uid(uid: str) -> str:
    """Tokens are compared without regard to case (OCPP 1.6 §7.28 CiString)."""
    return uid.strip().upper().replace("\x00", "")[:64]


def judge_token(
    *,
    blocked: bool,
    expires_at: datetime | None,
    group: str,
    at: datetime,
) -> AuthorizationVerdict:
    """The verdict on a known token: blocked before expired before accepted."""
    status = AuthorizationStatus.ACCEPTED
    if expires_at is not None and expires_at <= at:
        status = AuthorizationStatus.EXPIRED
    if blocked:
        status = AuthorizationStatus.BLOCKED
    return AuthorizationVerdict(status=status, expires_at=expires_at, group=group or None)


def meter_picture(samples: Iterable[Sample]) -> MeterPicture:
    """Fold one instant's samples into register, power and battery level.

    1. Energy is the import register at the outlet, kWh scaled to Wh; a value without phase wins
       over the sum of the phases; at the end of a transaction the End value wins over others.
    2. Power likewise; battery level as it is.
    3. What no meter can show (negative, not finite, beyond 10^12 Wh) is left out and makes the
       picture suspect.
    """
    chosen = list(samples)
    energy = [s for s in chosen if s.measurand == "Energy.Active.Import.Register" and _billed(s)]
    power = [s for s in chosen if s.measurand == "Power.Active.Import" and _billed(s)]
    battery = [s for s in chosen if s.measurand == "SoC"]
    context = _leading_context(energy or power or battery)
    register = _combined([s for s in energy if s.context == context])
    watts = _combined(power)
    level = _combined(battery[:1])
    odd = _out_of(register, MAX_REGISTER_WH) or _out_of(watts, 10_000_000) or _out_of(level, 100)
    return MeterPicture(
        register_wh=None if _out_of(register, MAX_REGISTER_WH) else _whole(register),
        power_w=None if _out_of(watts, 10_000_000) else _whole(watts),
        soc_pct=None if _out_of(level, 100) else _whole(level),
        context=context[:24],
        suspect=odd,
    )


def is_plausible_step(
    *,
    before: RegisterPoint,
    after: RegisterPoint,
    max_power_w: int,
) -> bool:
    """Whether one meter behind a connector of `max_power_w` can have shown both, in this order.

    It never runs backwards, and rises at most by 1.2 × the connector's power over the time
    between, plus 500 Wh for coarse registers.
    """
    rise = after.register_wh - before.register_wh
    seconds = max((after.at - before.at).total_seconds(), 0.0)
    return 0 <= rise <= max_power_w * _POWER_TOLERANCE * seconds / 3600 + _STEP_TOLERANCE_WH


def billable_energy(
    *,
    start: RegisterPoint | None,
    stop: RegisterPoint | None,
    between: Sequence[RegisterPoint],
    max_power_w: int,
) -> BillableEnergy:
    """The energy of a session that its meter values support, never negative, never an odometer.

    1. Stop minus start, where that is plausible and agrees with the values next to both ends
       (an offline station's zero baseline does not).
    2. Otherwise the rise over the longest run of values that one meter can have shown; a zero
       baseline, a replaced meter or a wild value falls out. The result is suspect.
    """
    ordered = sorted(between, key=lambda point: point.at)
    points = [*([start] if start else []), *ordered, *([stop] if stop else [])]
    if start and stop and _ends_agree(points, max_power_w=max_power_w):
        return BillableEnergy(stop.register_wh - start.register_wh, suspect=False)
    chain = _longest_chain(_thinned(points), max_power_w=max_power_w)
    whole = len(chain) == len(_thinned(points)) and len(chain) > 1
    rise = chain[-1].register_wh - chain[0].register_wh if chain else 0
    # Without any value there is nothing to suspect: the session simply moved no energy we know of.
    return BillableEnergy(rise, suspect=bool(points) and not whole)


def delivered_nothing(energy_wh: int) -> bool:
    """Whether so little energy flowed that neither start nor time nor idling is to be paid."""
    return energy_wh < NOTHING_WH


def charged_until(points: Sequence[RegisterPoint]) -> datetime | None:
    """When the register last rose noticeably (10 Wh); None if it never did."""
    last: datetime | None = None
    ordered = sorted(points, key=lambda point: point.at)
    if not ordered:
        return None
    level = ordered[0].register_wh
    for point in ordered[1:]:
        if point.register_wh >= level + _RISE_WH:
            last, level = point.at, point.register_wh
    return last


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


def idle_seconds(
    *,
    started_at: datetime,
    ended_at: datetime,
    charging_ended_at: datetime | None,
) -> int:
    """How long a vehicle stayed connected after it last took energy; 0 if that is unknown."""
    if charging_ended_at is None or charging_ended_at < started_at:
        return 0
    return int(max(ended_at - charging_ended_at, timedelta(0)).total_seconds())


def _ends_agree(points: Sequence[RegisterPoint], *, max_power_w: int) -> bool:
    """The whole span is plausible, and so are its first and its last step."""
    steps = ((points[0], points[-1]), (points[0], points[1]), (points[-2], points[-1]))
    return all(
        is_plausible_step(before=before, after=after, max_power_w=max_power_w)
        for before, after in steps
    )


def _billed(sample: Sample) -> bool:
    return sample.location in {"", "Outlet"} and sample.unit in _SCALE


def _leading_context(samples: Sequence[Sample]) -> str:
    if not samples:
        return ""
    return max((s.context for s in samples), key=lambda context: _CONTEXT_ORDER.get(context, 1))


def _combined(samples: Sequence[Sample]) -> float | None:
    """The value without phase if there is one, else the sum over the phases."""
    whole = [s for s in samples if not s.phase and s.value is not None]
    if whole:
        return _scaled(whole[-1])
    phases = {s.phase: _scaled(s) for s in samples if s.value is not None}
    lines = {phase: value for phase, value in phases.items() if phase[:2] in {"L1", "L2", "L3"}}
    return sum(lines.values()) if lines else None


def _scaled(sample: Sample) -> float:
    # A wire may carry any multiplier; beyond these no unit of the trade lies.
    power = min(max(sample.multiplier, -9), 9)
    return (sample.value or 0.0) * _SCALE.get(sample.unit, 1.0) * 10.0**power


def _out_of(value: float | None, limit: float) -> bool:
    return value is not None and (not math.isfinite(value) or not 0 <= value <= limit)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _thinned(points: Sequence[RegisterPoint]) -> Sequence[RegisterPoint]:
    """At most 400 points, evenly chosen, both ends kept: the chain search is quadratic."""
    if len(points) <= _MAX_CHAIN:
        return points
    step = (len(points) - 1) / (_MAX_CHAIN - 1)
    return [points[round(index * step)] for index in range(_MAX_CHAIN)]


def _longest_chain(
    points: Sequence[RegisterPoint],
    *,
    max_power_w: int,
) -> list[RegisterPoint]:
    """The longest subsequence in which every step is plausible; the later one of equals."""
    length = [1] * len(points)
    previous: list[int | None] = [None] * len(points)
    for j, after in enumerate(points):
        for i in range(j):
            longer = length[i] + 1 > length[j]
            if longer and is_plausible_step(
                before=points[i],
                after=after,
                max_power_w=max_power_w,
            ):
                length[j], previous[j] = length[i] + 1, i
    if not points:
        return []
    at: int | None = max(range(len(points)), key=lambda index: (length[index], index))
    chain = []
    while at is not None:
        chain.append(points[at])
        at = previous[at]
    return chain[::-1]
