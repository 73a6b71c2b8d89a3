"""Addresses of documents below /api/v1/."""

from django.urls import path

from bookings.payments.documents import api

urlpatterns = [
    path("receipts", api.ReceiptViewSet.as_view({"get": "list"}), name="receipts"),
    path(
        "receipts/<uuid:public_id>",
        api.ReceiptViewSet.as_view({"get": "retrieve"}),
        name="receipt",
    ),
    path(
        "receipts/<uuid:public_id>/receipt.html",
        api.ReceiptViewSet.as_view({"get": "page"}),
        name="receipt-html",
    ),
    path(
        "receipts/<uuid:public_id>/receipt.pdf",
        api.ReceiptViewSet.as_view({"get": "pdf"}),
        name="receipt-pdf",
    ),
    path(
        "receipts/<uuid:public_id>/invoice",
        api.ReceiptViewSet.as_view({"post": "invoice"}),
        name="receipt-invoice",
    ),
    path("billing-details", api.BillingDetailsView.as_view(), name="billing-details"),
]
