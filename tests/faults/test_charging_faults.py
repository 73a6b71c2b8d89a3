"""kill -9 of gateway, worker, relay and Redis, PostgreSQL crashed: the books of chargers still agree."""

from __future__ import annotations

import pytest

from tests.faults import charging
from tests.faults.stand import Stand

# The mark has the test database made, whose tables the stand copies.
pytestmark = [pytest.mark.long, pytest.mark.timeout(400), pytest.mark.django_db]


def test_nothing_acknowledged_is_lost_or_doubled_and_no_wh_is_apart(charging_stand: Stand) -> None:
    """A minute of faults; many rounds under 200 chargers are `./dev bench ocpp-faults`."""
    stand = charging_stand
    report = charging.run(stand, chargers=8, rounds=2, seed=1, redis_away_s=5, pause_s=1.5)
    assert report.problems == []
    assert set(report.kills) == set(charging.VICTIMS)
    assert report.sessions > 50
    assert report.repeats > 0
    # Charging goes on without Redis.
    assert report.sessions_without_redis > 5
    wrong = (report.lost, report.doubled, report.wh_apart, report.unfinished)
    assert wrong == (0, 0, 0, 0)
