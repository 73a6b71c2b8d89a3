"""Addresses of the operators' doors to frames."""

from django.urls import path

from charging.frames.api import StationFramesView, StationQuirksView

urlpatterns = [
    path(
        "charging/stations/<uuid:public_id>/frames",
        StationFramesView.as_view(),
        name="charging-station-frames",
    ),
    path(
        "charging/stations/<uuid:public_id>/quirks",
        StationQuirksView.as_view(),
        name="charging-station-quirks",
    ),
]
