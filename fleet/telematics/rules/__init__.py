"""What becomes of a batch of points: pure decisions, without database and clock."""

from fleet.telematics.rules.batteries import (
    CHARGED_BATTERY_PCT,
    LOW_BATTERY_PCT,
    BatteryChanges,
    battery_changes,
)
from fleet.telematics.rules.points import (
    GPS_ROUND_US,
    MAX_AGE_US,
    MAX_AHEAD_US,
    in_order_once,
    newest,
    quarantine_reasons,
    reason_of,
    right_week,
    without_place,
)

__all__ = [
    "CHARGED_BATTERY_PCT",
    "GPS_ROUND_US",
    "LOW_BATTERY_PCT",
    "MAX_AGE_US",
    "MAX_AHEAD_US",
    "BatteryChanges",
    "battery_changes",
    "in_order_once",
    "newest",
    "quarantine_reasons",
    "reason_of",
    "right_week",
    "without_place",
]
