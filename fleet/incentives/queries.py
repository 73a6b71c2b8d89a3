"""Reading for offers: what is on its way already, where one charges, what can be accepted."""

from __future__ import annotations

import datetime
import math
from collections import Counter, defaultdict
from collections.abc import Mapping

from django.db.models import F, Q, QuerySet, Sum

from charging.stations.models import Site
from fleet.incentives.models import IncentiveOffer, IncentivePolicy
from fleet.incentives.rules.places import at_place, in_cell
from fleet.incentives.states import Direction, Need, OfferState
from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.queries import expects_of_riders
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.rules.riders import RiderWork
from fleet.rebalancing.states import TaskKind, TaskState
from fleet.vehicles.models import Vehicle, VehicleEvent
from mobility.geography.models import Hub

METRES_A_DEGREE = 111_320.0
# What one more ride of a car leaves; vans carry none, so plans do not say it.
CAR_MARGIN_CENTS = 600
OF_LATE = datetime.timedelta(days=28)
# Of offered places, the share taken while nothing is known, and how many places that counts for.
USUAL_SHARE, STEADYING = 0.1, 20


def policy_of(*, organisation_id: int) -> IncentivePolicy:
    """An operator's policy; without a row nothing is offered."""
    found = IncentivePolicy.objects.filter(organisation=organisation_id).first()
    return found or IncentivePolicy(organisation_id=organisation_id)


def parameters_of(*, organisation_id: int, city_id: int) -> Parameters:
    """The operator's latest decisions about plans, so that both count with the same values; with
    a margin for cars."""
    plans = RebalancingPlan.objects.filter(organisation=organisation_id, city=city_id)
    stored = plans.order_by("-id").values_list("parameters", flat=True).first() or {}
    margins = {**Parameters().margin_cents, **stored.get("margin_cents", {})}
    margins.setdefault("car", CAR_MARGIN_CENTS)
    return Parameters.from_json({**stored, "margin_cents": margins})


def coming(*, organisation_id: int, city_id: int) -> dict[str, Counter[int]]:
    """Vehicles on their way, by kind and cell: riders have promised them, or a crew has them in hand."""
    on_the_way: dict[str, Counter[int]] = {}
    promised = IncentiveOffer.objects.filter(
        organisation=organisation_id,
        city=city_id,
        direction=Direction.END,
        need=Need.STOCK,
        promised__gt=0,
    )
    crews = RebalancingTask.objects.filter(
        plan__organisation=organisation_id,
        plan__city=city_id,
        kind=TaskKind.MOVE_DROPOFF,
        state=TaskState.CLAIMED,
    )
    for rows in (
        promised.values_list("vehicle_kind", "cell", "promised"),
        crews.values_list("vehicle_kind", "cell", "quantity"),
    ):
        for kind, cell, vehicles in rows:
            on_the_way.setdefault(kind, Counter())[cell] += vehicles
    return on_the_way


@expects_of_riders
def expected_of_riders(*, organisation_id: int, city_id: int, at: datetime.datetime) -> RiderWork:
    """What vans need not do: vehicles that riders have promised to bring, and of those that are
    still offered the share that riders of late have taken up. Three queries.

    A vehicle whose rider has promised to take it is on its way already, and stands nowhere.
    """
    share = acceptance(organisation_id=organisation_id, at=at)
    mine = IncentiveOffer.objects.filter(
        organisation=organisation_id, city=city_id, need=Need.STOCK
    )
    still = Q(state=OfferState.OPEN, valid_until__gt=at)
    bringing: defaultdict[str, defaultdict[int, float]] = defaultdict(lambda: defaultdict(float))
    ends = mine.filter(still | Q(promised__gt=0), direction=Direction.END)
    for offer in ends:
        standing = offer.state == OfferState.OPEN and offer.valid_until > at
        free = offer.places - offer.promised - offer.kept if standing else 0
        expected = offer.promised + share[Direction.END] * free
        bringing[offer.vehicle_kind][offer.cell] += expected
    starts = mine.filter(still, direction=Direction.START, promised=0, vehicle__isnull=False)
    return RiderWork(
        bringing=bringing,
        taking=dict.fromkeys(starts.values_list("vehicle_id", flat=True), share[Direction.START]),
    )


def acceptance(*, organisation_id: int, at: datetime.datetime) -> dict[str, float]:
    """Of the places offered and closed in four weeks, the share that riders took, by direction;
    steadied by twenty places of which a tenth is taken. One query."""
    closed = IncentiveOffer.objects.filter(
        organisation=organisation_id, state=OfferState.WITHDRAWN, made_at__gte=at - OF_LATE
    )
    sums = (
        closed.order_by()
        .values_list("direction")
        .annotate(taken=Sum(F("kept") + F("promised")), offered=Sum("places"))
    )
    seen = {direction: (taken, offered) for direction, taken, offered in sums}
    share = {}
    for direction in Direction.values:
        taken, offered = seen.get(direction, (0, 0))
        share[direction] = (taken + USUAL_SHARE * STEADYING) / (offered + STEADYING)
    return share


def charging_hubs(*, city_id: int) -> dict[int, tuple[int, float, float]]:
    """Hubs with a charging site, by cell: id, longitude, latitude."""
    sites = Site.objects.filter(hub__city=city_id).values("hub")
    hubs = Hub.objects.filter(pk__in=sites).order_by("-pk")
    return {
        cell_at(lon=hub.location.x, lat=hub.location.y): (
            hub.pk,
            hub.location.x,
            hub.location.y,
        )
        for hub in hubs
    }


def parked(*, organisation_id: int, city_id: int) -> set[int]:
    """Vehicles that anybody could take now."""
    free = Vehicle.objects.rentable().filter(organisation=organisation_id, city=city_id)
    return set(free.values_list("pk", flat=True))


def offers_to_accept(*, at: datetime.datetime) -> QuerySet[IncentiveOffer]:
    """Open offers with a place left, the best first."""
    free = Q(places__gt=F("promised") + F("kept"))
    found = IncentiveOffer.objects.open_at(at).filter(free)
    return found.select_related("hub", "vehicle").order_by("-reward_cents", "pk")


def offers_near(
    *, lon: float, lat: float, radius_m: float, at: datetime.datetime
) -> QuerySet[IncentiveOffer]:
    """Open offers in a square around a point."""
    high = radius_m / METRES_A_DEGREE
    wide = high / max(math.cos(math.radians(lat)), 0.01)
    return offers_to_accept(at=at).filter(
        lon__range=(lon - wide, lon + wide), lat__range=(lat - high, lat + high)
    )


def offers_for_vehicle(*, vehicle: Vehicle, at: datetime.datetime) -> QuerySet[IncentiveOffer]:
    """Where a ride with this vehicle (loaded with its latest state and type) could end for a reward.

    A place to charge only for a battery that is weak enough.
    """
    latest = getattr(vehicle, "latest", None)
    battery = latest.battery_pct if latest else None
    fits = Q(below_pct=None)
    if battery is not None:
        fits |= Q(below_pct__gt=battery)
    return offers_to_accept(at=at).filter(
        fits,
        organisation=vehicle.organisation_id,
        city=vehicle.city_id,
        vehicle_kind=vehicle.kind,
        direction=Direction.END,
    )


def earned_at(*, offer: IncentiveOffer, lon: float, lat: float) -> bool:
    """Whether a ride that ends there has done what an offer asks for.

    One that was to take a vehicle away has, if it ends in another cell.
    """
    if offer.direction == Direction.START:
        return not in_cell(cell=offer.cell, lon=lon, lat=lat)
    hub = (offer.lon, offer.lat) if offer.hub_id is not None else None
    return at_place(cell=offer.cell, lon=lon, lat=lat, hub=hub)


def stood_there(
    *, vehicle_id: int, cell: int, since: datetime.datetime, before: datetime.datetime
) -> bool:
    """Whether the vehicle was in a cell in this time, as its own history says.

    Who takes one away and brings it back has gained nobody anything.
    """
    seen = VehicleEvent.objects.filter(vehicle=vehicle_id, at__gte=since, at__lt=before)
    return any(
        lon is not None and lat is not None and cell_at(lon=lon, lat=lat) == cell
        for lon, lat in seen.values_list("lon", "lat")
    )


def day_of_offers(
    *, organisation_id: int, start: datetime.datetime, end: datetime.datetime
) -> Mapping[str, int]:
    """How many offers were made in a time, with how many places."""
    made = IncentiveOffer.objects.filter(
        organisation=organisation_id, made_at__gte=start, made_at__lt=end
    ).values_list("places", flat=True)
    return {"made": len(made), "places": sum(made)}
