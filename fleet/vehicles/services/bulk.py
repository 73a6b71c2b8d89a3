"""The same change to many vehicles, each judged by itself.

DomainError
├── Invalid   HubElsewhere
└── Conflict  KindStays
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction

from fleet.vehicles import rules
from fleet.vehicles.models import Vehicle, VehicleType
from fleet.vehicles.services.blocks import change_blocks_by_hand
from fleet.vehicles.services.documents import refresh_document_blocks
from fleet.vehicles.services.life import set_life_state
from mobility.core import audit
from mobility.core.errors import Conflict, DomainError, Invalid
from mobility.core.models import AuditEntry
from mobility.geography.models import Hub

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from mobility.core.principals import Principal


class KindStays(Conflict):
    code = "kind_stays"
    message = rules.KIND_STAYS


class HubElsewhere(Invalid):
    code = "hub_elsewhere"
    message = rules.NO_SUCH_HUB


@dataclass(frozen=True, kw_only=True)
class BulkEdit:
    """What is to change; what is left out stays. `no_hub` takes the home hub away."""

    type_id: int | None = None
    home_hub_id: int | None = None
    no_hub: bool = False
    add_equipment: frozenset[str] = frozenset()
    remove_equipment: frozenset[str] = frozenset()
    block: frozenset[str] = frozenset()
    lift: frozenset[str] = frozenset()
    life: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class BulkReport:
    """Ids of the vehicles that changed, and for each that was refused, why."""

    changed: list[int] = field(default_factory=list)
    refused: dict[int, DomainError] = field(default_factory=dict)


def edit_vehicles(
    *, vehicle_ids: Collection[int], edit: BulkEdit, at: datetime.datetime, by: Principal
) -> BulkReport:
    """Change many vehicles: what they are and whether they are offered all together, their life
    one by one, because one on a trip must not keep the others from the workshop, and because
    riders must not wait for all of them.

    Raises `BlockIsAutomatic`, with nothing changed.
    """
    with transaction.atomic():
        edited, unfit = _edit(vehicle_ids, edit, at=at, by=by)
        changed = set(edited)
        changed |= {
            *change_blocks_by_hand(
                vehicle_ids=vehicle_ids, place=edit.block, lift=edit.lift, at=at, by=by
            )
        }
    moved, refused = _move(vehicle_ids, edit, at=at, by=by) if edit.life else (set(), {})
    return BulkReport(changed=sorted(changed | moved), refused={**unfit, **refused})


def _edit(
    vehicle_ids: Collection[int], edit: BulkEdit, *, at: datetime.datetime, by: Principal
) -> tuple[list[int], dict[int, DomainError]]:
    locked = Vehicle.objects.select_for_update(of=("self",), no_key=True).select_related("type")
    rows = list(locked.filter(pk__in=vehicle_ids).order_by("pk"))
    unfit = _unfit(rows, edit)
    vehicles = [vehicle for vehicle in rows if vehicle.pk not in unfit and _apply(vehicle, edit)]
    Vehicle.objects.bulk_update(vehicles, ["type", "home_hub", "equipment"], batch_size=500)
    changes = _told(edit)
    AuditEntry.objects.bulk_create(
        audit.entry(by=by, action="bulk_edit", row=vehicle, at=at, changes=changes)
        for vehicle in vehicles
    )
    ids = [vehicle.pk for vehicle in vehicles]
    if edit.type_id is not None:
        refresh_document_blocks(at=at, vehicle_ids=ids)
    return ids, unfit


def _unfit(vehicles: Collection[Vehicle], edit: BulkEdit) -> dict[int, DomainError]:
    """Those that cannot be of this type, or at home in this hub."""
    kind = city = None
    if edit.type_id is not None:
        kind = VehicleType.objects.values_list("kind", flat=True).get(pk=edit.type_id)
    if edit.home_hub_id is not None:
        city = Hub.objects.values_list("city", flat=True).get(pk=edit.home_hub_id)
    unfit: dict[int, DomainError] = {}
    for vehicle in vehicles:
        if kind is not None and not vehicle.may_become(kind):
            unfit[vehicle.pk] = KindStays()
        elif city is not None and city != vehicle.city_id:
            unfit[vehicle.pk] = HubElsewhere()
    return unfit


def _apply(vehicle: Vehicle, edit: BulkEdit) -> bool:
    """Change the fields of one vehicle; whether anything is different."""
    before = (vehicle.type_id, vehicle.home_hub_id, vehicle.equipment)
    if edit.type_id is not None:
        vehicle.type_id = edit.type_id
    if edit.no_hub:
        vehicle.home_hub_id = None
    elif edit.home_hub_id is not None:
        vehicle.home_hub_id = edit.home_hub_id
    has = set(vehicle.equipment)
    after = (has | edit.add_equipment) - edit.remove_equipment
    if after != has:
        vehicle.equipment = sorted(after)
    return before != (vehicle.type_id, vehicle.home_hub_id, vehicle.equipment)


def _move(
    vehicle_ids: Collection[int], edit: BulkEdit, *, at: datetime.datetime, by: Principal
) -> tuple[set[int], dict[int, DomainError]]:
    moved, refused = set(), {}
    still = Vehicle.objects.filter(pk__in=vehicle_ids).exclude(life_state=edit.life)
    for vehicle_id in still.order_by("pk").values_list("pk", flat=True):
        try:
            set_life_state(vehicle_id=vehicle_id, to=edit.life, at=at, by=by, reason=edit.reason)
        except DomainError as refusal:
            refused[vehicle_id] = refusal
        else:
            moved.add(vehicle_id)
    return moved, refused


def _told(edit: BulkEdit) -> dict[str, Any]:
    wanted = {
        "type": edit.type_id,
        "home_hub": edit.home_hub_id,
        "no_hub": edit.no_hub,
        "add_equipment": sorted(edit.add_equipment),
        "remove_equipment": sorted(edit.remove_equipment),
    }
    return {name: value for name, value in wanted.items() if value}
