"""Limits that were lifted and demands that are over, kept for a year."""

from __future__ import annotations

from datetime import datetime

from charging.energy.models import ChargingLimit, EnergyDemand
from charging.energy.states import DEMAND_WAITING
from charging.stations.services import forget_oldest, records_end


def forget_records(*, at: datetime) -> int:
    """Drop what is over and was told long ago; returns how many."""
    before = records_end(at=at)
    lifted = forget_oldest(
        lambda: ChargingLimit.objects.filter(cleared_at__isnull=False),
        told_at="since",
        before=before,
    )
    over = forget_oldest(
        lambda: EnergyDemand.objects.exclude(state__in=DEMAND_WAITING),
        told_at="created_at",
        before=before,
    )
    return lifted + over
