"""Reports and orders with everything that their pages show, in a constant number of queries."""

from __future__ import annotations

from django.db.models import Prefetch

from fleet.maintenance.models import ChecklistAnswer, FaultReport
from fleet.maintenance.models.fault import FaultReportQuerySet
from fleet.maintenance.models.order import WorkOrderQuerySet


def orders_with_story(orders: WorkOrderQuerySet) -> WorkOrderQuerySet:
    """With vehicle, rule, people, cost, parts, answers and reports: four queries for any number."""
    loaded = orders.with_cost().select_related(
        "vehicle__type", "vehicle__latest", "rule", "assigned_to", "hub"
    )
    answers = Prefetch("answers", queryset=ChecklistAnswer.objects.select_related("item"))
    faults = Prefetch("faults", queryset=FaultReport.objects.select_related("vehicle"))
    return loaded.prefetch_related("parts").prefetch_related(answers).prefetch_related(faults)


def faults_with_story(faults: FaultReportQuerySet) -> FaultReportQuerySet:
    """With vehicle and order; one query."""
    return faults.select_related("vehicle__type", "order")
