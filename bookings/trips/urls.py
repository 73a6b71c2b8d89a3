"""Addresses of trips below /api/v1/."""

from django.urls import path

from bookings.trips.api import ForceEndViewSet, TripViewSet

urlpatterns = [
    path("trips", TripViewSet.as_view({"get": "list", "post": "create"}), name="trips"),
    path("trips/<uuid:public_id>", TripViewSet.as_view({"get": "retrieve"}), name="trip"),
    path("trips/<uuid:public_id>/pause", TripViewSet.as_view({"post": "pause"}), name="trip-pause"),
    path(
        "trips/<uuid:public_id>/resume",
        TripViewSet.as_view({"post": "resume"}),
        name="trip-resume",
    ),
    path("trips/<uuid:public_id>/end", TripViewSet.as_view({"post": "end"}), name="trip-end"),
    path(
        "trips/<uuid:public_id>/receipt",
        TripViewSet.as_view({"get": "receipt"}),
        name="trip-receipt",
    ),
    path(
        "trips/<uuid:public_id>/force-end",
        ForceEndViewSet.as_view({"post": "create"}),
        name="trip-force-end",
    ),
]
