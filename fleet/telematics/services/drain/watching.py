"""What live points say about alarms, limits and the city; the conditions themselves are rules.

Vehicles about which nothing is to be said cost a few comparisons of whole columns. Only those with
a sign of something are looked at one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleet.telematics import records, rules
from fleet.telematics.events import ZoneViolated
from fleet.telematics.rules import jumps, watch
from fleet.telematics.rules.jumps import Fix
from fleet.telematics.rules.watch import Pace, Parked
from fleet.telematics.services import crossings, speed
from fleet.telematics.services.alarms import BY, AlarmNews, write_alarms
from fleet.telematics.states import AlarmKind
from fleet.vehicles.services import set_outside
from fleet.vehicles.states import LifeState, RentalState
from fleet.zones import index as zone_index
from fleet.zones.rules import Subject
from mobility.core import outbox

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fleet.telematics.records import Points
    from fleet.telematics.services.crossings import Followed
    from fleet.telematics.services.drain.known import Known, KnownVehicle

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

# A fix in more doubt than this does not say that a parked vehicle was carried off.
MAX_DOUBT_M = 100.0
_MISSING = frozenset({LifeState.MISSING, LifeState.STOLEN})
_CMS_TO_KMH = 0.036

NO_RIDE_ENTERED = "no_ride_entered"
LEFT_SERVICE_AREA = "left_service_area"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The live points of a batch, in order, with the rows of their vehicles in `known`."""

    points: Points
    rows: Ints
    newest: Points
    known: Known
    at: datetime.datetime
    careful: bool

    def alarmed(self, kind: AlarmKind) -> Flags:
        """By row, whether such an alarm goes on."""
        name = f"alarmed:{kind}"
        if name not in self.known.columns:
            values = [kind in vehicle.alarms for vehicle in self.known.vehicles]
            self.known.columns[name] = np.array(values, dtype=bool)
        return self.known.columns[name]

    def of(self, rows: Ints) -> Iterator[tuple[KnownVehicle, Points]]:
        """These vehicles, each with its live points."""
        firsts = np.searchsorted(self.rows, rows, side="left")
        ends = np.searchsorted(self.rows, rows, side="right")
        for row, first, end in zip(rows.tolist(), firsts, ends, strict=True):
            yield self.known.vehicles[row], self.points[first:end]


def judge_live(batch: Batch) -> None:
    """Everything that follows from live points, in the transaction that stores them."""
    news = AlarmNews()
    carried_off = _watch_parked(batch, news)
    _watch_tilt(batch, news)
    moving = batch.known.flags("accompanied") | carried_off | _to_judge_anew(batch)
    moved = crossings.on_the_move(batch.points, batch.rows, moving=moving)
    followed = crossings.follow(moved, batch.known, at=batch.at, careful=batch.careful)
    _tell_zones(batch, followed, news)
    _limit_speed(batch, followed)
    _watch_speed(batch, news)
    _watch_batteries(batch, news)
    _watch_missing(batch, news)
    write_alarms(news, at=batch.at)


def _to_judge_anew(batch: Batch) -> Flags:
    """Vehicles said to be outside by zones that are no longer those in force: parked or not."""
    alarmed = batch.alarmed(AlarmKind.LEFT_SERVICE_AREA)
    if not alarmed.any():
        return alarmed
    version = zone_index.current(at=batch.at).version
    versions = np.array([v.presence.zones_version for v in batch.known.vehicles], dtype=np.int64)
    anew: Flags = alarmed & (versions != version)
    return anew


def _watch_parked(batch: Batch, news: AlarmNews) -> Flags:
    """Vehicles that somebody carries off; returns by row those for which that is so now."""
    known, kind = batch.known, AlarmKind.MOVED_WITHOUT_TRIP
    parked, alarmed = known.flags("parked"), batch.alarmed(kind)
    for row in np.flatnonzero(~parked).tolist():
        vehicle = known.vehicles[row]
        vehicle.presence.become(parked=Parked())
        if alarmed[row]:
            news.close(kind, vehicle.vehicle_id)
    carried_off = alarmed & parked
    for vehicle, points in batch.of(_restless(batch, parked, alarmed)):
        row = int(np.searchsorted(known.ids, vehicle.vehicle_id))
        fixes = [Fix(*fix) for fix in jumps.fixes_of(points).tolist()]
        before = vehicle.presence.parked.anchor
        state, verdict = watch.moved_without_trip(
            [fix for fix in fixes if fix.doubt_m <= MAX_DOUBT_M],
            parked=vehicle.presence.parked,
            alarmed=bool(alarmed[row]),
        )
        vehicle.presence.become(parked=state)
        carried_off[row] = alarmed[row] if verdict is None else verdict
        if verdict is True:
            news.open(kind, vehicle.vehicle_id, **_place(points[-1]), anchor=_degrees(before))
        elif verdict is False:
            news.close(kind, vehicle.vehicle_id)
        elif carried_off[row] and state.away:
            news.notice(kind, vehicle.vehicle_id)
    return carried_off


def _restless(batch: Batch, parked: Flags, alarmed: Flags) -> Ints:
    """Rows of parked vehicles with anything to look at: new, away from their anchor, or alarmed."""
    known = batch.known
    standing = parked[batch.rows]
    if not standing.any():
        return np.zeros(0, dtype=np.int64)
    points, rows = batch.points[standing], batch.rows[standing]
    anchors = np.zeros(len(known.vehicles), dtype=jumps.FIX)
    unsettled = parked.copy()
    for row in np.flatnonzero(parked).tolist():
        state = known.vehicles[row].presence.parked
        if state.anchor is not None:
            anchors[row] = state.anchor
            unsettled[row] = bool(state.away) or alarmed[row]
    fixes = jumps.fixes_of(points)
    apart_m = jumps.distances_m(anchors[rows], fixes)
    away = apart_m > watch.ANCHOR_RADIUS_M + fixes["doubt_m"]
    return np.unique(rows[away | unsettled[rows]])


def _watch_tilt(batch: Batch, news: AlarmNews) -> None:
    known, kind = batch.known, AlarmKind.TILT
    parked, alarmed = known.flags("parked"), batch.alarmed(kind)
    counting = np.array([vehicle.presence.tilts > 0 for vehicle in known.vehicles], dtype=bool)
    for row in np.flatnonzero((alarmed | counting) & ~parked).tolist():
        known.vehicles[row].presence.become(tilts=0)
        if alarmed[row]:
            news.close(kind, known.vehicles[row].vehicle_id)
    told = batch.points["tilted"] >= 0
    concerned = (batch.points["tilted"] == 1) | (alarmed | counting)[batch.rows]
    rows = np.unique(batch.rows[told & concerned & parked[batch.rows]])
    for vehicle, points in batch.of(rows):
        values = points["tilted"][points["tilted"] >= 0] == 1
        tilts, verdict = watch.tilted(
            values.tolist(), tilts=vehicle.presence.tilts, alarmed=kind in vehicle.alarms
        )
        vehicle.presence.become(tilts=tilts)
        if verdict is True:
            news.open(kind, vehicle.vehicle_id, **_place(points[-1]))
        elif verdict is False:
            news.close(kind, vehicle.vehicle_id)
        elif kind in vehicle.alarms and tilts:
            news.notice(kind, vehicle.vehicle_id)


def _tell_zones(batch: Batch, followed: Followed, news: AlarmNews) -> None:
    """Rides where nobody may ride, vehicles beyond the service area, vehicles outside the city."""
    known, kind = batch.known, AlarmKind.LEFT_SERVICE_AREA
    violations = [
        _violation(known.vehicles[row], zone_id, NO_RIDE_ENTERED, where)
        for row, zone_id, where in followed.no_ride
    ]
    for row, where in followed.left_area:
        vehicle = known.vehicles[row]
        if vehicle.rental == RentalState.STAFF:
            continue
        news.open(kind, vehicle.vehicle_id, **_place(where))
        if vehicle.ridden:
            violations.append(_violation(vehicle, None, LEFT_SERVICE_AREA, where))
    back = set(followed.in_area)
    for row in np.flatnonzero(batch.alarmed(kind)).tolist():
        vehicle = known.vehicles[row]
        if row in back or vehicle.life != LifeState.IN_SERVICE:
            news.close(kind, vehicle.vehicle_id)
    outbox.publish(*violations, at=batch.at)
    for rows, outside in ((followed.left_city, True), (followed.back_in_city, False)):
        ids = known.ids[rows].tolist()
        set_outside(vehicle_ids=ids, outside=outside, at=batch.at, by=BY)


def _limit_speed(batch: Batch, followed: Followed) -> None:
    """Tell vehicles the limit of where they are, or that there is none, until they have heard it.

    Who is on no trip has none; a vehicle that was limited is told so again and again, or the next
    rider would pay for an answer that got lost.
    """
    news = speed.LimitNews()
    for row, vehicle in enumerate(batch.known.vehicles):
        judged = row in followed.zone_rows and vehicle.ridden
        if not judged and (vehicle.order_id is None or vehicle.ridden):
            continue
        limit = _limit(vehicle, followed, row, at=batch.at) if judged else None
        if vehicle.order_id is not None:
            _follow_order(vehicle, vehicle.order_id, limit, news)
        elif limit is not None:
            news.limits.append(limit)
    speed.change_limits(news, at=batch.at)


def _follow_order(
    vehicle: KnownVehicle, order_id: int, limit: speed.Limit | None, news: speed.LimitNews
) -> None:
    """What becomes of the order in force: another limit, none, or the same until it is heard."""
    if limit is None:
        if vehicle.told_kmh is not None or vehicle.told_state is None or vehicle.limit_unheard:
            news.lifted[vehicle.vehicle_id] = order_id
    elif limit.kmh != vehicle.limit_kmh:
        news.limits.append(limit)
        news.replaced.append(order_id)
    elif vehicle.told_state and (vehicle.told_kmh != limit.kmh or vehicle.limit_unheard):
        news.repeated[order_id] = limit


def _limit(
    vehicle: KnownVehicle, followed: Followed, row: int, *, at: datetime.datetime
) -> speed.Limit | None:
    index = followed.index
    if index is None:
        return None
    held = index.rules_at(
        rows=followed.zone_rows[row],
        subject=Subject(kind=vehicle.kind, vehicle_type=vehicle.type_code),
        organisation_id=vehicle.organisation_id,
        city_id=vehicle.city_id,
        at=at,
    )
    zone_id = held.decided_by.get("maximum_speed_kmh")
    if held.maximum_speed_kmh is None or zone_id is None:
        return None
    if held.maximum_speed_kmh >= vehicle.max_speed_kmh:
        return None
    return speed.Limit(
        vehicle_id=vehicle.vehicle_id,
        kmh=held.maximum_speed_kmh,
        zone_id=zone_id,
        zones_version=index.version,
    )


def _watch_speed(batch: Batch, news: AlarmNews) -> None:
    known, kind = batch.known, AlarmKind.SPEED_VIOLATION
    limited = []
    for row, vehicle in enumerate(known.vehicles):
        if vehicle.ridden and vehicle.limit_applied_us is not None:
            limited.append(row)
            continue
        vehicle.presence.become(pace=Pace())
        if kind in vehicle.alarms:
            news.close(kind, vehicle.vehicle_id)
    for vehicle, points in batch.of(np.array(limited, dtype=np.int64)):
        told = points[points["speed_cms"] >= 0]
        speeds = (told["speed_cms"] * _CMS_TO_KMH).tolist()
        pace, verdict = watch.too_fast(
            zip(told["at_us"].tolist(), speeds, strict=True),
            limit_kmh=vehicle.limit_kmh or 0,
            applied_us=vehicle.limit_applied_us or 0,
            pace=vehicle.presence.pace,
            alarmed=kind in vehicle.alarms,
        )
        vehicle.presence.become(pace=pace)
        if verdict is True:
            fastest = round(max(speeds), 1)
            where = _place(points[-1])
            news.open(kind, vehicle.vehicle_id, **where, kmh=fastest, limit_kmh=vehicle.limit_kmh)
        elif verdict is False:
            news.close(kind, vehicle.vehicle_id)
        elif kind in vehicle.alarms and pace.fast_since_us is not None:
            news.notice(kind, vehicle.vehicle_id)


def _watch_batteries(batch: Batch, news: AlarmNews) -> None:
    kind = AlarmKind.LOW_BATTERY
    rows = batch.known.rows_of(batch.newest)
    alarmed, battery = batch.alarmed(kind)[rows], batch.newest["battery_pct"]
    told = battery >= 0
    low = told & (battery <= rules.LOW_BATTERY_PCT) & ~alarmed
    for point in batch.newest[low]:
        news.open(kind, int(point["vehicle_id"]), battery_pct=int(point["battery_pct"]))
    charged = told & (battery >= rules.CHARGED_BATTERY_PCT) & alarmed
    for vehicle_id in batch.newest["vehicle_id"][charged].tolist():
        news.close(kind, vehicle_id)


def _watch_missing(batch: Batch, news: AlarmNews) -> None:
    """A vehicle that is missing or stolen speaks: staff can fetch it."""
    kind = AlarmKind.REPORTING_AGAIN
    rows = batch.known.rows_of(batch.newest)
    for row, point in zip(rows.tolist(), batch.newest, strict=True):
        vehicle = batch.known.vehicles[row]
        alarmed = kind in vehicle.alarms
        if vehicle.life in _MISSING:
            if alarmed:
                news.notice(kind, vehicle.vehicle_id)
            else:
                news.open(kind, vehicle.vehicle_id, **_place(point), life=vehicle.life)
        elif alarmed:
            news.close(kind, vehicle.vehicle_id)


def _violation(
    vehicle: KnownVehicle, zone_id: int | None, kind: str, where: np.void
) -> ZoneViolated:
    return ZoneViolated(
        vehicle_id=vehicle.vehicle_id,
        zone_id=zone_id,
        kind=kind,
        at=records.from_us(int(where["at_us"])),
        **_place(where),
    )


def _place(where: np.void) -> dict[str, float]:
    return {"lon": int(where["lon_e7"]) / 1e7, "lat": int(where["lat_e7"]) / 1e7}


def _degrees(fix: Fix | None) -> list[float] | None:
    return None if fix is None else [fix.lon_e7 / 1e7, fix.lat_e7 / 1e7]
