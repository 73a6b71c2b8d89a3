"""Addresses of charging's prices: for everybody, and for operators."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from charging.tariffs.api import StationsView, StationView, TariffViewSet

router = SimpleRouter(trailing_slash=False)
router.register("charging/tariffs", TariffViewSet, basename="charging-tariff")

urlpatterns = [
    path("stations", StationsView.as_view(), name="stations"),
    path("stations/<uuid:public_id>", StationView.as_view(), name="station"),
    *router.urls,
]
