"""Whether a vehicle may be left at a place, when nobody knows the place to the metre."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.zones.rules.precedence import Layer, Subject, ZoneInfo, fallback, says
from fleet.zones.states import ZoneKind

if TYPE_CHECKING:
    import datetime

OUTSIDE_OPERATING_AREA = "outside_operating_area"
NO_PARKING = "no_parking"
BAYS_ONLY = "bays_only"

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

    zone: ZoneInfo
    distance_m: float
    depth_m: float


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """A layer as a place meets it: the zones around in order, service areas at any distance."""

    layer: Layer
    zones: Sequence[NearbyZone] = ()


@dataclass(frozen=True, kw_only=True)
class _Word:
    """What one layer says: nothing against it, or a reason; and the zone that decided."""

    reason: str | None = None
    zone: ZoneInfo | None = None


def margin_m(accuracy_m: float | None) -> float:
    """How far the vehicle may seem to be on the wrong side of a line, in metres.

    The doubt of the position fix belongs to the rider, up to `MAX_MARGIN_M`.
    """
    return min(max(accuracy_m or 0.0, 0.0), MAX_MARGIN_M)


def judge_parking(
    *,
    layers: Sequence[Surroundings],
    margin_m: float,
    subject: Subject,
    local: datetime.datetime,
) -> ParkingVerdict:
    """Judge a place by the zones around it, each line moved by `margin_m` in the rider's favour.

    In each layer, zones in order:

    1. The first zone that speaks of ending decides: one that allows it counts up to the margin
       beyond its line, one that refuses only deeper inside than the margin.
    2. Where no zone speaks, the global rules do, and beyond every service area it is refused. A
       layer without any service area has no such line.
    3. Where parking is for bays only, a bay must be within the margin.

    All layers must allow it.
    """
    words = [
        word
        for around in layers
        for word in (
            _ending(around, margin_m=margin_m, subject=subject, local=local),
            _in_bays(around, layers, margin_m=margin_m, subject=subject, local=local),
        )
    ]
    refused = [word for word in words if word.reason]
    if refused:
        reasons = tuple(dict.fromkeys(word.reason for word in refused if word.reason))
        return ParkingVerdict(allowed=False, reasons=reasons, zone_id=_zone_id(refused[0].zone))
    zones = [word.zone for word in words if word.zone]
    named = [zone for zone in zones if zone.kind == ZoneKind.BAY] or zones
    return ParkingVerdict(allowed=True, zone_id=_zone_id(named[-1]) if named else None)


def _ending(
    around: Surroundings, *, margin_m: float, subject: Subject, local: datetime.datetime
) -> _Word:
    for near in around.zones:
        word = says(near.zone.rules, attribute="ride_end_allowed", subject=subject, local=local)
        if word is True and near.distance_m <= margin_m:
            return _Word(zone=near.zone)
        if word is False and near.depth_m > margin_m:
            return _Word(reason=NO_PARKING, zone=near.zone)
    word = fallback(layer=around.layer, attribute="ride_end_allowed", subject=subject, local=local)
    if word is not False:
        return _Word()
    areas = [near for near in around.zones if near.zone.kind == ZoneKind.OPERATING]
    nearest = min(areas, key=lambda near: near.distance_m, default=None)
    return _Word(reason=OUTSIDE_OPERATING_AREA, zone=nearest.zone if nearest else None)


def _in_bays(
    around: Surroundings,
    layers: Sequence[Surroundings],
    *,
    margin_m: float,
    subject: Subject,
    local: datetime.datetime,
) -> _Word:
    word = _bays_only(around, margin_m=margin_m, subject=subject, local=local)
    bays = (near for one in layers for near in one.zones if near.zone.kind == ZoneKind.BAY)
    if word.reason is None or any(
        bay.distance_m <= margin_m and bay.zone.concerns(subject) for bay in bays
    ):
        return _Word()
    return word


def _bays_only(
    around: Surroundings, *, margin_m: float, subject: Subject, local: datetime.datetime
) -> _Word:
    """Whether parking is for bays only here, whatever bays there are, and which zone says so."""
    for near in around.zones:
        word = says(near.zone.rules, attribute="station_parking", subject=subject, local=local)
        if word is True and near.depth_m > margin_m:
            return _Word(reason=BAYS_ONLY, zone=near.zone)
        if word is False and near.distance_m <= margin_m:
            return _Word()
    everywhere = fallback(
        layer=around.layer, attribute="station_parking", subject=subject, local=local
    )
    return _Word(reason=BAYS_ONLY if everywhere else None)


def _zone_id(zone: ZoneInfo | None) -> int | None:
    """The line of the city itself is no zone."""
    return zone.zone_id if zone and zone.zone_id else None
