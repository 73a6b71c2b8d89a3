"""Doors of offers to riders: what there is, accepting it, letting it go, and what came of it."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.reservations.models import Reservation
from bookings.reservations.queries import vehicle_by_ref
from bookings.reservations.services import ReservationNotFound
from bookings.rewards.models import RewardClaim
from bookings.rewards.queries import affordable, reward_of, standing_reward_of
from bookings.trips import services
from bookings.trips.queries import own_trip
from bookings.trips.services.rewards import (
    RewardNotFound,
    accept_offer,
    drop_reward,
    offers_for_trip,
)
from bookings.trips.wire.offers import (
    AcceptSerializer,
    OfferSearchSerializer,
    RewardSerializer,
    RideOffersSerializer,
    TripOffersSerializer,
    reward_body,
    ride_offer_body,
)
from fleet.incentives.models import IncentiveOffer
from fleet.incentives.queries import offers_near
from fleet.incentives.services import OfferGone
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.api import ReadView, ScopedViewSet, WriteView

MOST = 50


class OffersView(ReadView):
    """GET /api/v1/offers"""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="offers_near",
        parameters=[OfferSearchSerializer],
        responses=RideOffersSerializer,
    )
    def get(self, request: Request) -> Response:
        """Rewards for rides near a place, as long as today's budget is enough; the best first."""
        form = OfferSearchSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        asked, at = form.validated_data, clock.now()
        found = offers_near(lon=asked["lon"], lat=asked["lat"], radius_m=asked["radius_m"], at=at)
        if "direction" in asked:
            found = found.filter(direction=asked["direction"])
        if "kind" in asked:
            found = found.filter(vehicle_kind=asked["kind"])
        if "vehicle" in asked:
            found = found.filter(vehicle=vehicle_by_ref(asked["vehicle"]))
        offers = affordable(offers=found[:MOST], at=at)
        return Response({"results": [ride_offer_body(offer) for offer in offers]})


class TripOffersView(ReadView):
    """GET /api/v1/trips/{id}/offers"""

    @extend_schema(operation_id="trip_offers", responses=TripOffersSerializer)
    def get(self, request: Request, public_id: str) -> Response:
        """Where one's own trip under way could end for a reward, and the one that it carries.

        `results` is empty once it carries one; `reward` is null when it carries none, or when its
        time is over.
        """
        user = cast("User", request.user)
        trip = own_trip.first(user_id=user.pk, public_id=public_id)
        if trip is None:
            raise services.TripNotFound
        at = clock.now()
        claim = standing_reward_of(ride=trip.reservation.public_id, at=at)
        offers = [] if claim else offers_for_trip(trip=trip, at=at)
        return Response(
            {
                "results": [ride_offer_body(offer) for offer in offers],
                "reward": reward_body(claim) if claim else None,
            }
        )


class TripRewardView(ReadView):
    """GET /api/v1/trips/{id}/reward"""

    @extend_schema(operation_id="trip_reward", responses=RewardSerializer)
    def get(self, request: Request, public_id: str) -> Response:
        """The reward that one's own trip carries; 404 if it carries none."""
        user = cast("User", request.user)
        trip = own_trip.first(user_id=user.pk, public_id=public_id)
        claim = None if trip is None else reward_of(ride=trip.reservation.public_id)
        if claim is None:
            raise RewardNotFound
        return Response(reward_body(claim))


class AcceptOfferView(WriteView):
    """POST /api/v1/offers/{id}/accept"""

    @extend_schema(request=AcceptSerializer, responses={201: RewardSerializer})
    def post(self, request: Request, public_id: str) -> Response:
        """Have an offer's reward kept for one's ride.

        410 `offer_gone`, 409 `rewards_spent`, `reward_limit`, `reward_promised` or `offer_unfit`
        with `reason`.
        """
        form = AcceptSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user, at = cast("User", request.user), clock.now()
        offer = IncentiveOffer.objects.filter(public_id=public_id).first()
        if offer is None:
            raise OfferGone
        claim = accept_offer(offer=offer, at=at, by=user.principal, **_ride(user, form))
        answer = _with_offer().get(pk=claim.pk)
        return Response(reward_body(answer), status=status.HTTP_201_CREATED)


class RewardViewSet(ScopedViewSet):
    """The person's promised and given rewards."""

    queryset = RewardClaim.objects.all()
    serializer_class = RewardSerializer

    @extend_schema(responses=RewardSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The person's own rewards, newest first."""
        mine = _with_offer().filter(user=cast("User", request.user))
        page: Any = self.paginate_queryset(mine)
        return self.get_paginated_response([reward_body(claim) for claim in page])

    @extend_schema(request=None, responses=RewardSerializer)
    def drop(self, request: Request, public_id: str) -> Response:
        """Let a promised reward go; the ride may take another offer."""
        user = cast("User", request.user)
        claim = RewardClaim.objects.filter(user=user, public_id=public_id).first()
        if claim is None:
            raise RewardNotFound
        drop_reward(claim=claim, at=clock.now(), by=user.principal)
        return Response(reward_body(_with_offer().get(pk=claim.pk)))


def _ride(user: User, form: AcceptSerializer) -> dict[str, Any]:
    """The person's own ride that is meant. Raises `TripNotFound`, `ReservationNotFound`."""
    asked = form.validated_data
    if "trip" in asked:
        trip = own_trip.first(user_id=user.pk, public_id=asked["trip"])
        if trip is None:
            raise services.TripNotFound
        return {"trip": trip}
    mine = Reservation.objects.filter(user=user, public_id=asked["reservation"])
    held = mine.first()
    if held is None:
        raise ReservationNotFound
    return {"reservation": held}


def _with_offer() -> Any:
    return RewardClaim.objects.select_related("offer__hub", "offer__vehicle")
