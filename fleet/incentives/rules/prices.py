"""What a rider may be given: a share of what the fleet gains, and less than a van would cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fleet.rebalancing.rules.parameters import Parameters

# Rewards are told in round cents.
STEP_CENTS = 10
# A van carries several at once; more than half of its room never belongs to one place.
MOST_TOGETHER = 6


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the operator decided about rewards; amounts in cents."""

    share_pct: int = 50
    least_cents: int = 30
    most_cents: int = 200
    charge_below_pct: int = 30


def reward_cents(*, value_cents: float, van_cents: float, terms: Terms) -> int:
    """The reward for something worth `value_cents` that a van would do for `van_cents`; 0: none.

    The operator's share of the value, at most the largest reward and always below what the van
    costs, rounded down to `STEP_CENTS`; nothing where that is less than the smallest reward.
    """
    most = min(value_cents * terms.share_pct / 100.0, float(terms.most_cents))
    cents = math.floor(max(0.0, most) / STEP_CENTS) * STEP_CENTS
    if cents >= van_cents:
        cents = (math.ceil(van_cents / STEP_CENTS) - 1) * STEP_CENTS
    return cents if cents >= max(1, terms.least_cents) else 0


def additional(*, value_trips: float, usual_share: float) -> float:
    """The trips gained on average: of those who would have done it anyway nothing is gained.

    `usual_share` is the part of all rides that do it without being asked.
    """
    return value_trips * (1.0 - min(max(usual_share, 0.0), 1.0))


def move_cents(*, parameters: Parameters, km: float, together: int) -> float:
    """What a van spends on bringing one vehicle over `km`, `together` vehicles at a time.

    Two stops and the way between them, shared by what is carried; loading and unloading for each.
    """
    shared = 2.0 * parameters.stop_minutes + _way_minutes(parameters, km=km)
    minutes = shared / max(1, min(together, MOST_TOGETHER)) + 2.0 * parameters.handling_minutes
    return minutes * parameters.cost_cents_per_minute


def swap_cents(*, parameters: Parameters, km: float, together: int) -> float:
    """What a van spends on one battery, at a stop with `together` of them, `km` from the last one."""
    shared = parameters.stop_minutes + _way_minutes(parameters, km=km)
    minutes = shared / max(1, min(together, MOST_TOGETHER)) + parameters.swap_minutes
    return minutes * parameters.cost_cents_per_minute


def _way_minutes(parameters: Parameters, *, km: float) -> float:
    return km * parameters.detour / parameters.van_speed_kmh * 60.0
