"""The link axis: which vehicles we hear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from fleet.vehicles import history
from mobility.core.transitions import move_many

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from fleet.vehicles.models import Vehicle
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
    with transaction.atomic(savepoint=False):
        loaded = history.lock_subjects(vehicle_ids)
        subjects = {
            subject.vehicle.pk: subject for subject in loaded if subject.vehicle.link_state != to
        }
        changing = [subject.vehicle for subject in subjects.values()]
        moved = move_many(changing, field="link_state", to=to, at=at, by=by)
        history.record_changes((subjects[vehicle.pk] for vehicle in moved), at=at, by=by)
    return moved
