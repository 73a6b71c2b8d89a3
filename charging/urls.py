"""Register of the API addresses of this app's features, below /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("charging.devices.urls")),
    path("", include("charging.energy.urls")),
    path("", include("charging.frames.urls")),
    path("", include("charging.certificates.urls")),
    path("", include("charging.stations.urls")),
    path("", include("charging.tariffs.urls")),
    path("", include("charging.sessions.urls")),
    path("", include("charging.statements.urls")),
]
