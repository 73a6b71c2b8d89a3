"""Ordering vehicles to do something, one or many."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import rules
from fleet.vehicles.models import VehicleCommand
from fleet.vehicles.services.commands.endings import INSERTED, refill_after_commit, settle
from fleet.vehicles.services.holds import VehicleNotFound
from fleet.vehicles.states import OPPOSITES, CommandState
from mobility.core.errors import Conflict, Invalid
from mobility.core.idempotency import KeyReused

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mobility.core.principals import Principal

# So many vehicles take one transaction well below a second.
BULK_CAP = 1_000

# Locked in the order of their ids, so that two bulk orders never wait for each other in a circle.
_COUNT = """
WITH wanted AS (
    SELECT vehicle.id, %s = ANY (type.commands) AS able
    FROM fleet_vehicle vehicle JOIN fleet_vehicletype type ON type.id = vehicle.type_id
    WHERE vehicle.id = ANY (%s) ORDER BY vehicle.id FOR NO KEY UPDATE OF vehicle
)
UPDATE fleet_vehicle SET command_sequence = command_sequence + wanted.able::int
FROM wanted WHERE fleet_vehicle.id = wanted.id
RETURNING fleet_vehicle.id, fleet_vehicle.command_sequence, wanted.able
"""
_INSERT = (
    f"INSERT INTO fleet_vehiclecommand ({', '.join(INSERTED)}) VALUES %s"  # noqa: S608 - constants
    " ON CONFLICT (vehicle_id, idempotency_key) DO NOTHING RETURNING id, vehicle_id"
)
_ROW = f"({', '.join(['%s'] * len(INSERTED))})"
_POINTLESS = """
SELECT command.id FROM fleet_vehiclecommand command
JOIN unnest(%s::bigint[], %s::int[]) newer (vehicle_id, sequence)
  ON newer.vehicle_id = command.vehicle_id
WHERE command.state IN ('queued', 'sent') AND command.kind = ANY (%s)
  AND command.sequence < newer.sequence
"""


class CommandUnsupported(Conflict):
    """The vehicle's type has no such command in its list."""

    code = "command_unsupported"
    message = _("This vehicle cannot do that.")


class CommandParametersInvalid(Invalid):
    code = "command_parameters_invalid"
    message = _("These parameters do not fit the command.")


class TooManyVehicles(Invalid):
    code = "too_many_vehicles"
    message = _("Order at most %(cap)d vehicles at once.")


@dataclass(frozen=True, kw_only=True)
class CommandsReport:
    """What became of an order to many: given, not possible for the type, or no such vehicle."""

    ordered: list[VehicleCommand] = field(default_factory=list)
    unsupported: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)


def queue_command(
    *,
    vehicle_id: int,
    kind: str,
    idempotency_key: str,
    ttl_s: int,
    purpose_ref: str,
    at: datetime.datetime,
    by: Principal,
    parameters: dict[str, Any] | None = None,
) -> VehicleCommand:
    """Order a vehicle to do something within `ttl_s` seconds; the same key gives the same order.

    Raises `VehicleNotFound`, `CommandUnsupported`, `CommandParametersInvalid`, `KeyReused`.
    """
    report = queue_commands(
        vehicle_ids=[vehicle_id],
        kind=kind,
        idempotency_key=idempotency_key,
        ttl_s=ttl_s,
        purpose_ref=purpose_ref,
        at=at,
        by=by,
        parameters=parameters,
    )
    if report.unknown:
        raise VehicleNotFound
    if report.unsupported:
        raise CommandUnsupported
    return report.ordered[0]


def queue_commands(
    *,
    vehicle_ids: Collection[int],
    kind: str,
    idempotency_key: str,
    ttl_s: int,
    purpose_ref: str,
    at: datetime.datetime,
    by: Principal,
    parameters: dict[str, Any] | None = None,
) -> CommandsReport:
    """Order up to `BULK_CAP` vehicles to do the same within `ttl_s` seconds, in four statements.

    1. Take each vehicle's next sequence number; this also makes rivals wait for us.
    2. Insert the orders, or find those already given under this key.
    3. Supersede older orders that these make pointless (unlock by lock and back) and that the
       vehicle has not yet said to have heard.
    4. After commit put the orders where the vehicles' next reports find them.

    One vehicle that cannot never stops the others. Raises `TooManyVehicles`,
    `CommandParametersInvalid`, and `KeyReused`, with nothing ordered, if the key named another
    order for one of them.
    """
    wanted = set(vehicle_ids)
    if len(wanted) > BULK_CAP:
        raise TooManyVehicles(cap=BULK_CAP)
    if not rules.parameters_fit(kind, parameters or {}):
        raise CommandParametersInvalid
    with transaction.atomic(savepoint=False):
        numbers = _next_sequences(wanted, kind=kind)
        drafts = [
            VehicleCommand(
                vehicle_id=vehicle_id,
                sequence=sequence,
                kind=kind,
                parameters=parameters or {},
                idempotency_key=idempotency_key,
                purpose_ref=purpose_ref,
                requested_by=by,
                created_at=at,
                expires_at=at + datetime.timedelta(seconds=ttl_s),
            )
            for vehicle_id, (sequence, able) in sorted(numbers.items())
            if able
        ]
        new = _insert(drafts)
        known = _known(drafts, new, idempotency_key)
        _supersede(new, kind=kind, at=at, by=by)
        refill_after_commit([command.vehicle_id for command in new], at=at)
    return CommandsReport(
        ordered=[*new, *known],
        unsupported=sorted(pk for pk, (_sequence, able) in numbers.items() if not able),
        unknown=sorted(wanted - numbers.keys()),
    )


def _next_sequences(vehicle_ids: set[int], *, kind: str) -> dict[int, tuple[int, bool]]:
    """The next number of each vehicle, and whether its type knows the command at all."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [str(kind), list(vehicle_ids)])
        return {vehicle_id: (sequence, able) for vehicle_id, sequence, able in cursor.fetchall()}


def _insert(drafts: Sequence[VehicleCommand]) -> list[VehicleCommand]:
    """Insert the commands; returns those whose key was not known yet."""
    if not drafts:
        return []
    values = [value for draft in drafts for value in _values(draft)]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT % ", ".join([_ROW] * len(drafts)), values)
        ids = {vehicle_id: pk for pk, vehicle_id in cursor.fetchall()}
    new = [draft for draft in drafts if draft.vehicle_id in ids]
    for draft in new:
        draft.pk = ids[draft.vehicle_id]
        draft._state.adding = False
    return new


def _values(draft: VehicleCommand) -> list[Any]:
    row = {name: getattr(draft, name) for name in INSERTED}
    return list({**row, "parameters": json.dumps(draft.parameters)}.values())


def _known(
    drafts: Sequence[VehicleCommand], new: Sequence[VehicleCommand], key: str
) -> list[VehicleCommand]:
    """The orders given earlier under this key; raises `KeyReused` if they were other ones."""
    if len(new) == len(drafts):
        return []
    repeated = {draft.vehicle_id for draft in drafts} - {draft.vehicle_id for draft in new}
    known = list(VehicleCommand.objects.filter(vehicle__in=repeated, idempotency_key=key))
    wanted = drafts[0]
    if any((one.kind, one.parameters) != (wanted.kind, wanted.parameters) for one in known):
        raise KeyReused
    return known


def _supersede(
    new: Sequence[VehicleCommand], *, kind: str, at: datetime.datetime, by: Principal
) -> None:
    pointless = list(OPPOSITES.get(kind, ()))
    if not new or not pointless:
        return
    vehicle_ids = [command.vehicle_id for command in new]
    sequences = [command.sequence for command in new]
    with connection.cursor() as cursor:
        cursor.execute(_POINTLESS, [vehicle_ids, sequences, pointless])
        ids = [pk for (pk,) in cursor.fetchall()]
    if ids:
        rows = VehicleCommand.objects.select_related("vehicle").filter(pk__in=ids)
        settle(rows, to=CommandState.SUPERSEDED, at=at, by=by)
