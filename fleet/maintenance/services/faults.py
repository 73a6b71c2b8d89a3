"""Fault reports: taken in, accepted into work, or dismissed.

DomainError
└── NotFound  FaultNotFound
"""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from fleet.maintenance import rules
from fleet.maintenance.models import FaultReport, WorkOrder
from fleet.maintenance.principals import KEEPER
from fleet.maintenance.services.orders import lock_vehicle, open_order
from fleet.maintenance.states import FaultState, OrderState, Severity
from fleet.telematics.queries import latest_position
from fleet.vehicles.models import VehicleBlock
from fleet.vehicles.services import block_vehicle, lift_block
from fleet.vehicles.states import BlockReason
from mobility.core import locks
from mobility.core.errors import NotFound
from mobility.core.principals import Principal
from mobility.core.transitions import move, move_many


class FaultNotFound(NotFound):
    code = "fault_not_found"
    message = _("There is no such report.")


def report_fault(
    *,
    vehicle_id: int,
    source: str,
    category: str,
    at: datetime.datetime,
    by: Principal,
    text: str = "",
    trip_ref: str = "",
    place: tuple[float, float] | None = None,
    evidence: dict[str, Any] | None = None,
    order: WorkOrder | None = None,
) -> FaultReport:
    """Note that something is wrong with a vehicle.

    1. The same reporter, vehicle and category within 30 minutes is the same report: a second tap,
       a repeated event. Words that the first one lacked are kept.
    2. What is dangerous (brakes, damage) takes the vehicle off the street at once, whoever says
       it, and opens urgent work; the rest waits for staff to accept it.
    `place` is (longitude, latitude) of the reporter; without it the vehicle's own. With `order` the
    report belongs to work that is already open, and is accepted into it. Raises `VehicleNotFound`.
    """
    with transaction.atomic():
        locks.advisory(f"fault:{vehicle_id}:{category}:{by}")
        known = _same(vehicle_id, category=category, at=at, by=by)
        if known is not None:
            _join(known, order, at=at, by=by)
            return _with_words(known, text=text)
        lon, lat = place or _whereabouts(vehicle_id)
        fault = FaultReport.objects.create(
            vehicle_id=vehicle_id,
            source=source,
            category=category,
            severity=rules.severity_of(category),
            text=text,
            reported_by=by,
            trip_ref=trip_ref,
            evidence=evidence or {},
            at=at,
            lon=lon,
            lat=lat,
        )
        dangerous = rules.blocks_renting(category)
        if dangerous:
            block_vehicle(vehicle_id=vehicle_id, reason=BlockReason.DAMAGE, at=at, by=KEEPER)
        if order is not None:
            _join(fault, order, at=at, by=by)
        elif dangerous:
            _accept(fault, at=at, by=KEEPER, withdrawn_at=at)
    return fault


def accept_fault(
    *,
    fault_id: int,
    at: datetime.datetime,
    by: Principal,
    priority: int | None = None,
) -> FaultReport:
    """Take the report seriously: it joins the open work for its category, or opens it.

    Without a `priority` that of the report's severity. Accepting twice changes nothing. Raises
    `FaultNotFound`, `IllegalMove`.
    """
    with transaction.atomic():
        fault = _locked(fault_id)
        if fault.state != FaultState.ACCEPTED:
            _accept(fault, priority=priority, at=at, by=by)
    return fault


def dismiss_fault(
    *,
    fault_id: int,
    at: datetime.datetime,
    by: Principal,
    reason: str = "",
) -> FaultReport:
    """Nothing is wrong, or not any more: the vehicle is offered again unless something else is.

    Work that waits for this report alone is cancelled. Raises `FaultNotFound`, `IllegalMove`.
    """
    with transaction.atomic():
        fault = _locked(fault_id)
        move(fault, to=FaultState.DISMISSED, at=at, by=by, reason=reason, closed_at=at)
        _cancel_pointless(fault.order_id, at=at, by=by)
        lift_damage(fault.vehicle_id, at=at)
    return fault


def close_faults(order: WorkOrder, *, to: str, at: datetime.datetime, by: Principal) -> None:
    """Let the reports of an order follow its end: resolved when done, open again when cancelled."""
    accepted = FaultReport.objects.filter(order=order, state=FaultState.ACCEPTED)
    if to == FaultState.RESOLVED:
        move_many(accepted, to=to, at=at, by=by, closed_at=at)
    else:
        move_many(accepted, to=FaultState.OPEN, at=at, by=by, order=None)
    lift_damage(order.vehicle_id, at=at)


def lift_damage(vehicle_id: int, *, at: datetime.datetime) -> None:
    """Lift the block for damage when no dangerous report is left; one that staff placed stays.

    The caller has locked the vehicle: a report that is just coming in waits, and blocks it anew.
    """
    dangerous = FaultReport.objects.open().filter(vehicle=vehicle_id, severity=Severity.DANGEROUS)
    ours = VehicleBlock.objects.active().filter(
        vehicle=vehicle_id, reason=BlockReason.DAMAGE, placed_by=KEEPER
    )
    if not dangerous.exists() and ours.exists():
        lift_block(vehicle_id=vehicle_id, reason=BlockReason.DAMAGE, at=at, by=KEEPER)


def _join(
    fault: FaultReport,
    order: WorkOrder | None,
    *,
    at: datetime.datetime,
    by: Principal,
) -> None:
    """Put an open report into an order; work that waited for this report alone is cancelled."""
    if order is None or fault.order_id == order.pk:
        return
    previous = fault.order_id
    if fault.state == FaultState.ACCEPTED:
        move(fault, to=FaultState.OPEN, at=at, by=by, order=None)
    move(fault, to=FaultState.ACCEPTED, at=at, by=by, order=order)
    _cancel_pointless(previous, at=at, by=by)


def _accept(
    fault: FaultReport,
    *,
    at: datetime.datetime,
    by: Principal,
    priority: int | None = None,
    **facts: Any,
) -> None:
    order = open_order(
        vehicle_id=fault.vehicle_id,
        reason=fault.category,
        priority=priority or rules.priority_of([fault.severity]),
        at=at,
        by=by,
        **facts,
    )
    move(fault, to=FaultState.ACCEPTED, at=at, by=by, order=order)


def _cancel_pointless(order_id: int | None, *, at: datetime.datetime, by: Principal) -> None:
    """Cancel work that nobody has begun and that no report asks for any more."""
    if order_id is None:
        return
    order = WorkOrder.objects.filter(
        pk=order_id, state__in=(OrderState.OPEN, OrderState.ASSIGNED)
    ).first()
    if order is not None and not FaultReport.objects.open().filter(order=order).exists():
        move(order, to=OrderState.CANCELLED, at=at, by=by, finished_at=at, finished_by=by)


def _same(
    vehicle_id: int,
    *,
    category: str,
    at: datetime.datetime,
    by: Principal,
) -> FaultReport | None:
    return (
        FaultReport.objects.open()
        .told_by(by)
        .filter(vehicle=vehicle_id, category=category, at__gt=at - rules.SAME_REPORT)
        .first()
    )


def _with_words(fault: FaultReport, *, text: str) -> FaultReport:
    if text and not fault.text:
        fault.text = text
        fault.save(update_fields=["text"])
    return fault


def _whereabouts(vehicle_id: int) -> tuple[float | None, float | None]:
    position = latest_position(vehicle_id=vehicle_id)
    return (position.lon, position.lat) if position else (None, None)


def _locked(fault_id: int) -> FaultReport:
    vehicle_id = FaultReport.objects.filter(pk=fault_id).values_list("vehicle", flat=True).first()
    if vehicle_id is None:
        raise FaultNotFound
    lock_vehicle(vehicle_id)
    return FaultReport.objects.select_for_update(of=("self",)).get(pk=fault_id)
