"""Addresses of webhooks below /api/v1/."""

from django.urls import path

from mobility.webhooks import api

DEEDS = ("pause", "resume", "rotate", "ping", "replay")

urlpatterns = [
    path("webhook-kinds", api.KindsView.as_view(), name="webhook-kinds"),
    path(
        "webhook-endpoints",
        api.EndpointViewSet.as_view({"get": "list", "post": "create"}),
        name="webhook-endpoints",
    ),
    path(
        "webhook-endpoints/<uuid:public_id>",
        api.EndpointViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
        name="webhook-endpoint",
    ),
    *[
        path(
            f"webhook-endpoints/<uuid:public_id>/{deed}",
            api.EndpointViewSet.as_view({"post": deed}),
            name=f"webhook-endpoint-{deed}",
        )
        for deed in DEEDS
    ],
    path(
        "webhook-endpoints/<uuid:public_id>/deliveries",
        api.EndpointViewSet.as_view({"get": "deliveries"}),
        name="webhook-deliveries",
    ),
    path(
        "webhook-deliveries/<uuid:public_id>",
        api.DeliveryViewSet.as_view({"get": "retrieve"}),
        name="webhook-delivery",
    ),
    path(
        "webhook-deliveries/<uuid:public_id>/replay",
        api.DeliveryViewSet.as_view({"post": "replay"}),
        name="webhook-delivery-replay",
    ),
]
