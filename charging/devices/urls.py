"""Addresses of the operators' doors to devices."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from charging.devices import api

router = SimpleRouter(trailing_slash=False)
router.register("charging/variables", api.VariableViewSet, basename="charging-variable")
router.register("charging/monitors", api.MonitorViewSet, basename="charging-monitor")
router.register("charging/device-events", api.DeviceEventViewSet, basename="charging-device-event")
router.register("charging/firmware-jobs", api.FirmwareJobViewSet, basename="charging-firmware-job")
router.register("charging/log-jobs", api.LogJobViewSet, basename="charging-log-job")
router.register("charging/reports", api.ReportViewSet, basename="charging-report")

_STATION = "charging/stations/<uuid:public_id>"
urlpatterns = [
    *router.urls,
    path(
        f"{_STATION}/variables",
        api.StationVariablesView.as_view(),
        name="charging-station-variables",
    ),
    path(f"{_STATION}/logs", api.StationLogsView.as_view(), name="charging-station-logs"),
    path(
        f"{_STATION}/local-list", api.StationListView.as_view(), name="charging-station-local-list"
    ),
    path("charging/uploads/<str:secret>/", api.UploadDoor.as_view(), name="charging-upload"),
    path(
        "charging/uploads/<str:secret>/<str:name>",
        api.UploadDoor.as_view(),
        name="charging-upload-named",
    ),
]
