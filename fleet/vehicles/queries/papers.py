"""Which papers run out soon, and which are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from django.db.models import QuerySet

    from fleet.vehicles.models import Vehicle

# For each paper that a type asks for: the last day until which what the vehicle has is good,
# papers that begin before the day of asking or right behind one another included.
_DUE = """
SELECT vehicle.id, vehicle.code, needed.kind, best.number, best.expires_on
FROM fleet_vehicle vehicle
JOIN fleet_vehicletype type ON type.id = vehicle.type_id
CROSS JOIN LATERAL unnest(type.required_documents) needed (kind)
LEFT JOIN LATERAL (
    SELECT paper.number, paper.expires_on FROM fleet_vehicledocument paper
    WHERE paper.vehicle_id = vehicle.id AND paper.kind = needed.kind
    ORDER BY paper.expires_on DESC NULLS FIRST LIMIT 1
) best ON true
WHERE vehicle.organisation_id = ANY (%(organisations)s) AND vehicle.life_state <> 'retired'
  AND (best.number IS NULL OR best.expires_on <= %(last)s)
ORDER BY best.expires_on NULLS FIRST, vehicle.code, needed.kind LIMIT %(limit)s
"""


@dataclass(frozen=True, kw_only=True)
class DocumentDue:
    """A paper that a vehicle lacks (no number), or that runs out on `expires_on`."""

    vehicle_id: int
    vehicle_code: str
    kind: str
    number: str | None
    expires_on: datetime.date | None


def documents_due(
    *, organisation_ids: Collection[int], last: datetime.date, limit: int | None = 1_000
) -> list[DocumentDue]:
    """Papers of these operators' vehicles that are missing or good until `last` at most.

    What is missing comes first, then by last day. A renewal that is already there counts. One query;
    without a `limit` all of them.
    """
    asked: dict[str, Any] = {"organisations": list(organisation_ids), "last": last, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_DUE, asked)
        names = ("vehicle_id", "vehicle_code", "kind", "number", "expires_on")
        return [DocumentDue(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def papers_due(*, vehicles: QuerySet[Vehicle], last: datetime.date) -> list[DocumentDue]:
    """All `documents_due` of the operators of these vehicles, which are whole fleets."""
    owners = vehicles.order_by().values_list("organisation", flat=True).distinct()
    return documents_due(organisation_ids=set(owners), last=last, limit=None)
