"""Addresses of the live maps below /api/v1/."""

from django.urls import path

from mobility.live import api

urlpatterns = [path("live-token", api.LiveTokenView.as_view(), name="live-token")]
