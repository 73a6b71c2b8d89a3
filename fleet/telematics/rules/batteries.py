"""Which vehicles are withdrawn for a low battery, and which are offered again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fleet.telematics.records import Points

# At or below the first a vehicle is withdrawn, at or above the second it is offered again. The
# gap keeps a battery that hovers from flapping.
LOW_BATTERY_PCT = 15
CHARGED_BATTERY_PCT = 20


@dataclass(frozen=True, kw_only=True)
class BatteryChanges:
    """Vehicles to withdraw for a low battery, and those to offer again."""

    low: list[int]
    charged: list[int]


def battery_changes(rows: Points, *, blocked: frozenset[int]) -> BatteryChanges:
    """Which vehicles cross a battery threshold, given those withdrawn for it already."""
    withdrawn = np.isin(rows["vehicle_id"], list(blocked))
    told = rows["battery_pct"] >= 0
    low = told & (rows["battery_pct"] <= LOW_BATTERY_PCT) & ~withdrawn
    charged = told & (rows["battery_pct"] >= CHARGED_BATTERY_PCT) & withdrawn
    return BatteryChanges(
        low=rows["vehicle_id"][low].tolist(),
        charged=rows["vehicle_id"][charged].tolist(),
    )
