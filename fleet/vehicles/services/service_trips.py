"""Staff driving a vehicle: begun and ended like a ride, without a rider.

DomainError
└── NotFound  ServiceTripNotFound
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from fleet.vehicles.models import LatestState, ServiceTrip, VehicleBlock
from fleet.vehicles.services.blocks import block_vehicle, lift_block
from fleet.vehicles.services.commands import queue_commands
from fleet.vehicles.services.holds import hold_vehicle, release_hold
from fleet.vehicles.states import BlockReason, CommandKind, CommandState, HoldPurpose
from mobility.core import audit, ids
from mobility.core.errors import NotFound
from mobility.core.principals import system_principal

if TYPE_CHECKING:
    from mobility.core.principals import Principal

BY = system_principal("service-trips")

# Longer than any shift; whoever forgets to end it still has the vehicle.
HORIZON = datetime.timedelta(hours=12)
UNLOCK_TTL_S = 60
# A vehicle in a garage hears late, and should still lock.
LOCK_TTL_S = 600


class ServiceTripNotFound(NotFound):
    code = "service_trip_not_found"
    message = _("There is no such service trip.")


def start_service_trip(
    *,
    vehicle_id: int,
    reason: str,
    at: datetime.datetime,
    by: Principal,
    ticket_ref: str = "",
    notes: str = "",
) -> ServiceTrip:
    """Take a vehicle for a drive of staff: hold it, note where it stands, tell it to unlock.

    Blocks do not matter, a rider does. Raises `VehicleNotFound`, `VehicleTaken`,
    `VehicleNotRentable` for a retired one.
    """
    with transaction.atomic():
        trip = ServiceTrip(
            public_id=ids.uuid7(),
            vehicle_id=vehicle_id,
            reason=reason,
            ticket_ref=ticket_ref,
            notes=notes,
            started_at=at,
            started_by=by,
        )
        trip.hold = hold_vehicle(
            vehicle_id=vehicle_id,
            until=at + HORIZON,
            purpose=HoldPurpose.SERVICE,
            holder_ref=f"service:{trip.public_id}",
            at=at,
            by=by,
        )
        latest = LatestState.objects.filter(vehicle=vehicle_id).first()
        if latest is not None:
            trip.from_lon, trip.from_lat = latest.lon, latest.lat
            trip.from_odometer_m = latest.odometer_m
        trip.save(force_insert=True)
        audit.record(by=by, action=f"service_trip:{reason}", row=trip, at=at)
        _order(trip, CommandKind.UNLOCK, ttl_s=UNLOCK_TTL_S, at=at, by=by)
    return trip


def end_service_trip(*, service_trip_id: int, at: datetime.datetime, by: Principal) -> ServiceTrip:
    """Give the vehicle back: tell it to lock, note where it stands, release it.

    Ending twice is ending once. Raises `ServiceTripNotFound`.
    """
    with transaction.atomic():
        rows = ServiceTrip.objects.select_for_update(of=("self",))
        trip = rows.filter(pk=service_trip_id).first()
        if trip is None:
            raise ServiceTripNotFound
        if trip.ended_at is not None:
            return trip
        trip.ended_at, trip.ended_by = at, by
        latest = LatestState.objects.filter(vehicle=trip.vehicle_id).first()
        if latest is not None:
            trip.to_lon, trip.to_lat = latest.lon, latest.lat
            trip.to_odometer_m = latest.odometer_m
        trip.save()
        audit.record(by=by, action="service_trip:ended", row=trip, at=at)
        _order(trip, CommandKind.LOCK, ttl_s=LOCK_TTL_S, at=at, by=by)
        release_hold(hold_id=trip.hold_id, at=at, by=by)
    return trip


def see_lock_answered(*, vehicle_id: int, result: str, at: datetime.datetime) -> None:
    """A vehicle that staff gave back and that did not lock stands open: it is offered to nobody.

    The block for maintenance is lifted by staff, or by the vehicle's late word that it did lock. A
    lock that a newer order overtook tells nothing.
    """
    with transaction.atomic():
        if result == CommandState.CONFIRMED:
            blocks = VehicleBlock.objects.active().filter(vehicle=vehicle_id, placed_by=BY)
            if blocks.exists():
                lift_block(vehicle_id=vehicle_id, reason=BlockReason.MAINTENANCE, at=at, by=BY)
        elif result != CommandState.SUPERSEDED:
            block_vehicle(vehicle_id=vehicle_id, reason=BlockReason.MAINTENANCE, at=at, by=BY)


def is_lock_at_the_end(purpose_ref: str) -> bool:
    """Whether a command with this purpose is the lock that `end_service_trip` orders."""
    return purpose_ref.startswith("service:") and purpose_ref.endswith(f":{CommandKind.LOCK}")


def _order(
    trip: ServiceTrip, kind: CommandKind, *, ttl_s: int, at: datetime.datetime, by: Principal
) -> None:
    """One without a lock of its own is driven all the same; the report is nobody's to read."""
    ref = f"service:{trip.public_id}:{kind}"
    queue_commands(
        vehicle_ids=[trip.vehicle_id],
        kind=kind,
        idempotency_key=ref,
        ttl_s=ttl_s,
        purpose_ref=ref,
        at=at,
        by=by,
    )
