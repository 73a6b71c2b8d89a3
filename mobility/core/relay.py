"""The relay: takes committed events from the outbox and hands them to Celery, woken by NOTIFY."""

import threading

import psycopg
import structlog
from django.db import OperationalError, close_old_connections, connection
from kombu.exceptions import OperationalError as BrokerAway

from mobility.core import clock, outbox
from mobility.core.tasks import deliver_events

log = structlog.get_logger(__name__)

# A lost wake-up costs at most this long.
POLL_SECONDS = 1.0
# After a wake-up, what is committed in the same moment comes along: fewer tasks for the same events.
GATHER_SECONDS = 0.01


def run(*, stop: threading.Event) -> None:
    """Relay until `stop` is set; a database or broker that is away is waited for."""
    while not stop.is_set():
        try:
            _listen(stop)
        except (psycopg.OperationalError, OperationalError, BrokerAway, OSError) as problem:
            log.warning("relay.waiting", problem=type(problem).__name__)
            close_old_connections()
            connection.close()
            stop.wait(POLL_SECONDS)


def relay_once() -> int:
    """Hand over everything that waits now; returns how many events."""
    total = 0
    while tasks := outbox.claim_undispatched(at=clock.now()):
        # Handed over after the claim commits: if the broker is down, the sweeper releases them again.
        for queue, ids in tasks:
            deliver_events.apply_async(kwargs={"ids": ids}, queue=queue)
            total += len(ids)
    return total


def _listen(stop: threading.Event) -> None:
    connection.ensure_connection()
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters, autocommit=True) as listener:
        listener.execute(f"LISTEN {outbox.CHANNEL}")
        while not stop.is_set():
            relay_once()
            for _notice in listener.notifies(timeout=POLL_SECONDS, stop_after=1):
                stop.wait(GATHER_SECONDS)
