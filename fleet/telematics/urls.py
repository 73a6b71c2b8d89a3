"""Addresses of telematics below /api/v1/."""

from django.urls import path

from fleet.telematics import api, views

urlpatterns = [
    path("telemetry", views.TelemetryView.as_view(), name="telemetry"),
    path("fleet/alarms", api.AlarmViewSet.as_view({"get": "list"}), name="fleet-alarms"),
    path(
        "fleet/alarms/<uuid:public_id>",
        api.AlarmViewSet.as_view({"get": "retrieve"}),
        name="fleet-alarm",
    ),
    path(
        "fleet/alarms/<uuid:public_id>/acknowledge",
        api.AlarmViewSet.as_view({"post": "acknowledge"}),
        name="fleet-alarm-acknowledge",
    ),
    path(
        "fleet/alarms/<uuid:public_id>/assign",
        api.AlarmViewSet.as_view({"post": "assign"}),
        name="fleet-alarm-assign",
    ),
    path(
        "fleet/alarms/<uuid:public_id>/close",
        api.AlarmViewSet.as_view({"post": "close"}),
        name="fleet-alarm-close",
    ),
]
