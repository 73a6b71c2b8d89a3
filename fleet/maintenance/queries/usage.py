"""What vehicles have done since their last service."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from fleet.maintenance import rules
from fleet.maintenance.models import MaintenanceRule

# The measures that a rule does not use are not read: counting the rides of a whole fleet is work.
_USAGE = """
SELECT vehicle.id, latest.odometer_m, done.odometer_m, coalesce(done.finished_at, first.at),
       rides.count, latest.lon_e7 / 1e7, latest.lat_e7 / 1e7
FROM fleet_vehicle vehicle
JOIN fleet_vehicletype type ON type.id = vehicle.type_id
LEFT JOIN fleet_lateststate latest ON latest.vehicle_id = vehicle.id
LEFT JOIN LATERAL (
    SELECT finished_at, odometer_m FROM fleet_workorder
    WHERE vehicle_id = vehicle.id AND rule_id = %(rule)s AND state = 'done'
    ORDER BY finished_at DESC LIMIT 1
) done ON true
LEFT JOIN LATERAL (
    SELECT at FROM fleet_vehicleevent WHERE vehicle_id = vehicle.id ORDER BY at LIMIT 1
) first ON done.finished_at IS NULL
LEFT JOIN LATERAL (
    SELECT count(*) FROM fleet_vehicleevent
    WHERE vehicle_id = vehicle.id AND 'trip_end' = ANY (mds_events)
      AND at > coalesce(done.finished_at, '-infinity')
) rides ON %(count_rides)s
WHERE vehicle.organisation_id = %(organisation)s
  AND vehicle.life_state IN ('in_service', 'workshop', 'storage')
  AND (%(kind)s = '' OR type.kind = %(kind)s)
  AND (%(type)s::bigint IS NULL OR type.id = %(type)s)
  AND NOT EXISTS (
    SELECT 1 FROM fleet_workorder waiting
    WHERE waiting.vehicle_id = vehicle.id AND waiting.rule_id = %(rule)s
      AND waiting.state IN ('open', 'assigned', 'in_progress')
  )
ORDER BY vehicle.id
"""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """A vehicle under a rule, its use since that service, and where it last was."""

    vehicle_id: int
    use: rules.Use
    lon: float | None
    lat: float | None


def usage_under(rule: MaintenanceRule, *, at: datetime.datetime) -> Iterator[Usage]:
    """The use of every vehicle under a rule that has no open order of it; one query.

    It counts from the last finished order of the rule, else from the vehicle's first day. The
    kilometres are the vehicle's own odometer, the rides its recorded ends of trips.
    """
    wanted: dict[str, str | int | None] = {
        "rule": rule.pk,
        "organisation": rule.organisation_id,
        "kind": rule.kind,
        "type": rule.vehicle_type_id,
        "count_rides": rule.every_rides is not None,
    }
    with connection.cursor() as cursor:
        cursor.execute(_USAGE, wanted)
        for row in cursor.fetchall():
            yield _usage(row, at=at)


def _usage(row: tuple[Any, ...], *, at: datetime.datetime) -> Usage:
    vehicle_id, odometer_m, baseline_m, since, rides, lon, lat = row
    use = rules.Use(
        km=rules.km_since(odometer_m=odometer_m, baseline_m=baseline_m),
        days=None if since is None else (at - since) / datetime.timedelta(days=1),
        rides=rides,
    )
    return Usage(vehicle_id=vehicle_id, use=use, lon=lon, lat=lat)
