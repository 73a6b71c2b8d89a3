"""Which vehicles hang on which connector."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from charging.sessions.models import ChargingSession
from charging.sessions.states import SESSION_OPEN
from fleet.vehicles.models import Vehicle

OWNER = "vehicle:"


@dataclass(frozen=True, kw_only=True)
class Plugged:
    """A vehicle that charges: where, with how much power at most, and what the charger says of it."""

    vehicle: Vehicle
    connector_id: int
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


def plugged(*, vehicle_ids: Collection[int] | None = None) -> dict[int, Plugged]:
    """Vehicles with an open session of their own token, by vehicle; two queries."""
    sessions = ChargingSession.objects.filter(
        owner_ref__startswith=OWNER, state__in=SESSION_OPEN, connector__isnull=False
    ).select_related("connector")
    if vehicle_ids is not None:
        wanted = Vehicle.objects.filter(pk__in=vehicle_ids).values_list("public_id", flat=True)
        sessions = sessions.filter(owner_ref__in=[f"{OWNER}{ref}" for ref in wanted])
    by_ref = {vehicle_of(session.owner_ref): session for session in sessions.order_by("pk")}
    vehicles = Vehicle.objects.filter(public_id__in=[ref for ref in by_ref if ref is not None])
    found = {}
    for vehicle in vehicles.select_related("type", "latest"):
        session = by_ref[vehicle.public_id]
        # The query asks for sessions with a connector; this narrows the type.
        assert session.connector is not None
        found[vehicle.pk] = Plugged(
            vehicle=vehicle,
            connector_id=session.connector.pk,
            max_power_w=session.connector.max_power_w,
            session_pct=session.soc_pct,
        )
    return found
