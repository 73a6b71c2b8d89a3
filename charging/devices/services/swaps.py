"""Battery swaps as stations tell them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from charging.devices.facts import SwapSaid
from charging.devices.models import BatterySwap
from charging.devices.services.bounds import by_station, fitting, of_today
from charging.devices.states import Kept
from charging.stations.rules import without_nul


def keep_swaps(*, facts: Sequence[SwapSaid], at: datetime) -> None:
    """Remember the halves of swaps; one that is told again is the same row."""
    for station_id, told in by_station(facts).items():
        rows = [
            BatterySwap(
                station_id=station_id,
                number=fact.number,
                event=fact.event,
                uid=without_nul(fact.uid)[:255],
                batteries=without_nul(fact.batteries),
                received_at=at,
            )
            for fact in told
        ]
        kept = of_today(BatterySwap.objects.filter(station_id=station_id), at=at)
        BatterySwap.objects.bulk_create(
            fitting(rows, kept=kept, kind=Kept.SWAPS, station_id=station_id, at=at),
            ignore_conflicts=True,
        )
