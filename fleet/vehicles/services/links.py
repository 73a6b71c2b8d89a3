"""The link axis: which vehicles we hear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from fleet.vehicles import history
from fleet.vehicles.history import Change
from fleet.vehicles.models import Vehicle
from mobility.core.transitions import move_many

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from mobility.core.principals import Principal


def set_link_state(
    *,
    vehicle_ids: Collection[int],
    to: str,
    at: datetime.datetime,
    by: Principal,
) -> list[Vehicle]:
    """Move the link of many vehicles at once; returns those that changed, in a constant number
    of statements."""
    if not vehicle_ids:
        return []
    with transaction.atomic():
        changing = Vehicle.objects.filter(pk__in=vehicle_ids).exclude(link_state=to)
        vehicles = list(changing.with_condition())
        before = {vehicle.pk: history.condition_of(vehicle) for vehicle in vehicles}
        moved = move_many(vehicles, field="link_state", to=to, at=at, by=by)
        changes = [Change(vehicle=vehicle, before=before[vehicle.pk]) for vehicle in moved]
        history.record_changes(changes, at=at, by=by)
    return moved
