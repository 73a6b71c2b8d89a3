"""The models of maintenance, one file for each thing."""

from fleet.maintenance.models.checklist import ChecklistAnswer, ChecklistItem, ChecklistTemplate
from fleet.maintenance.models.fault import FaultReport
from fleet.maintenance.models.order import WorkOrder, WorkOrderPart
from fleet.maintenance.models.rule import MaintenanceRule

__all__ = [
    "ChecklistAnswer",
    "ChecklistItem",
    "ChecklistTemplate",
    "FaultReport",
    "MaintenanceRule",
    "WorkOrder",
    "WorkOrderPart",
]
