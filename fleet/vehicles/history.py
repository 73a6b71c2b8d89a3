"""The state history: one row per change, with the public state and events derived from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.vehicles import mds
from fleet.vehicles.models import LatestState, Vehicle, VehicleEvent

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable

    from mobility.core.principals import Principal


@dataclass(frozen=True, kw_only=True)
class Change:
    """A vehicle as it is now, and what it was before."""

    vehicle: Vehicle
    before: mds.Condition


def condition_of(vehicle: Vehicle) -> mds.Condition:
    """The condition of a vehicle that was loaded `with_condition()`."""
    return mds.Condition(
        kind=vehicle.kind,
        life=vehicle.life_state,
        rental=vehicle.rental_state,
        link=vehicle.link_state,
        blocks=frozenset(vehicle.active_blocks),
    )


def latest_of(vehicle: Vehicle) -> LatestState | None:
    """What the vehicle last said, or None if it never spoke."""
    return getattr(vehicle, "latest", None)


def record_changes(
    changes: Iterable[Change],
    *,
    at: datetime.datetime,
    by: Principal,
    trip_ref: str = "",
    reason: str = "",
) -> list[VehicleEvent]:
    """Write one history row for each vehicle that is not as it was before."""
    events = [
        _event(change, at=at, by=by, trip_ref=trip_ref, reason=reason)
        for change in changes
        if condition_of(change.vehicle) != change.before
    ]
    return VehicleEvent.objects.bulk_create(events)


def _event(
    change: Change,
    *,
    at: datetime.datetime,
    by: Principal,
    trip_ref: str,
    reason: str,
) -> VehicleEvent:
    after = condition_of(change.vehicle)
    latest = latest_of(change.vehicle)
    return VehicleEvent(
        vehicle=change.vehicle,
        at=at,
        mds_state=mds.mds_state(after),
        mds_events=list(mds.mds_events(change.before, after, reason=reason)),
        life_state=after.life,
        rental_state=after.rental,
        link_state=after.link,
        blocks=sorted(after.blocks),
        lon=latest.lon if latest else None,
        lat=latest.lat if latest else None,
        battery_pct=latest.battery_pct if latest else None,
        trip_ref=trip_ref,
        by=by,
    )
