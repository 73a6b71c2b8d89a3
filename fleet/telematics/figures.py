"""What `/metrics` tells about telematics."""

from collections.abc import Iterable

import redis
from django.conf import settings
from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric

from fleet.telematics.log import point_log
from fleet.telematics.services.partitions import stray_points
from fleet.vehicles.models import Vehicle
from mobility.core.health import metric_source


@metric_source
def telematics_figures() -> Iterable[Metric]:
    """How far storing is behind, points of unprepared days, and how many vehicles we hear."""
    backlog = GaugeMetricFamily(
        "telemetry_backlog_entries",
        "Reports accepted and not yet stored",
        labels=["shard"],
    )
    for shard in range(settings.TELEMATICS_SHARDS):
        try:
            backlog.add_metric([str(shard)], point_log().backlog(shard=shard))
        except redis.RedisError:
            # The missing figure is the alarm; the other figures must still be told.
            continue
    yield backlog
    yield GaugeMetricFamily(
        "telemetry_stray_points",
        "Points outside every prepared day; anything but 0 wants a look",
        value=stray_points(),
    )
    vehicles = GaugeMetricFamily("vehicles", "Vehicles by link state", labels=["link"])
    for link, count in Vehicle.objects.values_list("link_state").annotate(Count("pk")).order_by():
        vehicles.add_metric([link], count)
    yield vehicles
