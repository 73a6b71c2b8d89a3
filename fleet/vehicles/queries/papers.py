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

# For each paper that a type asks for: the last day until which what the vehicle has is good from the
# day of asking on. Papers in force and to come, joined as ranges of days, are one range as long as
# none is missing in between; the one that holds the day of asking is the unbroken chain, and its
# last day that of the paper named. Most have one paper that is good for long enough by itself: they
# are left out first.
_DUE = """
WITH doubtful AS MATERIALIZED (
    SELECT vehicle.id, vehicle.code, needed.kind
    FROM fleet_vehicle vehicle
    JOIN fleet_vehicletype type ON type.id = vehicle.type_id AND type.required_documents <> '{}'
    CROSS JOIN LATERAL unnest(type.required_documents) needed (kind)
    WHERE vehicle.organisation_id = ANY (%(organisations)s) AND vehicle.life_state <> 'retired'
      AND NOT EXISTS (
        SELECT FROM fleet_vehicledocument paper
        WHERE paper.vehicle_id = vehicle.id AND paper.kind = needed.kind
          AND paper.valid_from <= %(today)s::date
          AND (paper.expires_on IS NULL OR paper.expires_on > %(last)s::date)
      )
)
SELECT doubtful.id, doubtful.code, doubtful.kind, best.number, best.expires_on
FROM doubtful
CROSS JOIN LATERAL (
    SELECT range_agg(daterange(paper.valid_from, paper.expires_on, '[]')) AS good
    FROM fleet_vehicledocument paper
    WHERE paper.vehicle_id = doubtful.id AND paper.kind = doubtful.kind
) had
LEFT JOIN LATERAL (
    SELECT chain FROM unnest(had.good) chain WHERE chain @> %(today)s::date
) unbroken ON true
LEFT JOIN LATERAL (
    SELECT paper.number, paper.expires_on FROM fleet_vehicledocument paper
    WHERE paper.vehicle_id = doubtful.id AND paper.kind = doubtful.kind
      AND paper.expires_on IS NOT DISTINCT FROM upper(unbroken.chain) - 1
      AND daterange(paper.valid_from, paper.expires_on, '[]') <@ unbroken.chain
    ORDER BY paper.id DESC LIMIT 1
) best ON true
WHERE unbroken.chain IS NULL OR best.expires_on <= %(last)s
ORDER BY best.expires_on NULLS FIRST, doubtful.code, doubtful.kind LIMIT %(limit)s
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
    *,
    organisation_ids: Collection[int],
    today: datetime.date,
    last: datetime.date,
    limit: int | None = 1_000,
) -> list[DocumentDue]:
    """Papers of these operators' vehicles that are missing `today` or good until `last` at most.

    What is missing comes first, then by last day. A renewal that is already there counts if it
    begins before the paper it renews ends, or on the next day. One query; without a `limit` all.
    """
    asked: dict[str, Any] = {
        "organisations": list(organisation_ids),
        "today": today,
        "last": last,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DUE, asked)
        names = ("vehicle_id", "vehicle_code", "kind", "number", "expires_on")
        return [DocumentDue(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def papers_due(
    *, vehicles: QuerySet[Vehicle], today: datetime.date, last: datetime.date
) -> list[DocumentDue]:
    """All `documents_due` of the operators of these vehicles, which are whole fleets."""
    owners = vehicles.order_by().values_list("organisation", flat=True).distinct()
    return documents_due(organisation_ids=set(owners), today=today, last=last, limit=None)
