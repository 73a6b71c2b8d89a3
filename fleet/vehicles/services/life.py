"""The life of a vehicle with its operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import history
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import holds
from fleet.vehicles.states import LifeState, RentalState
from mobility.core.errors import Conflict
from mobility.core.transitions import move

if TYPE_CHECKING:
    import datetime

    from mobility.core.principals import Principal

# What can happen to a vehicle while somebody has it.
_ANY_TIME = frozenset({LifeState.MISSING, LifeState.IMPOUNDED})
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

    A rented vehicle can only go missing or be impounded. Asking for the present state changes
    nothing. Raises `VehicleNotFound`, `LifeChangeRefused`, `IllegalMove`, `LostRace`.
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
        move(vehicle, field="life_state", to=to, at=at, by=by, reason=reason)
        history.record_changes([subject], at=at, by=by)
    return vehicle
