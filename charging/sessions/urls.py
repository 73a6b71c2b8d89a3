"""Addresses of the operators' doors to sessions and commands."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from charging.sessions.api import SessionViewSet, StationCommandsView, TokenViewSet

router = SimpleRouter(trailing_slash=False)
router.register("charging/sessions", SessionViewSet, basename="charging-session")
router.register("charging/tokens", TokenViewSet, basename="charging-token")

urlpatterns = [
    path(
        "charging/stations/<uuid:public_id>/commands",
        StationCommandsView.as_view(),
        name="charging-station-commands",
    ),
    *router.urls,
]
