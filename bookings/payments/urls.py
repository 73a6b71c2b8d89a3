"""Addresses of payments below /api/v1/."""

from django.urls import path

from bookings.payments import api
from bookings.payments.providers.api import WebhookView

urlpatterns = [
    path("payment-webhooks/<slug:provider>", WebhookView.as_view(), name="payment-webhooks"),
    path(
        "payment-methods",
        api.PaymentMethodViewSet.as_view({"get": "list", "post": "create"}),
        name="payment-methods",
    ),
    path(
        "payment-methods/<uuid:public_id>",
        api.PaymentMethodViewSet.as_view({"delete": "destroy"}),
        name="payment-method",
    ),
    path("payments", api.PaymentViewSet.as_view({"get": "list"}), name="payments"),
    path(
        "payments/<uuid:public_id>",
        api.PaymentViewSet.as_view({"get": "retrieve"}),
        name="payment",
    ),
    path(
        "payments/<uuid:public_id>/pay",
        api.PaymentViewSet.as_view({"post": "pay"}),
        name="payment-pay",
    ),
    path(
        "payments/<uuid:public_id>/refunds",
        api.RefundViewSet.as_view({"post": "create"}),
        name="payment-refunds",
    ),
]
