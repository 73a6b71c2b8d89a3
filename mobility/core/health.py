"""Is the house alive, is it ready, how is it doing: `/healthz`, `/readyz`, `/metrics`."""

import datetime
from collections.abc import Callable, Iterable
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mobility.core import clock, ids

HEARTBEAT_MAX_AGE = datetime.timedelta(seconds=90)

MetricSource = Callable[[], Iterable[Metric]]
_metric_sources: list[MetricSource] = []


def metric_source(source: MetricSource) -> MetricSource:
    """Register a function that reads figures when `/metrics` is asked; a few cheap queries at most."""
    _metric_sources.append(source)
    return source


def heartbeat_key(queue: str) -> str:
    """Where the worker of a queue leaves its last sign of life."""
    return f"heartbeat:{queue}"


def record_heartbeat(*, queue: str, at: datetime.datetime) -> None:
    """A worker of `queue` is alive at `at`."""
    cache.set(heartbeat_key(queue), at.isoformat(), timeout=3600)


def healthz(request: HttpRequest) -> HttpResponse:
    """Alive: the process answers. Looks at nothing else, so that a sick database restarts no web."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Ready: database, migrations, both Redis and a heartbeat of every queue; 503 names what is missing."""
    checks = {
        "database": _check_database,
        "migrations": _check_migrations,
        "redis": lambda: _check_redis(settings.REDIS_URL),
        "telemetry_log": lambda: _check_redis(settings.TELEMETRY_REDIS_URL),
        "workers": _check_workers,
    }
    results = {name: _outcome(check) for name, check in checks.items()}
    ready = all(result == "ok" for result in results.values())
    return JsonResponse({"ready": ready, "checks": results}, status=200 if ready else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus; with METRICS_TOKEN set, only for who bears it, else only from this host."""
    if not _may_read_metrics(request):
        return HttpResponse("forbidden\n", status=403, content_type="text/plain")
    registry = CollectorRegistry()
    registry.register(_Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Figures(Collector):
    def collect(self) -> Iterable[Metric]:
        for source in _metric_sources:
            yield from source()


@metric_source
def outbox_figures() -> Iterable[Metric]:
    """How far delivery is behind."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE failed_at IS NULL), count(*) FILTER (WHERE failed_at IS NOT NULL)"
            " FROM mobility_outboxevent WHERE handled_at IS NULL"
        )
        waiting, failed = cursor.fetchone() or (0, 0)
    yield GaugeMetricFamily("outbox_waiting_events", "Events not yet handled", value=waiting)
    yield GaugeMetricFamily("outbox_failed_events", "Events that used up every retry", value=failed)


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        offered = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return ids.same_secret(offered, ids.hash_secret(settings.METRICS_TOKEN))
    return request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1", ""}


def _outcome(check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, redis.RedisError, OSError) as problem:
        return type(problem).__name__


def _check_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _check_migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} not applied" if missing else "ok"


def _check_redis(url: str) -> str:
    client: Any = redis.Redis.from_url(url, socket_timeout=2)
    try:
        client.ping()
    finally:
        client.close()
    return "ok"


def _check_workers() -> str:
    now = clock.now()
    silent = []
    for queue in settings.QUEUES:
        seen = cache.get(heartbeat_key(queue))
        if not seen or now - datetime.datetime.fromisoformat(seen) > HEARTBEAT_MAX_AGE:
            silent.append(queue)
    return f"silent: {', '.join(silent)}" if silent else "ok"
