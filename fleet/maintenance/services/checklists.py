"""Checklists: answered during work, and the gate between the workshop and the street.

DomainError
├── Conflict  ChecklistNotPassed
└── Invalid   ItemNotAsked
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from fleet.maintenance import rules
from fleet.maintenance.models import (
    ChecklistAnswer,
    ChecklistItem,
    ChecklistTemplate,
    WorkOrder,
)
from fleet.maintenance.services.faults import report_fault
from fleet.maintenance.services.orders import NotInProgress, lock_order
from fleet.maintenance.states import FaultCategory, FaultSource, OrderState, Verdict
from fleet.vehicles.models import VehicleBlock
from fleet.vehicles.states import BlockReason, LifeState
from mobility.core.errors import Conflict, Invalid
from mobility.core.principals import Principal
from mobility.core.texts import pick

GATE_NAME = {"it": "Controllo prima del rientro in strada", "en": "Check before it goes out again"}
# What every operator starts with; they change it in the admin.
GATE_ITEMS: tuple[tuple[FaultCategory, dict[str, str]], ...] = (
    (
        FaultCategory.BRAKES,
        {"it": "I freni tengono, davanti e dietro", "en": "Brakes hold, front and rear"},
    ),
    (FaultCategory.LIGHTS, {"it": "Le luci funzionano", "en": "Lights work"}),
    (
        FaultCategory.TYRE,
        {"it": "Gomme gonfie e senza tagli", "en": "Tyres are firm and without cuts"},
    ),
    (FaultCategory.LOCK, {"it": "Si blocca e si sblocca", "en": "It locks and unlocks"}),
    (
        FaultCategory.DAMAGE,
        {"it": "Telaio e manubrio saldi", "en": "Frame and handlebar are firm"},
    ),
)


class ChecklistNotPassed(Conflict):
    """`extra["missing"]` and `extra["failed"]` list the items with `id` and `text`."""

    code = "checklist_not_passed"
    message = _("Something on the checklist is missing or not in order.")


class ItemNotAsked(Invalid):
    code = "checklist_item_not_asked"
    message = _("This item does not stand on the order's checklist.")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What somebody found at one item."""

    item_id: int
    verdict: str
    note: str = ""


def answer_checklist(
    *,
    order_id: int,
    answers: Collection[Answer],
    at: datetime.datetime,
    by: Principal,
) -> WorkOrder:
    """Write down what was found; a new answer to the same item replaces the old one.

    An item that is not in order is a fault of its own, part of this order from the start. Raises
    `OrderNotFound`, `NotInProgress`, `ItemNotAsked`.
    """
    with transaction.atomic():
        order = lock_order(order_id)
        if order.state != OrderState.IN_PROGRESS:
            raise NotInProgress
        asked = {item.pk: item for item in asked_items(order)}
        if any(answer.item_id not in asked for answer in answers):
            raise ItemNotAsked
        _write(order, answers, at=at, by=by)
        for answer in answers:
            if answer.verdict == Verdict.FAILED:
                _report(order, asked[answer.item_id], note=answer.note, at=at, by=by)
    return order


def require_passed(order: WorkOrder, *, gate: bool) -> None:
    """Refuse with everything that is missing or not in order.

    `gate` asks the list for vehicles that leave the workshop besides the order's own. Raises
    `ChecklistNotPassed`.
    """
    items = {item.pk: item for item in asked_items(order, gate=gate)}
    given = ChecklistAnswer.objects.filter(order=order, item__in=items)
    missing, failed = rules.unanswered(
        required={pk: item.required for pk, item in items.items()},
        verdicts=dict(given.values_list("item", "verdict")),
    )
    if missing or failed:
        raise ChecklistNotPassed(
            extra={
                "missing": _told(items[pk] for pk in missing),
                "failed": _told(items[pk] for pk in failed),
            },
        )


def asked_items(order: WorkOrder, *, gate: bool | None = None) -> list[ChecklistItem]:
    """The items of the order's own list, and of the gate where the vehicle has to pass it."""
    lists = {order.checklist_id} if order.checklist_id else set()
    if needs_gate(order) if gate is None else gate:
        vehicle = order.vehicle
        lists.add(ensure_gate(organisation_id=vehicle.organisation_id, kind=vehicle.kind).pk)
    return list(ChecklistItem.objects.current().filter(template__in=lists))


def needs_gate(order: WorkOrder) -> bool:
    """Whether the vehicle is in the workshop, or came out of it without its check."""
    waits = VehicleBlock.objects.active().filter(
        vehicle=order.vehicle_id, reason=BlockReason.INSPECTION
    )
    return order.vehicle.life_state == LifeState.WORKSHOP or waits.exists()


def ensure_gate(*, organisation_id: int, kind: str) -> ChecklistTemplate:
    """The list that vehicles of this kind pass when they leave the workshop.

    An operator without one gets ours, so that no vehicle leaves unchecked.
    """
    with transaction.atomic():
        template, created = ChecklistTemplate.objects.get_or_create(
            organisation_id=organisation_id, gate_kind=kind, defaults={"name": GATE_NAME}
        )
        if created:
            ChecklistItem.objects.bulk_create(
                ChecklistItem(template=template, position=position, category=category, text=text)
                for position, (category, text) in enumerate(GATE_ITEMS, start=1)
            )
    return template


def _write(
    order: WorkOrder,
    answers: Collection[Answer],
    *,
    at: datetime.datetime,
    by: Principal,
) -> None:
    newest = {answer.item_id: answer for answer in answers}
    ChecklistAnswer.objects.bulk_create(
        [
            ChecklistAnswer(
                order=order,
                item_id=answer.item_id,
                verdict=answer.verdict,
                note=answer.note,
                at=at,
                by=by,
            )
            for answer in newest.values()
        ],
        update_conflicts=True,
        unique_fields=("order", "item"),
        update_fields=("verdict", "note", "at", "by"),
    )


def _report(
    order: WorkOrder,
    item: ChecklistItem,
    *,
    note: str,
    at: datetime.datetime,
    by: Principal,
) -> None:
    report_fault(
        vehicle_id=order.vehicle_id,
        source=FaultSource.CREW,
        category=item.category,
        text=note or pick(item.text),
        evidence={"checklist_item": item.pk, "order": str(order.public_id)},
        order=order,
        at=at,
        by=by,
    )


def _told(items: Iterable[ChecklistItem]) -> list[dict[str, object]]:
    return [{"id": item.pk, "text": pick(item.text)} for item in items]
