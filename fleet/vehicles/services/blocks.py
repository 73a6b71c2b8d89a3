"""Reasons that block a vehicle: placed and lifted, one or many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from fleet.vehicles import history
from fleet.vehicles.models import Vehicle, VehicleBlock
from fleet.vehicles.services.holds import VehicleNotFound
from mobility.core import audit
from mobility.core.models import AuditEntry

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from fleet.vehicles.history import Subject
    from mobility.core.principals import Principal


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
        subjects = [subject for subject in _locked(vehicle_ids) if reason not in subject.blocks]
        blocks = [
            VehicleBlock(vehicle=subject.vehicle, reason=reason, since=at, placed_by=by)
            for subject in subjects
        ]
        VehicleBlock.objects.bulk_create(blocks)
        for subject in subjects:
            subject.blocks |= {reason}
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
        subjects = [subject for subject in _locked(vehicle_ids) if reason in subject.blocks]
        vehicles = [subject.vehicle for subject in subjects]
        VehicleBlock.objects.active().filter(vehicle__in=vehicles, reason=reason).update(
            until=at,
            lifted_by=by,
        )
        for subject in subjects:
            subject.blocks -= {reason}
        _record(subjects, action=f"lift:{reason}", at=at, by=by)
    return [vehicle.pk for vehicle in vehicles]


def _require(vehicle_id: int) -> None:
    if not Vehicle.objects.filter(pk=vehicle_id).exists():
        raise VehicleNotFound


def _locked(vehicle_ids: Collection[int]) -> list[Subject]:
    """The vehicles, locked in order of their ids and then read as they are now.

    Two statements on purpose: a locking SELECT re-reads a changed row but not the subquery that
    collects its blocks.
    """
    rows = Vehicle.objects.select_for_update(no_key=True).filter(pk__in=vehicle_ids).order_by("pk")
    return history.load_subjects(list(rows.values_list("pk", flat=True)))


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
