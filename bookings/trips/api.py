"""Doors of trips: start, look, pause, resume, end, receipt."""

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
from bookings.trips.rules import Fix
from bookings.trips.states import ACTIVE
from bookings.trips.wire import (
    EndSerializer,
    ForceEndSerializer,
    StartSerializer,
    TripSerializer,
    condition_body,
    trip_body,
)
from mobility.accounts.models import User
from mobility.accounts.permissions import HasRole
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.api import ScopedViewSet
from mobility.core.problems import problem_response

# A phone that does not say how well it knows its place is taken to know it about this well.
PHONE_ACCURACY_M = 20.0


class TripViewSet(ScopedViewSet):
    """Trips of the person behind the request."""

    queryset = Trip.objects.all()
    serializer_class = TripSerializer

    @extend_schema(request=StartSerializer, responses={201: TripSerializer})
    def create(self, request: Request) -> Response:
        """Unlock: start a trip on a reservation, or at once on a free vehicle."""
        form = StartSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked, at = form.validated_data, clock.now()
        vehicle = vehicle_by_ref(asked["vehicle"]) if "vehicle" in asked else None
        trip = services.start_trip(
            user=cast("User", request.user),
            reservation_id=asked.get("reservation"),
            vehicle=vehicle,
            at=at,
        )
        return Response(trip_body(trip, at=at), status=status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[
            OpenApiParameter("state", description="One state, or `active` for trips under way.")
        ],
        responses=TripSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """The person's own trips, newest first."""
        at = clock.now()
        mine = Trip.objects.with_story().filter(user=cast("User", request.user))
        wanted = request.query_params.get("state")
        if wanted:
            mine = mine.filter(state__in=ACTIVE if wanted == "active" else [wanted])
        page: Any = self.paginate_queryset(mine)
        return self.get_paginated_response([trip_body(trip, at=at) for trip in page])

    @extend_schema(responses=TripSerializer)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One trip, with what it costs so far."""
        return self._answer(self.get_object())

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
        form = EndSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        at, trip = clock.now(), self._own()
        asked, phone = form.validated_data, None
        if "lat" in asked and "lon" in asked:
            accuracy_m = asked.get("accuracy_m", PHONE_ACCURACY_M)
            phone = Fix(lon=asked["lon"], lat=asked["lat"], accuracy_m=accuracy_m, at=at)
        conditions = services.end_trip(trip=trip, phone=phone, at=at, by=trip.user.principal)
        if conditions:
            # Not raised: what the rider was told stays on the trip.
            bodies = [condition_body(condition) for condition in conditions]
            return problem_response(services.EndBlocked(extra={"conditions": bodies}))
        return self._answer(trip)

    @extend_schema(responses=ReceiptSerializer)
    def receipt(self, request: Request, public_id: str) -> Response:
        """The receipt, as soon as the price is final."""
        trip: Trip = self.get_object()
        return Response(receipt_body(receipt_of(payment=trip.payment)))

    def get_queryset(self) -> Any:
        """Visible ones, with their story."""
        return cast("Any", super().get_queryset()).with_story()

    def _own(self) -> Trip:
        """The person's own trip; staff have doors of their own."""
        trips = Trip.objects.with_story().filter(user=cast("User", self.request.user))
        trip = trips.filter(public_id=self.kwargs["public_id"]).first()
        if trip is None:
            raise services.TripNotFound
        return trip

    @staticmethod
    def _answer(trip: Trip) -> Response:
        return Response(trip_body(trip, at=clock.now()))


class ForceEndViewSet(ScopedViewSet):
    """Staff's hand on a trip that its rider cannot end."""

    queryset = Trip.objects.all()
    permission_classes = [HasRole(Role.FLEET_OPERATOR)]

    @extend_schema(request=ForceEndSerializer, responses=TripSerializer)
    def create(self, request: Request, public_id: str) -> Response:
        """End a trip wherever it is; the meter stands now."""
        form = ForceEndSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user, trip = cast("User", request.user), self.get_object()
        at = clock.now()
        services.force_end(
            trip=trip, reason=form.validated_data["reason"], at=at, by=user.principal
        )
        return Response(trip_body(trip, at=at))

    def get_queryset(self) -> Any:
        """Only trips on the staff's own vehicles."""
        user = cast("User", self.request.user)
        trips = cast("Any", super().get_queryset()).with_story()
        if user.is_superuser:
            return trips
        return trips.filter(organisation__in=user.organisations_as(Role.FLEET_OPERATOR))
