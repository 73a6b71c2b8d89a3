"""What is wrong, or strange, with a set of zones before it is published."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import islice, product
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from fleet.zones.rules.precedence import ATTRIBUTES, Rule, ZoneInfo
from fleet.zones.states import ZoneKind

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

# A strip narrower than this is what two lines leave that were meant to be one.
NARROW_M = 1.0
SMALL_M2 = 4.0
# Overlaps below are the width of a pen.
OVERLAP_M2 = 1.0
BEYOND_SHARE = 0.01
# Nobody reads more, and the overlaps of a thousand zones drawn twice are half a million.
MOST_FINDINGS = 500
METRES_PER_DEGREE = math.pi * 6_371_008.8 / 180


class Severity(StrEnum):
    """Whether publishing is refused, or only asks whether that is meant."""

    ERROR = "error"
    WARNING = "warning"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to look at: a stable code, the zones concerned, where it is, and figures or words."""

    code: str
    severity: Severity
    zone: str = ""
    other: str = ""
    lon: float | None = None
    lat: float | None = None
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DrawnZone:
    """A zone with its shape in WGS 84 and what else is checked."""

    info: ZoneInfo
    shape: BaseGeometry
    capacity: int | None = None


def check_zones(
    *,
    zones: Sequence[DrawnZone],
    global_rules: Sequence[Rule] = (),
    city: BaseGeometry | None,
    vehicle_types: Collection[str],
    needs_area: bool,
) -> list[Finding]:
    """All findings (the first 500 of them), errors first.

    Errors: a boundary that crosses itself, a zone wholly outside `city`, a slow zone without a
    limit, a rule for a vehicle type that nobody knows. Warnings: slivers, zones partly outside the
    city, overlaps in which an earlier zone speaks against a later one, bays outside every service
    area or without a capacity, and no service area at all where the set `needs_area`.

    A zone that stands before a service area and speaks against it is the ordinary case and no
    finding.
    """
    sound = [zone for zone in zones if shapely.is_valid(zone.shape)]
    findings = [
        *(_broken(zone) for zone in zones if zone not in sound),
        *(finding for zone in sound for finding in _placed(zone, city)),
        *(finding for zone in zones for finding in _complete(zone)),
        *_unknown_types(zones, global_rules, vehicle_types),
        *islice(_overlaps(sound), MOST_FINDINGS),
        *_bays_outside(sound),
    ]
    if needs_area and not any(zone.info.kind == ZoneKind.OPERATING for zone in zones):
        findings.append(Finding(code="nothing_operating", severity=Severity.WARNING))
    findings.sort(key=lambda finding: finding.severity != Severity.ERROR)
    return findings[:MOST_FINDINGS]


def _broken(zone: DrawnZone) -> Finding:
    reason = str(shapely.is_valid_reason(zone.shape))
    words, _bracket, place = reason.partition("[")
    numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", place)[:2]]
    lon, lat = numbers if len(numbers) == 2 else (None, None)
    return Finding(
        code="broken_boundary",
        severity=Severity.ERROR,
        zone=zone.info.code,
        lon=lon,
        lat=lat,
        params={"reason": words.strip()},
    )


def _placed(zone: DrawnZone, city: BaseGeometry | None) -> Iterable[Finding]:
    for part in shapely.get_parts(zone.shape):
        flat = in_metres(part)
        if flat.area < SMALL_M2 or 2 * flat.area / flat.length < NARROW_M:
            yield _finding("sliver", zone, part, area_m2=round(flat.area, 2))
    if city is None:
        return
    beyond = shapely.difference(zone.shape, city)
    share = beyond.area / zone.shape.area if zone.shape.area else 0.0
    if not shapely.intersects(zone.shape, city):
        yield _finding("outside_city", zone, zone.shape, severity=Severity.ERROR)
    elif share > BEYOND_SHARE:
        yield _finding("beyond_city", zone, beyond, share_pct=round(100 * share))


def _complete(zone: DrawnZone) -> Iterable[Finding]:
    if zone.info.kind == ZoneKind.SLOW and zone.info.max_speed_kmh is None:
        yield _finding("slow_without_limit", zone, zone.shape, severity=Severity.ERROR)
    if zone.info.kind == ZoneKind.BAY and not zone.capacity:
        yield _finding("capacity_missing", zone, zone.shape)


def _unknown_types(
    zones: Sequence[DrawnZone], global_rules: Sequence[Rule], known: Collection[str]
) -> Iterable[Finding]:
    named = [(zone.info.code, rule) for zone in zones for rule in zone.info.rules]
    for code, rule in [*named, *(("", rule) for rule in global_rules)]:
        for vehicle_type in sorted(rule.vehicle_types - set(known)):
            yield Finding(
                code="unknown_vehicle_type",
                severity=Severity.ERROR,
                zone=code,
                params={"vehicle_type": vehicle_type},
            )


def _overlaps(zones: Sequence[DrawnZone]) -> Iterable[Finding]:
    shapes = np.array([zone.shape for zone in zones])
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    for one, two in sorted(zip(first.tolist(), second.tolist(), strict=True)):
        earlier, later = zones[one], zones[two]
        # What stands before a service area is an exception to it, and meant.
        if one >= two or later.info.kind == ZoneKind.OPERATING:
            continue
        attributes = collisions(earlier.info.rules, later.info.rules)
        common = shapely.intersection(earlier.shape, later.shape)
        if attributes and in_metres(common).area > OVERLAP_M2:
            hidden = shapely.covers(earlier.shape, later.shape)
            yield dataclasses.replace(
                _finding("hidden" if hidden else "overlap", earlier, common),
                other=later.info.code,
                params={"attributes": attributes},
            )


def collisions(earlier: Sequence[Rule], later: Sequence[Rule]) -> list[str]:
    """Attributes about which the two speak differently to some vehicle and rider."""
    return [
        name
        for name in ATTRIBUTES
        if any(
            getattr(one, name) is not None
            and getattr(two, name) is not None
            and getattr(one, name) != getattr(two, name)
            and _same_listeners(one, two)
            for one, two in product(earlier, later)
        )
    ]


def _same_listeners(one: Rule, two: Rule) -> bool:
    """Whether some vehicle and rider may hear both. A kind may be of any type: then they may."""
    groups = not one.user_groups or not two.user_groups or bool(one.user_groups & two.user_groups)
    named_one = bool(one.vehicle_kinds or one.vehicle_types)
    named_two = bool(two.vehicle_kinds or two.vehicle_types)
    if not named_one or not named_two:
        return groups
    mixed = bool(one.vehicle_types or two.vehicle_types) and not (
        one.vehicle_types and two.vehicle_types
    )
    shared = one.vehicle_kinds & two.vehicle_kinds or one.vehicle_types & two.vehicle_types
    return groups and (bool(shared) or mixed)


def _bays_outside(zones: Sequence[DrawnZone]) -> Iterable[Finding]:
    areas = [zone.shape for zone in zones if zone.info.kind == ZoneKind.OPERATING]
    if not areas:
        return
    ground = shapely.union_all(areas)
    for zone in zones:
        if zone.info.kind == ZoneKind.BAY and not shapely.intersects(ground, zone.shape):
            yield _finding("bay_outside_area", zone, zone.shape)


def _finding(
    code: str,
    zone: DrawnZone,
    where: BaseGeometry,
    *,
    severity: Severity = Severity.WARNING,
    **params: Any,
) -> Finding:
    spot = shapely.point_on_surface(where)
    known = not spot.is_empty
    return Finding(
        code=code,
        severity=severity,
        zone=zone.info.code,
        lon=round(spot.x, 7) if known else None,
        lat=round(spot.y, 7) if known else None,
        params=params,
    )


def in_metres(shape: BaseGeometry) -> BaseGeometry:
    """The shape on a flat ground in metres: true to a thousandth over a zone."""
    if shape.is_empty:
        return shape
    _west, south, _east, north = shape.bounds
    across = METRES_PER_DEGREE * math.cos(math.radians((south + north) / 2))
    return shapely.transform(shape, lambda spots: spots * (across, METRES_PER_DEGREE))
