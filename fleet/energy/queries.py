"""Which vehicles hang on which connector."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F

from charging.sessions.models import ChargingSession
from charging.sessions.states import SESSION_OPEN
from fleet.vehicles.models import Vehicle

OWNER = "vehicle:"


@dataclass(frozen=True, kw_only=True)
class Plugged:
    """A vehicle that charges: where, with how much power at most, and what the charger says of it."""

    vehicle: Vehicle
    connector_id: int
    site_id: int
    max_power_w: int
    session_pct: int | None

    @property
    def battery_pct(self) -> int | None:
        """What the vehicle says of its battery, else what the charger does."""
        latest = getattr(self.vehicle, "latest", None)
        told = latest.battery_pct if latest else None
        return self.session_pct if told is None else told


def owner_ref(vehicle: Vehicle) -> str:
    """The name under which a vehicle's own token charges, and under which it wants energy."""
    return f"{OWNER}{vehicle.public_id}"


def vehicle_of(ref: str) -> UUID | None:
    """The vehicle behind such a name, or None."""
    try:
        return UUID(ref.removeprefix(OWNER)) if ref.startswith(OWNER) else None
    except ValueError:
        return None


def plugged(*, vehicle_ids: Collection[int]) -> dict[int, Plugged]:
    """Of these vehicles those with an open session of their own token, by vehicle."""
    vehicles = Vehicle.objects.filter(pk__in=vehicle_ids)
    there = plugs(refs=[owner_ref(vehicle) for vehicle in vehicles])
    return {plug.vehicle.pk: plug for plug in there.values()}


def plugs(*, refs: Collection[str] | None = None) -> dict[str, Plugged]:
    """Vehicles with an open session of their own token, by its owner's name; two queries.

    `refs` looks at these names only.
    """
    sessions = ChargingSession.objects.filter(
        owner_ref__startswith=OWNER, state__in=SESSION_OPEN, connector__isnull=False
    )
    if refs is not None:
        sessions = sessions.filter(owner_ref__in=refs)
    told = sessions.annotate(
        max_power_w=F("connector__max_power_w"), site_id=F("connector__evse__station__site")
    ).order_by("pk")
    by_vehicle = {}
    for row in told.values_list("owner_ref", "connector_id", "max_power_w", "site_id", "soc_pct"):
        ref, connector_id, max_power_w, site_id, soc_pct = row
        by_vehicle[vehicle_of(ref)] = connector_id, max_power_w, site_id, soc_pct
    found = {}
    vehicles = Vehicle.objects.filter(public_id__in=[ref for ref in by_vehicle if ref is not None])
    for vehicle in vehicles.select_related("type", "latest"):
        connector_id, max_power_w, site_id, soc_pct = by_vehicle[vehicle.public_id]
        found[owner_ref(vehicle)] = Plugged(
            vehicle=vehicle,
            connector_id=connector_id,
            site_id=site_id,
            max_power_w=max_power_w,
            session_pct=soc_pct,
        )
    return found
