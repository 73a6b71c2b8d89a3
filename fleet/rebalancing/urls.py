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
        "fleet/plans/<uuid:public_id>/vans",
        api.PlanViewSet.as_view({"get": "vans", "post": "assign"}),
        name="fleet-plan-vans",
    ),
    path(
        "fleet/plans/<uuid:public_id>/figures",
        api.PlanViewSet.as_view({"get": "figures"}),
        name="fleet-plan-figures",
    ),
    path(
        "fleet/plans/<uuid:public_id>/decisions",
        api.PlanViewSet.as_view({"get": "decisions"}),
        name="fleet-plan-decisions",
    ),
    path(
        "fleet/tasks/<uuid:public_id>/arrive",
        api.TaskViewSet.as_view({"post": "arrive"}),
        name="fleet-task-arrive",
    ),
    path(
        "fleet/tasks/<uuid:public_id>/problem",
        api.TaskViewSet.as_view({"post": "problem"}),
        name="fleet-task-problem",
    ),
    path(
        "fleet/tasks/<uuid:public_id>/photos",
        api.TaskPhotosView.as_view(),
        name="fleet-task-photos",
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
