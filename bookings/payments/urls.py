"""Addresses of payments: below /api/v1/, and the page of who pays by a link."""

from django.urls import include, path

from bookings.payments import api, views
from bookings.payments.providers.api import CardSetupView, WebhookView

urlpatterns = [
    path("", include("bookings.payments.documents.urls")),
    path("payment-methods/setup", CardSetupView.as_view(), name="payment-method-setup"),
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
    path(
        "payment-methods/<uuid:public_id>/default",
        api.PaymentMethodViewSet.as_view({"post": "choose"}),
        name="payment-method-default",
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
    path(
        "payments/<uuid:public_id>/confirm",
        api.PaymentViewSet.as_view({"post": "confirm"}),
        name="payment-confirm",
    ),
    path("pay/<str:token>", api.PayLinkView.as_view(), name="pay-link"),
    path("wallets", api.WalletsView.as_view(), name="wallets"),
    path(
        "wallets/<uuid:public_id>/movements",
        api.WalletViewSet.as_view({"get": "movements"}),
        name="wallet-movements",
    ),
    path(
        "wallets/<uuid:public_id>/top-ups",
        api.WalletViewSet.as_view({"post": "top_up"}),
        name="wallet-top-ups",
    ),
    path("fees", api.FeeViewSet.as_view({"get": "list"}), name="fees"),
    path("fees/<uuid:public_id>", api.FeeViewSet.as_view({"get": "retrieve"}), name="fee"),
    path(
        "fees/<uuid:public_id>/dispute",
        api.FeeViewSet.as_view({"post": "dispute"}),
        name="fee-dispute",
    ),
    path("money/refunds", api.RefundQueueViewSet.as_view({"get": "list"}), name="money-refunds"),
    path(
        "money/refunds/<uuid:public_id>/approve",
        api.RefundQueueViewSet.as_view({"post": "approve"}),
        name="money-refund-approve",
    ),
    path(
        "money/refunds/<uuid:public_id>/reject",
        api.RefundQueueViewSet.as_view({"post": "reject"}),
        name="money-refund-reject",
    ),
    path("money/fees", api.StaffFeeViewSet.as_view({"get": "list"}), name="money-fees"),
    path(
        "money/fees/<uuid:public_id>/announce",
        api.StaffFeeViewSet.as_view({"post": "announce"}),
        name="money-fee-announce",
    ),
    path(
        "money/fees/<uuid:public_id>/uphold",
        api.StaffFeeViewSet.as_view({"post": "uphold"}),
        name="money-fee-uphold",
    ),
    path(
        "money/fees/<uuid:public_id>/waive",
        api.StaffFeeViewSet.as_view({"post": "waive"}),
        name="money-fee-waive",
    ),
]

pages = [path("pay/<str:token>", views.PayPage.as_view(), name="pay")]
