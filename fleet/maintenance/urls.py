"""Addresses of maintenance below /api/v1/."""

from django.urls import path

from fleet.maintenance import api

_DEEDS = ("assign", "start", "checklist", "finish", "cancel")

urlpatterns = [
    path("faults", api.OwnFaultsViewSet.as_view({"get": "list"}), name="own-faults"),
    path(
        "fleet/faults",
        api.FaultViewSet.as_view({"get": "list", "post": "create"}),
        name="fleet-faults",
    ),
    path(
        "fleet/faults/<uuid:public_id>",
        api.FaultViewSet.as_view({"get": "retrieve"}),
        name="fleet-fault",
    ),
    path(
        "fleet/faults/<uuid:public_id>/accept",
        api.FaultViewSet.as_view({"post": "accept"}),
        name="fleet-fault-accept",
    ),
    path(
        "fleet/faults/<uuid:public_id>/dismiss",
        api.FaultViewSet.as_view({"post": "dismiss"}),
        name="fleet-fault-dismiss",
    ),
    path(
        "fleet/work-orders",
        api.WorkOrderViewSet.as_view({"get": "list", "post": "create"}),
        name="fleet-work-orders",
    ),
    path(
        "fleet/work-orders/<uuid:public_id>",
        api.WorkOrderViewSet.as_view({"get": "retrieve"}),
        name="fleet-work-order",
    ),
    *(
        path(
            f"fleet/work-orders/<uuid:public_id>/{deed}",
            api.WorkOrderViewSet.as_view({"post": deed}),
            name=f"fleet-work-order-{deed}",
        )
        for deed in _DEEDS
    ),
    path("fleet/maintenance-costs", api.CostsView.as_view(), name="fleet-maintenance-costs"),
]
