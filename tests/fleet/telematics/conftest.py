"""A telemetry log of the tests' own, empty at the start, and doors that remember nobody."""

from collections.abc import Iterator

import pytest

from fleet.telematics.log import RedisPointLog, point_log
from fleet.telematics.services import credentials, partitions
from fleet.vehicles import mailbox
from tests.fleet.telematics.reporting import report

__all__ = ["report"]


@pytest.fixture(autouse=True)
def _clean_log() -> Iterator[None]:
    redis = mailbox.client()
    keys = [*redis.scan_iter("tele:*"), *redis.scan_iter("fleet:pending:*"), mailbox.WAITING]
    redis.delete(*keys)
    credentials.forget_credentials()
    # A rolled-back test takes its partitions with it.
    partitions._prepared.clear()
    point_log.cache_clear()
    yield
    partitions._prepared.clear()


@pytest.fixture
def log() -> RedisPointLog:
    return point_log()
