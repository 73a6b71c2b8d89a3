"""Addresses of the operators' doors to energy."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from charging.energy import api

router = SimpleRouter(trailing_slash=False)
router.register("charging/energy-demands", api.DemandViewSet, basename="charging-energy-demand")
router.register("charging/profiles", api.ProfileViewSet, basename="charging-profile")
router.register("charging/limits", api.LimitViewSet, basename="charging-limit")

urlpatterns = [
    *router.urls,
    path(
        "charging/sites/<uuid:public_id>/load",
        api.SiteLoadView.as_view(),
        name="charging-site-load",
    ),
]
