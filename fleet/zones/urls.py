"""Addresses of zones below /api/v1/."""

from django.urls import path

from fleet.zones import api

SETS = "fleet/zone-sets"
ONE = f"{SETS}/<uuid:public_id>"
view = api.ZoneSetViewSet.as_view

urlpatterns = [
    path("zones", api.ZonesView.as_view(), name="zones"),
    path(SETS, view({"get": "list", "post": "create"}), name="fleet-zone-sets"),
    path(ONE, view({"get": "retrieve", "delete": "destroy"}), name="fleet-zone-set"),
    path(f"{ONE}/zones", view({"get": "zones", "put": "replace"}), name="fleet-zone-set-zones"),
    path(f"{ONE}/check", view({"get": "check"}), name="fleet-zone-set-check"),
    path(f"{ONE}/publish", view({"post": "publish"}), name="fleet-zone-set-publish"),
    path(f"{ONE}/rollback", view({"post": "rollback"}), name="fleet-zone-set-rollback"),
]
