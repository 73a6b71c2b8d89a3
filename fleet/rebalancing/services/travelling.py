"""Which travel times a plan is made with."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from django.conf import settings

from fleet.rebalancing.models import RebalancingPlan
from fleet.rebalancing.rules.offers import Offer
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.situation import Situation
from fleet.rebalancing.rules.travel import TravelTimes
from fleet.rebalancing.rules.vans import vans_of
from fleet.vans.gateway import RoadUnavailable, driving_minutes
from fleet.vans.models import TravelTable
from fleet.vans.queries import travel_table
from fleet.vans.services import keep_table, read_table
from fleet.vans.states import TravelSource
from mobility.core.principals import Principal
from mobility.geography.models import District, Hub

log = structlog.get_logger(__name__)

Note = dict[str, Any]


def travel_times(table: TravelTable | None) -> TravelTimes | None:
    """A stored table as the rules take it."""
    if table is None:
        return None
    return TravelTimes.unpacked(points=table.points, packed=bytes(table.minutes))


def choose_travel(
    plan: RebalancingPlan,
    *,
    situation: Situation,
    parameters: Parameters,
    stops: Sequence[Offer],
    at: datetime.datetime,
    by: Principal,
) -> tuple[TravelTable | None, list[Note]]:
    """The operator's own table, else what the road service says now, else nothing, and why.

    What the service said is kept with the plan: a revision asks nobody.
    """
    imported = travel_table(organisation_id=plan.organisation_id, city_id=plan.city_id)
    if imported is not None or not settings.ROUTING_URL:
        return imported, _holes(imported)
    points = _points(situation, parameters=parameters, stops=stops)
    try:
        minutes = driving_minutes(
            url=settings.ROUTING_URL,
            points=points,
            most=settings.ROUTING_TABLE_SIZE,
            seconds=settings.ROUTING_SECONDS,
        )
    except RoadUnavailable as reason:
        log.warning("road_service_unavailable", plan=str(plan.public_id), reason=str(reason))
        return None, [{"code": "straight_lines"}]
    times = TravelTimes.of_matrix(points=points, minutes=minutes)
    table = keep_table(
        organisation_id=plan.organisation_id,
        city_id=plan.city_id,
        name=f"{at:%Y-%m-%d %H:%M}",
        source=TravelSource.ROAD,
        points=points,
        packed=times.packed(),
        holes=times.holes,
        at=at,
        by=by,
    )
    return table, _holes(table)


def import_travel_table(
    *,
    organisation_id: int,
    city_id: int,
    name: str,
    text: str,
    at: datetime.datetime,
    by: Principal,
) -> TravelTable:
    """Keep an operator's own travel times between hubs and districts; plans use the newest.

    Holes are filled by the shortest way over other places where there is one. Raises
    `TableUnreadable`.
    """
    places = _coded_places(city_id=city_id)
    codes, known = read_table(text, places=places)
    minutes = TravelTimes.of_pairs(points=[places[code] for code in codes], pairs=known).bridged()
    return keep_table(
        organisation_id=organisation_id,
        city_id=city_id,
        name=name,
        source=TravelSource.IMPORTED,
        points=[places[code] for code in codes],
        packed=minutes.packed(),
        holes=minutes.holes,
        at=at,
        by=by,
    )


def _coded_places(*, city_id: int) -> dict[str, tuple[float, float]]:
    """Where the codes of districts and hubs are; a hub's goes first where both have the same."""
    places: dict[str, tuple[float, float]] = {}
    for district in District.objects.filter(city=city_id).only("code", "centre"):
        places[district.code] = (district.centre.x, district.centre.y)
    for hub in Hub.objects.filter(city=city_id).only("code", "location"):
        places[hub.code] = (hub.location.x, hub.location.y)
    return places


def _points(
    situation: Situation, *, parameters: Parameters, stops: Iterable[Offer]
) -> list[tuple[float, float]]:
    """Where vans may come: depots, workshops, and every stop worth something."""
    depot = (situation.depot_lon, situation.depot_lat)
    specs = vans_of(parameters, depot=depot)
    ends = [end for spec in specs for end in (spec.start, spec.end)]
    shops = [(shop.lon, shop.lat) for shop in situation.workshops]
    spots = [depot, *ends, *shops, *(offer.spot(situation) for offer in stops)]
    return list(dict.fromkeys(spots))


def _holes(table: TravelTable | None) -> list[Note]:
    return [{"code": "travel_holes", "pairs": table.holes}] if table and table.holes else []
