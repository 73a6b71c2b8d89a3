"""Papers: kept, and the block that comes and goes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from fleet.vehicles import history
from fleet.vehicles.models import Vehicle, VehicleDocument
from fleet.vehicles.services.blocks import block_vehicles, lift_blocks
from fleet.vehicles.services.holds import VehicleNotFound
from fleet.vehicles.states import BlockReason
from mobility.core import audit, clock
from mobility.core.principals import system_principal

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from mobility.core.principals import Principal

BY = system_principal("fleet-documents")

# Whether every paper that the type asks for is good on the day, and whether the block stands: only
# vehicles for which the two do not fit are returned.
_WRONG = """
SELECT vehicle.id, blocked.lacking FROM fleet_vehicle vehicle
JOIN fleet_vehicletype type ON type.id = vehicle.type_id
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM unnest(type.required_documents) needed (kind) WHERE NOT EXISTS (
            SELECT FROM fleet_vehicledocument paper
            WHERE paper.vehicle_id = vehicle.id AND paper.kind = needed.kind
              AND paper.valid_from <= %(day)s
              AND (paper.expires_on IS NULL OR paper.expires_on >= %(day)s)
        )
    ) AS lacking, EXISTS (
        SELECT FROM fleet_vehicleblock block
        WHERE block.vehicle_id = vehicle.id AND block.until IS NULL AND block.reason = %(reason)s
    ) AS blocked
) blocked
WHERE blocked.lacking <> blocked.blocked AND vehicle.life_state <> 'retired'
  AND (%(all)s OR vehicle.id = ANY (%(ids)s))
"""


def save_document(
    *,
    vehicle_id: int,
    kind: str,
    number: str,
    valid_from: datetime.date,
    expires_on: datetime.date | None,
    at: datetime.datetime,
    by: Principal,
) -> VehicleDocument:
    """Keep a paper of a vehicle, and block or free it at once as its papers now stand.

    `expires_on` is the last good day. The same paper sent again takes the new last day. Raises
    `VehicleNotFound`.
    """
    with transaction.atomic():
        if not Vehicle.objects.filter(pk=vehicle_id).exists():
            raise VehicleNotFound
        paper, _created = VehicleDocument.objects.update_or_create(
            vehicle_id=vehicle_id,
            kind=kind,
            number=number,
            valid_from=valid_from,
            defaults={"expires_on": expires_on},
        )
        audit.record(by=by, action=f"document:{kind}", row=paper, at=at)
        refresh_document_blocks(at=at, vehicle_ids=[vehicle_id])
    return paper


def refresh_document_blocks(
    *, at: datetime.datetime, vehicle_ids: Collection[int] | None = None
) -> int:
    """Block vehicles that lack a paper on the city's day of `at`, and free those that lack none.

    `None` means all vehicles. All that may change are locked first, in one pass, and judged then:
    a paper that somebody hands in at this moment counts, whoever comes first. Returns how many
    changed; one query when `None` finds nothing to do.
    """
    if vehicle_ids is None:
        vehicle_ids = [pk for pk, _lacking in _wrong(None, at=at)]
    if not vehicle_ids:
        return 0
    reason = BlockReason.DOCUMENT_EXPIRED
    with transaction.atomic():
        history.lock_vehicles(vehicle_ids)
        wrong = _wrong(vehicle_ids, at=at)
        lacking = [pk for pk, is_lacking in wrong if is_lacking]
        complete = [pk for pk, is_lacking in wrong if not is_lacking]
        if lacking:
            block_vehicles(vehicle_ids=lacking, reason=reason, at=at, by=BY)
        if complete:
            lift_blocks(vehicle_ids=complete, reason=reason, at=at, by=BY)
    return len(wrong)


def _wrong(vehicle_ids: Collection[int] | None, *, at: datetime.datetime) -> list[tuple[int, bool]]:
    """The vehicles whose block does not fit their papers, and whether they lack one."""
    asked: dict[str, Any] = {
        "day": clock.service_day(at),
        "reason": BlockReason.DOCUMENT_EXPIRED.value,
        "all": vehicle_ids is None,
        "ids": list(vehicle_ids or ()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRONG, asked)
        return [(pk, lacking) for pk, lacking in cursor.fetchall()]
