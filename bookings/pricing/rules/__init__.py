"""What riding costs, without database and clock."""

from bookings.pricing.rules.blocks import block_cents, cheapest_cover, steps_cents
from bookings.pricing.rules.fares import Fare
from bookings.pricing.rules.minutes import Segment, SegmentKind, minutes_by_day
from bookings.pricing.rules.perks import Perk, PerkKind, lowered, rewards_in
from bookings.pricing.rules.terms import (
    Block,
    Package,
    Step,
    Window,
    ZoneFee,
    ZoneMark,
    ZoneWhen,
)
from bookings.pricing.rules.trip import (
    FeeKind,
    estimate,
    fee_lines,
    hold_lines,
    price_trip,
    reward_lines,
    time_cents,
)

__all__ = [
    "Block",
    "Fare",
    "FeeKind",
    "Package",
    "Perk",
    "PerkKind",
    "Segment",
    "SegmentKind",
    "Step",
    "Window",
    "ZoneFee",
    "ZoneMark",
    "ZoneWhen",
    "block_cents",
    "cheapest_cover",
    "estimate",
    "fee_lines",
    "hold_lines",
    "lowered",
    "minutes_by_day",
    "price_trip",
    "reward_lines",
    "rewards_in",
    "steps_cents",
    "time_cents",
]
