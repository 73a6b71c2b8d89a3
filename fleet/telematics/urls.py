"""Addresses of telematics below /api/v1/."""

from django.urls import path

from fleet.telematics import views

urlpatterns = [path("telemetry", views.TelemetryView.as_view(), name="telemetry")]
