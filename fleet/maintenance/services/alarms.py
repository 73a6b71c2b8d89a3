"""Alarms that become fault reports, and reports that an alarm takes back."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction

from fleet.maintenance import rules
from fleet.maintenance.models import FaultReport
from fleet.maintenance.principals import ALARMS
from fleet.maintenance.services.faults import dismiss_fault, report_fault
from fleet.maintenance.states import FaultSource, FaultState


def report_alarm(
    *,
    alarm_id: str,
    vehicle_id: int,
    kind: str,
    details: dict[str, Any],
    at: datetime.datetime,
) -> FaultReport | None:
    """Make a report of an alarm that `rules.ALARM_FAULTS` knows; None for the others.

    Raises `VehicleNotFound`.
    """
    category = rules.ALARM_FAULTS.get(kind)
    if category is None:
        return None
    return report_fault(
        vehicle_id=vehicle_id,
        source=FaultSource.ALARM,
        category=category,
        evidence={**details, "alarm": alarm_id, "kind": kind},
        at=at,
        by=ALARMS,
    )


def withdraw_alarm(*, alarm_id: str, vehicle_id: int, at: datetime.datetime) -> list[FaultReport]:
    """Dismiss what the alarm reported, unless somebody works on it already."""
    with transaction.atomic():
        waiting = FaultReport.objects.filter(
            vehicle=vehicle_id, state=FaultState.OPEN, evidence__alarm=alarm_id
        )
        return [
            dismiss_fault(fault_id=fault.pk, at=at, by=ALARMS, reason="alarm over")
            for fault in waiting
        ]
