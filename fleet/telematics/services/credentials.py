"""Who speaks at a door: devices by secret, serial or IMEI, and an operator's integration.

A door believes what it learned for `REMEMBERED`, and asks Redis once a second whether anybody was
given or taken away since. With the database out of reach it goes on believing those it knows: their
points are safe in the log, and nobody can be revoked meanwhile either.

DomainError
├── DeviceUnknown (401)
├── Forbidden  DeviceUnassigned
└── Unavailable  RegisterUnreachable
"""

from __future__ import annotations

import datetime
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import redis
import structlog
from django.db import InterfaceError, OperationalError, connection
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import mailbox
from mobility.core import ids
from mobility.core.errors import DomainError, Forbidden, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)

DEVICE_PREFIX = "dev_"
INTEGRATION_PREFIX = "int_"

# So long may a door remember, when it cannot hear of changes.
REMEMBERED = datetime.timedelta(seconds=30)
_MAX_REMEMBERED = 50_000
# Counts up whenever a device or integration is given, moved or taken away.
_CHANGES = "fleet:devices:changes"
_ASK_AGAIN_S = 1.0


class DeviceUnknown(DomainError):
    code = "device_unknown"
    status = 401
    message = _("This device is not known here.")


class DeviceUnassigned(Forbidden):
    code = "device_unassigned"
    message = _("This device is in no vehicle.")


class RegisterUnreachable(Unavailable):
    code = "register_unreachable"
    message = _("We cannot look up who you are. Keep your points and try again.")


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A device that is known, and the vehicle it sits in now."""

    device_id: int
    vehicle_id: int
    serial: str = ""
    protocol: str = ""
    model: str = ""


@dataclass(frozen=True, kw_only=True)
class IntegrationCredential:
    """An operator's backend that is known."""

    integration_id: int
    organisation_id: int


Known = TypeVar("Known", Credential, IntegrationCredential)


@dataclass(frozen=True, kw_only=True)
class _Learned(Generic[Known]):
    """An answer, until when it may be believed, and after how many doubts it was asked for."""

    known: Known
    until: datetime.datetime
    generation: int


class _Memory(Generic[Known]):
    """What a door learned, and until when it may believe it without asking."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, object], _Learned[Known]] = OrderedDict()
        # Counts doubts: what was looked up before the last one is not believed without asking.
        self._generation = 0
        self._writing = threading.Lock()

    def recall(
        self,
        key: tuple[str, object],
        *,
        at: datetime.datetime,
        look_up: Callable[[], Known],
    ) -> Known:
        """The remembered answer while it may be believed, else a new one."""
        generation = self._generation  # the look-up may see what was before a doubt of meanwhile
        learned = self._known.get(key)
        if learned and learned.generation == generation and learned.until > at:
            return learned.known
        try:
            found = look_up()
        except (OperationalError, InterfaceError) as error:
            if learned is None:
                raise RegisterUnreachable from error
            return learned.known
        except DomainError:
            with self._writing:
                self._known.pop(key, None)
            raise
        self._learn(key, _Learned(known=found, until=at + REMEMBERED, generation=generation))
        return found

    def doubt(self) -> None:
        """Ask anew about everybody; what is known stays for the time the database is away."""
        self._generation += 1

    def clear(self) -> None:
        """Forget everybody."""
        self.doubt()
        with self._writing:
            self._known.clear()

    def _learn(self, key: tuple[str, object], learned: _Learned[Known]) -> None:
        """Remember, and forget instead who was asked about longest ago."""
        with self._writing:
            if learned.generation != self._generation:
                return  # overtaken by a doubt: it may be what was before
            self._known[key] = learned
            self._known.move_to_end(key)
            while len(self._known) > _MAX_REMEMBERED:
                self._known.popitem(last=False)


_devices: _Memory[Credential] = _Memory()
_integrations: _Memory[IntegrationCredential] = _Memory()


class _Changes:
    """How many changes this process has heard of, and when it asked."""

    seen: bytes | None = None
    asked = 0.0


# In SQL because the door asks it for every device twice a minute: building the same query through
# the ORM costs several times what the database needs to answer it.
_DEVICE = """
SELECT device.id, device.serial, device.protocol, device.model, (
    SELECT vehicle_id FROM fleet_deviceassignment
    WHERE device_id = device.id AND during @> %s::timestamptz LIMIT 1
)
FROM fleet_device device WHERE device.revoked_at IS NULL AND device."""
_BY = {
    "secret": "secret_hash = %s",
    "serial": "serial = %s",
    # Who was given a secret is not let in by a name: only these units have none.
    "imei": "imei = %s AND device.protocol = 'teltonika'",
}
_SPEAKER = """
SELECT device.id, device.serial, device.protocol, device.model, seat.vehicle_id
FROM fleet_deviceassignment seat JOIN fleet_device device ON device.id = seat.device_id
WHERE seat.during @> %s::timestamptz AND seat.vehicle_id = %s AND device.revoked_at IS NULL
ORDER BY lower(seat.during) DESC, seat.id DESC LIMIT 1
"""
_INTEGRATION = """
SELECT id, organisation_id FROM fleet_integration WHERE secret_hash = %s AND revoked_at IS NULL
"""


def recognise(*, secret: str, at: datetime.datetime) -> Credential:
    """The device behind a secret; no query while it is remembered.

    Raises `DeviceUnknown`, `DeviceUnassigned`, `RegisterUnreachable`.
    """
    return _recall("secret", ids.hash_secret(secret), at=at)


def recognise_serial(*, serial: str, at: datetime.datetime) -> Credential:
    """The device with a serial that somebody else has vouched for; raises as `recognise`."""
    return _recall("serial", serial, at=at)


def recognise_imei(*, imei: str, at: datetime.datetime) -> Credential:
    """The device with an IMEI, which is a name and no secret; raises as `recognise`."""
    return _recall("imei", imei, at=at)


def speaker_of(*, vehicle_id: int, at: datetime.datetime) -> Credential:
    """The device that speaks for a vehicle now. Raises `DeviceUnassigned` if it has none."""

    def look_up() -> Credential:
        return _credential(_row(_SPEAKER, [at, vehicle_id]), missing=DeviceUnassigned)

    _hear_of_changes()
    return _devices.recall(("vehicle", vehicle_id), at=at, look_up=look_up)


def recognise_integration(*, secret: str, at: datetime.datetime) -> IntegrationCredential:
    """The integration behind a secret. Raises `DeviceUnknown`, `RegisterUnreachable`."""
    secret_hash = ids.hash_secret(secret)

    def look_up() -> IntegrationCredential:
        row = _row(_INTEGRATION, [secret_hash])
        if row is None:
            raise DeviceUnknown
        return IntegrationCredential(integration_id=row[0], organisation_id=row[1])

    _hear_of_changes()
    return _integrations.recall(("secret", secret_hash), at=at, look_up=look_up)


def announce_change() -> None:
    """Let every door look up anew whom it knows, within a second; call it after the commit."""
    try:
        mailbox.client().incr(_CHANGES)
    except redis.RedisError:
        log.warning("telematics.change_not_announced", known_again_s=REMEMBERED.total_seconds())


def forget_credentials() -> None:
    """Empty this process's memory."""
    _devices.clear()
    _integrations.clear()


def _recall(kind: str, value: str, *, at: datetime.datetime) -> Credential:
    def look_up() -> Credential:
        return _credential(_row(_DEVICE + _BY[kind], [at, value]), missing=DeviceUnknown)

    _hear_of_changes()
    return _devices.recall((kind, value), at=at, look_up=look_up)


def _row(query: str, parameters: list[Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cast("tuple[Any, ...] | None", cursor.fetchone())


def _credential(row: tuple[Any, ...] | None, *, missing: type[DomainError]) -> Credential:
    if row is None:
        raise missing
    device_id, serial, protocol, model, vehicle_id = row
    if vehicle_id is None:
        raise DeviceUnassigned
    return Credential(
        device_id=device_id,
        vehicle_id=vehicle_id,
        serial=serial,
        protocol=protocol,
        model=model,
    )


def _hear_of_changes() -> None:
    """Doubt everything remembered if something has changed; asks at most once a second."""
    now = time.monotonic()
    if now - _Changes.asked < _ASK_AGAIN_S:
        return
    _Changes.asked = now
    try:
        seen = cast("bytes | None", mailbox.client().get(_CHANGES))
    except redis.RedisError:
        return
    if seen != _Changes.seen:
        _Changes.seen = seen
        _devices.doubt()
        _integrations.doubt()
