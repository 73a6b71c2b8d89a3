"""Addresses of recharges: below /api/v1/, and the pages of drivers without an account."""

from django.urls import path

from bookings.recharges import api, views

urlpatterns = [
    path("recharge-quotes", api.RechargeQuoteView.as_view(), name="recharge-quotes"),
    path(
        "recharges",
        api.RechargeViewSet.as_view({"get": "list", "post": "create"}),
        name="recharges",
    ),
    path(
        "recharges/<uuid:public_id>",
        api.RechargeViewSet.as_view({"get": "retrieve"}),
        name="recharge",
    ),
    path(
        "recharges/<uuid:public_id>/stop",
        api.RechargeViewSet.as_view({"post": "stop"}),
        name="recharge-stop",
    ),
    path(
        "recharges/<uuid:public_id>/continue",
        api.RechargeViewSet.as_view({"post": "go_on"}),
        name="recharge-continue",
    ),
    path(
        "recharges/<uuid:public_id>/receipt",
        api.RechargeViewSet.as_view({"get": "receipt"}),
        name="recharge-receipt",
    ),
    path("ad-hoc-recharges", api.GuestRechargesView.as_view(), name="ad-hoc-recharges"),
    path("ad-hoc-recharges/<slug:secret>", api.GuestRechargeView.as_view(), name="ad-hoc-recharge"),
    path(
        "ad-hoc-recharges/<slug:secret>/stop",
        api.GuestStopView.as_view(),
        name="ad-hoc-recharge-stop",
    ),
    path(
        "ad-hoc-recharges/<slug:secret>/continue",
        api.GuestContinueView.as_view(),
        name="ad-hoc-recharge-continue",
    ),
    path(
        "ad-hoc-recharges/<slug:secret>/receipt",
        api.GuestReceiptView.as_view(),
        name="ad-hoc-recharge-receipt",
    ),
    path(
        "charging-cards",
        api.CardViewSet.as_view({"get": "list", "post": "create"}),
        name="charging-cards",
    ),
    path(
        "charging-cards/<uuid:public_id>",
        api.CardViewSet.as_view({"delete": "destroy"}),
        name="charging-card",
    ),
    *(
        path(
            f"charging-cards/<uuid:public_id>/{deed}",
            api.CardViewSet.as_view({"post": deed}),
            name=f"charging-card-{deed}",
        )
        for deed in ("block", "unblock")
    ),
    path("connectors/<uuid:public_id>/hold", api.KeepView.as_view(), name="connector-hold"),
    path("connector-holds", api.KeptViewSet.as_view({"get": "list"}), name="connector-holds"),
    path(
        "connector-holds/<uuid:public_id>",
        api.KeptViewSet.as_view({"get": "retrieve"}),
        name="connector-hold-own",
    ),
    path(
        "connector-holds/<uuid:public_id>/release",
        api.KeptViewSet.as_view({"post": "release"}),
        name="connector-hold-release",
    ),
    path(
        "charging/connector-codes",
        api.CodesViewSet.as_view({"get": "list"}),
        name="connector-codes",
    ),
    path("charging/stickers.pdf", api.StickersView.as_view(), name="connector-stickers"),
    path(
        "charging/connectors/<uuid:public_id>/code",
        api.CodesViewSet.as_view({"post": "replace"}),
        name="connector-code-replace",
    ),
    path(
        "charging/unbilled-sessions",
        api.UnbilledViewSet.as_view({"get": "list"}),
        name="unbilled-sessions",
    ),
    path(
        "charging/vehicle-charges",
        api.VehicleChargeViewSet.as_view({"get": "list"}),
        name="vehicle-charges",
    ),
]

# Below the root, after the residents' own `charge/<id>/`: a code is never an id.
pages = [
    path("charge/go/<slug:secret>/", views.GuestChargeView.as_view(), name="guest-charge"),
    path("charge/go/<slug:secret>/stop/", views.GuestStopView.as_view(), name="guest-stop"),
    path("charge/go/<slug:secret>/pay/", views.GuestPayView.as_view(), name="guest-pay"),
    path(
        "charge/go/<slug:secret>/receipt/", views.GuestReceiptView.as_view(), name="guest-receipt"
    ),
    path("charge/go/<slug:secret>/receipt.pdf", views.GuestPaperView.as_view(), name="guest-paper"),
    path("charge/card/<str:order>/", views.GuestCardView.as_view(), name="guest-card"),
    path("charge/<slug:code>/", views.GuestStartView.as_view(), name="guest-start"),
]
