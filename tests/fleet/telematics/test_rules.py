"""The pure rules of what vehicles report, against plain readings of the same sentences."""

import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.telematics import records, rules, wire
from fleet.telematics.rules import crossings, jumps
from fleet.telematics.states import QuarantineReason

NOON = datetime.datetime(2026, 5, 4, 12, 0, tzinfo=datetime.UTC)
NOON_US = records.to_us(NOON)
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
KINDS = ("enter", "leave", "passed")


def received(*rows: tuple[int, float, float], accuracy_dm: int = -1, vehicle_id: int = 1) -> Any:
    """Points of a vehicle as (µs, lon, lat), received at noon."""
    points = np.zeros(len(rows), dtype=records.OWNED_POINT)
    points["vehicle_id"] = vehicle_id
    points["received_us"] = NOON_US
    points["at_us"] = [row[0] for row in rows]
    points["lon_e7"] = [round(row[1] * 1e7) for row in rows]
    points["lat_e7"] = [round(row[2] * 1e7) for row in rows]
    points["accuracy_dm"] = accuracy_dm
    return points


# --- the week -----------------------------------------------------------------------------------


@given(
    age_us=st.integers(-5 * 60 * SECOND_US, 30 * DAY_US),
    rounds=st.integers(0, 2),
)
@settings(max_examples=60)
def test_a_lost_gps_week_is_found_again_to_the_microsecond(age_us: int, rounds: int) -> None:
    at_us = NOON_US - age_us
    points = received((at_us - rounds * rules.GPS_ROUND_US, 9.19, 45.46))
    assert rules.right_week(points) == (rounds > 0)
    assert points["at_us"].tolist() == [at_us]


def test_a_clock_that_is_merely_wrong_is_not_bent_into_a_week() -> None:
    points = received((NOON_US - rules.GPS_ROUND_US - 40 * DAY_US, 9.19, 45.46))
    assert rules.right_week(points) == 0
    assert rules.quarantine_reasons(points).tolist() == [4]


# --- jumps --------------------------------------------------------------------------------------


def believe(points: Any, *, last: Any = None, doubt: Any = None, kmh: float = 25) -> Any:
    columns = []
    for fix in (last, doubt):
        column = np.zeros(1, dtype=jumps.FIX)
        column["at_us"] = jumps.NEVER
        if fix is not None:
            column[0] = (*fix, 0.0)
        columns.append(column)
    return jumps.believe(
        points,
        rows=np.zeros(len(points), dtype=np.int64),
        last=columns[0],
        in_doubt=columns[1],
        limits_mps=jumps.limit_mps(np.array([kmh])),
    )


def way(*places: float, step_s: int = 10) -> Any:
    """Fixes every few seconds at these longitudes."""
    return received(
        *((NOON_US + n * step_s * SECOND_US, lon, 45.46) for n, lon in enumerate(places))
    )


def test_one_jump_does_not_poison_those_that_follow() -> None:
    belief = believe(way(9.19, 9.1901, 9.9, 9.1903, 9.1904))
    assert belief.believed.tolist() == [True, True, False, True, True]
    assert belief.in_doubt == {}


def test_two_that_agree_after_a_jump_are_believed() -> None:
    belief = believe(way(9.19, 9.9, 9.9001, 9.9002, 9.19))
    assert belief.believed.tolist() == [True, False, True, True, False]
    assert belief.in_doubt[0].lon_e7 == 91_900_000


def test_a_doubt_is_settled_by_the_next_batch() -> None:
    first = believe(way(9.9), last=(NOON_US - 10 * SECOND_US, 91_900_000, 454_600_000))
    assert first.believed.tolist() == [False]
    agreeing = received((NOON_US + 10 * SECOND_US, 9.9001, 45.46))
    last = (NOON_US - 10 * SECOND_US, 91_900_000, 454_600_000)
    second = believe(agreeing, last=last, doubt=tuple(first.in_doubt[0])[:3])
    assert second.believed.tolist() == [True]


def test_a_scooter_in_a_van_is_believed_and_a_flying_one_is_not() -> None:
    van = [9.19 + n * 0.0038 for n in range(5)]  # 107 km/h
    assert believe(way(*van)).believed.all()
    assert not believe(way(9.19, 9.25)).believed.all()  # 1,680 km/h


def test_a_fast_car_is_believed_where_a_scooter_is_not() -> None:
    steps = way(9.19, 9.1975)  # 210 km/h and the doubt of two fixes
    assert believe(steps, kmh=130).believed.all()
    assert not believe(steps, kmh=20).believed.all()


def test_a_vehicle_that_never_spoke_can_be_anywhere() -> None:
    assert believe(way(170.0)).believed.all()


@given(places=st.lists(st.sampled_from([9.19, 9.1901, 9.5, 9.5001, 9.9]), max_size=14))
@settings(max_examples=60)
def test_belief_is_the_same_however_the_points_are_cut(places: list[float]) -> None:
    """All at once, or one batch a point with what is remembered between them."""
    points = way(*places)
    start = (NOON_US - 10 * SECOND_US, 91_900_000, 454_600_000)
    whole = believe(points, last=start).believed.tolist()
    last, doubt, single = start, None, []
    for number in range(len(points)):
        belief = believe(points[number : number + 1], last=last, doubt=doubt)
        single += belief.believed.tolist()
        point = points[number]
        here = (int(point["at_us"]), int(point["lon_e7"]), int(point["lat_e7"]))
        last = here if single[-1] else last
        doubt = tuple(belief.in_doubt[0])[:3] if 0 in belief.in_doubt else None
    assert single == whole


# --- crossings ----------------------------------------------------------------------------------


class Plain:
    """The sentences of `crossings`, one point after the other."""

    def __init__(self) -> None:
        self.inside = self.said = False
        self.fresh = True

    def take(self, says: bool) -> list[str]:
        """What the point makes true, in words."""
        if self.fresh:
            self.fresh, self.inside, self.said = False, says, says
            return []
        found = []
        if says == self.said != self.inside:
            self.inside = says
            found = ["enter" if says else "leave"]
        elif not says and self.said and not self.inside:
            found = ["passed"]
        self.said = says
        return found


days = st.lists(st.lists(st.lists(st.booleans(), min_size=2, max_size=2), max_size=7), max_size=6)


@given(fleet=st.lists(days, min_size=1, max_size=3))
@settings(max_examples=60)
def test_crossings_of_a_batch_are_those_of_its_points_one_by_one(
    fleet: list[list[list[list[bool]]]],
) -> None:
    """Some vehicles, some batches, two zones: the vectorised reading and the plain one agree."""
    batches = max(len(batches) for batches in fleet)
    plain = {(v, z): Plain() for v in range(len(fleet)) for z in range(2)}
    before = crossings.Inside(
        row=np.zeros(0, np.int64),
        zone=np.zeros(0, np.int64),
        settled=np.zeros(0, bool),
        wavering=np.zeros(0, bool),
    )
    met = [False] * len(fleet)
    for number in range(batches):
        parts = [b[number] if number < len(b) else [] for b in fleet]
        expected, inside_pairs = [], []
        for v, points in enumerate(parts):
            for place, flags in enumerate(points):
                for z in range(2):
                    if flags[z]:
                        inside_pairs.append((v, place, z))
                    kinds = plain[v, z].take(flags[z])
                    expected += [(v, z, place - 1, kind) for kind in kinds]
        pairs = np.array(inside_pairs, dtype=np.int64).reshape(-1, 3)
        found, before = crossings.cross(
            counts=np.array([len(points) for points in parts]),
            row=pairs[:, 0],
            place=pairs[:, 1],
            zone=pairs[:, 2],
            zones=2,
            before=before,
            anew=np.array([not m for m in met]),
        )
        met = [m or bool(points) for m, points in zip(met, parts, strict=True)]
        columns = (found.row, found.zone, found.place, found.kind)
        told = [
            (v, z, place, KINDS[kind])
            for v, z, place, kind in zip(*(c.tolist() for c in columns), strict=True)
        ]
        assert sorted(told) == sorted(expected)
        settled = set(zip(before.row[before.settled], before.zone[before.settled], strict=True))
        assert settled == {key for key, one in plain.items() if one.inside}


# --- packing --------------------------------------------------------------------------------------

maybe = st.one_of(st.none(), st.booleans())
reported = st.builds(
    wire.PointIn,
    at=st.integers(0, 2_000_000_000_000),
    lat=st.floats(-180, 180),
    lon=st.floats(-180, 180),
    speed_kmh=st.one_of(st.none(), st.floats(0, 1000)),
    heading_deg=st.one_of(st.none(), st.floats(0, 360)),
    battery_pct=st.one_of(st.none(), st.floats(0, 100)),
    odometer_m=st.one_of(st.none(), st.floats(0, 2_000_000_000)),
    locked=maybe,
    accuracy_m=st.one_of(st.none(), st.floats(0, 1_000_000)),
    tilted=maybe,
)


@given(points=st.lists(reported, min_size=1, max_size=6))
@settings(max_examples=60)
def test_many_points_are_packed_like_few(points: list[wire.PointIn]) -> None:
    many = wire.pack(points * 40)
    few = wire.pack(points)
    assert many[: len(points)].tolist() == few.tolist()


@pytest.mark.parametrize("name", ["lat_e7", "lon_e7"])
def test_the_least_number_is_no_place(name: str) -> None:
    """0x80000000 has no opposite: its absolute value, taken in its own type, is below zero."""
    points = np.zeros(1, dtype=records.RECEIVED)
    points["lon_e7"], points["lat_e7"] = 91_900_000, 454_600_000
    points[name] = np.iinfo(np.int32).min
    (code,) = rules.quarantine_reasons(points).tolist()
    assert rules.reason_of(code) == QuarantineReason.OUT_OF_RANGE
