"""Accepting an offer of the fleet for one's ride, and letting it go again.

DomainError
├── Conflict  OfferUnfit   `extra["reason"]`: other_vehicle, same_place, brought_back, not_riding
└── …         what `bookings.rewards.promise_reward` raises
"""

import dataclasses
import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from bookings.pricing.rules import Perk, PerkKind
from bookings.reservations.models import Reservation
from bookings.reservations.states import ACTIVE, ReservationState
from bookings.rewards.models import RewardClaim
from bookings.rewards.queries import affordable, may_earn, reward_of
from bookings.rewards.services import promise_reward, release_reward
from bookings.rewards.services.grant import REWARDER
from bookings.rewards.states import ClaimState, ReleaseReason
from bookings.trips.models import Trip
from bookings.trips.states import RIDING, TripState
from fleet.incentives.models import IncentiveOffer
from fleet.incentives.queries import offers_for_vehicle, policy_of, stood_there
from fleet.incentives.states import Direction
from fleet.rebalancing.cells import cell_at
from mobility.core import sweeps
from mobility.core.errors import Conflict, NotFound
from mobility.core.principals import Principal

UNDER_WAY = (TripState.STARTING, *RIDING)
# Within this time a ride that ended is priced, and its price decides.
SETTLING = datetime.timedelta(minutes=2)
LIMIT = 200


class OfferUnfit(Conflict):
    """This ride cannot earn it."""

    code = "offer_unfit"
    message = _("This offer is not for your ride.")


class RewardNotFound(NotFound):
    """No such promised reward of this person."""

    code = "reward_not_found"
    message = _("We could not find this reward.")


class RewardDecided(Conflict):
    """Earned, given or over: there is nothing to let go of."""

    code = "reward_decided"
    message = _("This reward is decided already.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Ride:
    """A ride that may earn a reward: its reservation, and the trip once there is one."""

    reservation: Reservation
    trip: Trip | None
    begins: datetime.datetime
    from_cell: int | None


def accept_offer(
    *,
    offer: IncentiveOffer,
    at: datetime.datetime,
    by: Principal,
    trip: Trip | None = None,
    reservation: Reservation | None = None,
) -> RewardClaim:
    """Promise an offer's reward for a person's own ride (one of `trip` and `reservation`).

    1. The ride is locked: it goes on, or its reservation waits.
    2. The offer is for it: a vehicle to take is this very one; a place to end is for its kind and
       charge, is not where the ride began, and neither the vehicle was there nor the person began
       a ride there within the operator's hours. Else `OfferUnfit`.
    3. Budget, place and limits are decided by the database (`promise_reward`).
    4. The reward goes with the ride's perks, so that its price knows of it and nothing else does.
    """
    with transaction.atomic():
        ride = _locked(trip=trip, reservation=reservation)
        _refuse_unfit(ride, offer, at=at)
        held = ride.reservation
        claim = promise_reward(
            user_id=held.user_id,
            offer=offer,
            ride=held.public_id,
            vehicle_id=held.vehicle_id,
            from_cell=ride.from_cell,
            at=at,
            by=by,
        )
        reward = Perk(kind=PerkKind.REWARD, ref=str(claim.public_id), cents=claim.reward_cents)
        # In the place of one that was dropped: a ride carries one, however often its rider chooses.
        others = [perk for perk in held.perks if perk["kind"] != PerkKind.REWARD]
        held.perks = [*others, reward.as_json()]
        held.save(update_fields=["perks"])
    return claim


def drop_reward(*, claim: RewardClaim, at: datetime.datetime, by: Principal) -> RewardClaim:
    """The person thought better of it; the ride may take another offer. Raises `RewardDecided`."""
    with transaction.atomic():
        row = RewardClaim.objects.select_for_update(of=("self",)).get(pk=claim.pk)
        if row.state == ClaimState.RELEASED:
            return row
        if row.state != ClaimState.PROMISED:
            raise RewardDecided
        return release_reward(claim=row, reason=ReleaseReason.DROPPED, at=at, by=by)


def release_unridden(*, at: datetime.datetime) -> int:
    """Let go of what was promised for reservations that ended without a price; returns how many.

    Their riders may accept for another ride, and others have the place.
    """
    over = Reservation.objects.filter(
        public_id=OuterRef("ride"), closed_at__lte=at - SETTLING
    ).exclude(state__in=ACTIVE)
    idle = RewardClaim.objects.filter(Exists(over), state=ClaimState.PROMISED).order_by("pk")
    released = sweeps.each_alone(
        idle[:LIMIT],
        lambda claim: release_reward(claim=claim, reason=ReleaseReason.EXPIRED, at=at, by=REWARDER),
        event="bookings.reward_not_released",
        named=lambda claim: claim.public_id,
    )
    return sum(1 for _claim in released)


def offers_for_trip(*, trip: Trip, at: datetime.datetime) -> list[IncentiveOffer]:
    """Where this trip (loaded with its story) could end for a reward, the best first.

    Empty when it carries one already, or its rider has had enough of them today.
    """
    organisation_id = trip.organisation_id
    if trip.state not in UNDER_WAY or reward_of(ride=trip.reservation.public_id) is not None:
        return []
    open_ones = affordable(offers=offers_for_vehicle(vehicle=trip.vehicle, at=at), at=at)
    if not open_ones or not may_earn(user_id=trip.user_id, organisation_id=organisation_id, at=at):
        return []
    ride = _of_trip(trip)
    return [offer for offer in open_ones if not _misfit(ride, offer, at=at)]


def _locked(*, trip: Trip | None, reservation: Reservation | None) -> _Ride:
    if trip is not None:
        rows = Trip.objects.select_for_update(of=("self",)).select_related(
            "reservation", "vehicle__type", "vehicle__latest"
        )
        found = rows.get(pk=trip.pk)
        if found.state not in UNDER_WAY:
            raise OfferUnfit(extra={"reason": "not_riding"})
        return _of_trip(found)
    # One of the two is given; this narrows the type.
    assert reservation is not None
    waiting = Reservation.objects.select_for_update(of=("self",)).select_related(
        "vehicle__type", "vehicle__latest"
    )
    held = waiting.get(pk=reservation.pk)
    if held.state != ReservationState.HELD:
        raise OfferUnfit(extra={"reason": "not_riding"})
    latest = getattr(held.vehicle, "latest", None)
    return _Ride(
        reservation=held,
        trip=None,
        begins=held.reserved_at,
        from_cell=cell_at(lon=latest.lon, lat=latest.lat) if latest else None,
    )


def _of_trip(trip: Trip) -> _Ride:
    cell = None
    if trip.start_lon is not None and trip.start_lat is not None:
        cell = cell_at(lon=trip.start_lon, lat=trip.start_lat)
    return _Ride(reservation=trip.reservation, trip=trip, begins=trip.requested_at, from_cell=cell)


def _refuse_unfit(ride: _Ride, offer: IncentiveOffer, *, at: datetime.datetime) -> None:
    vehicle = ride.trip.vehicle if ride.trip else ride.reservation.vehicle
    if offer.direction == Direction.START:
        fits = offer.vehicle_id == vehicle.pk
    else:
        # An offer that was withdrawn or is full is found out when it is taken.
        fits = _fits_end(offer, ride, at=at)
    reason = _misfit(ride, offer, at=at) if fits else "other_vehicle"
    if reason:
        raise OfferUnfit(extra={"reason": reason})


def _fits_end(offer: IncentiveOffer, ride: _Ride, *, at: datetime.datetime) -> bool:
    vehicle = ride.trip.vehicle if ride.trip else ride.reservation.vehicle
    latest = getattr(vehicle, "latest", None)
    battery = latest.battery_pct if latest else None
    weak = offer.below_pct is None or (battery is not None and battery < offer.below_pct)
    same = (
        offer.organisation_id == vehicle.organisation_id
        and offer.city_id == vehicle.city_id
        and offer.vehicle_kind == vehicle.kind
    )
    return same and weak


def _misfit(ride: _Ride, offer: IncentiveOffer, *, at: datetime.datetime) -> str:
    """Why a ride with the right vehicle earns nothing all the same; empty if it may."""
    if ride.from_cell is None:
        # Nobody could tell whether it has moved anything.
        return "same_place"
    hours = policy_of(organisation_id=offer.organisation_id).return_hours
    since = ride.begins - datetime.timedelta(hours=hours)
    if offer.direction == Direction.START:
        return "brought_back" if _rode_it_lately(ride, since=since) else ""
    if ride.from_cell == offer.cell:
        return "same_place"
    back = stood_there(
        vehicle_id=ride.reservation.vehicle_id,
        cell=offer.cell,
        since=since,
        before=ride.begins,
    )
    return "brought_back" if back or _left_there(ride, offer.cell, since=since) else ""


def _rode_it_lately(ride: _Ride, *, since: datetime.datetime) -> bool:
    """Whether the person left the vehicle where it now stands in the way."""
    return _earlier(ride, since=since).filter(vehicle=ride.reservation.vehicle_id).exists()


def _left_there(ride: _Ride, cell: int, *, since: datetime.datetime) -> bool:
    """Whether the person took a vehicle away from there, whichever it was."""
    starts = _earlier(ride, since=since).values_list("start_lon", "start_lat")
    return any(
        lon is not None and lat is not None and cell_at(lon=lon, lat=lat) == cell
        for lon, lat in starts
    )


def _earlier(ride: _Ride, *, since: datetime.datetime) -> QuerySet[Trip]:
    mine = Trip.objects.filter(started_at__gte=since, user=ride.reservation.user_id)
    return mine.exclude(reservation=ride.reservation)
