"""Addresses of recharges below /api/v1/."""

from django.urls import path

from bookings.recharges.api import RechargeViewSet

urlpatterns = [
    path("recharges", RechargeViewSet.as_view({"get": "list", "post": "create"}), name="recharges"),
    path(
        "recharges/<uuid:public_id>",
        RechargeViewSet.as_view({"get": "retrieve"}),
        name="recharge",
    ),
    path(
        "recharges/<uuid:public_id>/stop",
        RechargeViewSet.as_view({"post": "stop"}),
        name="recharge-stop",
    ),
    path(
        "recharges/<uuid:public_id>/receipt",
        RechargeViewSet.as_view({"get": "receipt"}),
        name="recharge-receipt",
    ),
]
