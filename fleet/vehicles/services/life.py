"""The life of a vehicle with its operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import history, mds
from fleet.vehicles.events import LifeChanged
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import blocks, holds
from fleet.vehicles.states import BlockReason, LifeState, RentalState
from mobility.core import outbox
from mobility.core.errors import Conflict
from mobility.core.transitions import move

if TYPE_CHECKING:
    import datetime

    from mobility.core.principals import Principal

# What can happen to a vehicle while somebody has it.
_ANY_TIME = frozenset({LifeState.MISSING, LifeState.STOLEN, LifeState.IMPOUNDED})
_UNRENTED = frozenset({RentalState.FREE, RentalState.STAFF})


class LifeChangeRefused(Conflict):
    code = "vehicle_in_use"
    message = _("Somebody is using this vehicle. Wait for the trip to end.")


def set_life_state(
    *,
    vehicle_id: int,
    to: str,
    at: datetime.datetime,
    by: Principal,
    reason: str = "",
) -> Vehicle:
    """Move a vehicle to another part of its life (workshop, storage, back in service …).

    A rented vehicle can only go missing, be stolen or be impounded. One that enters the workshop is
    blocked for `inspection` until its check is passed. Asking for the present state changes
    nothing. Publishes `LifeChanged`. Raises `VehicleNotFound`, `LifeChangeRefused`, `IllegalMove`, `LostRace`.
    """
    with transaction.atomic():
        # Locked before it is judged: a rider may be taking it in this moment.
        Vehicle.objects.select_for_update(no_key=True).filter(pk=vehicle_id).values_list(
            "pk"
        ).first()
        subject = holds.load_vehicle(vehicle_id)
        vehicle = subject.vehicle
        if vehicle.life_state == to:
            return vehicle
        if vehicle.rental_state not in _UNRENTED and to not in _ANY_TIME:
            raise LifeChangeRefused
        before = str(vehicle.life_state)
        move(vehicle, field="life_state", to=to, at=at, by=by, reason=reason)
        if to == LifeState.WORKSHOP:
            blocks.place_block([subject], reason=BlockReason.INSPECTION, at=at, by=by)
        told = mds.COMPLIANCE if reason == mds.COMPLIANCE else ""
        history.record_changes([subject], at=at, by=by, reason=told)
        outbox.publish(
            LifeChanged(vehicle_id=vehicle.pk, before=before, after=to, at=at, reason=reason),
            at=at,
        )
    return vehicle
