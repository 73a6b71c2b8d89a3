"""What `/metrics` tells about telematics."""

import datetime
from collections.abc import Iterable
from contextlib import suppress

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric

from fleet.telematics.log import point_log
from fleet.telematics.models import Alarm, QuarantinedPoint
from fleet.telematics.services.partitions import stray_points
from fleet.telematics.states import AlarmKind, QuarantineReason
from fleet.vehicles.models import Vehicle
from mobility.core import clock
from mobility.core.health import heartbeat_key, metric_source

EDGE_HEARTBEAT = "edge"

# Only vehicles that spoke lately: one that is switched off has no clock to judge.
_HEARD_S = 900
_SKEWED_S = 60
# What is older than this when it is received is history: `LIVE_FOR_US` of the drain.
_UNGUARDED_S = 300
_SKEW = """
SELECT COALESCE(max(abs(skew)), 0), count(*) FILTER (WHERE abs(skew) > %s),
       count(*) FILTER (WHERE skew > %s)
FROM (
    SELECT extract(epoch FROM point.received_at - point.at) AS skew FROM fleet_lateststate latest
    JOIN fleet_point point ON point.vehicle_id = latest.vehicle_id AND point.at = latest.at
    WHERE latest.received_at > %s - make_interval(secs => %s)
) heard
"""


@metric_source
def log_figures() -> Iterable[Metric]:
    """How far storing is behind, in entries and in seconds."""
    backlog = GaugeMetricFamily(
        "telemetry_backlog_entries",
        "Reports accepted and not yet stored",
        labels=["shard"],
    )
    lag = GaugeMetricFamily(
        "telemetry_lag_seconds",
        "Age of the oldest report that is not yet stored",
        labels=["shard"],
    )
    now_ms = clock.now().timestamp() * 1000
    for shard in _shards():
        try:
            oldest_ms = point_log().oldest_ms(shard=shard)
            backlog.add_metric([str(shard)], point_log().backlog(shard=shard))
        except redis.RedisError:
            # The missing figure is the alarm; the other figures must still be told.
            continue
        waiting_ms = 0 if oldest_ms is None else max(0.0, now_ms - oldest_ms)
        lag.add_metric([str(shard)], waiting_ms / 1000)
    yield backlog
    yield lag
    with suppress(redis.RedisError):
        yield GaugeMetricFamily(
            "telemetry_dead_entries",
            "Entries of the log that nobody could read, kept aside; anything but 0 wants a look",
            value=point_log().dead(),
        )


def _shards() -> list[int]:
    """With those beyond the setting in which entries still wait, where the log can be asked."""
    try:
        return point_log().shards()
    except redis.RedisError:
        return list(range(settings.TELEMATICS_SHARDS))


@metric_source
def telematics_figures() -> Iterable[Metric]:
    """Points of unprepared days, reports put aside, and how many vehicles we hear."""
    yield GaugeMetricFamily(
        "telemetry_stray_points",
        "Points outside every prepared day; anything but 0 wants a look",
        value=stray_points(),
    )
    aside = GaugeMetricFamily(
        "telemetry_quarantined_points", "Reports put aside, by reason", labels=["reason"]
    )
    counted = QuarantinedPoint.objects.values_list("reason").annotate(Count("pk")).order_by()
    _add_all(aside, QuarantineReason.values, dict(counted))
    yield aside
    vehicles = GaugeMetricFamily("vehicles", "Vehicles by link state", labels=["link"])
    for link, count in Vehicle.objects.values_list("link_state").annotate(Count("pk")).order_by():
        vehicles.add_metric([link], count)
    yield vehicles


@metric_source
def alarm_figures() -> Iterable[Metric]:
    """Alarms that go on, by kind."""
    alarms = GaugeMetricFamily("fleet_alarms", "Alarms that go on, by kind", labels=["kind"])
    counted = Alarm.objects.active().values_list("kind").annotate(Count("pk")).order_by()
    _add_all(alarms, AlarmKind.values, dict(counted))
    yield alarms


@metric_source
def clock_figures() -> Iterable[Metric]:
    """How wrong the clocks of vehicles are that we have heard lately."""
    with connection.cursor() as cursor:
        cursor.execute(_SKEW, [_SKEWED_S, _UNGUARDED_S, clock.now(), _HEARD_S])
        largest_s, skewed, unguarded = cursor.fetchone() or (0, 0, 0)
    yield GaugeMetricFamily(
        "telemetry_clock_skew_seconds",
        "Largest difference of a vehicle's clock to ours in its newest report",
        value=float(largest_s),
    )
    yield GaugeMetricFamily(
        "telemetry_skewed_vehicles",
        "Vehicles whose newest report is more than a minute off our clock",
        value=int(skewed),
    )
    yield GaugeMetricFamily(
        "telemetry_unguarded_vehicles",
        "Vehicles whose clock is so slow that no alarm comes of what they report; see to the unit",
        value=int(unguarded),
    )


def _add_all(family: GaugeMetricFamily, labels: list[str], counts: dict[str, int]) -> None:
    """One figure for every label, 0 included: a figure that vanishes cannot be watched."""
    for label in labels:
        family.add_metric([label], counts.get(label, 0))


@metric_source
def edge_figures() -> Iterable[Metric]:
    """How long ago an edge showed a sign of life; nothing where none has run lately."""
    seen = cache.get(heartbeat_key(EDGE_HEARTBEAT))
    if seen:
        age = clock.now() - datetime.datetime.fromisoformat(seen)
        yield GaugeMetricFamily(
            "telemetry_edge_silent_seconds",
            "Since the last sign of life of an edge; it shows one every 15 s",
            value=max(0.0, age.total_seconds()),
        )
