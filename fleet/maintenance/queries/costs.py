"""What maintenance cost, in money, labour and time away, by vehicle or by type."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from django.db import connection

# Time away is the union of an order's own span with the period; two orders at once count once,
# because the spans of a vehicle are merged before they are summed.
_COSTS = """
WITH orders AS (
    SELECT work.id, work.vehicle_id, work.state, work.labour_minutes, work.cost_cents,
           tstzrange(work.withdrawn_at, greatest(coalesce(work.finished_at, %(end)s),
                     work.withdrawn_at)) * tstzrange(%(start)s, %(end)s) AS away,
           coalesce(work.finished_at BETWEEN %(start)s AND %(end)s, false)
               AND work.state = 'done' AS done
    FROM fleet_workorder work JOIN fleet_vehicle vehicle ON vehicle.id = work.vehicle_id
    WHERE vehicle.organisation_id = ANY (%(organisations)s)
      AND work.opened_at < %(end)s
      AND (work.finished_at IS NULL OR work.finished_at >= %(start)s)
), parts AS (
    SELECT part.order_id, sum(part.quantity::bigint * part.unit_cost_cents) AS cents
    FROM fleet_workorderpart part JOIN orders ON orders.id = part.order_id
    GROUP BY part.order_id
), money AS (
    SELECT orders.vehicle_id, count(*) AS orders, sum(labour_minutes) AS labour_minutes,
           sum(cost_cents) AS cost_cents, coalesce(sum(parts.cents), 0) AS parts_cents
    FROM orders LEFT JOIN parts ON parts.order_id = orders.id
    WHERE orders.done GROUP BY orders.vehicle_id
), away AS (
    SELECT vehicle_id, (
        SELECT sum(extract(epoch FROM upper(span) - lower(span))) FROM unnest(spans) span
    ) AS seconds
    FROM (
        SELECT vehicle_id, range_agg(away) AS spans FROM orders
        WHERE away IS NOT NULL AND NOT isempty(away) AND NOT lower_inf(away)
        GROUP BY vehicle_id
    ) merged
)
SELECT {key}, coalesce(sum(money.orders), 0), coalesce(sum(money.labour_minutes), 0),
       coalesce(sum(money.parts_cents), 0), coalesce(sum(money.cost_cents), 0),
       coalesce(sum(away.seconds), 0), count(*)
FROM (SELECT DISTINCT vehicle_id FROM orders) touched
JOIN fleet_vehicle vehicle ON vehicle.id = touched.vehicle_id
JOIN fleet_vehicletype type ON type.id = vehicle.type_id
LEFT JOIN money ON money.vehicle_id = touched.vehicle_id
LEFT JOIN away ON away.vehicle_id = touched.vehicle_id
GROUP BY {key} ORDER BY coalesce(sum(money.parts_cents + money.cost_cents), 0) DESC, {key}
"""
_KEYS = {"vehicle": "vehicle.code, type.code", "type": "''::text, type.code"}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What maintenance of one vehicle, or of all of a type, came to in a period.

    Money in cents, labour in minutes, downtime in hours of vehicles away (each hour of a vehicle
    once, however many orders were open). `vehicle` is empty in a line of a whole type.
    """

    vehicle: str
    type: str
    vehicles: int
    orders: int
    labour_minutes: int
    parts_cents: int
    cost_cents: int
    downtime_hours: float

    @property
    def total_cents(self) -> int:
        return self.parts_cents + self.cost_cents


def costs(
    *,
    organisation_ids: Collection[int],
    start: datetime.datetime,
    end: datetime.datetime,
    by: Literal["vehicle", "type"],
) -> list[Cost]:
    """Cost of the orders done between `start` and `end`, and time away within; dearest first.

    One query. Orders that are still open count for the time away only.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _COSTS.format(key=_KEYS[by]),
            {"organisations": list(organisation_ids), "start": start, "end": end},
        )
        rows = cursor.fetchall()
    return [
        Cost(
            vehicle=vehicle,
            type=type_code,
            vehicles=vehicles,
            orders=int(orders),
            labour_minutes=int(labour),
            parts_cents=int(parts),
            cost_cents=int(cost),
            downtime_hours=round(float(seconds) / 3600, 2),
        )
        for vehicle, type_code, orders, labour, parts, cost, seconds, vehicles in rows
    ]
