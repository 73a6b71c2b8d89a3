"""Whether a vehicle may be left at a place: the pure decision over what lies around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.zones.states import ZoneKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OUTSIDE_OPERATING_AREA = "outside_operating_area"
NO_PARKING = "no_parking"

# A fix may be worse than this, but it does not buy a rider more room.
MAX_MARGIN_M = 30.0


@dataclass(frozen=True, kw_only=True)
class NearestPlace:
    """Where the vehicle could be left instead."""

    name: Mapping[str, str]
    lon: float
    lat: float
    distance_m: float


@dataclass(frozen=True, kw_only=True)
class ParkingVerdict:
    """Whether parking is allowed, and if not why (codes), by which zone, and where it is."""

    allowed: bool
    reasons: tuple[str, ...] = ()
    zone_id: int | None = None
    nearest: NearestPlace | None = None


@dataclass(frozen=True, kw_only=True)
class NearbyZone:
    """One zone seen from a place: `distance_m` is 0 inside, `depth_m` the way out when inside."""

    zone_id: int | None
    kind: str
    distance_m: float
    depth_m: float


def margin_m(accuracy_m: float | None) -> float:
    """How far the vehicle may seem to be on the wrong side of a line, in metres.

    The doubt of the position fix belongs to the rider, up to `MAX_MARGIN_M`.
    """
    return min(max(accuracy_m or 0.0, 0.0), MAX_MARGIN_M)


def judge_parking(*, zones: Sequence[NearbyZone], margin_m: float) -> ParkingVerdict:
    """Judge a place by the zones around it, each line moved by `margin_m` in the rider's favour.

    1. In a bay: allowed, whatever lies around the bay.
    2. Beyond every service area: refused. A city without any service area has no such line.
    3. Inside a no-parking zone, further than the margin: refused.
    """
    bays = _of(zones, ZoneKind.BAY)
    in_reach = [zone for zone in bays if zone.distance_m <= margin_m]
    if in_reach:
        bay = min(in_reach, key=lambda zone: zone.distance_m)
        return ParkingVerdict(allowed=True, zone_id=bay.zone_id)
    areas = _of(zones, ZoneKind.OPERATING)
    area = min(areas, key=lambda zone: zone.distance_m, default=None)
    reasons: list[str] = []
    culprit = area.zone_id if area else None
    if area is not None and area.distance_m > margin_m:
        reasons.append(OUTSIDE_OPERATING_AREA)
    closed = [zone for zone in _of(zones, ZoneKind.NO_PARK) if zone.depth_m > margin_m]
    if closed:
        reasons.append(NO_PARKING)
        culprit = max(closed, key=lambda zone: zone.depth_m).zone_id
    return ParkingVerdict(allowed=not reasons, reasons=tuple(reasons), zone_id=culprit)


def _of(zones: Sequence[NearbyZone], kind: str) -> list[NearbyZone]:
    return [zone for zone in zones if zone.kind == kind]
