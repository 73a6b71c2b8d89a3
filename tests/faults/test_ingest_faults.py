"""kill -9 of everything under load: what was acknowledged is in the table, exactly once."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator

import pytest

from tests.faults import ingest
from tests.faults.senders import StubbornDevice
from tests.faults.stand import Stand

# The mark has the test database made, whose tables the stand copies.
pytestmark = [pytest.mark.long, pytest.mark.timeout(300), pytest.mark.django_db]


def test_nothing_acknowledged_is_lost_or_doubled(stand: Stand) -> None:
    """Web, edge, worker, telemetry Redis, PostgreSQL and, where there is one, the MQTT broker, each
    killed once at a random moment.

    A hundred times over, with PostgreSQL away for a minute, is `./dev bench ingest-faults`.
    """
    fleet = ingest.devices(stand, http=4, teltonika=3, mqtt=2, seed=1)
    victims = ingest.victims_on(stand)
    faults = ingest.plan_of(1, processes=victims, rounds=1, postgres_away_s=3, pause_s=2)
    report = ingest.run(stand, fleet, faults)
    assert report.kills == dict.fromkeys(victims, 1)
    assert report.acknowledged > 1000
    assert report.repeats > 0
    told = (report.lost, report.doubled, report.strangers, report.changed, report.not_newest)
    assert told == (0, 0, 0, 0, 0)


@pytest.fixture
def device(stand: Stand) -> Iterator[StubbornDevice]:
    """One device, whose report is acknowledged while nobody stores."""
    (made,) = ingest.devices(stand, http=1, seed=3)
    yield made
    made.door.hang_up()


def report_once(device: StubbornDevice) -> int:
    """One report, acknowledged; returns how many points."""
    rows = device._next_rows(random.Random(1))
    device._insist(rows)
    return len(device.acknowledged)


def settled(stand: Stand, device: StubbornDevice) -> tuple[int, ...]:
    stand.until(lambda: ingest.log_is_empty(stand), within_s=60)
    report = ingest.Report()
    ingest.compare(stand, [device], report)
    return (report.stored, report.lost, report.doubled, report.strangers)


def test_a_worker_killed_before_its_commit(stand: Stand, device: StubbornDevice) -> None:
    """It has written the points when it dies; they are written again, once."""
    with stand.database() as blocker:
        blocker.execute("BEGIN")
        # The worker writes the points first and then waits here.
        blocker.execute("LOCK TABLE fleet_lateststate IN EXCLUSIVE MODE")
        count = report_once(device)
        stand.until(lambda: waits_for_a_lock(stand), within_s=60)
        stand.kill("worker")
        blocker.execute("ROLLBACK")
    assert settled_after_restart(stand, device) == (count, 0, 0, 0)


def test_a_worker_killed_between_commit_and_acknowledgement(
    stand: Stand, device: StubbornDevice
) -> None:
    """The log stands still after the worker has read it: committed, and never acknowledged.

    What the worker still said into the void dies with the log's process.
    """
    telemetry = stand.processes["telemetry"].handle
    assert telemetry is not None
    with stand.database() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE fleet_lateststate IN EXCLUSIVE MODE")
        count = report_once(device)
        stand.until(lambda: waits_for_a_lock(stand), within_s=60)
        telemetry.send_signal(signal.SIGSTOP)
        blocker.execute("ROLLBACK")
    stand.until(lambda: stored_of(stand, device) == count, within_s=30)
    stand.kill("worker")
    stand.kill_and_restart("telemetry", away_s=0)
    stand.until(stand.servers_answer, within_s=30)
    assert not ingest.log_is_empty(stand)
    assert settled_after_restart(stand, device) == (count, 0, 0, 0)


def stored_of(stand: Stand, device: StubbornDevice) -> int:
    with stand.database() as connection:
        row = connection.execute(
            "SELECT count(*) FROM fleet_point WHERE vehicle_id = %s", [device.vehicle_id]
        ).fetchone()
    return int(row[0]) if row else 0


def settled_after_restart(stand: Stand, device: StubbornDevice) -> tuple[int, ...]:
    stand.start("worker")
    return settled(stand, device)


def waits_for_a_lock(stand: Stand) -> bool:
    """Whether somebody waits to write the latest states."""
    with stand.database() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted"
            " AND relation = 'fleet_lateststate'::regclass"
        ).fetchone()
    return bool(row and row[0])
