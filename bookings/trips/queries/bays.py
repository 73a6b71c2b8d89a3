"""Zones by what is written in them: the code of a bay, and what a price may name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import F, Q

from bookings.pricing.rules import ZoneWhen
from bookings.trips.rules import Fix
from fleet.zones.models import Zone
from fleet.zones.states import SetState, ZoneKind
from mobility.core import geo

if TYPE_CHECKING:
    import datetime

    from django.db.models import QuerySet

    from bookings.trips.models import Trip

# A code on a post stands within a bay's length of the vehicle.
BAY_DOUBT_M = 10.0


def bay_fix(*, trip: Trip, code: str, at: datetime.datetime) -> Fix | None:
    """The middle of the bay with this code that binds the trip's vehicle; `None` if there is none.

    What is printed on the post is the code of the bay in the city's or the operator's own map.
    """
    bay = _binding(trip, at=at).filter(kind=ZoneKind.BAY, code__iexact=code.strip()).first()
    if bay is None:
        return None
    middle = bay.boundary.point_on_surface
    return Fix(lon=middle.x, lat=middle.y, accuracy_m=BAY_DOUBT_M, at=at)


def zone_marks(
    *, trip: Trip, when: ZoneWhen, lon: float, lat: float, at: datetime.datetime
) -> list[dict[str, Any]]:
    """The zones around a place as the price rules name them; one query, for fares that ask."""
    here = _binding(trip, at=at).filter(boundary__intersects=geo.point(lon, lat))
    return [{"when": when.value, "code": zone.code, "kind": zone.kind} for zone in here]


def _binding(trip: Trip, *, at: datetime.datetime) -> QuerySet[Zone]:
    whose = Q(zone_set__organisation=trip.organisation_id) | Q(
        zone_set__organisation=F("zone_set__city__organisation")
    )
    return (
        Zone.objects.filter(
            whose, zone_set__city=trip.vehicle.city_id, zone_set__during__contains=at
        )
        .exclude(zone_set__state=SetState.DRAFT)
        .order_by("zone_set", "position", "id")
    )
