"""Addresses of notifications below /api/v1/."""

from django.urls import path

from mobility.notifications import api

urlpatterns = [
    path("me/notifications", api.NotificationsView.as_view(), name="me-notifications"),
    path("me/notification-choices", api.ChoicesView.as_view(), name="me-notification-choices"),
    path("me/push-devices", api.DevicesView.as_view(), name="me-push-devices"),
    path("me/push-devices/<uuid:public_id>", api.DeviceView.as_view(), name="me-push-device"),
]
