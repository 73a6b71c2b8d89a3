"""Devices and integrations: given, moved to another vehicle, and taken away.

DomainError
├── Invalid   ImeiInvalid
├── Conflict  ImeiTaken
└── NotFound  OrganisationUnknown
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _

from fleet.telematics.models import Device, DeviceAssignment, Integration
from fleet.telematics.services.broker import broker_hash
from fleet.telematics.services.credentials import (
    DEVICE_PREFIX,
    INTEGRATION_PREFIX,
    announce_change,
)
from fleet.telematics.states import Protocol
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import VehicleNotFound
from mobility.accounts.models import Organisation
from mobility.core import audit, ids
from mobility.core.errors import Conflict, Invalid, NotFound
from mobility.core.models import AuditEntry

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from django.db.models import QuerySet

    from mobility.core.principals import Principal

# A serial is a level of an MQTT topic and a name in the broker's files.
_UNFIT_FOR_A_SERIAL = re.compile(r"[^A-Za-z0-9_-]")
_IMEI = re.compile(r"[0-9]{15}")


class ImeiInvalid(Invalid):
    code = "imei_invalid"
    message = _("An IMEI has 15 digits.")


class ImeiTaken(Conflict):
    code = "imei_taken"
    message = _("A device with this IMEI was given or revoked before.")


class OrganisationUnknown(NotFound):
    code = "organisation_unknown"
    message = _("There is no such organisation.")


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What kind of unit a device is: how it speaks, the profile of its model, its IMEI."""

    protocol: str = Protocol.HTTP
    model: str = ""
    imei: str | None = None


def add_device(
    *,
    vehicle_code: str,
    at: datetime.datetime,
    by: Principal,
    unit: Unit | None = None,
) -> tuple[Device, str]:
    """Give a vehicle a new device; the one it had stops speaking for it.

    Returns the device and its secret, which nobody can read again. A unit whose IMEI is known in
    the same fleet is the same unit: it moves, and its new secret is none. One that spoke otherwise
    is not: what it was given decides how it is let in. Raises `VehicleNotFound`, `ImeiInvalid`,
    `ImeiTaken`.
    """
    unit = unit or Unit()
    check_unit(unit=unit)
    known = Device.objects.filter(imei=unit.imei).first() if unit.imei else None
    if known is not None:
        if known.protocol != unit.protocol:
            raise ImeiTaken
        return _move_again(known, vehicle_code=vehicle_code, at=at, by=by), ""
    secret = add_devices(vehicle_codes=[vehicle_code], at=at, by=by, unit=unit)[vehicle_code]
    return Device.objects.get(secret_hash=ids.hash_secret(secret)), secret


def add_devices(
    *,
    vehicle_codes: Collection[str],
    at: datetime.datetime,
    by: Principal,
    unit: Unit | None = None,
) -> dict[str, str]:
    """Give many vehicles new devices of a kind in a constant number of statements; code → secret.

    Devices they had stop speaking for them. Raises `VehicleNotFound` if any code is unknown.
    """
    unit = unit or Unit()
    with transaction.atomic():
        vehicles = _lock_vehicles(vehicle_codes)
        _end_assignments(DeviceAssignment.objects.filter(vehicle__in=vehicles), at=at)
        secrets = [DEVICE_PREFIX + ids.secret() for _ in vehicles]
        devices = Device.objects.bulk_create(
            _new_device(vehicle, secret, at=at, unit=unit)
            for vehicle, secret in zip(vehicles, secrets, strict=True)
        )
        DeviceAssignment.objects.bulk_create(
            DeviceAssignment(device=device, vehicle=vehicle, during=DateTimeTZRange(at, None))
            for device, vehicle in zip(devices, vehicles, strict=True)
        )
        entries = (audit.entry(by=by, action="device:add", row=one, at=at) for one in devices)
        AuditEntry.objects.bulk_create(entries)
        transaction.on_commit(announce_change)
    return dict(zip((vehicle.code for vehicle in vehicles), secrets, strict=True))


def check_unit(*, unit: Unit) -> None:
    """Raise `ImeiInvalid` if a unit that needs an IMEI has none, or what it has is none."""
    wanted = unit.protocol == Protocol.TELTONIKA or unit.imei
    if wanted and not _IMEI.fullmatch(unit.imei or ""):
        raise ImeiInvalid


def move_device(
    *,
    device_id: int,
    vehicle_code: str,
    at: datetime.datetime,
    by: Principal,
) -> None:
    """Put a unit into another vehicle of its fleet; what it said before stays with the former one.

    The unit the vehicle had stops speaking for it. Raises `VehicleNotFound`, also for the vehicle
    of another operator.
    """
    with transaction.atomic():
        device = Device.objects.select_for_update().get(pk=device_id)
        (vehicle,) = _lock_vehicles([vehicle_code])
        if vehicle.organisation_id != device.organisation_id:
            raise VehicleNotFound
        _end_assignments(DeviceAssignment.objects.filter(vehicle=vehicle), at=at)
        _end_assignments(DeviceAssignment.objects.filter(device=device), at=at)
        DeviceAssignment.objects.create(
            device=device, vehicle=vehicle, during=DateTimeTZRange(at, None)
        )
        audit.record(by=by, action="device:move", row=device, at=at)
        transaction.on_commit(announce_change)


def revoke_device(*, device_id: int, at: datetime.datetime, by: Principal) -> None:
    """Refuse a device from now on; every door hears of it within a second."""
    with transaction.atomic():
        changed = Device.objects.filter(pk=device_id, revoked_at=None).update(revoked_at=at)
        if changed:
            _end_assignments(DeviceAssignment.objects.filter(device_id=device_id), at=at)
            audit.record(by=by, action="device:revoke", row=Device(pk=device_id), at=at)
            transaction.on_commit(announce_change)


def release_devices(*, vehicle_id: int, at: datetime.datetime, by: Principal) -> int:
    """Take its devices out of a vehicle, which is retired; how many there were."""
    with transaction.atomic():
        seats = DeviceAssignment.objects.filter(vehicle_id=vehicle_id)
        ended = _end_assignments(seats, at=at)
        for seat in ended:
            audit.record(by=by, action="device:release", row=Device(pk=seat.device_id), at=at)
        if ended:
            transaction.on_commit(announce_change)
    return len(ended)


def add_integration(
    *,
    organisation_slug: str,
    name: str,
    at: datetime.datetime,
    by: Principal,
) -> tuple[Integration, str]:
    """Let an operator's backend speak for its whole fleet; returns it and its secret, shown once.

    Raises `OrganisationUnknown`.
    """
    organisation = Organisation.objects.filter(slug=organisation_slug).first()
    if organisation is None:
        raise OrganisationUnknown
    secret = INTEGRATION_PREFIX + ids.secret()
    with transaction.atomic():
        integration = Integration.objects.create(
            organisation=organisation,
            name=name,
            secret_hash=ids.hash_secret(secret),
            created_at=at,
        )
        audit.record(by=by, action="integration:add", row=integration, at=at)
    return integration, secret


def revoke_integration(*, integration_id: int, at: datetime.datetime, by: Principal) -> None:
    """Refuse an integration from now on; every door hears of it within a second."""
    with transaction.atomic():
        mine = Integration.objects.filter(pk=integration_id, revoked_at=None)
        if mine.update(revoked_at=at):
            row = Integration(pk=integration_id)
            audit.record(by=by, action="integration:revoke", row=row, at=at)
            transaction.on_commit(announce_change)


def _move_again(
    known: Device,
    *,
    vehicle_code: str,
    at: datetime.datetime,
    by: Principal,
) -> Device:
    vehicle = Vehicle.objects.filter(code=vehicle_code).first()
    if vehicle is None:
        raise VehicleNotFound
    if known.revoked_at is not None or vehicle.organisation_id != known.organisation_id:
        raise ImeiTaken
    move_device(device_id=known.pk, vehicle_code=vehicle_code, at=at, by=by)
    return known


def _lock_vehicles(codes: Collection[str]) -> list[Vehicle]:
    wanted = Vehicle.objects.select_for_update(no_key=True).filter(code__in=codes)
    vehicles = list(wanted.order_by("pk"))
    if len(vehicles) != len(set(codes)):
        raise VehicleNotFound
    return vehicles


def _new_device(vehicle: Vehicle, secret: str, *, at: datetime.datetime, unit: Unit) -> Device:
    return Device(
        organisation_id=vehicle.organisation_id,
        serial=f"{_UNFIT_FOR_A_SERIAL.sub('-', vehicle.code)[:32]}-{ids.short_code()}",
        protocol=unit.protocol,
        model=unit.model,
        imei=unit.imei,
        secret_hash=ids.hash_secret(secret),
        broker_hash=broker_hash(secret) if unit.protocol == Protocol.MQTT else "",
        created_at=at,
    )


def _end_assignments(
    assignments: QuerySet[DeviceAssignment],
    *,
    at: datetime.datetime,
) -> list[DeviceAssignment]:
    ending = list(assignments.filter(during__contains=at))
    for assignment in ending:
        assignment.during = DateTimeTZRange(assignment.during.lower, at)
    DeviceAssignment.objects.bulk_update(ending, ["during"])
    return ending
