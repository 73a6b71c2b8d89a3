"""Doors of bookings: classes, calendars, the price, booking, changing, cancelling."""

import datetime
from typing import Any, cast

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.reservations import services
from bookings.reservations.booking_wire import (
    BookingQuoteSerializer,
    BookingSerializer,
    BookSerializer,
    CalendarQuerySerializer,
    CalendarSerializer,
    ClassesQuerySerializer,
    ClassesSerializer,
    MoveSerializer,
    ResizeSerializer,
    StaffBookingsQuerySerializer,
    booking_body,
    booking_quote_body,
    calendar_body,
    class_body,
)
from bookings.reservations.models import Booking
from bookings.reservations.policies import policy_of
from bookings.reservations.queries import (
    BookingClass,
    Place,
    booking_class,
    booking_classes,
    calendar_of,
    free_cars,
    vehicle_by_ref,
)
from bookings.reservations.queries.calendar import Span
from bookings.reservations.spans import NO_LENGTH, TOO_LONG, hold_until
from bookings.reservations.wallclock import day_bounds, read_moment
from mobility.accounts.models import User
from mobility.accounts.permissions import HasRole
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.api import ReadView, ScopedViewSet
from mobility.core.errors import Invalid
from mobility.geography.models import District, Hub

METRES = 1000
# No operator rents by the month here, and prices are worked out day by day.
LONGEST = datetime.timedelta(days=31)


class PlaceUnknown(Invalid):
    """No hub or district has this code."""

    code = "place_unknown"
    message = _("There is no such place.")


class ClassesView(ReadView):
    """GET /api/v1/booking-classes"""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="booking_classes",
        parameters=[ClassesQuerySerializer],
        responses=ClassesSerializer,
    )
    def get(self, request: Request) -> Response:
        """Classes of cars; with a span, how many of each are free then and the whole price."""
        form = ClassesQuerySerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        asked, at = form.validated_data, clock.now()
        span = _span(asked) if "start" in asked else None
        if span is not None:
            _refuse_odd(span)
        bodies = []
        for one in booking_classes(at=at):
            batteries = None if span is None else _batteries(one, asked, span=span, at=at)
            bodies.append(class_body(one, span=span, batteries=batteries))
        return Response({"results": bodies})


class CalendarView(ReadView):
    """GET /api/v1/vehicles/{id or code}/calendar"""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="vehicle_calendar",
        parameters=[CalendarQuerySerializer],
        responses=CalendarSerializer,
    )
    def get(self, request: Request, ref: str) -> Response:
        """A vehicle's day in half hours, and when it is taken; without a word about by whom."""
        form = CalendarQuerySerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        day: datetime.date = form.validated_data["day"]
        _refuse_far(day)
        vehicle = vehicle_by_ref(ref)
        slots, busy = calendar_of(vehicle_id=vehicle.pk, day=day, at=clock.now())
        return Response(calendar_body(day, slots, busy))


class BookingViewSet(ScopedViewSet):
    """Bookings of the person behind the request."""

    queryset = Booking.objects.all()
    serializer_class = BookingSerializer

    @extend_schema(request=BookSerializer, responses={201: BookingSerializer})
    def create(self, request: Request) -> Response:
        """Keep a car from `start` to `end`, at the price of this moment."""
        user, at = cast("User", request.user), clock.now()
        booking = services.book_car(user=user, wish=_wish(request, at=at), at=at, by=user.principal)
        warnings = services.booking_warnings(booking=booking, at=at)
        body = {**booking_body(booking), "warnings": [one.as_json() for one in warnings]}
        return Response(body, status=status.HTTP_201_CREATED)

    @extend_schema(request=BookSerializer, responses=BookingQuoteSerializer)
    def quote(self, request: Request) -> Response:
        """The total, the pre-authorisation and the terms; asking holds nothing."""
        at = clock.now()
        return Response(
            booking_quote_body(services.offer_booking(wish=_wish(request, at=at), at=at))
        )

    @extend_schema(responses=BookingSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The person's own bookings, newest first."""
        mine = Booking.objects.with_story().filter(user=cast("User", request.user))
        page: Any = self.paginate_queryset(mine)
        return self.get_paginated_response([booking_body(row) for row in page])

    @extend_schema(responses=BookingSerializer)
    def retrieve(self, request: Request, public_id: str) -> Response:
        """One booking."""
        return Response(booking_body(self.get_object()))

    @extend_schema(request=ResizeSerializer, responses=BookingSerializer)
    def partial_update(self, request: Request, public_id: str) -> Response:
        """Let it end at another time; 409 `extension_blocked` says what can be done instead."""
        own, user = self._own(), cast("User", request.user)
        form = ResizeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        services.resize_booking(
            booking_id=own.pk,
            ends_at=read_moment(asked["end"], fold=asked.get("end_fold")),
            may_move=asked["may_move"],
            at=clock.now(),
            by=user.principal,
        )
        return Response(booking_body(self.get_object()))

    @extend_schema(request=None, responses=BookingSerializer)
    def cancel(self, request: Request, public_id: str) -> Response:
        """Give the car back; free until `free_until`."""
        user = cast("User", request.user)
        services.cancel_booking(booking_id=self._own().pk, at=clock.now(), by=user.principal)
        return Response(booking_body(self.get_object()))

    def get_queryset(self) -> Any:
        """Visible ones, with their story."""
        return cast("Any", super().get_queryset()).with_story()

    def _own(self) -> Booking:
        """The person's own; staff have a door of their own."""
        mine = Booking.objects.filter(user=cast("User", self.request.user))
        own: Booking = get_object_or_404(mine, public_id=self.kwargs["public_id"])
        return own


class StaffBookingViewSet(ScopedViewSet):
    """Bookings of an operator's cars, for its staff."""

    queryset = Booking.objects.all()
    serializer_class = BookingSerializer
    permission_classes = [HasRole(Role.FLEET_OPERATOR)]

    @extend_schema(
        operation_id="fleet_bookings",
        parameters=[StaffBookingsQuerySerializer],
        responses=BookingSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """The operator's bookings: of a day of the city, of a car, in a state; newest first."""
        form = StaffBookingsQuerySerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        page: Any = self.paginate_queryset(_asked_for(self.get_queryset(), form.validated_data))
        return self.get_paginated_response([booking_body(row) for row in page])

    @extend_schema(request=MoveSerializer, responses=BookingSerializer)
    def move(self, request: Request, public_id: str) -> Response:
        """Put it on this car, or on the best other one; the price stays and its rider is told."""
        user, booking = cast("User", request.user), self.get_object()
        form = MoveSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        how: Any = {"booking_id": booking.pk, "at": clock.now(), "by": user.principal}
        if "vehicle" in form.validated_data:
            services.move_booking(
                vehicle=vehicle_by_ref(form.validated_data["vehicle"]), reason="staff", **how
            )
        else:
            services.exchange(reason="staff", **how)
        return Response(booking_body(self.get_object()))

    @extend_schema(request=None, responses=BookingSerializer)
    def cancel(self, request: Request, public_id: str) -> Response:
        """Cancel it for who calls, without a fee."""
        user, booking = cast("User", request.user), self.get_object()
        services.cancel_booking(
            booking_id=booking.pk, waive=True, at=clock.now(), by=user.principal
        )
        return Response(booking_body(self.get_object()))

    def get_queryset(self) -> Any:
        """Only bookings of cars that the person's own organisation runs."""
        user = cast("User", self.request.user)
        return Booking.objects.with_story().run_by(user, Role.FLEET_OPERATOR)


def _asked_for(bookings: Any, asked: dict[str, Any]) -> Any:
    if "day" in asked:
        _refuse_far(asked["day"])
        start, end = day_bounds(asked["day"])
        bookings = bookings.filter(starts_at__lt=end, ends_at__gt=start)
    if "vehicle" in asked:
        bookings = bookings.filter(vehicle__code=asked["vehicle"].strip().upper())
    if "state" in asked:
        bookings = bookings.filter(state=asked["state"])
    return bookings


def _wish(request: Request, *, at: datetime.datetime) -> services.Wish:
    form = BookSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    asked = form.validated_data
    starts_at, ends_at = _span(asked)
    charge_hub = asked.get("charge_hub")
    return services.Wish(
        starts_at=starts_at,
        ends_at=ends_at,
        vehicle=vehicle_by_ref(asked["vehicle"]) if "vehicle" in asked else None,
        car_class=booking_class(asked["car_class"], at=at) if "car_class" in asked else None,
        place=_place(asked),
        range_m=asked["range_km"] * METRES if "range_km" in asked else None,
        charge_hub=_hub(charge_hub) if charge_hub else None,
    )


def _span(asked: dict[str, Any]) -> Span:
    start = read_moment(asked["start"], fold=asked.get("start_fold"))
    return start, read_moment(asked["end"], fold=asked.get("end_fold"))


def _place(asked: dict[str, Any]) -> Place:
    if "hub" in asked:
        return Place(hub=_hub(asked["hub"]))
    if "district" not in asked:
        return Place()
    district = District.objects.filter(code=asked["district"]).first()
    if district is None:
        raise PlaceUnknown
    return Place(district=district)


def _hub(code: str) -> Hub:
    hub = Hub.objects.filter(code=code).first()
    if hub is None:
        raise PlaceUnknown
    return hub


def _batteries(
    one: BookingClass, asked: dict[str, Any], *, span: Span, at: datetime.datetime
) -> list[int | None]:
    start, end = span
    cars = free_cars(
        organisation_id=one.organisation.pk,
        starts_at=start,
        until=hold_until(end, policy=policy_of(one.organisation.pk)),
        type_id=one.type.pk,
        range_needed_m=asked["range_km"] * METRES if "range_km" in asked else None,
        place=_place(asked),
        at=at,
    )
    return [getattr(getattr(car.vehicle, "latest", None), "battery_pct", None) for car in cars]


def _refuse_odd(span: Span) -> None:
    """Nobody's policy allows it, whichever class is meant."""
    length = span[1] - span[0]
    if length <= datetime.timedelta(0):
        raise services.BookingSpanRefused(extra={"reasons": [NO_LENGTH]})
    if length > LONGEST:
        raise services.BookingSpanRefused(extra={"reasons": [TOO_LONG]})


def _refuse_far(day: datetime.date) -> None:
    """The arithmetic of time zones ends somewhere, and so do bookings."""
    today = clock.service_day(clock.now())
    if abs((day - today).days) > 400:
        raise Invalid
