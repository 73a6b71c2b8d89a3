"""Addresses of reservations below /api/v1/."""

from django.urls import path

from bookings.reservations import api

urlpatterns = [
    path("vehicles", api.VehiclesView.as_view(), name="vehicles"),
    path("vehicles/<str:ref>", api.VehicleView.as_view(), name="vehicle"),
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
]
