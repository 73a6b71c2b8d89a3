"""Addresses of the desk, in front of the admin's own, and of what its scripts ask below /api/v1/."""

from django.urls import path
from django.views.generic import RedirectView

from mobility.desk import views
from mobility.desk.livemap import api as livemap
from mobility.desk.support import views as support
from mobility.desk.trail.views import trail
from mobility.desk.zones import views as zones
from mobility.desk.zones.api import ZoneConflictsView

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path(
        "login/",
        RedirectView.as_view(pattern_name="account_login", query_string=True),
        name="login",
    ),
    path("map/", views.live_map, name="map"),
    path("alarms/", views.alarms, name="alarms"),
    path("work-orders/", views.work_orders, name="work-orders"),
    path("vehicle/<path:ref>/", views.vehicle, name="vehicle"),
    path("support/", support.search, name="support"),
    path("support/<uuid:public_id>/", support.console, name="support-person"),
    path("support/<uuid:public_id>/refunds/", support.refund, name="support-refund"),
    path(
        "support/<uuid:public_id>/refunds/<uuid:refund_id>/",
        support.decide,
        name="support-decide",
    ),
    path("support/<uuid:public_id>/cases/<uuid:case_id>/", support.answer, name="support-answer"),
    path("support/<uuid:public_id>/trips/<uuid:trip_id>/", support.trip, name="support-trip"),
    path("trail/", trail, name="trail"),
    path("zones/", zones.zone_sets, name="zones"),
    path("zones/<uuid:public_id>/", zones.zone_editor, name="zone-editor"),
    path("tasks/", views.tasks, name="tasks"),
    path("chargers/", views.chargers, name="chargers"),
]

api = [
    path(
        "fleet/zone-sets/<uuid:public_id>/conflicts",
        ZoneConflictsView.as_view(),
        name="fleet-zone-set-conflicts",
    ),
    path("desk/views", livemap.SavedViewsView.as_view(), name="desk-views"),
    path("desk/views/<uuid:public_id>", livemap.SavedViewView.as_view(), name="desk-view"),
    path("fleet/bulk/preview", livemap.BulkPreviewView.as_view(), name="fleet-bulk-preview"),
    path("fleet/bulk", livemap.BulkView.as_view(), name="fleet-bulk"),
    path("fleet/forecast", livemap.ForecastView.as_view(), name="fleet-forecast"),
]
