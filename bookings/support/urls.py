"""Addresses of residents' reports below /api/v1/."""

from django.urls import path

from bookings.support import api

urlpatterns = [
    path("vehicles/<str:ref>/faults", api.VehicleFaultsView.as_view(), name="vehicle-faults"),
]
