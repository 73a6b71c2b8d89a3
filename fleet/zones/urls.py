"""Addresses of zones below /api/v1/."""

from django.urls import path

from fleet.zones import api

urlpatterns = [path("zones", api.ZonesView.as_view(), name="zones")]
