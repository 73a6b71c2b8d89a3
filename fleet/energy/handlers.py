"""What the fleet does when its vehicles are plugged in or out."""

from __future__ import annotations

import datetime

from charging.sessions.events import SessionEnded, SessionStarted
from fleet.energy import services
from fleet.energy.queries import vehicle_of
from fleet.vehicles.models import Vehicle
from mobility.core import outbox


def _of_a_vehicle(event: SessionStarted | SessionEnded) -> bool:
    return vehicle_of(event.owner_ref) is not None


@outbox.handles(SessionStarted, when=_of_a_vehicle)
def on_session_started(event: SessionStarted, *, at: datetime.datetime) -> None:
    """A vehicle charges: it says how much it wants and by when."""
    services.sync_demands(vehicle_ids=_vehicles(event.owner_ref), at=at)


@outbox.handles(SessionEnded, when=_of_a_vehicle)
def on_session_ended(event: SessionEnded, *, at: datetime.datetime) -> None:
    """A vehicle is off its charger: it wants nothing there any more."""
    services.sync_demands(vehicle_ids=_vehicles(event.owner_ref), at=at)


def _vehicles(owner_ref: str) -> list[int]:
    ref = vehicle_of(owner_ref)
    found = Vehicle.objects.filter(public_id__in=[] if ref is None else [ref])
    return list(found.values_list("pk", flat=True))
