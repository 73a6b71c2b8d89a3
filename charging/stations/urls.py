"""Addresses of the operators' doors to stations."""

from rest_framework.routers import SimpleRouter

from charging.stations.api import CommandViewSet, SiteViewSet, StationViewSet

router = SimpleRouter(trailing_slash=False)
router.register("charging/sites", SiteViewSet, basename="charging-site")
router.register("charging/stations", StationViewSet, basename="charging-station")
router.register("charging/commands", CommandViewSet, basename="charging-command")

urlpatterns = router.urls
