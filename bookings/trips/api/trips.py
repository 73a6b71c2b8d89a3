"""Doors of trips for their riders: start, look, pause, resume, end, receipt, and what went wrong."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.payments.queries import receipt_of
from bookings.payments.wire import ReceiptSerializer, receipt_body
from bookings.reservations.queries import vehicle_by_ref
from bookings.trips import services
from bookings.trips.models import Trip
from bookings.trips.queries import alternative_to, own_trip
from bookings.trips.rules import Fix
from bookings.trips.states import ACTIVE, TripState
from bookings.trips.wire.trips import (
    BrokenSerializer,
    EndSerializer,
    RiderWordsSerializer,
    StartSerializer,
    TripSerializer,
    alternative_body,
    condition_body,
    trip_body,
)
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.api import ScopedViewSet, query_choice, read, spans_transactions
from mobility.core.problems import problem_response

# A phone that does not say how well it knows its place is taken to know it about this well.
PHONE_ACCURACY_M = 20.0
ACTIVE_ONES = "active"
FILTERS = (ACTIVE_ONES, *TripState.values)


class TripViewSet(ScopedViewSet):
    """Trips of the person behind the request."""

    queryset = Trip.objects.all()
    serializer_class = TripSerializer

    @extend_schema(request=StartSerializer, responses={201: TripSerializer})
    @spans_transactions
    def create(self, request: Request) -> Response:
        """Unlock: start a trip on a reservation or a booking, or at once on a free vehicle.

        402 `payment_action_required` names the trip and what the bank asks of the person; go on
        with `confirm-payment` then. 402 `payment_declined` costs nothing, the vehicle is free.
        """
        asked, at = read(StartSerializer, request.data), clock.now()
        vehicle = vehicle_by_ref(asked["vehicle"]) if "vehicle" in asked else None
        trip = services.start_trip(
            user=cast("User", request.user),
            reservation_id=asked.get("reservation"),
            booking_id=asked.get("booking"),
            vehicle=vehicle,
            at=at,
        )
        return Response(trip_body(trip, at=at), status=status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "state",
                enum=FILTERS,
                description="One state, or `active` for trips under way.",
            )
        ],
        responses=TripSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """The person's own trips, newest first."""
        at = clock.now()
        mine = Trip.objects.with_story().filter(user=cast("User", request.user))
        wanted = query_choice(request, "state", FILTERS)
        if wanted:
            mine = mine.filter(state__in=ACTIVE if wanted == ACTIVE_ONES else [wanted])
        page: Any = self.paginate_queryset(mine)
        return self.get_paginated_response([trip_body(trip, at=at) for trip in page])

    @extend_schema(responses=TripSerializer)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One trip, with what it costs so far; after a failed start with what to take instead."""
        trip, at = self.get_object(), clock.now()
        found = alternative_to(trip=trip, at=at)
        return Response({**trip_body(trip, at=at), "alternative": alternative_body(found)})

    @extend_schema(request=None, responses=TripSerializer)
    @spans_transactions
    def confirm_payment(self, request: Request, public_id: str) -> Response:
        """Go on with a start after the person has confirmed the payment with their bank."""
        trip = services.confirm_payment(trip=self._own(), at=clock.now())
        return self._answer(trip)

    @extend_schema(request=None, responses=TripSerializer)
    def pause(self, request: Request, public_id: str) -> Response:
        """Pause: the vehicle locks and stays yours."""
        trip = self._own()
        services.pause_trip(trip=trip, at=clock.now(), by=trip.user.principal)
        return self._answer(trip)

    @extend_schema(request=None, responses=TripSerializer)
    def resume(self, request: Request, public_id: str) -> Response:
        """Go on riding."""
        trip = self._own()
        services.resume_trip(trip=trip, at=clock.now(), by=trip.user.principal)
        return self._answer(trip)

    @extend_schema(request=EndSerializer, responses=TripSerializer)
    def end(self, request: Request, public_id: str) -> Response:
        """End: 409 `end_blocked` lists everything that is in the way; else the meter stands."""
        asked, phone = read(EndSerializer, request.data), None
        at, trip = clock.now(), self._own()
        if "lat" in asked and "lon" in asked:
            accuracy_m = asked.get("accuracy_m", PHONE_ACCURACY_M)
            phone = Fix(lon=asked["lon"], lat=asked["lat"], accuracy_m=accuracy_m, at=at)
        conditions = services.end_trip(
            trip=trip, phone=phone, bay=asked.get("bay", ""), at=at, by=trip.user.principal
        )
        if conditions:
            # Not raised: what the rider was told stays on the trip.
            bodies = [condition_body(condition) for condition in conditions]
            return problem_response(services.EndBlocked(extra={"conditions": bodies}))
        return self._answer(trip)

    @extend_schema(request=BrokenSerializer, responses=TripSerializer)
    def broken(self, request: Request, public_id: str) -> Response:
        """Give a broken vehicle back: free in the first minutes and metres, 409 afterwards."""
        said = read(BrokenSerializer, request.data)
        trip, at = self._own(), clock.now()
        services.cancel_broken(trip=trip, **said, at=at, by=trip.user.principal)
        found = alternative_to(trip=trip, at=at)
        return Response({**trip_body(trip, at=at), "alternative": alternative_body(found)})

    @extend_schema(request=RiderWordsSerializer, responses=TripSerializer)
    def not_mine(self, request: Request, public_id: str) -> Response:
        """Say "this is not my ride": it ends at once and becomes a dispute that staff look at."""
        text = read(RiderWordsSerializer, request.data)["text"]
        trip = self._own()
        services.disown_trip(trip=trip, text=text, at=clock.now(), by=trip.user.principal)
        return self._answer(trip)

    @extend_schema(responses=ReceiptSerializer)
    def receipt(self, request: Request, public_id: str) -> Response:
        """The receipt, as soon as the price is final."""
        trip: Trip = self.get_object()
        return Response(receipt_body(receipt_of(payment=trip.payment)))

    def get_object(self) -> Trip:
        """The trip meant: the person's own, or one that they may see."""
        return self._find() or cast("Trip", super().get_object())

    def get_queryset(self) -> Any:
        """Visible ones, with their story."""
        return cast("Any", super().get_queryset()).with_story()

    def _own(self) -> Trip:
        """The person's own trip; staff have doors of their own."""
        trip = self._find()
        if trip is None:
            raise services.TripNotFound
        return trip

    def _find(self) -> Trip | None:
        user = cast("User", self.request.user)
        return own_trip.first(user_id=user.pk, public_id=self.kwargs["public_id"])

    @staticmethod
    def _answer(trip: Trip) -> Response:
        return Response(trip_body(trip, at=clock.now()))
