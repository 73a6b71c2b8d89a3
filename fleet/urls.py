"""Register of the API addresses of this app's features, below /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("fleet.vehicles.urls")),
    path("", include("fleet.zones.urls")),
    path("", include("fleet.telematics.urls")),
    path("", include("fleet.maintenance.urls")),
    path("", include("fleet.rebalancing.urls")),
]
