"""A new look at the city: what is worth offering now, and what no longer is."""

from __future__ import annotations

import datetime
from collections import Counter

from django.db import transaction

from fleet.incentives import queries
from fleet.incentives.models import IncentiveOffer, IncentivePolicy
from fleet.incentives.rules.chances import Chance, chances
from fleet.incentives.rules.prices import Terms
from fleet.incentives.states import CloseReason, Direction, OfferState
from fleet.rebalancing.queries import city_of, load_situation
from fleet.rebalancing.rules.situation import Situation
from fleet.rebalancing.services.remembering import habit_of_the_hour
from fleet.vehicles.states import RentalState
from mobility.core import locks, sweeps
from mobility.core.principals import Principal
from mobility.core.transitions import move

HOUR = datetime.timedelta(hours=1)
# A standing offer stays as long as its price is right within this share: riders see it move less.
STEADY = 0.25
# What tells offers apart: the vehicle, or kind, need and cell.
Key = tuple[str, str, str, int]


def refresh_offers(*, at: datetime.datetime, by: Principal) -> dict[str, int]:
    """Look anew for every operator that offers; returns how many offers were made and withdrawn."""
    counts: Counter[str] = Counter()
    # To read and to reckon takes seconds, during which nothing must be held.
    for looked in sweeps.each_alone(
        IncentivePolicy.objects.select_related("organisation").order_by("organisation"),
        lambda policy: refresh_fleet(policy=policy, at=at, by=by),
        event="fleet.offers_not_refreshed",
        named=lambda policy: policy.organisation_id,
        atomic=False,
    ):
        counts.update(looked)
    return {"made": counts["made"], "kept": counts["kept"], "withdrawn": counts["withdrawn"]}


def refresh_fleet(
    *, policy: IncentivePolicy, at: datetime.datetime, by: Principal
) -> dict[str, int]:
    """One operator's offers as they should be now.

    1. Value of every place and vehicle, as the plan counts it, with what is on its way already.
    2. What stands and is still worth about the same stays and is prolonged; the rest is
       withdrawn. What riders have accepted stays theirs either way.
    3. The best of what is new is offered.
    """
    wanted: dict[Key, IncentiveOffer] = {}
    if policy.enabled:
        wanted = {_key(offer): offer for offer in _worth_offering(policy, at=at)}
    with transaction.atomic():
        locks.advisory(f"incentives:{policy.organisation_id}")
        return _reconcile(policy, wanted, at=at, by=by)


def _worth_offering(policy: IncentivePolicy, *, at: datetime.datetime) -> list[IncentiveOffer]:
    organisation_id = policy.organisation_id
    city_id = city_of(organisation_id=organisation_id)
    if city_id is None:
        return []
    parameters = queries.parameters_of(organisation_id=organisation_id, city_id=city_id)
    begins = at.replace(minute=0, second=0, microsecond=0)
    situation = load_situation(
        organisation_id=organisation_id,
        city_id=city_id,
        parameters=parameters,
        horizon_start=begins,
        at=at,
        # Weeks are read once an hour; what is different now is read each time.
        habit=habit_of_the_hour(
            organisation=policy.organisation, city_id=city_id, parameters=parameters, at=at
        ),
    )
    place_of = {int(cell): place for place, cell in enumerate(situation.cells)}
    hubs = queries.charging_hubs(city_id=city_id)
    found = chances(
        situation=situation,
        parameters=parameters,
        terms=Terms(
            share_pct=policy.share_pct,
            least_cents=policy.least_cents,
            most_cents=policy.most_cents,
            charge_below_pct=policy.charge_below_pct,
        ),
        coming={
            kind: {place_of[cell]: count for cell, count in cells.items() if cell in place_of}
            for kind, cells in queries.coming(
                organisation_id=organisation_id, city_id=city_id
            ).items()
        },
        charging_hubs={place_of[cell]: hub[0] for cell, hub in hubs.items() if cell in place_of},
        parked=queries.parked(organisation_id=organisation_id, city_id=city_id),
        most=policy.most_offers,
    )
    spots = {hub_id: (lon, lat) for hub_id, lon, lat in hubs.values()}
    return [
        _offer(chance, policy=policy, city_id=city_id, situation=situation, spots=spots, at=at)
        for chance in found
    ]


def _offer(
    chance: Chance,
    *,
    policy: IncentivePolicy,
    city_id: int,
    situation: Situation,
    spots: dict[int, tuple[float, float]],
    at: datetime.datetime,
) -> IncentiveOffer:
    lon, lat = float(situation.lon[chance.place]), float(situation.lat[chance.place])
    if chance.vehicle is not None:
        lon, lat = chance.vehicle.lon, chance.vehicle.lat
    elif chance.hub_id is not None:
        lon, lat = spots[chance.hub_id]
    return IncentiveOffer(
        organisation_id=policy.organisation_id,
        city_id=city_id,
        vehicle_kind=chance.kind,
        direction=chance.direction,
        need=chance.need,
        cell=int(situation.cells[chance.place]),
        hub_id=chance.hub_id,
        vehicle_id=chance.vehicle.vehicle_id if chance.vehicle else None,
        lon=lon,
        lat=lat,
        below_pct=policy.charge_below_pct if chance.hub_id is not None else None,
        reward_cents=chance.reward_cents,
        value_cents=chance.value_cents,
        van_cents=chance.van_cents,
        trips=round(chance.trips, 3),
        places=chance.places,
        made_at=at,
        valid_until=at + datetime.timedelta(minutes=policy.valid_minutes),
    )


def _key(offer: IncentiveOffer) -> Key:
    if offer.vehicle_id is not None:
        return (offer.direction, "", "", offer.vehicle_id)
    return (offer.direction, offer.vehicle_kind, offer.need, offer.cell)


def _reconcile(
    policy: IncentivePolicy,
    wanted: dict[Key, IncentiveOffer],
    *,
    at: datetime.datetime,
    by: Principal,
) -> dict[str, int]:
    counts = Counter({"made": 0, "kept": 0, "withdrawn": 0})
    standing = IncentiveOffer.objects.standing().filter(organisation=policy.organisation_id)
    rows = standing.select_related("vehicle").select_for_update(of=("self",)).order_by("pk")
    for offer in rows:
        new = wanted.get(_key(offer))
        if new is None and policy.enabled and _just_taken(offer, at=at):
            continue
        reason = _why_not(policy, offer, new)
        if reason is None and new is not None:
            wanted.pop(_key(offer))
            _prolong(offer, new, at=at, by=by)
            counts["kept"] += 1
            continue
        move(
            offer,
            to=OfferState.WITHDRAWN,
            at=at,
            by=by,
            closed_at=at,
            close_reason=reason or CloseReason.NOT_NEEDED,
        )
        counts["withdrawn"] += 1
    IncentiveOffer.objects.bulk_create(wanted.values())
    counts["made"] = len(wanted)
    return dict(counts)


def _just_taken(offer: IncentiveOffer, *, at: datetime.datetime) -> bool:
    """Somebody has reserved or unlocked it, perhaps for the offer: they may still accept it."""
    vehicle = offer.vehicle
    return (
        vehicle is not None and vehicle.rental_state != RentalState.FREE and offer.valid_until > at
    )


def _why_not(
    policy: IncentivePolicy, offer: IncentiveOffer, new: IncentiveOffer | None
) -> CloseReason | None:
    """Why a standing offer goes; None when it stays."""
    if not policy.enabled:
        return CloseReason.SWITCHED_OFF
    if new is None:
        gone = offer.direction == Direction.START
        return CloseReason.VEHICLE_GONE if gone else CloseReason.NOT_NEEDED
    dear = offer.reward_cents > new.van_cents or offer.reward_cents > policy.most_cents
    off = abs(new.reward_cents - offer.reward_cents) > STEADY * new.reward_cents
    return CloseReason.REPRICED if dear or off or offer.cell != new.cell else None


def _prolong(
    offer: IncentiveOffer, new: IncentiveOffer, *, at: datetime.datetime, by: Principal
) -> None:
    """It stands for longer, with as many places free as are needed now beside those promised.

    What it promised (place, reward) stays as it was made.
    """
    places = offer.promised + offer.kept + new.places
    IncentiveOffer.objects.filter(pk=offer.pk).update(
        places=places,
        valid_until=new.valid_until,
        value_cents=new.value_cents,
        van_cents=new.van_cents,
        trips=new.trips,
    )
    if offer.state == OfferState.TAKEN:
        move(offer, to=OfferState.OPEN, at=at, by=by, reason="needed_again")
