"""Addresses of plans and crew tasks, below /api/v1/."""

from django.urls import path

from fleet.rebalancing import api

urlpatterns = [
    path(
        "fleet/plans",
        api.PlanViewSet.as_view({"get": "list", "post": "create"}),
        name="fleet-plans",
    ),
    path(
        "fleet/plans/<uuid:public_id>",
        api.PlanViewSet.as_view({"get": "retrieve"}),
        name="fleet-plan",
    ),
    path(
        "fleet/plans/<uuid:public_id>/publish",
        api.PlanViewSet.as_view({"post": "publish"}),
        name="fleet-plan-publish",
    ),
    path(
        "fleet/plans/<uuid:public_id>/close",
        api.PlanViewSet.as_view({"post": "close"}),
        name="fleet-plan-close",
    ),
    path(
        "fleet/plans/<uuid:public_id>/revise",
        api.PlanViewSet.as_view({"post": "revise"}),
        name="fleet-plan-revise",
    ),
    path(
        "fleet/plans/<uuid:public_id>/tasks",
        api.PlanViewSet.as_view({"post": "add"}),
        name="fleet-plan-task-add",
    ),
    path(
        "fleet/tasks/<uuid:public_id>/lock",
        api.TaskViewSet.as_view({"post": "lock"}),
        name="fleet-task-lock",
    ),
    path(
        "fleet/tasks/<uuid:public_id>/place",
        api.TaskViewSet.as_view({"post": "place"}),
        name="fleet-task-place",
    ),
    path("fleet/tasks", api.TaskViewSet.as_view({"get": "list"}), name="fleet-tasks"),
    path(
        "fleet/tasks/<uuid:public_id>",
        api.TaskViewSet.as_view({"get": "retrieve"}),
        name="fleet-task",
    ),
    path(
        "fleet/tasks/<uuid:public_id>/claim",
        api.TaskViewSet.as_view({"post": "claim"}),
        name="fleet-task-claim",
    ),
    path(
        "fleet/tasks/<uuid:public_id>/complete",
        api.TaskViewSet.as_view({"post": "complete"}),
        name="fleet-task-complete",
    ),
    path(
        "fleet/tasks/<uuid:public_id>/drop",
        api.TaskViewSet.as_view({"post": "drop"}),
        name="fleet-task-drop",
    ),
]
