"""Every address of the house, by door."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from bookings.payments import urls as payments
from bookings.recharges import urls as recharges
from mobility.core import health, problems
from mobility.core.openapi import SchemaView
from mobility.desk.urls import api as desk

handler500 = "mobility.resident.views.server_error"

api = [
    # First, because each call is looked for from above: who rides stands at the kerb and waits.
    path("", include("bookings.urls")),
    path("", include("mobility.accounts.urls")),
    path("", include("mobility.core.files.urls")),
    path("", include("mobility.notifications.urls")),
    path("", include("mobility.geography.urls")),
    path("", include("mobility.live.urls")),
    path("", include("fleet.urls")),
    path("", include("charging.urls")),
    path("", include("mobility.webhooks.urls")),
    path("", include(desk)),
]

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/", include((api, "api"))),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    # Whatever follows, line breaks included, which no converter takes.
    re_path("^api/", problems.not_found),
    path("accounts/", include("allauth.urls")),
    path("", include((payments.pages, "payments"))),
    path("demo-bank/", include("bookings.payments.providers.local.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", include("mobility.desk.urls")),
    path("admin/", admin.site.urls),
    path("crew/", include("mobility.crew.urls")),
    path("", include("mobility.resident.urls")),
    # After the residents' own pages: a charge's id is no code of a connector.
    path("", include((recharges.pages, "recharges"))),
]
