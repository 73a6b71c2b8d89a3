"""Addresses of vehicles below /api/v1/."""

from rest_framework.routers import SimpleRouter

from fleet.vehicles import api

router = SimpleRouter(trailing_slash=False)
router.register("fleet/vehicles", api.VehicleViewSet, basename="fleet-vehicle")

urlpatterns = router.urls
