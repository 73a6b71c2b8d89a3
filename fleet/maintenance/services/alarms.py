"""Alarms that become fault reports, and reports that an alarm takes back."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction

from fleet.maintenance import rules
from fleet.maintenance.models import FaultReport
from fleet.maintenance.principals import ALARMS
from fleet.maintenance.services.faults import accept_fault, dismiss_fault, report_fault
from fleet.maintenance.services.orders import lock_vehicle
from fleet.maintenance.states import FaultCategory, FaultSource, FaultState, Priority
from fleet.telematics.models import Alarm
from fleet.telematics.states import AlarmState
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import RentalState
from mobility.core.principals import system_principal

_WITH_RIDER = frozenset({RentalState.ON_TRIP, RentalState.PAUSED, RentalState.ENDING})


def report_alarm(
    *,
    alarm_id: str,
    vehicle_id: int,
    kind: str,
    details: dict[str, Any],
    at: datetime.datetime,
) -> FaultReport | None:
    """Make a report of an alarm that somebody has to go and look at; None for the others.

    An alarm that is over already makes none: events are told in any order, and nobody would take
    the report back. A vehicle that ran dry under its rider is urgent work at once: somebody stands beside it. Raises
    `VehicleNotFound`.
    """
    vehicle = Vehicle.objects.select_related("latest").filter(pk=vehicle_id).first()
    latest = getattr(vehicle, "latest", None)
    category = rules.alarm_category(kind=kind, battery_pct=latest and latest.battery_pct)
    if category is None:
        return None
    with transaction.atomic():
        # Who closes it waits here, or has closed it and is seen: never both too early.
        lock_vehicle(vehicle_id)
        if _is_over(alarm_id):
            return None
        fault = report_fault(
            vehicle_id=vehicle_id,
            source=FaultSource.ALARM,
            category=category,
            evidence={**details, "alarm": alarm_id, "kind": kind},
            at=at,
            # Each kind speaks for itself: two alarms at once are two reports, and end apart.
            by=system_principal(f"alarm-{kind}"),
        )
        stranded = vehicle is not None and vehicle.rental_state in _WITH_RIDER
        if stranded and category == FaultCategory.BATTERY:
            return accept_fault(fault_id=fault.pk, priority=Priority.URGENT, at=at, by=ALARMS)
    return fault


def withdraw_alarm(*, alarm_id: str, vehicle_id: int, at: datetime.datetime) -> list[FaultReport]:
    """Dismiss what the alarm reported, unless somebody works on it already."""
    with transaction.atomic():
        # First the lock, then the look: a report that is just being taken up stays.
        lock_vehicle(vehicle_id)
        waiting = FaultReport.objects.filter(
            vehicle=vehicle_id, state=FaultState.OPEN, evidence__alarm=alarm_id
        )
        return [
            dismiss_fault(fault_id=fault.pk, at=at, by=ALARMS, reason="alarm over")
            for fault in waiting
        ]


def _is_over(alarm_id: str) -> bool:
    return Alarm.objects.filter(public_id=alarm_id, state=AlarmState.CLOSED).exists()
