"""Writes of maintenance, one file for each group of verbs."""

from fleet.maintenance.services.alarms import report_alarm, withdraw_alarm
from fleet.maintenance.services.checklists import (
    Answer,
    ChecklistNotPassed,
    ItemNotAsked,
    answer_checklist,
    ensure_gate,
)
from fleet.maintenance.services.faults import (
    FaultNotFound,
    accept_fault,
    dismiss_fault,
    report_fault,
)
from fleet.maintenance.services.finish import (
    Part,
    cancel_order,
    drop_work,
    finish_order,
)
from fleet.maintenance.services.orders import (
    NotInProgress,
    NotOnThisFleet,
    OrderNotFound,
    assign_order,
    open_order,
    start_order,
)
from fleet.maintenance.services.preventive import open_due_orders

__all__ = [
    "Answer",
    "ChecklistNotPassed",
    "FaultNotFound",
    "ItemNotAsked",
    "NotInProgress",
    "NotOnThisFleet",
    "OrderNotFound",
    "Part",
    "accept_fault",
    "answer_checklist",
    "assign_order",
    "cancel_order",
    "dismiss_fault",
    "drop_work",
    "ensure_gate",
    "finish_order",
    "open_due_orders",
    "open_order",
    "report_alarm",
    "report_fault",
    "start_order",
    "withdraw_alarm",
]
