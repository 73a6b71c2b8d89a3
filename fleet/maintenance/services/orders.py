"""Work orders: opened, assigned, begun.

DomainError
├── NotFound  OrderNotFound
├── Conflict  NotInProgress
└── Invalid   NotOnThisFleet
"""

from __future__ import annotations

import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from fleet.maintenance import rules
from fleet.maintenance.models import WorkOrder
from fleet.maintenance.states import OrderState, Place
from fleet.telematics.queries import latest_position
from fleet.vehicles.models import Vehicle, VehicleHold
from fleet.vehicles.scoping import FLEET_STAFF
from fleet.vehicles.services import VehicleNotFound, hold_vehicle, set_life_state
from fleet.vehicles.states import HoldPurpose, LifeState
from mobility.accounts.models import User
from mobility.core import audit
from mobility.core.errors import Conflict, Invalid, NotFound
from mobility.core.principals import Principal
from mobility.core.transitions import move

# Longer than any repair: what counts is the release when the work is done.
HOLD = datetime.timedelta(days=30)


class OrderNotFound(NotFound):
    code = "work_order_not_found"
    message = _("There is no such work order.")


class NotInProgress(Conflict):
    code = "work_order_not_in_progress"
    message = _("Begin the work before you report on it.")


class NotOnThisFleet(Invalid):
    code = "not_on_this_fleet"
    message = _("This person does not work for the vehicle's operator.")


def open_order(
    *,
    vehicle_id: int,
    reason: str,
    at: datetime.datetime,
    by: Principal,
    priority: int | None = None,
    **facts: Any,
) -> WorkOrder:
    """Ask for work on a vehicle; a second wish for the same reason, or rule, is the first one.

    `facts` are further fields of the order: title, rule, due_at, hub, checklist, withdrawn_at. The
    place is where the vehicle last was. An order that waits already only becomes more urgent.
    Raises `VehicleNotFound`.
    """
    with transaction.atomic():
        waiting = _waiting(vehicle_id, reason=reason, rule=facts.get("rule"))
        if waiting is None:
            waiting = _create(vehicle_id, reason=reason, at=at, by=by, priority=priority, **facts)
        elif priority is not None and priority < waiting.priority:
            WorkOrder.objects.filter(pk=waiting.pk).update(priority=priority)
            waiting.priority = priority
    return waiting


def assign_order(
    *,
    order_id: int,
    assignee: User,
    at: datetime.datetime,
    by: Principal,
) -> WorkOrder:
    """Give the work to somebody of the vehicle's operator, or to somebody else than before.

    Raises `OrderNotFound`, `NotOnThisFleet`, `IllegalMove`, `LostRace`.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        if not (
            assignee.is_superuser
            or order.vehicle.organisation_id in assignee.organisations_as(*FLEET_STAFF)
        ):
            raise NotOnThisFleet
        return move(order, to=OrderState.ASSIGNED, at=at, by=by, assigned_to=assignee)


def start_order(
    *,
    order_id: int,
    worker: User,
    at: datetime.datetime,
    by: Principal,
    place: str = Place.STREET,
) -> WorkOrder:
    """Begin: the vehicle is taken, so that nobody rents it under the mechanic's hands.

    1. Take the service hold, unless other work on the vehicle has it already; its constraint
       decides races with riders.
    2. In the workshop the vehicle also leaves service; it comes back by its checklist only.
    Raises `OrderNotFound`, `VehicleTaken`, `VehicleNotRentable`, `IllegalMove`, `LostRace`.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        take_vehicle(order.vehicle_id, at=at, by=by)
        if place == Place.WORKSHOP:
            set_life_state(
                vehicle_id=order.vehicle_id,
                to=LifeState.WORKSHOP,
                at=at,
                by=by,
                reason="maintenance",
            )
        return move(
            order,
            to=OrderState.IN_PROGRESS,
            at=at,
            by=by,
            place=place,
            started_at=at,
            withdrawn_at=order.withdrawn_at or at,
            assigned_to=order.assigned_to or worker,
        )


def lock_order(order_id: int) -> WorkOrder:
    """The order, locked behind its vehicle so that one caller at a time acts on them.

    Raises `OrderNotFound`.
    """
    vehicle_id = WorkOrder.objects.filter(pk=order_id).values_list("vehicle", flat=True).first()
    if vehicle_id is None:
        raise OrderNotFound
    lock_vehicle(vehicle_id)
    orders = WorkOrder.objects.select_related("vehicle__type", "assigned_to", "rule")
    return orders.select_for_update(of=("self",), no_key=True).get(pk=order_id)


def lock_vehicle(vehicle_id: int) -> None:
    """Queue up at the vehicle's row, first of all locks: then nobody waits for us in a circle.

    Whoever judges a vehicle by its reports must hold it, or a report that comes in meanwhile is
    missed. The other room's verbs lock the same row.
    """
    locked = Vehicle.objects.select_for_update(no_key=True).filter(pk=vehicle_id)
    locked.values_list("pk").first()


def take_vehicle(vehicle_id: int, *, at: datetime.datetime, by: Principal) -> None:
    """Hold the vehicle for maintenance, once however many orders are worked on."""
    if held_for_service(vehicle_id) is None:
        hold_vehicle(
            vehicle_id=vehicle_id,
            until=at + HOLD,
            purpose=HoldPurpose.SERVICE,
            holder_ref=holder_ref(vehicle_id),
            at=at,
            by=by,
        )


def held_for_service(vehicle_id: int) -> VehicleHold | None:
    """Maintenance's own hold of the vehicle, if it has one."""
    return VehicleHold.objects.active().filter(holder_ref=holder_ref(vehicle_id)).first()


def holder_ref(vehicle_id: int) -> str:
    """How maintenance signs its holds."""
    return f"maintenance:{vehicle_id}"


def _waiting(vehicle_id: int, *, reason: str, rule: Any) -> WorkOrder | None:
    orders = WorkOrder.objects.open().filter(vehicle=vehicle_id, rule=rule)
    return (orders if rule else orders.filter(reason=reason)).first()


def _create(
    vehicle_id: int,
    *,
    reason: str,
    at: datetime.datetime,
    by: Principal,
    priority: int | None,
    **facts: Any,
) -> WorkOrder:
    """Insert the order; of two at once the constraint lets one in, and both callers get that one."""
    vehicle = Vehicle.objects.filter(pk=vehicle_id).first()
    if vehicle is None:
        raise VehicleNotFound
    position = latest_position(vehicle_id=vehicle_id)
    order = WorkOrder(
        vehicle=vehicle,
        reason=reason,
        priority=priority or rules.priority_of(()),
        opened_at=at,
        opened_by=by,
        lon=position.lon if position else None,
        lat=position.lat if position else None,
        **facts,
    )
    try:
        with transaction.atomic():
            order.save(force_insert=True)
    except IntegrityError:
        rival = _waiting(vehicle_id, reason=reason, rule=facts.get("rule"))
        if rival is None:
            raise
        return rival
    audit.record(by=by, action="open", row=order, at=at, changes={"reason": str(reason)})
    return order
