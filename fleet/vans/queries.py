"""An operator's vans and depots, and when nobody may work where."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from fleet.vans.models import ClosedHours, Depot, TravelTable, Van


def driving_vans(*, organisation_id: int, city_id: int) -> list[Van]:
    """The vans that a plan reckons with, in their order, with their depots; one query."""
    vans = Van.objects.driving(organisation_id=organisation_id, city_id=city_id)
    return list(vans.select_related("start", "end").order_by("name", "pk"))


def workshops(*, organisation_id: int, city_id: int) -> list[Depot]:
    """Depots that take broken vehicles in; one query."""
    depots = Depot.objects.filter(organisation=organisation_id, city=city_id, workshop=True)
    return list(depots.order_by("name", "pk"))


def closed_hours(*, organisation_id: int, city_id: int) -> list[ClosedHours]:
    """Areas in which no crew may work at some hours; one query."""
    rows = ClosedHours.objects.filter(organisation=organisation_id, city=city_id)
    return list(rows.order_by("pk"))


def travel_table(*, organisation_id: int, city_id: int) -> TravelTable | None:
    """The newest table that the operator imported and has not put aside."""
    return TravelTable.objects.imported(organisation_id=organisation_id, city_id=city_id).first()


def forgettable_tables(*, before: datetime.datetime) -> Iterable[int]:
    """Tables asked of a road service for plans that are long over."""
    old = TravelTable.objects.filter(source="road", created_at__lt=before)
    return old.values_list("pk", flat=True)
