"""Any order, any repetition, any batches, any deaths: the same rows, the same trip, the same chunks."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.telematics import log as logs
from fleet.telematics import records
from fleet.telematics.log import RedisPointLog, point_log
from fleet.telematics.models import IngestOffset, TripTrack
from fleet.telematics.services import partitions, tracks
from fleet.telematics.services.drain import drain_all
from fleet.telematics.store import point_store
from fleet.vehicles import mailbox
from fleet.vehicles.models import Vehicle
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.telematics.test_drain import device_of
from tests.fleet.telematics.test_tracks import ride

NOON = datetime.datetime(2026, 5, 4, 12, 0, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
# All is received at once, hours later: a buffered burst.
RECEIVED = NOON + 240 * MINUTE


class Killed(BaseException):
    """kill -9, as far as one process can play it."""


@dataclass(frozen=True)
class Outcome:
    """All that must not depend on how the points came."""

    rows: list[tuple[Any, ...]]
    chunks: list[tuple[Any, ...]]
    trips: list[tuple[Any, ...]]


def day_of(device_id: int, *, seed: int) -> np.ndarray[Any, Any]:
    """Forty minutes: a ride, a stand with drift, two jumps, two truths of one moment."""
    chance = np.random.default_rng(seed)
    metres = np.concatenate(
        [np.cumsum(chance.integers(10, 80, 60)), 3_000 + chance.uniform(-8, 8, 60)]
    )
    points = ride(*metres)
    points["speed_cms"][60:] = 0
    points["lon_e7"][[20, 90]] += 2_000_000
    points["battery_pct"] = 90 - np.arange(len(points)) // 4
    points["locked"] = 1
    points["device_id"] = device_id
    other = points[[10, 50]].copy()
    other["battery_pct"] -= 3
    both: np.ndarray[Any, Any] = np.concatenate([points, other])
    return both


def append(log: RedisPointLog, vehicle: Vehicle, points: np.ndarray[Any, Any]) -> None:
    reports = np.empty(len(points), dtype=records.REPORT)
    for name in records.REPORT.names or ():
        reports[name] = points[name]
    log.append(
        vehicle_id=vehicle.pk,
        payload=records.pack_entry(received_at=RECEIVED, reports=reports),
    )


def end_trips(fleet: list[Vehicle]) -> None:
    for vehicle in fleet:
        tracks.record_track(
            trip_ref=f"trip:{vehicle.pk}",
            vehicle_id=vehicle.pk,
            started_at=NOON + MINUTE,
            ended_at=NOON + 15 * MINUTE,
            at=NOON + 15 * MINUTE,
        )
    tracks.correct_tracks(at=NOON + 60 * MINUTE)


def drain_and_die(log: RedisPointLog, chance: random.Random) -> None:
    """Drain, and sometimes be killed before the commit or between commit and acknowledgement."""
    death = chance.choice(["none", "before", "after"])
    with pytest.MonkeyPatch.context() as patch:

        def die(*_: Any, **__: Any) -> None:
            raise Killed

        if death == "before":
            patch.setattr(IngestOffset, "save", die)
        elif death == "after":
            patch.setattr(log, "acknowledge", die)
        try:
            drain_all(shard=0, at=RECEIVED)
        except Killed:
            return


def outcome(fleet: list[Vehicle]) -> Outcome:
    """What is stored after the last drain, and after the sweep and the close that follow."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT vehicle_id, at, lon_e7, lat_e7, speed_cms, battery_pct, locked"
            " FROM fleet_point ORDER BY vehicle_id, at"
        )
        rows = cursor.fetchall()
        if not rows:
            raise AssertionError("nothing was stored")
        tracks.correct_tracks(at=RECEIVED)
        point_store().close(day=NOON.date())
        cursor.execute("SELECT * FROM fleet_pointchunk ORDER BY vehicle_id, hour")
        chunks = [(*row[:-1], bytes(row[-1])) for row in cursor.fetchall()]
    trips = TripTrack.objects.order_by("vehicle").values_list("distance_m", "points", "line")
    told = [(metres, points, line.wkt) for metres, points, line in trips]
    return Outcome(rows=rows, chunks=chunks, trips=told)


@pytest.fixture
def fleet(make_vehicle: MakeVehicle) -> list[Vehicle]:
    partitions.ensure_partitions(at=NOON)
    return [make_vehicle(at=NOON - 60 * MINUTE) for _ in range(2)]


def empty_log() -> RedisPointLog:
    redis = mailbox.client()
    keys = list(redis.scan_iter("tele:*"))
    if keys:
        redis.delete(*keys)
    logs.point_log.cache_clear()
    log = point_log()
    assert isinstance(log, RedisPointLog)
    return log


def in_order(fleet: list[Vehicle]) -> Outcome:
    """Each vehicle's day in one report, in order, drained once by a worker that lives."""
    log = empty_log()
    with transaction.atomic():
        end_trips(fleet)
        for number, vehicle in enumerate(fleet):
            append(log, vehicle, day_of(device_of(vehicle), seed=number))
        drain_all(shard=0, at=RECEIVED)
        found = outcome(fleet)
        transaction.set_rollback(True)
    return found


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**32),
    copies=st.integers(1, 3),
    cuts=st.lists(st.integers(1, 40), min_size=2, max_size=12),
    drains=st.sets(st.integers(0, 12)),
    sweeps=st.sets(st.integers(0, 12)),
)
def test_any_order_and_any_deaths_give_the_same_rows_trips_and_chunks(
    fleet: list[Vehicle],
    seed: int,
    copies: int,
    cuts: list[int],
    drains: set[int],
    sweeps: set[int],
) -> None:
    expected = in_order(fleet)
    assert len(expected.rows) == 2 * 120
    assert all(metres > 1000 for metres, _points, _line in expected.trips)
    chance = random.Random(seed)
    log = empty_log()
    with transaction.atomic():
        end_trips(fleet)
        reports = []
        for number, vehicle in enumerate(fleet):
            points = np.tile(day_of(device_of(vehicle), seed=number), copies)
            order = np.random.default_rng(seed + number).permutation(len(points))
            reports += [(vehicle, part) for part in np.split(points[order], np.cumsum(cuts))]
        chance.shuffle(reports)
        for number, (vehicle, part) in enumerate(reports):
            if len(part):
                append(log, vehicle, part)
            if number in drains:
                drain_and_die(log, chance)
            if number in sweeps:
                tracks.correct_tracks(at=RECEIVED)
        drain_all(shard=0, at=RECEIVED)
        found = outcome(fleet)
        transaction.set_rollback(True)
    assert found.rows == expected.rows
    assert found.trips == expected.trips
    assert found.chunks == expected.chunks
