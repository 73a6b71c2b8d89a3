"""The end of work: done, with parts, cost and the checklist passed; or given up."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from fleet.maintenance.models import FaultReport, WorkOrder, WorkOrderPart
from fleet.maintenance.principals import KEEPER
from fleet.maintenance.services.checklists import needs_gate, require_passed
from fleet.maintenance.services.faults import close_faults, dismiss_fault
from fleet.maintenance.services.orders import NotInProgress, held_for_service, lock_order
from fleet.maintenance.states import FaultState, OrderState
from fleet.vehicles.models import LatestState
from fleet.vehicles.services import lift_block, release_hold, set_life_state
from fleet.vehicles.states import BlockReason, LifeState
from mobility.core.principals import Principal
from mobility.core.transitions import move


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part that was used; `unit_cost_cents` is the cost of one."""

    name: str
    quantity: int = 1
    unit_cost_cents: int = 0
    sku: str = ""


def finish_order(
    *,
    order_id: int,
    at: datetime.datetime,
    by: Principal,
    parts: Collection[Part] = (),
    **report: Any,
) -> WorkOrder:
    """The work is done: the reports in it are resolved and the vehicle goes back.

    1. Refuse while the checklist has gaps or failures. The last order of a vehicle in the workshop
       must also pass the gate; nothing else lets it out.
    2. Write parts and `report`: labour_minutes, cost_cents, notes; and the odometer, from which
       the next service counts.
    3. Resolve the reports; lift the block for damage when no dangerous one is left.
    4. With no other work going on: back in service if it was in the workshop, and released.
    Raises `OrderNotFound`, `NotInProgress`, `ChecklistNotPassed`.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        if order.state != OrderState.IN_PROGRESS:
            raise NotInProgress
        last = not _others_going_on(order)
        gate = last and needs_gate(order)
        require_passed(order, gate=gate)
        WorkOrderPart.objects.bulk_create(
            WorkOrderPart(order=order, **asdict(part)) for part in parts
        )
        latest = LatestState.objects.filter(pk=order.vehicle_id).first()
        move(
            order,
            to=OrderState.DONE,
            at=at,
            by=by,
            finished_at=at,
            finished_by=by,
            odometer_m=latest.odometer_m if latest else None,
            **report,
        )
        close_faults(order, to=FaultState.RESOLVED, at=at, by=by)
        if last:
            _give_back(order, passed=gate, at=at, by=by)
    return order


def cancel_order(
    *,
    order_id: int,
    at: datetime.datetime,
    by: Principal,
    reason: str = "",
) -> WorkOrder:
    """Give the work up: its reports are open again, and a vehicle on the street is released.

    One that was taken into the workshop stays there until somebody has checked it. Raises
    `OrderNotFound`, `IllegalMove`.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        last = not _others_going_on(order)
        move(
            order,
            to=OrderState.CANCELLED,
            at=at,
            by=by,
            reason=reason,
            finished_at=at,
            finished_by=by,
        )
        close_faults(order, to=FaultState.OPEN, at=at, by=by)
        if last:
            _give_back(order, passed=False, at=at, by=by)
    return order


def drop_work(*, vehicle_id: int, at: datetime.datetime) -> list[WorkOrder]:
    """Cancel all work on a vehicle that left for good and dismiss its reports; returns the orders.

    The reports go last: a cancelled order opens its own again.
    """
    with transaction.atomic():
        dropped = [
            cancel_order(order_id=order.pk, at=at, by=KEEPER, reason="vehicle retired")
            for order in WorkOrder.objects.open().filter(vehicle=vehicle_id).order_by("pk")
        ]
        for fault in FaultReport.objects.open().filter(vehicle=vehicle_id).order_by("pk"):
            dismiss_fault(fault_id=fault.pk, at=at, by=KEEPER, reason="vehicle retired")
    return dropped


def _others_going_on(order: WorkOrder) -> bool:
    going_on = WorkOrder.objects.filter(vehicle=order.vehicle_id, state=OrderState.IN_PROGRESS)
    return going_on.exclude(pk=order.pk).exists()


def _give_back(
    order: WorkOrder,
    *,
    passed: bool,
    at: datetime.datetime,
    by: Principal,
) -> None:
    vehicle = order.vehicle
    if passed:
        lift_block(vehicle_id=vehicle.pk, reason=BlockReason.INSPECTION, at=at, by=KEEPER)
        if vehicle.life_state == LifeState.WORKSHOP:
            set_life_state(vehicle_id=vehicle.pk, to=LifeState.IN_SERVICE, at=at, by=by)
    hold = held_for_service(vehicle.pk)
    if hold is not None:
        release_hold(hold_id=hold.pk, at=at, by=by)
