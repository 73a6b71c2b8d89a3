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

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import mailbox
from fleet.vehicles.events import CommandFinished
from fleet.vehicles.models import Vehicle, VehicleCommand
from fleet.vehicles.services.holds import VehicleNotFound
from fleet.vehicles.states import OPEN_COMMANDS, OPPOSITES, CommandState
from mobility.core import outbox
from mobility.core.errors import NotFound
from mobility.core.principals import system_principal
from mobility.core.transitions import move_many

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from uuid import UUID

    from mobility.core.principals import Principal

SWEEP = system_principal("fleet-commands")
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
    2. Return the order already given under this key, if there is one.
    3. Supersede waiting orders that this one makes pointless (unlock by lock and back).
    4. Insert the order; after commit put it where the vehicle's next report finds it.

    Raises `VehicleNotFound`.
    """
    with transaction.atomic():
        sequence = _next_sequence(vehicle_id)
        known = VehicleCommand.objects.filter(
            vehicle_id=vehicle_id,
            idempotency_key=idempotency_key,
        ).first()
        if known is not None:
            return known
        _supersede(vehicle_id=vehicle_id, kind=kind, at=at, by=by)
        command = VehicleCommand.objects.create(
            vehicle_id=vehicle_id,
            sequence=sequence,
            kind=kind,
            idempotency_key=idempotency_key,
            purpose_ref=purpose_ref,
            requested_by=by,
            created_at=at,
            expires_at=at + datetime.timedelta(seconds=ttl_s),
        )
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
    with transaction.atomic():
        commands = VehicleCommand.objects.deliverable(at=at).filter(public_id__in=public_ids)
        by_state = {CommandState.QUEUED: list[VehicleCommand](), CommandState.SENT: []}
        for command in commands.select_related("vehicle"):
            by_state[CommandState(command.state)].append(command)
        queued, sent = by_state[CommandState.QUEUED], by_state[CommandState.SENT]
        moved = move_many(queued, to=CommandState.SENT, at=at, by=by, sent_at=at)
        _refill_after_commit({command.vehicle_id for command in moved}, at=at)
    return sorted([*sent, *moved], key=lambda command: (command.vehicle_id, command.sequence))


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
        command = (
            VehicleCommand.objects.select_for_update(of=("self",))
            .select_related("vehicle")
            .filter(public_id=command_public_id, vehicle_id=device_vehicle_id)
            .first()
        )
        if command is None:
            raise CommandNotFound
        late = command.state == CommandState.UNKNOWN
        to = CommandState(result)
        if _is_news(command, to):
            _settle([command], to=to, at=at, by=by, late=late)
    return command


def expire_commands(*, at: datetime.datetime) -> list[VehicleCommand]:
    """End every command whose time is over, and write the boxes of all that wait.

    Never delivered means expired: it will not happen any more. Delivered without an answer means
    unknown: it may have happened.
    """
    with transaction.atomic():
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


def _next_sequence(vehicle_id: int) -> int:
    vehicles = Vehicle.objects.filter(pk=vehicle_id)
    if vehicles.update(command_sequence=F("command_sequence") + 1) == 0:
        raise VehicleNotFound
    sequence: int = vehicles.values_list("command_sequence", flat=True).get()
    return sequence


def _supersede(*, vehicle_id: int, kind: str, at: datetime.datetime, by: Principal) -> None:
    pointless = VehicleCommand.objects.filter(
        Q(kind__in=OPPOSITES.get(kind, frozenset())),
        vehicle_id=vehicle_id,
        state=CommandState.QUEUED,
    )
    _settle(pointless.select_related("vehicle"), to=CommandState.SUPERSEDED, at=at, by=by)


def _settle(
    commands: Iterable[VehicleCommand],
    *,
    to: CommandState,
    at: datetime.datetime,
    by: Principal,
    late: bool = False,
) -> list[VehicleCommand]:
    """Move commands to an answer or an end; tell the ends; take them out of their boxes."""
    finished: dict[str, Any] = {} if to == CommandState.ACCEPTED else {"finished_at": at}
    moved = move_many(commands, to=to, at=at, by=by, **finished)
    if moved and finished:
        outbox.publish(*(_finished(command, late=late) for command in moved), at=at)
    _refill_after_commit({command.vehicle_id for command in moved}, at=at)
    return moved


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
