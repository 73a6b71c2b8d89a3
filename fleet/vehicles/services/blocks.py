"""Reasons that block a vehicle: placed and lifted, one or many.

DomainError
└── Conflict  BlockIsAutomatic
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import history
from fleet.vehicles.models import Vehicle, VehicleBlock
from fleet.vehicles.services.holds import VehicleNotFound
from fleet.vehicles.states import AUTOMATIC_BLOCKS
from mobility.core import audit
from mobility.core.errors import Conflict
from mobility.core.models import AuditEntry

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from fleet.vehicles.history import Subject
    from mobility.core.principals import Principal


class BlockIsAutomatic(Conflict):
    """`extra["reasons"]` lists those that only a fact places and lifts."""

    code = "block_is_automatic"
    message = _("This block comes and goes by itself. Remove its cause instead.")


def block_vehicle(
    *,
    vehicle_id: int,
    reason: str,
    at: datetime.datetime,
    by: Principal,
) -> None:
    """Block one vehicle for `reason`; already blocked for it is fine. Raises `VehicleNotFound`."""
    _require(vehicle_id)
    block_vehicles(vehicle_ids=[vehicle_id], reason=reason, at=at, by=by)


def lift_block(
    *,
    vehicle_id: int,
    reason: str,
    at: datetime.datetime,
    by: Principal,
) -> None:
    """Lift the block for `reason`; not blocked for it is fine. Raises `VehicleNotFound`."""
    _require(vehicle_id)
    lift_blocks(vehicle_ids=[vehicle_id], reason=reason, at=at, by=by)


def block_vehicles(
    *,
    vehicle_ids: Collection[int],
    reason: str,
    at: datetime.datetime,
    by: Principal,
) -> list[int]:
    """Block many vehicles; returns the ids of those newly blocked.

    A block never takes a vehicle from somebody who has it; it stops the next one. Two callers at
    once leave one block: the unique constraint drops the second.
    """
    with transaction.atomic(savepoint=False):
        subjects = place_block(history.lock_subjects(vehicle_ids), reason=reason, at=at, by=by)
        _record(subjects, action=f"block:{reason}", at=at, by=by)
    return [subject.vehicle.pk for subject in subjects]


def lift_blocks(
    *,
    vehicle_ids: Collection[int],
    reason: str,
    at: datetime.datetime,
    by: Principal,
) -> list[int]:
    """Lift the block of many vehicles; returns the ids of those that had it."""
    with transaction.atomic(savepoint=False):
        subjects = [
            subject for subject in history.lock_subjects(vehicle_ids) if reason in subject.blocks
        ]
        vehicles = [subject.vehicle for subject in subjects]
        # Who places a block may have looked at the clock after us and still been first at the row.
        VehicleBlock.objects.active().filter(vehicle__in=vehicles, reason=reason).update(
            until=Greatest(Value(at), F("since")),
            lifted_by=by,
        )
        for subject in subjects:
            subject.blocks -= {reason}
        _record(subjects, action=f"lift:{reason}", at=at, by=by)
    return [vehicle.pk for vehicle in vehicles]


def change_blocks_by_hand(
    *,
    vehicle_ids: Collection[int],
    at: datetime.datetime,
    by: Principal,
    place: Collection[str] = (),
    lift: Collection[str] = (),
) -> list[int]:
    """Place and lift blocks as a member of staff; returns the ids of the vehicles that changed.

    Raises `BlockIsAutomatic`, and changes nothing then, if one of the reasons is a fact that only
    comes and goes by itself (`AUTOMATIC_BLOCKS`).
    """
    if automatic := sorted(AUTOMATIC_BLOCKS & {*place, *lift}):
        raise BlockIsAutomatic(extra={"reasons": automatic})
    changed: set[int] = set()
    with transaction.atomic():
        for reason in place:
            changed |= {*block_vehicles(vehicle_ids=vehicle_ids, reason=reason, at=at, by=by)}
        for reason in lift:
            changed |= {*lift_blocks(vehicle_ids=vehicle_ids, reason=reason, at=at, by=by)}
    return sorted(changed)


def place_block(
    subjects: Collection[Subject], *, reason: str, at: datetime.datetime, by: Principal
) -> list[Subject]:
    """Insert the block where it is not yet, for vehicles that the caller has locked and records."""
    fresh = [subject for subject in subjects if reason not in subject.blocks]
    rows = [
        VehicleBlock(vehicle=subject.vehicle, reason=reason, since=at, placed_by=by)
        for subject in fresh
    ]
    VehicleBlock.objects.bulk_create(rows)
    for subject in fresh:
        subject.blocks |= {reason}
    return fresh


def _require(vehicle_id: int) -> None:
    if not Vehicle.objects.filter(pk=vehicle_id).exists():
        raise VehicleNotFound


def _record(
    subjects: list[Subject],
    *,
    action: str,
    at: datetime.datetime,
    by: Principal,
) -> None:
    entries = [
        audit.entry(by=by, action=action, row=subject.vehicle, at=at) for subject in subjects
    ]
    AuditEntry.objects.bulk_create(entries)
    history.record_changes(subjects, at=at, by=by)
