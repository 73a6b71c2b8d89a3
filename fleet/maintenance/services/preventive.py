"""Service that is due by use or time becomes work, once."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from django.db import transaction

from fleet.maintenance import rules
from fleet.maintenance.models import MaintenanceRule, WorkOrder
from fleet.maintenance.principals import KEEPER
from fleet.maintenance.queries import usage_under
from fleet.maintenance.states import OrderReason
from mobility.core import audit, locks
from mobility.core.models import AuditEntry


def open_due_orders(*, at: datetime.datetime) -> list[WorkOrder]:
    """Open an order for every vehicle whose service is due; returns the new ones.

    1. For each active rule read what its vehicles have done since that service was last finished,
       in one query for all of them; vehicles with an open order of the rule are left out.
    2. Insert the orders of those that are due, except where somebody has opened one meanwhile.
    Each rule stands for itself: what one opened stays, whatever becomes of the next. A second run
    at once waits for the first and finds nothing to do; the constraint stands behind.
    """
    opened: list[WorkOrder] = []
    for rule in MaintenanceRule.objects.active().order_by("pk"):
        opened += _open(rule, at=at)
    return opened


@transaction.atomic
def _open(rule: MaintenanceRule, *, at: datetime.datetime) -> list[WorkOrder]:
    locks.advisory("maintenance:due")
    due = list(_orders(rule, at=at))
    WorkOrder.objects.bulk_create(due, ignore_conflicts=True)
    # The database does not say which of them it took.
    wanted = [order.public_id for order in due]
    orders = list(WorkOrder.objects.filter(public_id__in=wanted).select_related("rule"))
    AuditEntry.objects.bulk_create(
        audit.entry(by=KEEPER, action="open", row=order, at=at, changes={"rule": rule.pk})
        for order in orders
    )
    return orders


def _orders(rule: MaintenanceRule, *, at: datetime.datetime) -> Iterator[WorkOrder]:
    interval = rule.interval
    for usage in usage_under(rule, at=at):
        if rules.is_due(interval, usage.use):
            yield WorkOrder(
                vehicle_id=usage.vehicle_id,
                reason=OrderReason.PREVENTIVE,
                rule=rule,
                checklist_id=rule.checklist_id,
                priority=rule.priority,
                due_at=at + _left(interval, usage.use),
                opened_at=at,
                opened_by=KEEPER,
                lon=usage.lon,
                lat=usage.lat,
            )


def _left(interval: rules.Interval, use: rules.Use) -> datetime.timedelta:
    """How long the vehicle still has at the pace it was used so far; nothing when it is over."""
    worn = rules.wear(interval, use)
    if worn >= 1 or not use.days:
        return datetime.timedelta()
    return datetime.timedelta(days=use.days * (1 - worn) / worn)
