"""How commands end: moved, told to others, taken out of their vehicle's box."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from fleet.vehicles import mailbox
from fleet.vehicles.events import CommandFinished
from fleet.vehicles.models import VehicleCommand
from fleet.vehicles.states import CommandState
from mobility.core import outbox
from mobility.core.transitions import move_many

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Iterable

    from mobility.core.principals import Principal

LOADED = (
    "id",
    "public_id",
    "vehicle_id",
    "sequence",
    "kind",
    "parameters",
    "state",
    "idempotency_key",
    "purpose_ref",
    "requested_by",
    "created_at",
    "expires_at",
    "sent_at",
    "finished_at",
)
_PARAMETERS = LOADED.index("parameters")


def command_from(row: tuple[Any, ...]) -> VehicleCommand:
    """The command of a row read in the order of `LOADED`."""
    values = list(row)
    # Read past the ORM, JSON comes as its text.
    values[_PARAMETERS] = json.loads(values[_PARAMETERS])
    return VehicleCommand.from_db(connection.alias, LOADED, values)


def settle(
    commands: Iterable[VehicleCommand],
    *,
    to: CommandState,
    at: datetime.datetime,
    by: Principal,
) -> list[VehicleCommand]:
    """Move commands to their end and tell it; returns those that moved."""
    moved = move_many(commands, to=to, at=at, by=by, **ending(to, at))
    if to != CommandState.ACCEPTED:
        outbox.publish(*(finished(command, result=to) for command in moved), at=at)
    refill_after_commit({command.vehicle_id for command in moved}, at=at)
    return moved


def ending(to: CommandState, at: datetime.datetime) -> dict[str, Any]:
    """What is written besides the state: when it was over, if it is."""
    return {} if to == CommandState.ACCEPTED else {"finished_at": at}


def refill_after_commit(vehicle_ids: Collection[int], *, at: datetime.datetime) -> None:
    """Write the boxes of these vehicles anew once the transaction has committed."""
    if vehicle_ids:
        transaction.on_commit(partial(mailbox.refill, vehicle_ids=list(vehicle_ids), at=at))


def finished(
    command: VehicleCommand, *, result: CommandState, late: bool = False
) -> CommandFinished:
    """That a command has ended so."""
    return CommandFinished(
        command_id=str(command.public_id),
        vehicle_id=command.vehicle_id,
        vehicle_public_id=str(command.vehicle.public_id),
        kind=command.kind,
        result=result,
        purpose_ref=command.purpose_ref,
        late=late,
    )
