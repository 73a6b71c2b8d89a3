"""Which vehicles stand outside the city's jurisdiction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from fleet.vehicles import history
from fleet.vehicles.models import Vehicle
from mobility.core import audit
from mobility.core.models import AuditEntry

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from mobility.core.principals import Principal


def set_outside(
    *,
    vehicle_ids: Collection[int],
    outside: bool,
    at: datetime.datetime,
    by: Principal,
) -> list[Vehicle]:
    """Say that vehicles left the city, or came back; returns those for which that is news.

    In a constant number of statements; the city is told `elsewhere` meanwhile.
    """
    if not vehicle_ids:
        return []
    with transaction.atomic(savepoint=False):
        subjects = [
            subject
            for subject in history.lock_subjects(vehicle_ids)
            if (subject.vehicle.outside_since is not None) is not outside
        ]
        since = at if outside else None
        changed = [subject.vehicle for subject in subjects]
        for vehicle in changed:
            vehicle.outside_since = since
        Vehicle.objects.filter(pk__in=[vehicle.pk for vehicle in changed]).update(
            outside_since=since
        )
        action = "outside" if outside else "inside"
        AuditEntry.objects.bulk_create(
            audit.entry(by=by, action=action, row=vehicle, at=at) for vehicle in changed
        )
        history.record_changes(subjects, at=at, by=by)
    return changed
