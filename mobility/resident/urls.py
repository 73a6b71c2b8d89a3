"""Addresses of the resident's pages."""

from django.urls import path

from mobility.resident import views

app_name = "resident"

urlpatterns = [
    path("", views.MapView.as_view(), name="map"),
    path("book/<slug:vehicle>/", views.MapView.as_view(), name="book"),
    path("trip/<uuid:id>/", views.TripView.as_view(), name="trip"),
    path("receipt/<uuid:id>/", views.TripReceiptView.as_view(), name="trip-receipt"),
    path("charge/at/<slug:station>/", views.MapView.as_view(), name="charge-at"),
    path("charge/<uuid:id>/", views.RechargeView.as_view(), name="recharge"),
    path("charge/<uuid:id>/receipt/", views.RechargeReceiptView.as_view(), name="recharge-receipt"),
    path("account/", views.AccountView.as_view(), name="account"),
]
