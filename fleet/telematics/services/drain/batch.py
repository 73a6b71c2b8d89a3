"""One batch of points in one transaction: stored, then judged."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fleet.telematics import records, rules
from fleet.telematics.rules import jumps
from fleet.telematics.services import latest, tracks
from fleet.telematics.services.alarms import AlarmNews, write_alarms
from fleet.telematics.services.drain.intake import put_aside, take_in
from fleet.telematics.services.drain.known import Known, load_known
from fleet.telematics.services.drain.presences import write_presences
from fleet.telematics.services.drain.watching import Batch, judge_live
from fleet.telematics.services.links import LATE_AFTER
from fleet.telematics.services.partitions import prepare_days
from fleet.telematics.states import AlarmKind, QuarantineReason
from fleet.telematics.store import point_store
from fleet.vehicles.services import block_vehicles, lift_blocks, set_link_state
from fleet.vehicles.states import BlockReason, LinkState
from mobility.core.principals import system_principal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.telematics.records import Points

BY = system_principal("telematics")

# Older points are history: whoever had the vehicle then, an alarm about it comes too late, and
# who had it is no longer what the vehicle's row says.
LIVE_FOR_US = 5 * 60 * 1_000_000
# What took longer, on the way or in the log, may belong to a trip whose track is computed already.
EXPECTED_WITHIN_US = 10 * 60 * 1_000_000


@dataclass(kw_only=True)
class Drained:
    """What a drain did."""

    entries: int = 0
    stored: int = 0
    quarantined: int = 0

    def add(self, other: Drained) -> None:
        """Count another batch."""
        self.entries += other.entries
        self.stored += other.stored
        self.quarantined += other.quarantined


def store_batch(received: Points, *, at: datetime.datetime, careful: bool) -> Drained:
    """Store and judge the points of some entries, in the transaction of the caller.

    `careful` compares every point with what is stored, instead of only the late ones.
    """
    intake = take_in(received)
    points = intake.points
    if intake.heard:
        known = load_known(intake.heard)
        rows = known.rows_of(points)
        fresh = points["at_us"] > known.watermark_us[rows]
        prepare_days(points["at_us"])
        new = np.zeros_like(fresh) if careful else fresh
        point_store().append(fresh=_taken(points, new), late=_taken(points, ~new))
        tracks.note_late_points(spans=_unexpected(points, fresh, at=at), at=at)
        _judge(_taken(points, fresh), _taken(rows, fresh), known, at=at, careful=careful)
        _take_placeless(intake.placeless, known, at=at)
        latest.write_heard(intake.heard)
        _hear(intake.heard, known, at=at)
        write_presences([vehicle.presence for vehicle in known.vehicles], at=at)
    return Drained(stored=len(points), quarantined=intake.quarantined)


def _judge(
    points: Points,
    rows: NDArray[np.int64],
    known: Known,
    *,
    at: datetime.datetime,
    careful: bool,
) -> None:
    """What follows from new points: which of them to believe, then everything they say."""
    believed = _believe(points, rows, known)
    points, rows = _taken(points, believed), _taken(rows, believed)
    newest = rules.newest(points)
    latest.write_latest(newest)
    _judge_batteries(newest, known, at=at)
    live = points["at_us"] >= np.maximum(known.since_us[rows], records.to_us(at) - LIVE_FOR_US)
    points, rows = _taken(points, live), _taken(rows, live)
    if len(points):
        seen = np.zeros(len(known.ids), dtype=bool)
        seen[rows] = True
        newest = newest[seen[known.rows_of(newest)]]
        judge_live(
            Batch(points=points, rows=rows, newest=newest, known=known, at=at, careful=careful)
        )


def _taken(column: NDArray[Any], which: NDArray[np.bool_]) -> NDArray[Any]:
    """These of a column; the column itself, and no copy, where that is all."""
    return column if which.all() else column[which]


def _unexpected(
    points: Points,
    fresh: NDArray[np.bool_],
    *,
    at: datetime.datetime,
) -> list[tuple[int, datetime.datetime, datetime.datetime]]:
    """From when to when each vehicle has points that a track may have been computed without."""
    old = ~fresh | (records.to_us(at) - points["at_us"] > EXPECTED_WITHIN_US)
    late = points[old]
    if not len(late):
        return []
    vehicles, starts = np.unique(late["vehicle_id"], return_index=True)
    ends = np.append(starts[1:], len(late)) - 1
    first, last = (late["at_us"][places].tolist() for places in (starts, ends))
    return [
        (vehicle_id, records.from_us(start), records.from_us(end))
        for vehicle_id, start, end in zip(vehicles.tolist(), first, last, strict=True)
    ]


def _believe(points: Points, rows: NDArray[np.int64], known: Known) -> NDArray[np.bool_]:
    """Leave jumps of receivers out of account; each is noted for staff, though it is stored."""
    belief = jumps.believe(
        points,
        rows=rows,
        last=known.last,
        in_doubt=known.in_doubt,
        limits_mps=known.limits_mps,
    )
    doubted = ~belief.believed
    if doubted.any():
        reasons = [QuarantineReason.IMPOSSIBLE_SPEED] * int(doubted.sum())
        put_aside(points[doubted], points["vehicle_id"][doubted], reasons)
    for row, fix in belief.in_doubt.items():
        known.vehicles[row].presence.become(doubt=fix, stored_until_us=fix.at_us)
    return belief.believed


def _take_placeless(points: Points, known: Known, *, at: datetime.datetime) -> None:
    """Battery, lock and odometer of vehicles that know no place, in a garage say."""
    if len(points):
        newest = rules.newest(points)
        newest = newest[newest["at_us"] > known.last["at_us"][known.rows_of(newest)]]
        latest.write_placeless(newest)
        _judge_batteries(newest, known, at=at)


def _hear(last_us: dict[int, int], known: Known, *, at: datetime.datetime) -> None:
    """Vehicles that were silent and have just reported are online again.

    Whatever they reported, and by our clock: one that has no fix, or whose clock is wrong, speaks.
    """
    since_us = records.to_us(at - LATE_AFTER)
    recent = {vehicle_id for vehicle_id, us in last_us.items() if us > since_us}
    heard = known.silent() & recent
    set_link_state(vehicle_ids=sorted(heard), to=LinkState.ONLINE, at=at, by=BY)
    news = AlarmNews()
    for vehicle in known.vehicles:
        if AlarmKind.SILENCE in vehicle.alarms and vehicle.vehicle_id in heard:
            news.close(AlarmKind.SILENCE, vehicle.vehicle_id)
    write_alarms(news, at=at)


def _judge_batteries(newest: Points, known: Known, *, at: datetime.datetime) -> None:
    changes = rules.battery_changes(newest, blocked=known.withdrawn())
    reason = BlockReason.LOW_BATTERY
    if changes.low:
        block_vehicles(vehicle_ids=changes.low, reason=reason, at=at, by=BY)
    if changes.charged:
        lift_blocks(vehicle_ids=changes.charged, reason=reason, at=at, by=BY)
