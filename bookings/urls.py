"""Register of the API addresses of this app's features, below /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("bookings.reservations.urls")),
    path("", include("bookings.trips.urls")),
    path("", include("bookings.recharges.urls")),
    path("", include("bookings.passes.urls")),
    path("", include("bookings.payments.urls")),
    path("", include("bookings.riders.urls")),
    path("", include("bookings.support.urls")),
]
