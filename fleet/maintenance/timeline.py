"""What maintenance adds to the one timeline of a vehicle: alarms, faults and work; attached when the app is ready."""

from __future__ import annotations

import datetime

from django.utils.translation import gettext_lazy as _

from fleet.maintenance.models import FaultReport, WorkOrder
from fleet.maintenance.states import FaultCategory, OrderState
from fleet.telematics.models import Alarm
from fleet.telematics.states import AlarmKind
from fleet.vehicles.queries import TimelineEntry, add_timeline_source
from fleet.vehicles.telling import joined, tell_as, word


@add_timeline_source
def alarm_entries(
    *, vehicle_id: int, until: datetime.datetime | None, limit: int
) -> list[TimelineEntry]:
    """Alarms, when they opened."""
    alarms = Alarm.objects.filter(vehicle=vehicle_id)
    if until is not None:
        alarms = alarms.filter(opened_at__lt=until)
    return [
        TimelineEntry(
            at=alarm.opened_at,
            what="alarm",
            by="system:telematics",
            details={
                "id": str(alarm.public_id),
                "kind": alarm.kind,
                "state": alarm.state,
                "closed_at": alarm.closed_at,
                **alarm.details,
            },
        )
        for alarm in alarms.order_by("-opened_at", "-id")[:limit]
    ]


@add_timeline_source
def fault_entries(
    *, vehicle_id: int, until: datetime.datetime | None, limit: int
) -> list[TimelineEntry]:
    """Reports, when they came in."""
    faults = FaultReport.objects.filter(vehicle=vehicle_id)
    if until is not None:
        faults = faults.filter(at__lt=until)
    return [
        TimelineEntry(
            at=fault.at,
            what="fault",
            by=fault.reported_by,
            details={
                "id": str(fault.public_id),
                "case_number": fault.case_number,
                "category": fault.category,
                "source": fault.source,
                "state": fault.state,
                "text": fault.text,
            },
        )
        for fault in faults.order_by("-at", "-id")[:limit]
    ]


@add_timeline_source
def order_entries(
    *, vehicle_id: int, until: datetime.datetime | None, limit: int
) -> list[TimelineEntry]:
    """Work orders, when they were asked for."""
    orders = WorkOrder.objects.filter(vehicle=vehicle_id).select_related("rule")
    if until is not None:
        orders = orders.filter(opened_at__lt=until)
    return [
        TimelineEntry(
            at=order.opened_at, what="work_order", by=order.opened_by, details=_details(order)
        )
        for order in orders.order_by("-opened_at", "-id")[:limit]
    ]


@add_timeline_source
def finished_entries(
    *, vehicle_id: int, until: datetime.datetime | None, limit: int
) -> list[TimelineEntry]:
    """Work orders, when they were done or given up."""
    orders = WorkOrder.objects.filter(vehicle=vehicle_id, finished_at__isnull=False)
    if until is not None:
        orders = orders.filter(finished_at__lt=until)
    return [
        TimelineEntry(
            at=order.finished_at, what="work_ended", by=order.finished_by, details=_details(order)
        )
        for order in orders.select_related("rule").order_by("-finished_at", "-id")[:limit]
        if order.finished_at is not None
    ]


def _details(order: WorkOrder) -> dict[str, object]:
    return {
        "id": str(order.public_id),
        "reason": order.reason,
        "heading": order.heading,
        "state": order.state,
        "place": order.place,
        "labour_minutes": order.labour_minutes,
    }


tell_as("alarm", _("Alarm"), lambda facts: word(AlarmKind, facts["kind"]))
tell_as(
    "fault",
    _("Fault report"),
    lambda facts: joined(
        word(FaultCategory, facts["category"]), facts["case_number"], facts["text"]
    ),
)
tell_as("work_order", _("Work order"), lambda facts: str(facts["heading"]))
tell_as(
    "work_ended",
    _("Work ended"),
    lambda facts: joined(str(facts["heading"]), word(OrderState, facts["state"])),
)
