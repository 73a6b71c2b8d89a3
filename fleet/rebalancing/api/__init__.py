"""Doors of staff and crews: plans, and the tasks in them."""

from fleet.rebalancing.api.plans import PlanViewSet
from fleet.rebalancing.api.tasks import TaskPhotosView, TaskViewSet

__all__ = ["PlanViewSet", "TaskPhotosView", "TaskViewSet"]
