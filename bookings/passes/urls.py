"""Addresses of passes and codes below /api/v1/."""

from django.urls import path

from bookings.passes import api

urlpatterns = [
    path("pass-products", api.PassProductsView.as_view(), name="pass-products"),
    path("passes", api.PassViewSet.as_view({"get": "list", "post": "create"}), name="passes"),
    path("passes/<uuid:public_id>", api.PassViewSet.as_view({"get": "retrieve"}), name="pass"),
    path(
        "passes/<uuid:public_id>/renewal",
        api.PassViewSet.as_view({"post": "renewal"}),
        name="pass-renewal",
    ),
    path(
        "passes/<uuid:public_id>/return",
        api.PassViewSet.as_view({"post": "give_back"}),
        name="pass-return",
    ),
    path(
        "promo-codes",
        api.RedemptionViewSet.as_view({"get": "list"}),
        name="promo-codes",
    ),
    path("promo-codes/redeem", api.RedeemView.as_view(), name="promo-code-redeem"),
]
