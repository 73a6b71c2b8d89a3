"""Addresses of the desk, in front of the admin's own."""

from django.urls import path
from django.views.generic import RedirectView

from mobility.desk import views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path(
        "login/",
        RedirectView.as_view(pattern_name="account_login", query_string=True),
        name="login",
    ),
    path("map/", views.live_map, name="map"),
    path("alarms/", views.alarms, name="alarms"),
    path("work-orders/", views.work_orders, name="work-orders"),
    path("vehicle/<slug:ref>/", views.vehicle, name="vehicle"),
    path("tasks/", views.tasks, name="tasks"),
    path("chargers/", views.chargers, name="chargers"),
]
