"""The course of a session, cut into stretches in each of which one set of prices applies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Final

from charging.tariffs.rules.components import PriceList
from charging.tariffs.rules.restrictions import ALWAYS, Moment

# Where a meter tells no current: that of one phase at the European nominal voltage.
_NOMINAL_V: Final = 230


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPoint:
    """What a meter showed at an instant: Wh since the session's start, mA over all phases."""

    at: datetime
    energy_wh: int
    current_ma: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFigures:
    """What a session is priced by: its span, its energy in Wh, and how it flowed.

    After `charging_ended_at` the vehicle is parked; None means that it charged to the end. What the
    `points` do not tell flowed evenly.
    """

    started_at: datetime
    ended_at: datetime
    energy_wh: int
    charging_ended_at: datetime | None = None
    points: Sequence[LoadPoint] = ()

    @property
    def parked_from(self) -> datetime:
        """When parking begins, within the session."""
        if self.charging_ended_at is None or self.charging_ended_at < self.started_at:
            return self.ended_at
        return min(self.charging_ended_at, self.ended_at)

    @property
    def charging_s(self) -> int:
        """Seconds connected and charging."""
        return int((self.parked_from - self.started_at).total_seconds())

    @property
    def idle_s(self) -> int:
        """Seconds connected without charging."""
        return int((self.ended_at - self.parked_from).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a session; `moment` is its beginning, at which it is asked what applies."""

    start: datetime
    end: datetime
    energy_wh: int
    charging: bool
    moment: Moment

    @property
    def micros(self) -> int:
        """How long it is, in millionths of a second: exact, so that the parts make the whole."""
        span = self.end - self.start
        return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


@dataclass(frozen=True, slots=True)
class _Knot:
    at: datetime
    energy_wh: int
    current_ma: int | None = None
    power_w: float = 0.0
    """Between the knot before and this one, before anything was cut."""


def stretches(*, prices: PriceList, figures: SessionFigures) -> list[Stretch]:
    """The session in stretches, at least one; energies and times add up to the session's exactly.

    1. The meter's points, held between zero and the billed energy, make the curve; all energy has
       flowed where parking begins.
    2. It is cut where a restriction of the tariff may begin or cease to apply; in between energy
       flows evenly.
    """
    knots = _knots(figures, full=prices.restricted)
    instants, energies = _cuts(prices, figures)
    cut = [knots[0]]
    for before, knot in pairwise(knots):
        after = replace(knot, power_w=_power_w(before, knot))
        cut += _between(before, after, instants=instants, energies=energies)
        cut.append(after)
    pairs = list(pairwise(cut)) or [(cut[0], cut[0])]
    return [_stretch(before, after, prices=prices, figures=figures) for before, after in pairs]


def _knots(figures: SessionFigures, *, full: bool) -> list[_Knot]:
    """The curve of the register: rising, from zero to the billed energy, in order of time."""
    knots = [_Knot(figures.started_at, 0)]
    for point in sorted(figures.points, key=lambda point: point.at) if full else ():
        if figures.started_at < point.at < figures.parked_from:
            level = min(max(point.energy_wh, knots[-1].energy_wh), figures.energy_wh)
            knots.append(_Knot(point.at, level, point.current_ma))
    knots.append(_Knot(figures.parked_from, figures.energy_wh, _last_current(figures)))
    if figures.ended_at > figures.parked_from:
        knots.append(_Knot(figures.ended_at, figures.energy_wh, 0))
    return knots


def _last_current(figures: SessionFigures) -> int | None:
    """What flowed before the vehicle stopped; the final reading of a session is often zero."""
    told = [
        point.current_ma
        for point in sorted(figures.points, key=lambda point: point.at)
        if point.at <= figures.parked_from and point.current_ma
    ]
    return told[-1] if told else None


def _cuts(prices: PriceList, figures: SessionFigures) -> tuple[list[datetime], list[int]]:
    instants: set[datetime] = set()
    energies: set[int] = set()
    for when in {part.when for part in prices.components if part.when is not ALWAYS}:
        instants |= when.instants(start=figures.started_at, end=figures.ended_at, zone=prices.zone)
        energies |= when.energies()
    return sorted(instants), sorted(energies)


def _between(
    before: _Knot, after: _Knot, *, instants: Sequence[datetime], energies: Sequence[int]
) -> list[_Knot]:
    """The cuts that fall between two knots; time and energy are each other's measure there."""
    span, rise = after.at - before.at, after.energy_wh - before.energy_wh
    # Rounded down: at a cut of the clock no threshold is passed that lies behind it.
    found = [
        replace(after, at=at, energy_wh=before.energy_wh + int(rise * ((at - before.at) / span)))
        for at in instants
        if before.at < at < after.at
    ]
    found += [
        replace(after, at=before.at + span * ((level - before.energy_wh) / rise), energy_wh=level)
        for level in energies
        if before.energy_wh < level < after.energy_wh
    ]
    found.sort(key=lambda knot: (knot.at, knot.energy_wh))
    level, rising = before.energy_wh, []
    for knot in found:
        level = max(level, knot.energy_wh)
        rising.append(replace(knot, energy_wh=level))
    return rising


def _power_w(before: _Knot, after: _Knot) -> float:
    seconds = (after.at - before.at).total_seconds()
    return (after.energy_wh - before.energy_wh) * 3600 / seconds if seconds else 0.0


def _stretch(before: _Knot, after: _Knot, *, prices: PriceList, figures: SessionFigures) -> Stretch:
    charging = before.at < figures.parked_from or figures.parked_from == figures.ended_at
    told = after.current_ma if charging else 0
    return Stretch(
        start=before.at,
        end=after.at,
        energy_wh=after.energy_wh - before.energy_wh,
        charging=charging,
        moment=Moment(
            at=before.at.astimezone(prices.zone),
            energy_wh=before.energy_wh,
            elapsed_s=(before.at - figures.started_at).total_seconds(),
            power_w=after.power_w,
            current_ma=told if told is not None else after.power_w * 1000 / _NOMINAL_V,
        ),
    )
