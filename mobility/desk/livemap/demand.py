"""Where trips are expected: the newest forecast, told by district."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import shapely
from django.contrib.gis.db.models.functions import AsWKB

from fleet.rebalancing.cells import centre_of
from fleet.rebalancing.models import RebalancingPlan
from mobility.core.texts import pick
from mobility.geography.models import District

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User


@dataclasses.dataclass(frozen=True, kw_only=True)
class Forecast:
    """Expected departures of the newest plan: trips by district and kind, and for which hours."""

    start: datetime.datetime
    end: datetime.datetime
    districts: list[dict[str, Any]]


def forecast(*, user: User) -> Forecast | None:
    """What the newest plan of each of the person's operators expects, added up; None without a plan.

    A cell of the forecast belongs to the district that its centre lies in; two queries.
    """
    plans = (
        RebalancingPlan.objects.visible_to(user)
        .exclude(expected={})
        .order_by("organisation_id", "city_id", "-id")
        .distinct("organisation_id", "city_id")
    )
    newest = list(plans.only("expected", "horizon_start", "horizon_end", "organisation", "city"))
    if not newest:
        return None
    districts = list(
        District.objects.annotate(drawing=AsWKB("boundary")).defer("boundary", "centre")
    )
    trips = _by_district(newest, districts)
    rows: list[dict[str, Any]] = [
        {"code": one.code, "name": pick(one.name), "trips": trips[place]}
        for place, one in enumerate(districts)
        if trips[place]
    ]
    rows.sort(key=lambda row: -sum(row["trips"].values()))
    return Forecast(
        start=min(plan.horizon_start for plan in newest),
        end=max(plan.horizon_end for plan in newest),
        districts=rows,
    )


def _by_district(plans: list[RebalancingPlan], districts: list[Any]) -> list[dict[str, float]]:
    found: list[dict[str, float]] = [{} for _ in districts]
    cells = [
        (int(cell), kind, float(count))
        for plan in plans
        for kind, by_cell in plan.expected.items()
        for cell, count in by_cell.items()
    ]
    if not cells or not districts:
        return found
    tree = shapely.STRtree([shapely.from_wkb(bytes(one.drawing)) for one in districts])
    spots = shapely.points([centre_of(cell) for cell, _kind, _count in cells])
    seen: set[int] = set()
    for number, place in zip(*tree.query(spots, predicate="intersects").tolist(), strict=True):
        # A centre on the line between two districts counts once.
        if number in seen:
            continue
        seen.add(number)
        _cell, kind, count = cells[number]
        found[place][kind] = round(found[place].get(kind, 0.0) + count, 2)
    return found
