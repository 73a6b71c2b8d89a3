"""Whether a car that should be plugged in is."""

from __future__ import annotations

import datetime
import enum
from typing import TYPE_CHECKING

from charging.sessions.queries import plug_at_hub
from fleet.telematics.queries import track
from fleet.zones.models import Zone

if TYPE_CHECKING:
    from bookings.trips.models import Trip

# How far back a charge that rises is looked for.
RISING_WITHIN = datetime.timedelta(minutes=15)


class Plug(enum.Enum):
    """What is known of the cable."""

    IN = "in"
    OUT = "out"
    # There are chargers, and none of them works: nobody can plug in, and nobody is to blame.
    BROKEN = "broken"


def plug_at(*, trip: Trip, zone_id: int, at: datetime.datetime) -> Plug | None:
    """Whether the car of `trip` is plugged in at the hub of a zone; `None` where there is no plug.

    Proof is a charging session of the vehicle or of its rider, or a state of charge that rises
    while it stands.
    """
    hub_id = Zone.objects.filter(pk=zone_id).values_list("hub", flat=True).first()
    if hub_id is None:
        return None
    owners = {f"vehicle:{trip.vehicle.public_id}", trip.user.principal}
    since = max(trip.started_at or at, at - RISING_WITHIN)
    seen = plug_at_hub(hub_id=hub_id, owner_refs=owners, since=since, at=at)
    if not seen.connectors:
        return None
    if seen.charging or _rises(trip.vehicle_id, since=since, at=at):
        return Plug.IN
    return Plug.BROKEN if seen.broken else Plug.OUT


def _rises(vehicle_id: int, *, since: datetime.datetime, at: datetime.datetime) -> bool:
    """Whether the last word about the charge is above the lowest one before it."""
    points = track(vehicle_id=vehicle_id, start=since, end=at)
    told = [int(pct) for pct in points["battery_pct"] if pct >= 0]
    return len(told) > 1 and told[-1] > min(told)
