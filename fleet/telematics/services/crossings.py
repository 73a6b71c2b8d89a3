"""Where vehicles went among the zones: crossings, presence, and who left the city.

Judged are live points of vehicles that somebody moves; what a receiver wanders while a vehicle
stands parked crosses nothing. Bays and no-parking zones are asked when a ride ends, not here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection

from fleet.telematics import records
from fleet.telematics.rules import crossings as rules
from fleet.telematics.rules.jumps import NEVER, distances_m, fixes_of
from fleet.telematics.states import CrossingKind
from fleet.zones import index as zone_index
from fleet.zones.rules import Subject
from fleet.zones.states import ZoneKind

if TYPE_CHECKING:
    import datetime

    from numpy.typing import NDArray

    from fleet.telematics.records import Points
    from fleet.telematics.services.drain.known import Known, KnownVehicle
    from fleet.zones.index import ZoneIndex

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

# A fix in more doubt than this neither enters nor leaves anything.
MAX_DOUBT_M = 50.0
# Between two fixes further apart than this, in time or place, no straight way is assumed.
SEGMENT_S = 120
SEGMENT_M = 3_000.0

_TRACKED = frozenset({ZoneKind.OPERATING, ZoneKind.NO_RIDE, ZoneKind.SLOW})
_NAMES = (CrossingKind.ENTER, CrossingKind.LEAVE, CrossingKind.PASSED)
_POSTGRES_EPOCH_US = 946_684_800_000_000
_COLUMNS = (
    ("vehicle_id", ">i8"),
    ("zone_id", ">i8"),
    ("zones_version", ">i8"),
    ("at", ">i8"),
    ("lon_e7", ">i4"),
    ("lat_e7", ">i4"),
    ("speed_cms", ">i2"),
    ("on_trip", "u1"),
)
_LISTED = ", ".join(name for name, _type in _COLUMNS)
_COPY = f"COPY fleet_zonecrossing ({_LISTED}, kind) FROM STDIN (FORMAT BINARY)"
_STAGE = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS fleet_crossing_again"
    " (LIKE fleet_zonecrossing INCLUDING DEFAULTS INCLUDING IDENTITY) ON COMMIT DELETE ROWS"
)
_MERGE = (
    f"INSERT INTO fleet_zonecrossing ({_LISTED}, kind) SELECT {_LISTED}, kind"  # noqa: S608 - constants
    " FROM fleet_crossing_again ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Live points of vehicles that are on the move, and their rows in `Known`."""

    points: Points
    rows: Ints
    # The same vehicles numbered from 0, the row of each, and where their points begin.
    local: Ints
    vehicles: Ints
    starts: Ints
    place: Ints

    @property
    def counts(self) -> Ints:
        return np.diff(np.append(self.starts, len(self.points)))


@dataclass(kw_only=True)
class Followed:
    """What the zones say of a batch: vehicles (rows in `Known`) with the point that decided."""

    no_ride: list[tuple[int, int, np.void]] = field(default_factory=list)
    left_area: list[tuple[int, np.void]] = field(default_factory=list)
    in_area: list[int] = field(default_factory=list)
    left_city: list[int] = field(default_factory=list)
    back_in_city: list[int] = field(default_factory=list)
    zone_rows: dict[int, list[int]] = field(default_factory=dict)
    index: ZoneIndex | None = None


class ZoneTable:
    """The zones of an index as columns, and which of them bind which vehicles."""

    def __init__(self, index: ZoneIndex) -> None:
        self.zones = index.zones
        self.ids = np.array([zone.zone_id for zone in index.zones], dtype=np.int64)
        self.operating = np.array([z.kind == ZoneKind.OPERATING for z in index.zones], dtype=bool)
        self.no_ride = np.array([z.kind == ZoneKind.NO_RIDE for z in index.zones], dtype=bool)
        slow = np.array([z.max_speed_kmh is not None for z in index.zones], dtype=bool)
        self.brushed = self.no_ride | slow
        tracked = np.array([z.kind in _TRACKED for z in index.zones], dtype=bool)
        self.tracked = tracked | slow
        self._binding: dict[tuple[int, int, str, str], Flags] = {}

    def binding(self, vehicle: KnownVehicle) -> Flags:
        """For each zone whether it is tracked and binds this vehicle."""
        key = (vehicle.organisation_id, vehicle.city_id, vehicle.kind, vehicle.type_code)
        if key not in self._binding:
            subject = Subject(kind=vehicle.kind, vehicle_type=vehicle.type_code)
            binds = [
                zone.binds(organisation_id=key[0], city_id=key[1]) and zone.concerns(subject)
                for zone in self.zones
            ]
            self._binding[key] = self.tracked & np.array(binds, dtype=bool)
        return self._binding[key]


@lru_cache(maxsize=4)
def zone_table(index: ZoneIndex) -> ZoneTable:
    """The table of an index, made once while the index is in use."""
    return ZoneTable(index)


def on_the_move(points: Points, rows: Ints, *, moving: Flags) -> Moved:
    """The points that may cross something: of moving vehicles (by row), with a fix good enough."""
    good = moving[rows] & (points["accuracy_dm"] <= MAX_DOUBT_M * 10)
    if not good.all():
        points, rows = points[good], rows[good]
    first = np.diff(rows, prepend=-1) != 0
    starts = np.flatnonzero(first)
    local = np.cumsum(first) - 1
    vehicles = rows[starts]
    return Moved(
        points=points,
        rows=rows,
        local=local,
        vehicles=vehicles,
        starts=starts,
        place=np.arange(len(points)) - starts[local],
    )


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
    _leave_city(moved, known, followed)
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
    _write(moved, known, table, index.version, met, where, careful=careful)
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
    which, zone = index.crossed(start["lon_e7"], start["lat_e7"], end["lon_e7"], end["lat_e7"])
    kept = table.brushed[zone]
    point, zone = segments[which[kept]], zone[kept].astype(np.int64)
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


def _write(
    moved: Moved,
    known: Known,
    table: ZoneTable,
    version: int,
    met: rules.Crossings,
    where: NDArray[np.void],
    *,
    careful: bool,
) -> None:
    """The crossings by COPY; `careful` lets those be that a rival drain has written."""
    if not len(met.row):
        return
    rows = moved.vehicles[met.row]
    columns = {
        "vehicle_id": known.ids[rows],
        "zone_id": table.ids[met.zone],
        "zones_version": np.full(len(rows), version, dtype=np.int64),
        "at": where["at_us"] - _POSTGRES_EPOCH_US,
        "lon_e7": where["lon_e7"],
        "lat_e7": where["lat_e7"],
        "speed_cms": where["cms"],
        "on_trip": known.flags("ridden")[rows],
    }
    stream = _copy_stream(columns, met.kind)
    with connection.cursor() as cursor:
        target = _COPY
        if careful:
            cursor.execute(_STAGE)
            target = _COPY.replace("fleet_zonecrossing", "fleet_crossing_again")
        with cursor.copy(target) as copy:
            copy.write(stream)
        if careful:
            cursor.execute(_MERGE)


def _copy_stream(columns: dict[str, Any], kinds: Ints) -> bytes:
    """A binary COPY stream; rows of one kind have one width, so each kind is one array.

    Source of the format: PostgreSQL 15 documentation, COPY, "Binary Format".
    """
    parts = [b"PGCOPY\n\xff\r\n\0", struct.pack(">ii", 0, 0)]
    for code, name in enumerate(_NAMES):
        which = kinds == code
        word = str(name).encode()
        layout: list[tuple[str, str]] = [("count", ">i2")]
        for column, kind in (*_COLUMNS, ("kind", f"S{len(word)}")):
            layout += [(f"{column}_size", ">i4"), (column, kind)]
        rows = np.zeros(int(which.sum()), dtype=np.dtype(layout))
        rows["count"] = len(_COLUMNS) + 1
        for column, kind in _COLUMNS:
            rows[f"{column}_size"] = np.dtype(kind).itemsize
            rows[column] = columns[column][which]
        rows["kind_size"], rows["kind"] = len(word), word
        parts.append(rows.tobytes())
    return b"".join((*parts, struct.pack(">h", -1)))


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


def _leave_city(moved: Moved, known: Known, followed: Followed) -> None:
    """Who left the city's jurisdiction or came back: two fixes in a row must say so."""
    cities = zone_index.jurisdictions()
    if not len(cities.zones):
        return
    row_of_city = {zone.city_id: row for row, zone in enumerate(cities.zones)}
    ends = moved.starts + moved.counts - 1
    last = known.last[moved.vehicles].copy()
    single = moved.counts < 2
    fixes = fixes_of(moved.points)
    last[~single] = fixes[ends[~single] - 1]
    inside = [_in_city(cities, some, known, moved, row_of_city) for some in (fixes[ends], last)]
    unknown = last["at_us"] == NEVER
    outside_before = known.flags("is_outside")[moved.vehicles]
    bounded = np.array(
        [known.vehicles[row].city_id in row_of_city for row in moved.vehicles.tolist()]
    )
    gone = bounded & ~unknown & ~inside[0] & ~inside[1] & ~outside_before
    back = bounded & ~unknown & inside[0] & inside[1] & outside_before
    followed.left_city = moved.vehicles[gone].tolist()
    followed.back_in_city = moved.vehicles[back].tolist()


def _in_city(
    cities: ZoneIndex,
    fixes: NDArray[np.void],
    known: Known,
    moved: Moved,
    row_of_city: dict[int, int],
) -> Flags:
    own = np.array(
        [row_of_city.get(known.vehicles[row].city_id, -1) for row in moved.vehicles.tolist()]
    )
    point, zone = cities.locate(fixes["lon_e7"], fixes["lat_e7"])
    inside = np.zeros(len(fixes), dtype=bool)
    inside[point[zone == own[point]]] = True
    return inside
