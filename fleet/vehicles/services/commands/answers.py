"""What becomes of orders: they travel, are answered, or run out of time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import mailbox, rules
from fleet.vehicles.models import Vehicle, VehicleCommand
from fleet.vehicles.services.commands.endings import (
    LOADED,
    command_from,
    ending,
    finished,
    refill_after_commit,
    settle,
)
from fleet.vehicles.services.commands.ordering import queue_command
from fleet.vehicles.states import OPEN_COMMANDS, CommandState
from mobility.core.errors import NotFound
from mobility.core.principals import system_principal
from mobility.core.transitions import LostRace, move

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from fleet.vehicles.mailbox import PendingCommand
    from mobility.core.principals import Principal

SWEEP = system_principal("fleet-commands")
# Long enough for a vehicle that comes back into coverage to hear that it must close again.
COMPENSATION_TTL_S = 600

_DELIVERABLE = (
    f"SELECT {', '.join(LOADED)} FROM fleet_vehiclecommand"  # noqa: S608 - constants
    " WHERE public_id = ANY (%s::uuid[]) AND state IN ('queued', 'sent') AND expires_at > %s"
    " ORDER BY vehicle_id, sequence"
)
_LOCK = (
    f"SELECT {', '.join(f'command.{name}' for name in LOADED)},"  # noqa: S608 - constants
    " vehicle.public_id, vehicle.rental_state"
    " FROM fleet_vehiclecommand command JOIN fleet_vehicle vehicle ON vehicle.id = command.vehicle_id"
    " WHERE command.public_id = %s AND command.vehicle_id = %s FOR UPDATE OF command"
)
_OF_VEHICLE = ("id", "public_id", "rental_state")

_ANSWERABLE = OPEN_COMMANDS | {CommandState.UNKNOWN}


class CommandNotFound(NotFound):
    code = "command_not_found"
    message = _("There is no such command for this vehicle.")


def mark_commands_sent(
    *,
    public_ids: Collection[str],
    at: datetime.datetime,
    by: Principal,
) -> list[VehicleCommand]:
    """Note that commands left with a reply; returns those that may travel.

    A command taken back in the meantime is left out. One already sent travels again, because the
    reply that carried it may be lost; its sequence number makes the repetition harmless. The boxes
    are left as they are: the sweep notes there what has been sent, if no answer comes before it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERABLE, [list(public_ids), at])
        commands = [command_from(row) for row in cursor.fetchall()]
    return [command for command in commands if _is_sent(command, at=at, by=by)]


def let_travel(
    *,
    waiting: Sequence[PendingCommand],
    at: datetime.datetime,
    by: Principal,
) -> list[PendingCommand]:
    """Those of these waiting commands that may travel; the first time, their leaving is noted.

    What a box says of a command is enough to try: the move finds out whether it still waits, and only
    if it does not, the table is asked.
    """
    doubtful = [one.id for one in waiting if not one.sent and not _has_left(one, at=at, by=by)]
    left = mark_commands_sent(public_ids=doubtful, at=at, by=by) if doubtful else []
    refused = set(doubtful) - {str(command.public_id) for command in left}
    return [one for one in waiting if one.id not in refused]


def _has_left(waiting: PendingCommand, *, at: datetime.datetime, by: Principal) -> bool:
    """Whether a command that waits by its box could be noted as sent."""
    if not waiting.pk or waiting.expires_at <= at:
        return False
    named = ("id", "public_id", "state")
    values = (waiting.pk, waiting.id, CommandState.QUEUED.value)
    return _is_sent(VehicleCommand.from_db(connection.alias, named, values), at=at, by=by)


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
    except `unknown`: a late answer settles it and is told as `late`. A late "done" that leaves a
    vehicle open which nobody has any more is undone by a new lock (`rules.must_close_again`).
    Only the vehicle the command was for can answer it; otherwise `CommandNotFound`.
    """
    with transaction.atomic():
        command = _lock_command(str(command_public_id), vehicle_id=device_vehicle_id)
        found = CommandState(command.state)
        to = CommandState(result)
        if _is_news(found, to):
            told = [finished(command, result=to, late=found == CommandState.UNKNOWN)]
            over = to != CommandState.ACCEPTED
            move(command, to=to, at=at, by=by, tells=told if over else [], **ending(to, at))
            # Whoever is told of it may order something else; that fills the box itself.
            empty = partial(mailbox.empty_of, str(command.public_id))
            transaction.on_commit(partial(empty, vehicle_id=command.vehicle_id, at=at))
        _compensate(command, found=found, answer=to, at=at)
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
            *settle(queued, to=CommandState.EXPIRED, at=at, by=SWEEP),
            *settle(delivered, to=CommandState.UNKNOWN, at=at, by=SWEEP),
        ]
        waiting = VehicleCommand.objects.deliverable(at=at).values_list("vehicle_id", flat=True)
        refill_after_commit(set(waiting), at=at)
    return ended


def _is_news(found: CommandState, to: CommandState) -> bool:
    if found == CommandState.UNKNOWN and to == CommandState.ACCEPTED:
        return False
    return found in _ANSWERABLE and found != to


def _is_sent(command: VehicleCommand, *, at: datetime.datetime, by: Principal) -> bool:
    """Whether the command may travel, noting the first time that it does."""
    if command.state == CommandState.SENT:
        return True
    try:
        move(command, to=CommandState.SENT, at=at, by=by, sent_at=at, alone=True)
    except LostRace:
        return False
    return True


def _compensate(
    command: VehicleCommand,
    *,
    found: CommandState,
    answer: CommandState,
    at: datetime.datetime,
) -> None:
    """Close again what opened too late; the key makes a repeated answer order it once.

    The vehicle is locked and judged again before the order: somebody who starts to ride in this
    moment must not be locked out.
    """
    told = {"kind": command.kind, "found": found, "answer": answer}
    if rules.must_close_again(**told, rental=command.vehicle.rental_state) is None:
        return
    vehicles = Vehicle.objects.select_for_update(no_key=True).filter(pk=command.vehicle_id)
    rental = vehicles.values_list("rental_state", flat=True).get()
    closer = rules.must_close_again(**told, rental=rental)
    if closer is None or _is_closing(command, closer):
        return
    queue_command(
        vehicle_id=command.vehicle_id,
        kind=closer,
        idempotency_key=f"undo:{command.public_id}",
        ttl_s=COMPENSATION_TTL_S,
        purpose_ref=f"undo:{command.public_id}",
        at=at,
        by=SWEEP,
    )


def _is_closing(command: VehicleCommand, closer: str) -> bool:
    """Whether a newer order to close is on its way already."""
    newer = VehicleCommand.objects.open().filter(
        vehicle=command.vehicle_id, kind=closer, sequence__gt=command.sequence
    )
    return newer.exists()


def _lock_command(public_id: str, *, vehicle_id: int) -> VehicleCommand:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [public_id, vehicle_id])
        row = cursor.fetchone()
    if row is None:
        raise CommandNotFound
    split = len(LOADED)
    command = command_from(row[:split])
    command.vehicle = Vehicle.from_db(connection.alias, _OF_VEHICLE, (vehicle_id, *row[split:]))
    return command
