"""Devices: given to a vehicle, taken back, and known by their secret at the door.

DomainError
├── DeviceUnknown (401)
└── Forbidden  DeviceUnassigned
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _

from fleet.telematics.models import Device, DeviceAssignment
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import VehicleNotFound
from mobility.core import audit, ids
from mobility.core.errors import DomainError, Forbidden
from mobility.core.models import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

    from mobility.core.principals import Principal

SECRET_PREFIX = "dev_"  # noqa: S105 - what every secret starts with, not a secret

# A revoked device is refused after this at the latest; so long may a door remember it.
REMEMBERED = datetime.timedelta(seconds=30)
_MAX_REMEMBERED = 50_000


class DeviceUnknown(DomainError):
    code = "device_unknown"
    status = 401
    message = _("This device is not known here.")


class DeviceUnassigned(Forbidden):
    code = "device_unassigned"
    message = _("This device is in no vehicle.")


@dataclass(frozen=True, kw_only=True)
class Credential:
    """Who a secret speaks for, and until when the door may believe it without asking."""

    device_id: int
    vehicle_id: int
    believed_until: datetime.datetime


_credentials: dict[str, Credential] = {}

# In SQL because the door asks it for every device twice a minute: building the same query through
# the ORM costs several times what the database needs to answer it.
_LOOK_UP = """
SELECT device.id, (
    SELECT vehicle_id FROM fleet_deviceassignment
    WHERE device_id = device.id AND during @> %s::timestamptz LIMIT 1
)
FROM fleet_device device WHERE device.secret_hash = %s AND device.revoked_at IS NULL
"""


def add_device(
    *,
    vehicle_code: str,
    at: datetime.datetime,
    by: Principal,
) -> tuple[Device, str]:
    """Give a vehicle a new device; the one it had stops speaking for it.

    Returns the device and its secret, which nobody can read again. Raises `VehicleNotFound`.
    """
    secret = add_devices(vehicle_codes=[vehicle_code], at=at, by=by)[vehicle_code]
    return Device.objects.get(secret_hash=ids.hash_secret(secret)), secret


def add_devices(
    *,
    vehicle_codes: Collection[str],
    at: datetime.datetime,
    by: Principal,
) -> dict[str, str]:
    """Give many vehicles new devices in a constant number of statements; code → secret.

    Devices they had stop speaking for them. Raises `VehicleNotFound` if any code is unknown.
    """
    with transaction.atomic():
        wanted = Vehicle.objects.select_for_update(no_key=True).filter(code__in=vehicle_codes)
        vehicles = list(wanted.order_by("pk"))
        if len(vehicles) != len(set(vehicle_codes)):
            raise VehicleNotFound
        _end_assignments(DeviceAssignment.objects.filter(vehicle__in=vehicles), at=at)
        secrets = [SECRET_PREFIX + ids.secret() for _ in vehicles]
        devices = Device.objects.bulk_create(
            _new_device(vehicle, secret, at=at)
            for vehicle, secret in zip(vehicles, secrets, strict=True)
        )
        DeviceAssignment.objects.bulk_create(
            DeviceAssignment(device=device, vehicle=vehicle, during=DateTimeTZRange(at, None))
            for device, vehicle in zip(devices, vehicles, strict=True)
        )
        entries = (audit.entry(by=by, action="device:add", row=one, at=at) for one in devices)
        AuditEntry.objects.bulk_create(entries)
    return dict(zip((vehicle.code for vehicle in vehicles), secrets, strict=True))


def revoke_device(*, device_id: int, at: datetime.datetime, by: Principal) -> None:
    """Refuse a device from now on (every door forgets it within `REMEMBERED`)."""
    with transaction.atomic():
        changed = Device.objects.filter(pk=device_id, revoked_at=None).update(revoked_at=at)
        if changed:
            _end_assignments(DeviceAssignment.objects.filter(device_id=device_id), at=at)
            audit.record(by=by, action="device:revoke", row=Device(pk=device_id), at=at)


def recognise(*, secret: str, at: datetime.datetime) -> Credential:
    """The device and vehicle a secret speaks for; no query while it is remembered.

    Raises `DeviceUnknown` or `DeviceUnassigned`.
    """
    secret_hash = ids.hash_secret(secret)
    known = _credentials.get(secret_hash)
    if known is not None and known.believed_until > at:
        return known
    _credentials.pop(secret_hash, None)
    credential = _look_up(secret_hash, at=at)
    if len(_credentials) >= _MAX_REMEMBERED:
        _credentials.clear()
    _credentials[secret_hash] = credential
    return credential


def forget_credentials() -> None:
    """Empty this process's memory of devices."""
    _credentials.clear()


def _look_up(secret_hash: str, *, at: datetime.datetime) -> Credential:
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_UP, [at, secret_hash])
        row = cursor.fetchone()
    if row is None:
        raise DeviceUnknown
    device_id, vehicle_id = row
    if vehicle_id is None:
        raise DeviceUnassigned
    return Credential(
        device_id=device_id,
        vehicle_id=vehicle_id,
        believed_until=at + REMEMBERED,
    )


def _new_device(vehicle: Vehicle, secret: str, *, at: datetime.datetime) -> Device:
    return Device(
        organisation_id=vehicle.organisation_id,
        serial=f"{vehicle.code}-{ids.short_code()}",
        secret_hash=ids.hash_secret(secret),
        created_at=at,
    )


def _end_assignments(
    assignments: QuerySet[DeviceAssignment],
    *,
    at: datetime.datetime,
) -> None:
    ending = list(assignments.filter(during__contains=at))
    for assignment in ending:
        assignment.during = DateTimeTZRange(assignment.during.lower, at)
    DeviceAssignment.objects.bulk_update(ending, ["during"])
