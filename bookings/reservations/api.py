"""Doors of reservations: look around, see the price, reserve, cancel."""

import datetime
from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.passes.queries import perks_of
from bookings.pricing.queries import fare_for, quote
from bookings.pricing.rules import Perk
from bookings.pricing.wire import QuoteSerializer
from bookings.reservations import rules, services
from bookings.reservations.models import Reservation
from bookings.reservations.policies import policy_of
from bookings.reservations.queries import offers_near, vehicle_by_ref, with_vehicle
from bookings.reservations.searches import note_search
from bookings.reservations.wire import (
    ExtendSerializer,
    OffersSerializer,
    QuoteQuerySerializer,
    ReservationSerializer,
    ReserveSerializer,
    SearchSerializer,
    VehicleOfferSerializer,
    offer_body,
    reservation_body,
    vehicle_body,
)
from fleet.vehicles.models import Vehicle
from fleet.vehicles.rules import is_rentable
from fleet.vehicles.services import free_from
from mobility.accounts.models import User
from mobility.accounts.scoping import Person
from mobility.core import clock
from mobility.core.api import ReadView, ScopedViewSet, read


class VehiclesView(ReadView):
    """GET /api/v1/vehicles"""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="vehicles_near", parameters=[SearchSerializer], responses=OffersSerializer
    )
    def get(self, request: Request) -> Response:
        """Vehicles that can be taken now near a place, nearest first, with their prices."""
        form = SearchSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        offers = offers_near(
            lon=asked["lon"],
            lat=asked["lat"],
            radius_m=asked["radius_m"],
            kind=asked.get("kind"),
            limit=asked["limit"],
            at=clock.now(),
            needs=asked["needs"],
            range_m=asked["range_m"],
        )
        if asked["needs"] or asked["range_m"]:
            # Where no child seat is found, another bike would help nobody: no demand for bikes.
            return Response({"results": [offer_body(offer) for offer in offers]})
        note_search(lon=asked["lon"], lat=asked["lat"], kind=asked.get("kind"), found=bool(offers))
        return Response({"results": [offer_body(offer) for offer in offers]})


class VehicleView(ReadView):
    """GET /api/v1/vehicles/{id or code}"""

    permission_classes = [AllowAny]

    @extend_schema(responses=VehicleOfferSerializer)
    def get(self, request: Request, ref: str) -> Response:
        """One vehicle with its whole offer; where it stands is shown only while it is free."""
        at = clock.now()
        vehicle = vehicle_by_ref(ref)
        free = _is_free(vehicle)
        booked = None
        if vehicle.kind in rules.BOOKABLE:
            booked = free_from(vehicle_id=vehicle.pk, at=at)
            free = free and _long_enough(vehicle, booked, at=at)
        return Response(
            {
                **vehicle_body(vehicle, show_place=free),
                "available": free,
                "available_until": booked,
                "quote": _quote(vehicle, user=request.user, minutes=20, at=at),
            }
        )


class QuotesView(ReadView):
    """GET /api/v1/quotes"""

    permission_classes = [AllowAny]

    @extend_schema(parameters=[QuoteQuerySerializer], responses=QuoteSerializer)
    def get(self, request: Request) -> Response:
        """What a ride of so many minutes on this vehicle would cost, VAT included."""
        form = QuoteQuerySerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        vehicle = vehicle_by_ref(form.validated_data["vehicle"])
        body = _quote(
            vehicle,
            user=request.user,
            minutes=form.validated_data["minutes"],
            distance_m=form.validated_data["distance_m"],
            at=clock.now(),
        )
        return Response(body)


class ReservationViewSet(ScopedViewSet):
    """Reservations of the person behind the request."""

    queryset = Reservation.objects.all()
    serializer_class = ReservationSerializer

    @extend_schema(request=ReserveSerializer, responses={201: ReservationSerializer})
    def create(self, request: Request) -> Response:
        """Hold a vehicle at the price of this moment, until `expires_at`."""
        asked = read(ReserveSerializer, request.data)
        user = cast("User", request.user)
        reservation = services.reserve_vehicle(
            vehicle=vehicle_by_ref(asked["vehicle"]),
            user_id=user.pk,
            at=clock.now(),
            by=user.principal,
        )
        return Response(
            reservation_body(reservation, at=clock.now()), status=status.HTTP_201_CREATED
        )

    @extend_schema(responses=ReservationSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The person's own reservations, newest first."""
        at = clock.now()
        mine = with_vehicle(Reservation.objects.filter(user=cast("User", request.user)))
        page: Any = self.paginate_queryset(mine)
        return self.get_paginated_response([reservation_body(row, at=at) for row in page])

    @extend_schema(responses=ReservationSerializer)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One reservation."""
        return Response(reservation_body(self.get_object(), at=clock.now()))

    @extend_schema(request=None, responses=ReservationSerializer)
    def cancel(self, request: Request, public_id: str) -> Response:
        """Give the vehicle back unused."""
        user = cast("User", request.user)
        reservation = services.cancel_reservation(
            reservation=self.get_object(), at=clock.now(), by=user.principal
        )
        return Response(reservation_body(reservation, at=clock.now()))

    @extend_schema(request=ExtendSerializer, responses=ReservationSerializer)
    def extend(self, request: Request, public_id: str) -> Response:
        """Hold it longer; every started minute beyond the free ones costs what the quote says."""
        asked = read(ExtendSerializer, request.data)
        user, at = cast("User", request.user), clock.now()
        mine = self.get_queryset().filter(user=user, public_id=public_id)
        reservation = services.extend_reservation(
            reservation=get_object_or_404(mine),
            minutes=asked.get("minutes"),
            at=at,
            by=user.principal,
        )
        return Response(reservation_body(reservation, at=at))

    def get_queryset(self) -> Any:
        """Visible ones, with their vehicles."""
        return with_vehicle(cast("Any", super().get_queryset()))


def _quote(
    vehicle: Vehicle, *, user: Person, minutes: int, at: datetime.datetime, distance_m: int = 0
) -> dict[str, Any]:
    """The offer as it is for this person: their passes, codes and discounts count."""
    priced = fare_for(organisation_id=vehicle.organisation_id, kind=vehicle.kind, at=at)
    perks: tuple[Perk, ...] = ()
    if user.pk is not None:
        perks = perks_of(
            user_id=user.pk, organisation_id=vehicle.organisation_id, kind=vehicle.kind, at=at
        )
    return quote(fare=priced.fare, minutes=minutes, perks=perks, at=at, distance_m=distance_m)


def _long_enough(
    vehicle: Vehicle, booked: datetime.datetime | None, *, at: datetime.datetime
) -> bool:
    shortest = datetime.timedelta(minutes=policy_of(vehicle.organisation_id).shortest_minutes)
    return booked is None or booked - at >= shortest


def _is_free(vehicle: Vehicle) -> bool:
    return is_rentable(
        life=vehicle.life_state,
        rental=vehicle.rental_state,
        link=vehicle.link_state,
        blocks=frozenset(vehicle.active_blocks),
    )
