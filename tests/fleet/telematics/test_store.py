"""What any store of points must do: keep each point once, in order, hot or packed away."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.telematics import chunks, records
from fleet.telematics.services import partitions
from fleet.telematics.store import CloseFailed, PointStore, closing, point_store

if TYPE_CHECKING:
    from fleet.telematics.records import Points

# No other test leaves a partition of this day behind.
DAY = datetime.date(2025, 5, 4)
MIDNIGHT = datetime.datetime(2025, 5, 4, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
END = MIDNIGHT + 24 * HOUR
NAMES = ("vehicle_id", *chunks.COLUMNS)


def day_of(vehicle_id: int, *, step_s: int = 60, seed: int = 1) -> Points:
    """A vehicle-day: parked with a drifting receiver, three rides, clock with milliseconds."""
    rng = np.random.default_rng(seed + vehicle_id)
    count = 86_400 // step_s
    points = np.full(count, records.UNKNOWN, dtype=records.OWNED_POINT)
    points["vehicle_id"] = vehicle_id
    points["at_us"] = records.to_us(MIDNIGHT) + (
        np.arange(count) * step_s * 1_000_000 + rng.integers(0, 900, count) * 1_000
    )
    points["received_us"] = points["at_us"] + 2_000_000
    riding = np.arange(count) * step_s % 28_800 < 900
    turn = np.cumsum(rng.normal(0, 0.3, count))
    for name, trend, metre in (("lon_e7", np.cos(turn), 128.2), ("lat_e7", np.sin(turn), 89.9)):
        metres = np.cumsum(np.where(riding, 5.0 * step_s, 0.0) * trend) + rng.normal(0, 2, count)
        points[name] = (91_900_000 if name == "lon_e7" else 454_600_000) + metres * metre
    points["speed_cms"] = np.where(riding, 500 + rng.integers(-60, 60, count), 0)
    points["battery_pct"] = 100 - np.arange(count) * 50 // count
    points["accuracy_dm"] = rng.integers(20, 80, count)
    points["locked"] = ~riding
    return points


def same(found: Points, expected: Points) -> bool:
    return all(np.array_equal(found[name], expected[name]) for name in NAMES)


def nothing() -> Points:
    return np.empty(0, dtype=records.OWNED_POINT)


@pytest.fixture(params=["postgres"])
def store(request: pytest.FixtureRequest, db: None) -> Iterator[PointStore]:
    """Every store that there is; what follows holds for each of them."""
    partitions.prepare_days(np.array([records.to_us(MIDNIGHT)]))
    yield point_store()
    partitions._prepared.clear()


def whole_day(store: PointStore, vehicle_id: int) -> Points:
    return store.track(vehicle_id=vehicle_id, start=MIDNIGHT, end=END)


def test_fresh_points_are_read_back_as_they_were(store: PointStore) -> None:
    points = day_of(7)
    store.append(fresh=points, late=nothing())
    found = whole_day(store, 7)
    assert same(found, points)
    assert np.array_equal(found["received_us"], points["received_us"])
    assert len(whole_day(store, 8)) == 0
    assert store.days() == [DAY]


def test_both_ends_of_a_range_are_in_it(store: PointStore) -> None:
    points = day_of(7)
    store.append(fresh=points, late=nothing())
    first, last = (records.from_us(int(points["at_us"][place])) for place in (100, 200))
    for _ in ("hot", "closed"):
        assert same(store.track(vehicle_id=7, start=first, end=last), points[100:201])
        store.close(day=DAY)


def test_late_points_find_their_place_and_known_ones_do_not_double(store: PointStore) -> None:
    points = day_of(7)
    store.append(fresh=points[::2], late=nothing())
    shuffled = np.concatenate([points, points[::3]])
    np.random.default_rng(1).shuffle(shuffled)
    store.append(fresh=nothing(), late=shuffled[:0])
    store.append(fresh=nothing(), late=closing.merged(shuffled, nothing()))
    assert same(whole_day(store, 7), points)


def test_a_closed_day_is_read_like_an_open_one(store: PointStore) -> None:
    fleet = {vehicle: day_of(vehicle) for vehicle in (3, 4, 9)}
    store.append(fresh=np.concatenate(list(fleet.values())), late=nothing())
    closed = store.close(day=DAY)
    assert (closed.day, closed.hot, closed.doubled) == (DAY, 3 * 1440, 0)
    # An hour has 60 points: four share a chunk.
    assert closed.chunks == 3 * 6
    assert store.days() == []
    for vehicle, points in fleet.items():
        assert same(whole_day(store, vehicle), points)
    assert store.close(day=DAY).hot == 0


def test_late_points_of_a_closed_day_are_merged_at_the_next_close(store: PointStore) -> None:
    """Hot again until then, and a point that is sent once more does not double."""
    points = day_of(7)
    late = np.arange(len(points)) % 5 == 0
    store.append(fresh=points[~late], late=nothing())
    store.close(day=DAY)
    store.append(fresh=nothing(), late=points[:300])
    assert store.days() == [DAY]
    assert same(whole_day(store, 7)[:300], points[:300])
    again = store.close(day=DAY)
    assert (again.hot, again.doubled) == (300, 240)
    store.append(fresh=nothing(), late=points)
    store.close(day=DAY)
    assert same(whole_day(store, 7), points)


@pytest.mark.parametrize("seed", range(4))
def test_two_truths_of_one_moment_end_the_same_way_whatever_came_first(
    store: PointStore, seed: int
) -> None:
    """A device says two things of the same moment; hot, late or closed, the smaller one stays."""
    chance = random.Random(seed)
    points = day_of(7, step_s=1800)
    other = points.copy()
    other["lon_e7"] += 5
    parts = [points, other]
    chance.shuffle(parts)
    store.append(fresh=parts[0], late=nothing())
    if chance.random() < 0.5:
        store.close(day=DAY)
    store.append(fresh=nothing(), late=parts[1])
    if chance.random() < 0.5:
        store.close(day=DAY)
    assert same(whole_day(store, 7), points)


def test_chunks_are_the_same_bytes_however_the_points_came(store: PointStore) -> None:
    """In one go, or in shuffled pieces with closes in between."""

    def payloads() -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM fleet_pointchunk ORDER BY vehicle_id, hour")
            return [(*row[:-1], bytes(row[-1])) for row in cursor.fetchall()]

    points = np.concatenate([day_of(3), day_of(4)])
    with transaction.atomic():
        store.append(fresh=points, late=nothing())
        store.close(day=DAY)
        plain = payloads()
        transaction.set_rollback(True)
    order = np.random.default_rng(2).permutation(len(points))
    for piece in np.array_split(order, 4):
        late = closing.merged(points[piece], nothing())
        store.append(fresh=nothing(), late=late)
        store.close(day=DAY)
    assert payloads() == plain


def test_a_close_shuts_out_nobody_but_who_wants_that_very_day(store: PointStore) -> None:
    """Also the first close of a month, which makes a new partition."""
    store.append(fresh=day_of(7), late=nothing())
    store.close(day=DAY)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relation::regclass::text FROM pg_locks WHERE mode = 'AccessExclusiveLock'"
            " AND pid = pg_backend_pid() AND relation IS NOT NULL"
        )
        shut = {name for (name,) in cursor.fetchall()}
    assert "fleet_point_20250504" in shut
    # The day itself is made by this test in the same transaction, or `fleet_point_default` would
    # not be shut either.
    assert not shut & {"fleet_point", "fleet_pointchunk"}


def test_nothing_is_removed_when_what_was_packed_is_not_the_same(
    store: PointStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = day_of(7)
    store.append(fresh=points, late=nothing())

    def forgetful(points: Points, starts: Any) -> list[bytes]:
        wrong = points.copy()
        wrong["battery_pct"][17] += 1
        return chunks_pack_many(wrong, starts)

    chunks_pack_many = chunks.pack_many
    monkeypatch.setattr(chunks, "pack_many", forgetful)
    with pytest.raises(CloseFailed, match="not the same"):
        store.close(day=DAY)
    monkeypatch.undo()
    assert store.days() == [DAY]
    assert same(whole_day(store, 7), points)
    assert store.close(day=DAY).hot == len(points)


def test_a_report_that_comes_while_a_day_is_packed_makes_the_close_fail(
    store: PointStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = day_of(7)
    store.append(fresh=points[:-1], late=nothing())
    write = closing._write

    def write_and_hear(cursor: Any, packed: Points) -> int:
        store.append(fresh=points[-1:], late=nothing())
        return write(cursor, packed)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(closing, "_write", write_and_hear)
        with pytest.raises(CloseFailed, match="changed"), transaction.atomic():
            store.close(day=DAY)
    store.append(fresh=points[-1:], late=nothing())
    assert store.close(day=DAY).hot == len(points)
    assert same(whole_day(store, 7), points)


def now_and_then(vehicle_id: int) -> Points:
    """Every ten seconds on three rides, every five minutes otherwise: 549 points a day."""
    points = day_of(vehicle_id, step_s=10)
    seconds = np.arange(len(points)) * 10
    few: Points = points[(seconds % 28_800 < 900) | (seconds % 300 == 0)]
    return few


@pytest.mark.parametrize(("make", "vehicles"), [(day_of, 6), (now_and_then, 60)])
def test_a_closed_day_takes_a_tenth_of_rows_with_geometry(
    store: PointStore, make: Callable[..., Points], vehicles: int
) -> None:
    """122.6 bytes a point is the row with a geometry and its key that was measured once.

    Reports every ten seconds, and those of a real fleet; tables, indexes and free space counted.
    """
    step = {"step_s": 10} if make is day_of else {}
    fleet = [make(vehicle, **step) for vehicle in range(1, vehicles + 1)]
    store.append(fresh=np.concatenate(fleet), late=nothing())
    closed = store.close(day=DAY)
    assert closed.bytes_after / closed.hot <= 0.10 * 122.6
    assert closed.bytes_before / closed.hot > 8 * closed.bytes_after / closed.hot
    for points in (fleet[0], fleet[-1]):
        assert same(whole_day(store, int(points["vehicle_id"][0])), points)


def test_a_range_within_a_shared_chunk_is_found(store: PointStore) -> None:
    points = now_and_then(7)
    store.append(fresh=points, late=nothing())
    store.close(day=DAY)
    for hour in range(24):
        start = MIDNIGHT + hour * HOUR
        found = store.track(vehicle_id=7, start=start, end=start + HOUR)
        inside = (points["at_us"] >= records.to_us(start)) & (
            points["at_us"] <= records.to_us(start + HOUR)
        )
        assert same(found, points[inside])


@pytest.mark.parametrize("broken", [b"", b"\x00", b"\x00\x0a", b"\x00\x0aabc"])
def test_bytes_that_are_no_chunk_are_refused(broken: bytes) -> None:
    with pytest.raises(chunks.ChunkBroken, match="vehicle"):
        chunks.unpack(broken, vehicle_id=7)


def test_one_flipped_bit_is_noticed() -> None:
    payload = bytearray(chunks.pack(day_of(7)[:200]))
    payload[-40] ^= 1
    with pytest.raises(chunks.ChunkBroken):
        chunks.unpack(bytes(payload), vehicle_id=7)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.tuples(*(st.integers(-(2**31), 2**31 - 1) for _ in range(3)), st.integers(-1, 127)),
        min_size=1,
        max_size=40,
    ),
    gaps=st.lists(st.integers(1, 3_600_000_000), min_size=40, max_size=40),
)
def test_whatever_is_packed_comes_out_again(values: list[tuple[int, ...]], gaps: list[int]) -> None:
    points = np.full(len(values), records.UNKNOWN, dtype=records.OWNED_POINT)
    points["vehicle_id"] = 2**40
    points["at_us"] = np.cumsum(gaps[: len(values)]) - 2**50
    for place, name in enumerate(("lon_e7", "lat_e7", "odometer_m", "battery_pct")):
        points[name] = [row[place] for row in values]
    payload = chunks.pack(points)
    assert np.array_equal(chunks.unpack(payload, vehicle_id=2**40), points)
    assert chunks.pack(points) == payload
