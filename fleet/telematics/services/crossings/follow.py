"""From live points to crossings and presences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.telematics import records
from fleet.telematics.rules import crossings as rules
from fleet.telematics.rules.jumps import NEVER, distances_m, fixes_of
from fleet.telematics.services.crossings.batch import Followed
from fleet.telematics.services.crossings.city import leave_city
from fleet.telematics.services.crossings.table import zone_table
from fleet.telematics.services.crossings.writing import write_crossings
from fleet.zones import index as zone_index

if TYPE_CHECKING:
    import datetime

    from numpy.typing import NDArray

    from fleet.telematics.services.crossings.batch import Moved
    from fleet.telematics.services.crossings.table import ZoneTable
    from fleet.telematics.services.drain.known import Known
    from fleet.zones.index import ZoneIndex

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

# Between two fixes further apart than this, in time or place, no straight way is assumed.
SEGMENT_S = 120
SEGMENT_M = 3_000.0


def follow(moved: Moved, known: Known, *, at: datetime.datetime, careful: bool) -> Followed:
    """Write the crossings of a batch and remember in the presences where everybody is now."""
    followed = Followed()
    if not len(moved.points):
        return followed
    index = zone_index.current(at=at)
    followed.index = index
    if len(index.zones):
        _cross(moved, known, index, followed, careful=careful)
    else:
        _forget_zones(moved, known, index, followed)
    leave_city(moved, known, followed)
    return followed


def _cross(
    moved: Moved, known: Known, index: ZoneIndex, followed: Followed, *, careful: bool
) -> None:
    table = zone_table(index)
    count = len(table.ids)
    classes = [table.binding(known.vehicles[row]) for row in moved.vehicles.tolist()]
    point, zone = _inside(moved, index, classes)
    before = _before(moved, known, index)
    anew = np.array(
        [known.vehicles[row].presence.zones_version != index.version for row in moved.vehicles]
    )
    met, after = rules.cross(
        counts=moved.counts,
        row=moved.local[point],
        place=moved.place[point],
        zone=zone,
        zones=count,
        before=before,
        anew=anew,
    )
    brushes = _brushed(moved, known, index, table, classes, anew, (point, zone), before)
    met = _joined(met, brushes)
    where = _where(moved, known, met)
    write_crossings(moved, known, table, index.version, met, where, careful=careful)
    _note_no_ride(moved, known, table, met, where, followed)
    _remember(moved, known, table, index, after, classes, anew, followed)


def _inside(moved: Moved, index: ZoneIndex, classes: list[Flags]) -> tuple[Ints, Ints]:
    """Pairs of a point and a tracked zone that covers it and binds its vehicle."""
    point, zone = index.locate(moved.points["lon_e7"], moved.points["lat_e7"])
    kinds: dict[int, int] = {}
    number = np.array([kinds.setdefault(id(one), len(kinds)) for one in classes])
    distinct = {id(one): one for one in classes}
    matrix = np.stack([distinct[key] for key in kinds])
    binds = matrix[number[moved.local[point]], zone]
    return point[binds], zone[binds].astype(np.int64)


def _before(moved: Moved, known: Known, index: ZoneIndex) -> rules.Inside:
    """What was believed of these vehicles, where it was judged by these very zones."""
    pairs: list[tuple[int, int, bool, bool]] = []
    for local, row in enumerate(moved.vehicles.tolist()):
        presence = known.vehicles[row].presence
        if presence.zones_version != index.version:
            continue
        settled, wavering = set(presence.zones), set(presence.wavering)
        pairs += [
            (local, index.row_of[zone_id], zone_id in settled, zone_id in wavering)
            for zone_id in settled | wavering
            if zone_id in index.row_of
        ]
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 4)
    return rules.Inside(
        row=columns[:, 0],
        zone=columns[:, 1],
        settled=columns[:, 2].astype(bool),
        wavering=columns[:, 3].astype(bool),
    )


def _brushed(
    moved: Moved,
    known: Known,
    index: ZoneIndex,
    table: ZoneTable,
    classes: list[Flags],
    anew: Flags,
    inside: tuple[Ints, Ints],
    before: rules.Inside,
) -> rules.Crossings:
    """Zones that the straight way between two fixes passed through, with neither end inside."""
    count = len(table.ids)
    ends = fixes_of(moved.points)
    begins = np.roll(ends, 1)
    begins[moved.starts] = known.last[moved.vehicles]
    known_begin = begins["at_us"] != NEVER
    known_begin[moved.starts] &= ~anew
    near = known_begin & (ends["at_us"] - begins["at_us"] <= SEGMENT_S * 1_000_000)
    near[near] &= distances_m(begins[near], ends[near]) <= SEGMENT_M
    segments = np.flatnonzero(near)
    nobody = np.zeros(0, dtype=np.int64)
    if not table.brushed.any() or not len(segments):
        return rules.Crossings(row=nobody, zone=nobody, place=nobody, kind=nobody)
    start, end = begins[segments], ends[segments]
    lines = (start["lon_e7"], start["lat_e7"], end["lon_e7"], end["lat_e7"])
    which, zone = index.crossed(*lines, among=table.brushed)
    point, zone = segments[which], zone.astype(np.int64)
    covered = inside[0] * count + inside[1]
    at_start = moved.place[point] == 0
    last_inside = before.settled != before.wavering
    stood = (before.row * count + before.zone)[last_inside]
    begun_inside = np.where(
        at_start,
        _among(moved.local[point] * count + zone, np.sort(stood)),
        _among((point - 1) * count + zone, covered),
    )
    through = ~begun_inside & ~_among(point * count + zone, covered)
    point, zone = point[through], zone[through]
    binds = np.array(
        [classes[local][one] for local, one in zip(moved.local[point], zone, strict=True)],
        dtype=bool,
    )
    point, zone = point[binds], zone[binds]
    return rules.Crossings(
        row=moved.local[point],
        zone=zone,
        place=moved.place[point],
        kind=np.full(len(point), rules.PASSED),
    )


def _among(keys: Ints, ordered: Ints) -> Flags:
    """Which keys are among others that stand in order; `isin` would sort or hash all of them."""
    if not len(ordered):
        return np.zeros(len(keys), dtype=bool)
    place = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    found: Flags = ordered[place] == keys
    return found


def _joined(one: rules.Crossings, other: rules.Crossings) -> rules.Crossings:
    return rules.Crossings(
        row=np.concatenate([one.row, other.row]),
        zone=np.concatenate([one.zone, other.zone]),
        place=np.concatenate([one.place, other.place]),
        kind=np.concatenate([one.kind, other.kind]),
    )


def _where(moved: Moved, known: Known, met: rules.Crossings) -> NDArray[np.void]:
    """The fix at which each border was met; place −1 is the last one before the batch."""
    point = moved.starts[met.row] + met.place
    earlier = met.place < 0
    where = np.zeros(
        len(met.row), dtype=[("at_us", "<i8"), ("lon_e7", "<i4"), ("lat_e7", "<i4"), ("cms", "<i2")]
    )
    here = moved.points[np.where(earlier, 0, point)]
    last = known.last[moved.vehicles[met.row]]
    for name in ("at_us", "lon_e7", "lat_e7"):
        where[name] = np.where(earlier, last[name], here[name])
    where["cms"] = np.where(earlier, records.UNKNOWN, here["speed_cms"])
    return where


def _note_no_ride(
    moved: Moved,
    known: Known,
    table: ZoneTable,
    met: rules.Crossings,
    where: NDArray[np.void],
    followed: Followed,
) -> None:
    """Rides that entered a zone in which nobody may ride."""
    ridden = known.flags("ridden")[moved.vehicles[met.row]]
    entered = ridden & (met.kind == rules.ENTER) & table.no_ride[met.zone]
    for number in np.flatnonzero(entered).tolist():
        row = int(moved.vehicles[met.row[number]])
        followed.no_ride.append((row, int(table.ids[met.zone[number]]), where[number]))


def _remember(
    moved: Moved,
    known: Known,
    table: ZoneTable,
    index: ZoneIndex,
    after: rules.Inside,
    classes: list[Flags],
    anew: Flags,
    followed: Followed,
) -> None:
    """Write into the presences where each vehicle is, and whether it left its service area."""
    settled: list[list[int]] = [[] for _ in moved.vehicles]
    wavering: list[list[int]] = [[] for _ in moved.vehicles]
    order = np.lexsort((after.zone, after.row))
    columns = (after.row, after.zone, after.settled, after.wavering)
    for local, zone, is_in, wavers in zip(*(c[order].tolist() for c in columns), strict=True):
        if is_in:
            settled[local].append(zone)
        if wavers:
            wavering[local].append(zone)
    ids, counts = table.ids, moved.counts
    for local, row in enumerate(moved.vehicles.tolist()):
        presence = known.vehicles[row].presence
        areas = classes[local] & table.operating
        outside = bool(areas.any()) and not any(areas[zone] for zone in settled[local])
        if not outside:
            followed.in_area.append(row)
        elif not anew[local] and not presence.outside:
            end = moved.starts[local] + counts[local] - 1
            followed.left_area.append((row, moved.points[end]))
        presence.become(
            zones_version=index.version,
            zones=[int(ids[zone]) for zone in settled[local]],
            wavering=[int(ids[zone]) for zone in wavering[local]],
            outside=outside,
        )
        followed.zone_rows[row] = settled[local]


def _forget_zones(moved: Moved, known: Known, index: ZoneIndex, followed: Followed) -> None:
    """No zone is in force any more: nobody is in one, or outside of all."""
    for row in moved.vehicles.tolist():
        presence = known.vehicles[row].presence
        presence.become(zones_version=index.version, zones=[], wavering=[], outside=False)
        followed.zone_rows[row] = []
        followed.in_area.append(row)
