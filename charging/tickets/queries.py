"""Reads about tickets of chargers."""

from __future__ import annotations

from django.db.models import F, QuerySet

from charging.stations.models import ChargingStation
from charging.tickets.models import StationTicket


def latest_tickets(*, station: ChargingStation, limit: int) -> QuerySet[StationTicket]:
    """A station's tickets, those that are not over first, then the newest."""
    rows = StationTicket.objects.filter(station=station)
    return rows.select_related("connector__evse", "taken_by").order_by(
        F("closed_at").desc(nulls_first=True), "-id"
    )[:limit]
