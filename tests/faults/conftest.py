"""Servers that may be killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from tests.faults.stand import NoServers, Stand, find_programs, throw_away_stand


@contextmanager
def stand_of_tests() -> Iterator[Stand]:
    """A throw-away stand with the tables of the tests' own database; nothing runs in it yet."""
    url = os.environ.get("DATABASE_URL", "")
    try:
        programs = find_programs(database_url=url, redis_url=settings.REDIS_URL)
    except NoServers as reason:
        pytest.skip(f"no programs to start servers with: {reason}")
    tests_own = urlsplit(url)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    with throw_away_stand(programs, tables_of=tests_own) as made:
        yield made


@pytest.fixture(scope="module")
def stand(django_db_setup: None) -> Iterator[Stand]:
    """A throw-away stand with the house running; one for all tests of a file."""
    with stand_of_tests() as made:
        made.start_house()
        yield made


@pytest.fixture
def charging_stand(django_db_setup: None) -> Iterator[Stand]:
    """A throw-away stand with the chargers' half of the house."""
    with stand_of_tests() as made:
        made.start_charging()
        yield made
