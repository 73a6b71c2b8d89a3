"""How much energy a plugged vehicle wants, and by when. Pure; percent of the battery, Wh, UTC."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from dataclasses import dataclass

# Of what the plug gives, so much ends up in the battery.
EFFICIENCY = 0.9
# Beside what the next user needs: nobody arrives with an empty battery.
RESERVE_PCT = 10
# What a vehicle without a booking is charged to; above it charging is slow and wears the battery.
EVERYDAY_PCT = 80
EVERYDAY_WITHIN = datetime.timedelta(hours=8)
# `charging.energy` counts from 1, the most urgent, to 9.
PROMISED_PRIORITY = 2
EVERYDAY_PRIORITY = 7
# A demand is left alone while it is right within this share of the battery.
STEADY = 0.05


@dataclass(frozen=True, kw_only=True)
class Need:
    """So full by then."""

    battery_pct: int
    ready_by: datetime.datetime


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to ask the charger for."""

    energy_wh: int
    ready_by: datetime.datetime
    priority: int


def wish_of(
    *,
    battery_wh: int,
    battery_pct: int | None,
    needs: Iterable[Need],
    at: datetime.datetime,
) -> Wish | None:
    """What a plugged vehicle should be given; None when it has enough.

    1. The first need that its battery does not cover, with a reserve. Later ones come when this one
       is met. 2. Else up to `EVERYDAY_PCT`, as the last of all. A battery that says nothing is
       taken to be half full.
    """
    now = 50 if battery_pct is None else battery_pct
    for need in sorted(needs, key=lambda each: each.ready_by):
        target = min(100, need.battery_pct + RESERVE_PCT)
        if need.ready_by > at and now < target:
            return Wish(
                energy_wh=energy_wh(battery_wh=battery_wh, pct=target - now),
                ready_by=need.ready_by,
                priority=PROMISED_PRIORITY,
            )
    if now >= EVERYDAY_PCT:
        return None
    return Wish(
        energy_wh=energy_wh(battery_wh=battery_wh, pct=EVERYDAY_PCT - now),
        ready_by=at + EVERYDAY_WITHIN,
        priority=EVERYDAY_PRIORITY,
    )


def energy_wh(*, battery_wh: int, pct: int) -> int:
    """Wh at the plug that fill so many percent of a battery."""
    return max(1, math.ceil(battery_wh * pct / 100.0 / EFFICIENCY))


def is_right(
    *,
    wish: Wish,
    left_wh: int,
    ready_by: datetime.datetime,
    priority: int,
    battery_wh: int,
) -> bool:
    """Whether a demand that stands asks for about the same as the wish.

    What is wanted for every day has no hour: it moves with the clock, and stays as it was asked.
    """
    same_hour = wish.priority == EVERYDAY_PRIORITY or wish.ready_by == ready_by
    near = abs(wish.energy_wh - left_wh) <= STEADY * battery_wh
    return same_hour and near and wish.priority == priority


def charged_pct(
    *, battery_pct: int, battery_wh: int, power_w: int, minutes: float, most: int = 100
) -> int:
    """The battery after so many minutes at a plug, at most `most` or what it has already."""
    gained = power_w * EFFICIENCY * max(0.0, minutes) / 60.0 / max(1, battery_wh) * 100.0
    return max(battery_pct, min(most, math.floor(battery_pct + gained)))
