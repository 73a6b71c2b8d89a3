"""The deployment check of the telemetry log, asked of the Redis of the tests."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from fleet.telematics import checks
from fleet.vehicles import mailbox


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    """The log's Redis is shared with other tests: put its setting back."""
    before = str(mailbox.client().config_get("maxmemory-policy")["maxmemory-policy"])
    yield
    mailbox.client().config_set("maxmemory-policy", before)


@pytest.mark.usefixtures("_as_it_was")
def test_a_log_that_evicts_reports_is_refused_for_deployment() -> None:
    mailbox.client().config_set("maxmemory-policy", "allkeys-lru")
    (problem,) = checks.log_is_durable()
    assert problem.id == "fleet.E001"
    assert "maxmemory-policy allkeys-lru" in problem.msg
    assert "maxmemory-policy noeviction" in (problem.hint or "")


def test_a_log_out_of_reach_is_left_to_readiness(settings: Settings) -> None:
    mailbox.client.cache_clear()
    settings.TELEMETRY_REDIS_URL = "redis://127.0.0.1:1/0"
    assert checks.log_is_durable() == []
    mailbox.client.cache_clear()
