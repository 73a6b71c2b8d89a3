"""kill -9 of gateway, worker, relay and Redis, PostgreSQL crashed: the books of chargers still agree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from tests.faults import charging
from tests.faults.stand import NoServers, Stand, find_programs, throw_away_stand

# The mark has the test database made, whose tables the stand copies.
pytestmark = [pytest.mark.long, pytest.mark.timeout(400), pytest.mark.django_db]


@pytest.fixture
def stand(django_db_setup: None) -> Iterator[Stand]:
    """A throw-away stand with the chargers' half of the house."""
    url = os.environ.get("DATABASE_URL", "")
    try:
        programs = find_programs(database_url=url, redis_url=settings.REDIS_URL)
    except NoServers as reason:
        pytest.skip(f"no programs to start servers with: {reason}")
    tests_own = urlsplit(url)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    with throw_away_stand(programs, tables_of=tests_own) as made:
        made.start_charging()
        yield made


def test_nothing_acknowledged_is_lost_or_doubled_and_no_wh_is_apart(stand: Stand) -> None:
    """A minute of faults; many rounds under 200 chargers are `./dev bench ocpp-faults`."""
    report = charging.run(stand, chargers=8, rounds=2, seed=1, redis_away_s=5, pause_s=1.5)
    assert report.problems == []
    assert set(report.kills) == set(charging.VICTIMS)
    assert report.sessions > 50
    assert report.repeats > 0
    # Charging goes on without Redis.
    assert report.sessions_without_redis > 5
    wrong = (report.lost, report.doubled, report.wh_apart, report.unfinished)
    assert wrong == (0, 0, 0, 0)
