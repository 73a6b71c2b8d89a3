"""Addresses of the public charging doors."""

from django.urls import path

from charging.tariffs.api import StationsView, StationView

urlpatterns = [
    path("stations", StationsView.as_view(), name="stations"),
    path("stations/<uuid:public_id>", StationView.as_view(), name="station"),
]
