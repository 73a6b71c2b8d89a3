"""Addresses of geography below /api/v1/."""

from django.urls import path

from mobility.geography import api

urlpatterns = [
    path("districts", api.DistrictsView.as_view(), name="districts"),
    path("hubs", api.HubsView.as_view(), name="hubs"),
]
