"""The ledger of commands: numbered, short-lived, idempotent; the vehicle's answer ends them.

A command waits in the table, travels in the reply to a report, and ends by the vehicle's answer or
by its time. What was never delivered expires; what was delivered and not answered is `unknown`,
and a late answer still settles it.

DomainError
└── NotFound  CommandNotFound
"""

from __future__ import annotations

import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import mailbox
from fleet.vehicles.events import CommandFinished
from fleet.vehicles.models import Vehicle, VehicleCommand
from fleet.vehicles.services.holds import VehicleNotFound
from fleet.vehicles.states import OPEN_COMMANDS, OPPOSITES, CommandState
from mobility.core import outbox
from mobility.core.errors import NotFound
from mobility.core.principals import system_principal
from mobility.core.transitions import LostRace, move, move_many

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from uuid import UUID

    from mobility.core.principals import Principal

SWEEP = system_principal("fleet-commands")

_COUNT = """
UPDATE fleet_vehicle SET command_sequence = command_sequence + 1 WHERE id = %s
RETURNING command_sequence
"""
_INSERTED = (
    "public_id",
    "vehicle_id",
    "sequence",
    "kind",
    "state",
    "idempotency_key",
    "purpose_ref",
    "requested_by",
    "created_at",
    "expires_at",
)
_INSERT = (
    f"INSERT INTO fleet_vehiclecommand ({', '.join(_INSERTED)})"  # noqa: S608 - constants
    f" VALUES ({', '.join(['%s'] * len(_INSERTED))})"
    " ON CONFLICT (vehicle_id, idempotency_key) DO NOTHING RETURNING id"
)
_POINTLESS = """
SELECT id FROM fleet_vehiclecommand
WHERE vehicle_id = %s AND state = 'queued' AND kind = ANY (%s)
"""
_LOADED = ("id", *_INSERTED, "sent_at", "finished_at")
_DELIVERABLE = (
    f"SELECT {', '.join(_LOADED)} FROM fleet_vehiclecommand"  # noqa: S608 - constants
    " WHERE public_id = ANY (%s::uuid[]) AND state IN ('queued', 'sent') AND expires_at > %s"
    " ORDER BY vehicle_id, sequence"
)
_LOCK = (
    f"SELECT {', '.join(f'command.{name}' for name in _LOADED)}, vehicle.public_id"  # noqa: S608 - constants
    " FROM fleet_vehiclecommand command JOIN fleet_vehicle vehicle ON vehicle.id = command.vehicle_id"
    " WHERE command.public_id = %s AND command.vehicle_id = %s FOR UPDATE OF command"
)

_ANSWERABLE = OPEN_COMMANDS | {CommandState.UNKNOWN}


class CommandNotFound(NotFound):
    code = "command_not_found"
    message = _("There is no such command for this vehicle.")


def queue_command(
    *,
    vehicle_id: int,
    kind: str,
    idempotency_key: str,
    ttl_s: int,
    purpose_ref: str,
    at: datetime.datetime,
    by: Principal,
) -> VehicleCommand:
    """Order a vehicle to do something within `ttl_s` seconds; the same key gives the same order.

    1. Take the vehicle's next sequence number; this also makes rivals wait for us.
    2. Insert the order, or return the one already given under this key.
    3. Supersede waiting orders that this one makes pointless (unlock by lock and back).
    4. After commit put the order where the vehicle's next report finds it.

    Raises `VehicleNotFound`.
    """
    with transaction.atomic(savepoint=False):
        command = VehicleCommand(
            vehicle_id=vehicle_id,
            sequence=_next_sequence(vehicle_id),
            kind=kind,
            idempotency_key=idempotency_key,
            purpose_ref=purpose_ref,
            requested_by=by,
            created_at=at,
            expires_at=at + datetime.timedelta(seconds=ttl_s),
        )
        if not _insert(command):
            return VehicleCommand.objects.get(
                vehicle_id=vehicle_id,
                idempotency_key=idempotency_key,
            )
        _supersede(vehicle_id=vehicle_id, kind=kind, at=at, by=by)
        _refill_after_commit([vehicle_id], at=at)
    return command


def mark_commands_sent(
    *,
    public_ids: Collection[str],
    at: datetime.datetime,
    by: Principal,
) -> list[VehicleCommand]:
    """Note that commands left with a reply; returns those that may travel.

    A command taken back in the meantime is left out. One already sent travels again, because the
    reply that carried it may be lost; its sequence number makes the repetition harmless.
    """
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute(_DELIVERABLE, [list(public_ids), at])
            commands = [_command(row) for row in cursor.fetchall()]
        travelling = [command for command in commands if _is_sent(command, at=at, by=by)]
        _refill_after_commit({command.vehicle_id for command in travelling}, at=at)
    return travelling


def record_acknowledgement(
    *,
    command_public_id: str | UUID,
    device_vehicle_id: int,
    result: str,
    at: datetime.datetime,
    by: Principal,
) -> VehicleCommand:
    """Note a vehicle's answer: accepted (heard), confirmed (done) or rejected.

    Repeated answers change nothing, and neither does one that comes for a command already over,
    except `unknown`: a late answer settles it and is told as `late`. Only the vehicle the command
    was for can answer it; otherwise `CommandNotFound`.
    """
    with transaction.atomic():
        command = _lock_command(str(command_public_id), vehicle_id=device_vehicle_id)
        late = command.state == CommandState.UNKNOWN
        to = CommandState(result)
        if _is_news(command, to):
            move(command, to=to, at=at, by=by, **_ending(to, at))
            _tell([command], at=at, late=late)
    return command


def expire_commands(*, at: datetime.datetime) -> list[VehicleCommand]:
    """End every command whose time is over, and write the boxes of all that wait.

    Never delivered means expired: it will not happen any more. Delivered without an answer means
    unknown: it may have happened.
    """
    with transaction.atomic(savepoint=False):
        overdue = list(
            VehicleCommand.objects.open().filter(expires_at__lte=at).select_related("vehicle"),
        )
        queued = [row for row in overdue if row.state == CommandState.QUEUED]
        delivered = [row for row in overdue if row.state != CommandState.QUEUED]
        ended = [
            *_settle(queued, to=CommandState.EXPIRED, at=at, by=SWEEP),
            *_settle(delivered, to=CommandState.UNKNOWN, at=at, by=SWEEP),
        ]
        waiting = VehicleCommand.objects.deliverable(at=at).values_list("vehicle_id", flat=True)
        _refill_after_commit(set(waiting), at=at)
    return ended


def _is_news(command: VehicleCommand, to: CommandState) -> bool:
    if command.state == CommandState.UNKNOWN and to == CommandState.ACCEPTED:
        return False
    return command.state in _ANSWERABLE and command.state != to


def _is_sent(command: VehicleCommand, *, at: datetime.datetime, by: Principal) -> bool:
    """Whether the command may travel, noting the first time that it does."""
    if command.state == CommandState.SENT:
        return True
    try:
        move(command, to=CommandState.SENT, at=at, by=by, sent_at=at)
    except LostRace:
        return False
    return True


def _next_sequence(vehicle_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [vehicle_id])
        row = cursor.fetchone()
    if row is None:
        raise VehicleNotFound
    return int(row[0])


def _insert(command: VehicleCommand) -> bool:
    """Insert the command unless its key is known; whether it was inserted."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [getattr(command, name) for name in _INSERTED])
        row = cursor.fetchone()
    if row is None:
        return False
    command.pk = row[0]
    command._state.adding = False
    return True


def _lock_command(public_id: str, *, vehicle_id: int) -> VehicleCommand:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [public_id, vehicle_id])
        row = cursor.fetchone()
    if row is None:
        raise CommandNotFound
    command = _command(row[:-1])
    command.vehicle = Vehicle.from_db(connection.alias, ("id", "public_id"), (vehicle_id, row[-1]))
    return command


def _command(row: tuple[Any, ...]) -> VehicleCommand:
    return VehicleCommand.from_db(connection.alias, _LOADED, row)


def _supersede(*, vehicle_id: int, kind: str, at: datetime.datetime, by: Principal) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_POINTLESS, [vehicle_id, list(OPPOSITES.get(kind, ()))])
        pointless = [pk for (pk,) in cursor.fetchall()]
    if pointless:
        rows = VehicleCommand.objects.select_related("vehicle").filter(pk__in=pointless)
        _settle(rows, to=CommandState.SUPERSEDED, at=at, by=by)


def _settle(
    commands: Iterable[VehicleCommand],
    *,
    to: CommandState,
    at: datetime.datetime,
    by: Principal,
) -> list[VehicleCommand]:
    """Move commands to their end and tell it."""
    moved = move_many(commands, to=to, at=at, by=by, **_ending(to, at))
    _tell(moved, at=at)
    return moved


def _ending(to: CommandState, at: datetime.datetime) -> dict[str, Any]:
    return {} if to == CommandState.ACCEPTED else {"finished_at": at}


def _tell(moved: list[VehicleCommand], *, at: datetime.datetime, late: bool = False) -> None:
    """Publish what has ended, and take everything that moved out of its box."""
    ended = [command for command in moved if command.state != CommandState.ACCEPTED]
    if ended:
        outbox.publish(*(_finished(command, late=late) for command in ended), at=at)
    _refill_after_commit({command.vehicle_id for command in moved}, at=at)


def _finished(command: VehicleCommand, *, late: bool) -> CommandFinished:
    return CommandFinished(
        command_id=str(command.public_id),
        vehicle_id=command.vehicle_id,
        vehicle_public_id=str(command.vehicle.public_id),
        kind=command.kind,
        result=command.state,
        purpose_ref=command.purpose_ref,
        late=late,
    )


def _refill_after_commit(vehicle_ids: Collection[int], *, at: datetime.datetime) -> None:
    if vehicle_ids:
        transaction.on_commit(partial(mailbox.refill, vehicle_ids=list(vehicle_ids), at=at))
