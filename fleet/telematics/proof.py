"""The proof that slow zones were kept: what a vehicle was told, when it obeyed, how fast it went."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleet.telematics import records
from fleet.telematics.models import SpeedLimitOrder
from fleet.telematics.store import point_store
from fleet.vehicles.models import VehicleEvent

if TYPE_CHECKING:
    from fleet.telematics.records import Points

_CMS_TO_KMH = 0.036


@dataclass(frozen=True, kw_only=True)
class SpeedProof:
    """One limit that held for a vehicle on a trip. Speeds in km/h, of reports that told one."""

    vehicle_id: int
    zone_code: str
    zones_version: int
    limit_kmh: int
    ordered_at: datetime.datetime
    applied_at: datetime.datetime | None
    released_at: datetime.datetime | None
    outcome: str
    reports: int
    fastest_kmh: float | None


def speed_proof(
    *, vehicle_id: int, start: datetime.datetime, end: datetime.datetime
) -> list[SpeedProof]:
    """The limits a vehicle was under between two moments, oldest first, with what it then did.

    The fastest report is the one between the vehicle's confirmation and the end of the limit.
    """
    orders = SpeedLimitOrder.objects.filter(vehicle=vehicle_id).during(start=start, end=end)
    found = list(orders.select_related("zone").order_by("ordered_at"))
    if not found:
        return []
    points = point_store().track(vehicle_id=vehicle_id, start=start, end=end)
    return [_proof(order, points, end=end) for order in found]


def speed_proof_of_trip(*, trip_ref: str) -> list[SpeedProof]:
    """The same for a trip by the name its owner gave it; empty for a trip nobody knows."""
    marks = VehicleEvent.objects.filter(trip_ref=trip_ref).order_by("at", "id")
    moments = list(marks.values_list("vehicle_id", "at"))
    if not moments:
        return []
    vehicle_id, start = moments[0]
    return speed_proof(vehicle_id=vehicle_id, start=start, end=moments[-1][1])


def _proof(order: SpeedLimitOrder, points: Points, *, end: datetime.datetime) -> SpeedProof:
    kept_us = records.to_us(order.applied_at or order.ordered_at)
    until_us = records.to_us(order.released_at or end)
    during = (points["at_us"] >= kept_us) & (points["at_us"] <= until_us)
    speeds = points["speed_cms"][during & (points["speed_cms"] >= 0)]
    return SpeedProof(
        vehicle_id=order.vehicle_id,
        zone_code=order.zone.code,
        zones_version=order.zones_version,
        limit_kmh=order.limit_kmh,
        ordered_at=order.ordered_at,
        applied_at=order.applied_at,
        released_at=order.released_at,
        outcome=order.outcome,
        reports=len(speeds),
        fastest_kmh=round(float(np.max(speeds)) * _CMS_TO_KMH, 1) if len(speeds) else None,
    )
