"""Addresses of reservations below /api/v1/."""

from django.urls import path

from bookings.reservations import api, booking_api

urlpatterns = [
    path("vehicles", api.VehiclesView.as_view(), name="vehicles"),
    path("vehicles/<str:ref>", api.VehicleView.as_view(), name="vehicle"),
    path(
        "vehicles/<str:ref>/calendar",
        booking_api.CalendarView.as_view(),
        name="vehicle-calendar",
    ),
    path("booking-classes", booking_api.ClassesView.as_view(), name="booking-classes"),
    path("quotes", api.QuotesView.as_view(), name="quotes"),
    path(
        "reservations",
        api.ReservationViewSet.as_view({"get": "list", "post": "create"}),
        name="reservations",
    ),
    path(
        "reservations/<uuid:public_id>",
        api.ReservationViewSet.as_view({"get": "retrieve"}),
        name="reservation",
    ),
    path(
        "reservations/<uuid:public_id>/cancel",
        api.ReservationViewSet.as_view({"post": "cancel"}),
        name="reservation-cancel",
    ),
    path(
        "reservations/<uuid:public_id>/extend",
        api.ReservationViewSet.as_view({"post": "extend"}),
        name="reservation-extend",
    ),
    path(
        "bookings",
        booking_api.BookingViewSet.as_view({"get": "list", "post": "create"}),
        name="bookings",
    ),
    path(
        "bookings/quote",
        booking_api.BookingViewSet.as_view({"post": "quote"}),
        name="booking-quote",
    ),
    path(
        "bookings/<uuid:public_id>",
        booking_api.BookingViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="booking",
    ),
    path(
        "bookings/<uuid:public_id>/cancel",
        booking_api.BookingViewSet.as_view({"post": "cancel"}),
        name="booking-cancel",
    ),
    path(
        "fleet/bookings",
        booking_api.StaffBookingViewSet.as_view({"get": "list"}),
        name="fleet-bookings",
    ),
    path(
        "fleet/bookings/<uuid:public_id>/move",
        booking_api.StaffBookingViewSet.as_view({"post": "move"}),
        name="fleet-booking-move",
    ),
    path(
        "fleet/bookings/<uuid:public_id>/cancel",
        booking_api.StaffBookingViewSet.as_view({"post": "cancel"}),
        name="fleet-booking-cancel",
    ),
]
