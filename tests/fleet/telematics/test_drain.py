"""From the log into the tables: every point once, whatever the order and whoever dies when."""

import datetime
import random
import threading
from typing import Any

import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.telematics import queries, records, rules, services
from fleet.telematics.log import RedisPointLog, entry_order
from fleet.telematics.models import Device, IngestOffset, LatestState, Point, QuarantinedPoint
from fleet.telematics.services import partitions
from fleet.telematics.services.drain import drain_all
from fleet.vehicles import services as vehicles
from fleet.vehicles.models import Vehicle, VehicleBlock, VehicleEvent
from mobility.core import clock, locks
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle

NOON = datetime.datetime(2026, 5, 4, 12, 0, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)
MINUTE = datetime.timedelta(minutes=1)


def point(
    at: datetime.datetime,
    *,
    lon: float = 9.19,
    lat: float = 45.46,
    odometer: int = -1,
    speed: int = 0,
    battery: int = 80,
    locked: int = 1,
) -> tuple[Any, ...]:
    return (
        records.to_us(at),
        round(lon * 1e7),
        round(lat * 1e7),
        odometer,
        50,
        speed,
        0,
        battery,
        locked,
        -1,
    )


def device_of(vehicle: Vehicle) -> int:
    return Device.objects.get(assignments__vehicle=vehicle).pk


def send(
    log: RedisPointLog,
    vehicle: Vehicle,
    *points: tuple[Any, ...],
    received_at: datetime.datetime = NOON,
    device_id: int | None = None,
) -> None:
    reports = records.reports_of(
        device_id=device_id or device_of(vehicle),
        points=records.points_from(list(points)),
    )
    payload = records.pack_entry(received_at=received_at, reports=reports)
    log.append(vehicle_id=vehicle.pk, payload=payload)


def stored(vehicle: Vehicle) -> list[tuple[Any, ...]]:
    rows = Point.objects.filter(vehicle_id=vehicle.pk).order_by("at")
    return list(rows.values_list("at", "lon_e7", "lat_e7", "battery_pct", "odometer_m", "locked"))


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    """A scooter that last spoke an hour before noon."""
    return make_vehicle(at=NOON - 60 * MINUTE)


def test_points_are_stored_as_reported(scooter: Vehicle, log: RedisPointLog) -> None:
    send(log, scooter, point(NOON, lon=-9.1234567, lat=-45.4, odometer=-1, battery=-1, locked=-1))
    done = drain_all(shard=0, at=NOON)
    assert (done.entries, done.stored, done.quarantined) == (1, 1, 0)
    row = Point.objects.get()
    assert (row.at, row.received_at) == (NOON, NOON)
    assert (row.lon_e7, row.lat_e7) == (-91234567, -454000000)
    assert (row.odometer_m, row.battery_pct, row.locked) == (-1, -1, -1)
    assert (row.accuracy_dm, row.speed_cms, row.heading) == (50, 0, 0)
    assert log.backlog(shard=0) == 0


def test_the_same_report_twice_is_one_row(scooter: Vehicle, log: RedisPointLog) -> None:
    for _ in range(3):
        send(log, scooter, point(NOON), point(NOON))
    drain_all(shard=0, at=NOON)
    send(log, scooter, point(NOON))
    drain_all(shard=0, at=NOON)
    assert len(stored(scooter)) == 1


def test_a_late_point_reaches_the_history_and_not_the_map(
    scooter: Vehicle, log: RedisPointLog
) -> None:
    """10:05 arrives before 10:01: the map stays at 10:05, the way is computed over both."""
    send(log, scooter, point(NOON + 5 * MINUTE, lon=9.20), received_at=NOON + 6 * MINUTE)
    drain_all(shard=0, at=NOON + 6 * MINUTE)
    send(log, scooter, point(NOON + 1 * MINUTE, lon=9.19), received_at=NOON + 7 * MINUTE)
    drain_all(shard=0, at=NOON + 7 * MINUTE)
    latest = LatestState.objects.get(vehicle=scooter)
    assert (latest.at, latest.lon) == (NOON + 5 * MINUTE, 9.20)
    metres = queries.trip_distance_m(vehicle_id=scooter.pk, start=NOON, end=NOON + 10 * MINUTE)
    assert metres == pytest.approx(780, abs=2)


def test_the_newest_carries_what_it_does_not_tell(scooter: Vehicle, log: RedisPointLog) -> None:
    """A point without battery, in one batch with its elder or after it: the same latest state."""
    send(log, scooter, point(NOON, battery=42, odometer=900), point(NOON + SECOND, battery=-1))
    drain_all(shard=0, at=NOON)
    send(log, scooter, point(NOON + 2 * SECOND, battery=-1))
    drain_all(shard=0, at=NOON)
    latest = LatestState.objects.get(vehicle=scooter)
    assert (latest.at, latest.battery_pct) == (NOON + 2 * SECOND, 42)
    assert latest.odometer_m == 900


def test_what_cannot_be_true_is_put_aside(scooter: Vehicle, log: RedisPointLog) -> None:
    years = datetime.timedelta(days=8 * 365)
    send(
        log,
        scooter,
        point(NOON + years),
        point(NOON - 31 * 24 * 60 * MINUTE),
        point(NOON, lon=0, lat=0),
        point(NOON + SECOND, lat=95),
        point(NOON + 5 * MINUTE),
        point(NOON + 5 * MINUTE + SECOND),
    )
    done = drain_all(shard=0, at=NOON)
    reasons = QuarantinedPoint.objects.order_by("id").values_list("reason", flat=True)
    assert list(reasons) == ["future", "too_old", "zero_fix", "out_of_range", "future"]
    assert (done.stored, done.quarantined) == (1, 5)
    assert [row[0] for row in stored(scooter)] == [NOON + 5 * MINUTE]


def test_a_clock_that_jumped_does_not_freeze_the_map(scooter: Vehicle, log: RedisPointLog) -> None:
    send(log, scooter, point(NOON + datetime.timedelta(days=3000)))
    drain_all(shard=0, at=NOON)
    send(log, scooter, point(NOON + MINUTE, lon=9.21), received_at=NOON + MINUTE)
    drain_all(shard=0, at=NOON + MINUTE)
    assert LatestState.objects.get(vehicle=scooter).lon == 9.21


def test_a_backlog_does_not_make_good_points_old(scooter: Vehicle, log: RedisPointLog) -> None:
    """Judged by when the door took it, not by when a worker found time."""
    send(log, scooter, point(NOON))
    assert drain_all(shard=0, at=NOON + 60 * 24 * 60 * MINUTE).quarantined == 0


def test_an_unreadable_entry_and_an_unknown_device_block_nobody(
    scooter: Vehicle, log: RedisPointLog
) -> None:
    log.append(vehicle_id=scooter.pk, payload=b"short")
    log.append(vehicle_id=scooter.pk, payload=b"x" * 17)
    send(log, scooter, point(NOON), device_id=987654)
    send(log, scooter, point(NOON))
    drain_all(shard=0, at=NOON)
    assert len(stored(scooter)) == 1
    assert (log.backlog(shard=0), log.dead()) == (0, 2)


# --- faults -----------------------------------------------------------------------------------------


def test_killed_between_commit_and_acknowledgement(
    scooter: Vehicle, log: RedisPointLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entries come again to the next worker; the offset in the database knows them."""
    send(log, scooter, point(NOON), point(NOON + SECOND))

    class Killed(BaseException):
        pass

    def die(**_: object) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(log, "acknowledge", die)
        with pytest.raises(Killed):
            drain_all(shard=0, at=NOON)
    assert len(stored(scooter)) == 2
    assert log.backlog(shard=0) == 1
    again = drain_all(shard=0, at=NOON)
    assert (again.entries, again.stored) == (1, 0)
    assert len(stored(scooter)) == 2
    assert log.backlog(shard=0) == 0


def test_killed_before_commit_nothing_is_lost(
    scooter: Vehicle, log: RedisPointLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(log, scooter, point(NOON), point(NOON - 90 * MINUTE))

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(rules, "battery_changes", die)
        with pytest.raises(Killed):
            drain_all(shard=0, at=NOON)
    assert stored(scooter) == []
    assert not IngestOffset.objects.exists()
    drain_all(shard=0, at=NOON)
    assert len(stored(scooter)) == 2


def test_the_offset_only_grows(scooter: Vehicle, log: RedisPointLog) -> None:
    send(log, scooter, point(NOON))
    drain_all(shard=0, at=NOON)
    first = IngestOffset.objects.get(shard=0).last_id
    send(log, scooter, point(NOON + SECOND))
    drain_all(shard=0, at=NOON)
    assert entry_order(IngestOffset.objects.get(shard=0).last_id) > entry_order(first)


@pytest.mark.django_db(transaction=True)
def test_only_one_drains_a_shard(
    scooter: Vehicle, log: RedisPointLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another session holds the shard: this drain leaves the log alone."""
    send(log, scooter, point(NOON))
    held, finished = threading.Event(), threading.Event()

    def other() -> None:
        with locks.try_advisory("fleet.telematics.drain.0") as got:
            assert got
            held.set()
            finished.wait(10)
        connections.close_all()

    rival = threading.Thread(target=other)
    rival.start()
    held.wait(10)
    assert services.drain(shard=0, budget_s=0.05, now=clock.now).entries == 0
    finished.set()
    rival.join()
    assert services.drain(shard=0, budget_s=0.05, now=clock.now).entries == 1
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE fleet_point")


DAY = [
    point(
        NOON + n * 20 * SECOND, lon=9.19 + n * 1e-4, speed=390, battery=90 - n % 60, odometer=n * 10
    )
    for n in range(40)
]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**32),
    copies=st.integers(1, 3),
    cuts=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    drains=st.sets(st.integers(0, 11)),
)
def test_any_shuffle_of_a_day_gives_the_same_rows(
    scooter: Vehicle, log: RedisPointLog, seed: int, copies: int, cuts: list[int], drains: set[int]
) -> None:
    """Shuffled, repeated, cut into any reports, drained at any moment: the same rows, the same
    latest state, the same length of the way."""
    received = NOON + 30 * MINUTE
    points = DAY * copies
    random.Random(seed).shuffle(points)
    with transaction.atomic():
        start = 0
        for number, size in enumerate([*cuts, len(points)]):
            send(log, scooter, *points[start : start + size], received_at=received)
            start += size
            if number in drains:
                drain_all(shard=0, at=received)
        drain_all(shard=0, at=received)
        rows, latest = stored(scooter), LatestState.objects.get(vehicle=scooter)
        expected = [
            (records.from_us(at), lon, lat, battery, odometer, locked)
            for at, lon, lat, odometer, _acc, _speed, _heading, battery, locked, _tilt in DAY
        ]
        assert rows == expected
        assert (latest.at, latest.odometer_m) == (records.from_us(DAY[-1][0]), 390)
        metres = queries.trip_distance_m(vehicle_id=scooter.pk, start=NOON, end=received)
        assert metres == pytest.approx(39 * 7.8, rel=0.01)
        transaction.set_rollback(True)
    partitions._prepared.clear()


# --- what follows -----------------------------------------------------------------------------------


def blocks(vehicle: Vehicle) -> list[str]:
    active = VehicleBlock.objects.active().filter(vehicle=vehicle)
    return list(active.values_list("reason", flat=True))


def test_a_low_battery_withdraws_with_hysteresis(scooter: Vehicle, log: RedisPointLog) -> None:
    expected = [(16, []), (15, ["low_battery"]), (19, ["low_battery"]), (20, []), (16, [])]
    for minute, (battery, reasons) in enumerate(expected):
        at = NOON + minute * MINUTE
        send(log, scooter, point(at, battery=battery), received_at=at)
        drain_all(shard=0, at=at)
        assert blocks(scooter) == reasons, battery
    events = VehicleEvent.objects.order_by("id").values_list("mds_events", "battery_pct")
    assert list(events) == [(["battery_low"], 15), (["battery_charged"], 20)]


def test_a_battery_that_dies_on_a_trip_stops_the_next_rider_only(
    scooter: Vehicle, log: RedisPointLog
) -> None:
    hold = vehicles.hold_vehicle(
        vehicle_id=scooter.pk,
        until=NOON + 15 * MINUTE,
        purpose="ride",
        holder_ref="trip:1",
        at=NOON,
        by=SYSTEM,
    )
    for mark in ("starting", "running"):
        vehicles.mark_trip(hold_id=hold.pk, mark=mark, trip_ref="trip:1", at=NOON, by=SYSTEM)
    send(log, scooter, point(NOON, battery=9))
    drain_all(shard=0, at=NOON)
    assert VehicleEvent.objects.latest("id").mds_state == "on_trip"
    vehicles.mark_trip(hold_id=hold.pk, mark="ended", trip_ref="trip:1", at=NOON, by=SYSTEM)
    ended = VehicleEvent.objects.latest("id")
    assert (ended.mds_state, ended.mds_events) == ("non_operational", ["trip_end", "battery_low"])


def test_a_silent_vehicle_ages_and_is_heard_again(scooter: Vehicle, log: RedisPointLog) -> None:
    send(log, scooter, point(NOON))
    drain_all(shard=0, at=NOON)
    states = []
    for minutes in (1, 3, 16, 17):
        services.age_links(at=NOON + minutes * MINUTE)
        scooter.refresh_from_db()
        states.append(scooter.link_state)
    assert states == ["online", "late", "lost", "lost"]
    assert services.age_links(at=NOON + 18 * MINUTE) == 0
    back = NOON + 20 * MINUTE
    send(log, scooter, point(back), received_at=back)
    drain_all(shard=0, at=back)
    scooter.refresh_from_db()
    assert scooter.link_state == "online"
    history = VehicleEvent.objects.order_by("id").values_list("mds_state", "mds_events")
    assert list(history) == [
        ("available", []),
        ("non_contactable", ["comms_lost"]),
        ("available", ["comms_restored"]),
    ]


def test_reports_from_an_old_backlog_do_not_make_a_vehicle_present(
    make_vehicle: MakeVehicle, log: RedisPointLog
) -> None:
    silent = make_vehicle(at=NOON - 60 * MINUTE, link_state="lost")
    send(log, silent, point(NOON - 30 * MINUTE), received_at=NOON - 30 * MINUTE)
    drain_all(shard=0, at=NOON)
    silent.refresh_from_db()
    assert silent.link_state == "lost"


def test_a_batch_costs_the_same_whatever_its_size(
    make_vehicle: MakeVehicle, log: RedisPointLog, django_assert_max_num_queries: Any
) -> None:
    services.ensure_partitions(at=NOON)
    fleet = [make_vehicle(at=NOON - 60 * MINUTE) for _ in range(5)]
    for vehicle in fleet:
        send(log, vehicle, *(point(NOON + n * SECOND) for n in range(100)))
    with django_assert_max_num_queries(14):
        drain_all(shard=0, at=NOON)
    assert Point.objects.count() == 500


# --- partitions -------------------------------------------------------------------------------------


def test_no_point_strays(scooter: Vehicle, log: RedisPointLog) -> None:
    """A late point of a day nobody prepared gets its day, not the partition that is an alarm."""
    send(log, scooter, point(NOON - 20 * 24 * 60 * MINUTE))
    drain_all(shard=0, at=NOON)
    assert len(stored(scooter)) == 1
    assert partitions.stray_points() == 0
