"""Several streams and few workers, streams left over, and streams that are not what they were."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg.errors
import pytest
from django.db import OperationalError, connection, connections

from fleet.telematics import services, tasks
from fleet.telematics.log import RedisPointLog
from fleet.telematics.models import Alarm, IngestOffset, Point
from fleet.telematics.services.drain import drain_all, loop
from fleet.vehicles import mailbox
from fleet.vehicles.models import Vehicle
from mobility.core import clock, locks
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.telematics.reporting import MINUTE, NOON, SECOND, point, put


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    return make_vehicle(at=NOON - 60 * MINUTE)


def stored() -> int:
    return Point.objects.count()


# --- the log is not the one it was ------------------------------------------------------------------


def test_what_comes_after_the_stream_was_lost_is_stored(
    scooter: Vehicle, log: RedisPointLog
) -> None:
    """Another Redis, or the same one empty, with a clock behind the offset."""
    put(scooter, point(NOON), at=NOON)
    drain_all(shard=0, at=NOON)
    IngestOffset.objects.update(last_id="9999999999999-0")
    mailbox.client().delete("tele:0")
    put(scooter, point(NOON + SECOND), at=NOON)
    drain_all(shard=0, at=NOON)
    assert (stored(), log.backlog(shard=0)) == (2, 0)


def test_an_offset_ahead_of_new_entries_goes_back_to_them(
    scooter: Vehicle, log: RedisPointLog
) -> None:
    """The stream was put back from a copy: its readers are known, its entries are new."""
    put(scooter, point(NOON), at=NOON)
    drain_all(shard=0, at=NOON)
    IngestOffset.objects.update(last_id="9999999999999-0")
    put(scooter, point(NOON), point(NOON + SECOND), at=NOON)
    drain_all(shard=0, at=NOON)
    assert stored() == 2
    assert IngestOffset.objects.get().last_id < "9999999999999-0"


def test_who_dies_over_a_new_stream_leaves_it_new(
    scooter: Vehicle, log: RedisPointLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    IngestOffset.objects.create(shard=0, last_id="9999999999999-0", updated_at=NOON)
    put(scooter, point(NOON), at=NOON)

    class Killed(BaseException):
        pass

    def die(*_args: object, **_kwargs: object) -> None:
        raise Killed

    for target, name in ((log, "begin"), (loop, "store_batch")):
        with monkeypatch.context() as broken:
            broken.setattr(target, name, die)
            with pytest.raises(Killed):
                drain_all(shard=0, at=NOON)
    assert stored() == 0
    drain_all(shard=0, at=NOON)
    assert stored() == 1


# --- several ----------------------------------------------------------------------------------------


@pytest.fixture
def _no_points_left() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE fleet_point")


@pytest.fixture
def fleet(make_vehicle: MakeVehicle, settings: Any) -> list[Vehicle]:
    """Vehicles on each of three shards, each with a report of just now."""
    settings.TELEMATICS_SHARDS = 3
    now = clock.now()
    fleet = [make_vehicle(at=now - 60 * MINUTE) for _ in range(3)]
    for vehicle in fleet:
        put(vehicle, point(now), at=now)
    assert {vehicle.pk % 3 for vehicle in fleet} == {0, 1, 2}
    return fleet


def test_one_worker_serves_every_shard(fleet: list[Vehicle], log: RedisPointLog) -> None:
    assert tasks.drain(shard=1, budget_s=0.5) == 3
    assert (stored(), [log.backlog(shard=shard) for shard in range(3)]) == (3, [0, 0, 0])


def test_a_busy_shard_does_not_starve_the_others(
    fleet: list[Vehicle], log: RedisPointLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shard 0 never gets empty: the others are served all the same."""
    monkeypatch.setattr(loop, "_SLICE_S", 0.1)
    busy = next(vehicle for vehicle in fleet if vehicle.pk % 3 == 0)
    store = loop.store_batch

    def one_more(*args: Any, **kwargs: Any) -> Any:
        now = clock.now()
        put(busy, point(now), at=now)
        return store(*args, **kwargs)

    monkeypatch.setattr(loop, "store_batch", one_more)
    began = time.monotonic()
    tasks.drain(shard=0, budget_s=1.0)
    assert 0.9 < time.monotonic() - began < 3
    reported = set(Point.objects.values_list("vehicle_id", flat=True))
    assert reported == {vehicle.pk for vehicle in fleet}


def test_a_lowered_setting_leaves_no_stream_behind(
    fleet: list[Vehicle], log: RedisPointLog, settings: Any
) -> None:
    settings.TELEMATICS_SHARDS = 1
    assert log.shards() == [0, 1, 2]
    assert tasks.drain(shard=0, budget_s=0.5) == 3
    assert (stored(), log.shards()) == (3, [0])


@pytest.mark.usefixtures("_no_points_left")
@pytest.mark.django_db(transaction=True)
def test_a_shard_that_another_drain_serves_is_left_to_it(
    fleet: list[Vehicle], log: RedisPointLog
) -> None:
    held, finished = threading.Event(), threading.Event()

    def other() -> None:
        with locks.try_advisory("fleet.telematics.drain.1") as got:
            assert got
            held.set()
            finished.wait(10)
        connections.close_all()

    rival = threading.Thread(target=other)
    rival.start()
    held.wait(10)
    assert tasks.drain(shard=1, budget_s=0.3) == 2
    finished.set()
    rival.join()
    assert tasks.drain(shard=1, budget_s=0.3) == 1


# --- a backlog, and rivals --------------------------------------------------------------------------


def test_while_reports_wait_to_be_stored_nobody_is_silent(
    make_vehicle: MakeVehicle, log: RedisPointLog
) -> None:
    """The drain was away for 20 minutes; the vehicle was not."""
    now = clock.now()
    vehicle = make_vehicle(at=now - 60 * MINUTE)
    put(vehicle, point(now - SECOND), at=now - SECOND)
    drain_all(shard=0, at=now)
    put(vehicle, point(now), at=now)
    assert services.age_links(at=now + 20 * MINUTE) == 0
    assert not Alarm.objects.exists()
    drain_all(shard=0, at=now)
    assert services.age_links(at=now + 20 * MINUTE) == 1
    assert Alarm.objects.get().kind == "silence"


@pytest.mark.parametrize("wrapped", [False, True])
def test_who_loses_a_deadlock_tries_once_more(
    scooter: Vehicle, log: RedisPointLog, monkeypatch: pytest.MonkeyPatch, wrapped: bool
) -> None:
    """As COPY raises it, and as Django wraps it."""
    store, tries = loop.store_batch, []

    def collide(*args: Any, **kwargs: Any) -> Any:
        tries.append(kwargs["careful"])
        if len(tries) == 1:
            victim = psycopg.errors.DeadlockDetected("deadlock detected")
            if wrapped:
                raise OperationalError from victim
            raise victim
        return store(*args, **kwargs)

    put(scooter, point(NOON), at=NOON)
    monkeypatch.setattr(loop, "store_batch", collide)
    drain_all(shard=0, at=NOON)
    assert (stored(), tries) == (1, [False, True])
