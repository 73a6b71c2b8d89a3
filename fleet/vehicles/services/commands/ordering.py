"""Ordering vehicles to do something, one or many."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import mailbox, rules
from fleet.vehicles.models import VehicleCommand
from fleet.vehicles.services.commands.endings import settle
from fleet.vehicles.services.holds import VehicleNotFound
from fleet.vehicles.states import OPPOSITES, CommandState
from mobility.core import ids
from mobility.core.errors import Conflict, Invalid
from mobility.core.idempotency import KeyReused

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mobility.core.principals import Principal

# So many vehicles take one transaction well below a second.
BULK_CAP = 1_000

# Each vehicle's next number and the order under it, one statement for all. Vehicles are locked in the
# order of their ids, so that two bulk orders never wait for each other in a circle; an order given
# earlier under the same key has no row in `ordered`.
_ORDER = """
WITH wanted AS (
    SELECT vehicle.id, given.public_id, %(kind)s = ANY (type.commands) AS able
    FROM unnest(%(vehicles)s::bigint[], %(names)s::uuid[]) given (vehicle_id, public_id)
    JOIN fleet_vehicle vehicle ON vehicle.id = given.vehicle_id
    JOIN fleet_vehicletype type ON type.id = vehicle.type_id
    ORDER BY vehicle.id FOR NO KEY UPDATE OF vehicle
),
counted AS (
    UPDATE fleet_vehicle SET command_sequence = command_sequence + wanted.able::int
    FROM wanted WHERE fleet_vehicle.id = wanted.id
    RETURNING fleet_vehicle.id, fleet_vehicle.command_sequence, wanted.able, wanted.public_id
),
ordered AS (
    INSERT INTO fleet_vehiclecommand (
        public_id, vehicle_id, sequence, kind, parameters, state, idempotency_key, purpose_ref,
        requested_by, created_at, expires_at
    )
    SELECT public_id, id, command_sequence, %(kind)s, %(parameters)s::jsonb, 'queued', %(idempotency_key)s,
        %(purpose_ref)s, %(requested_by)s, %(created_at)s, %(expires_at)s
    FROM counted WHERE able ORDER BY id
    ON CONFLICT (vehicle_id, idempotency_key) DO NOTHING
    RETURNING id, vehicle_id
)
SELECT counted.id, counted.command_sequence, counted.able, counted.public_id, ordered.id
FROM counted LEFT JOIN ordered ON ordered.vehicle_id = counted.id ORDER BY counted.id
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
    """Order up to `BULK_CAP` vehicles to do the same within `ttl_s` seconds, in two statements.

    1. Take each vehicle's next sequence number, which also makes rivals wait for us, and insert the
       orders, or find those already given under this key.
    2. Read what waits for these vehicles, and supersede older orders that these make pointless
       (unlock by lock and back) and that the vehicle has not yet said to have heard.
    3. After commit put the rest where the vehicles' next reports find it.

    One vehicle that cannot never stops the others. Raises `TooManyVehicles`,
    `CommandParametersInvalid`, and `KeyReused`, with nothing ordered, if the key named another
    order for one of them.
    """
    wanted = set(vehicle_ids)
    if len(wanted) > BULK_CAP:
        raise TooManyVehicles(cap=BULK_CAP)
    if not rules.parameters_fit(kind, parameters or {}):
        raise CommandParametersInvalid
    terms = {
        "kind": str(kind),
        "parameters": parameters or {},
        "idempotency_key": idempotency_key,
        "purpose_ref": purpose_ref,
        "requested_by": by,
        "created_at": at,
        "expires_at": at + datetime.timedelta(seconds=ttl_s),
    }
    with transaction.atomic(savepoint=False):
        given = _order(wanted, terms)
        new = [one.command for one in given if one.command is not None]
        known = _known([one.vehicle_id for one in given if one.is_known], terms)
        _put_away(new, at=at, by=by)
    return CommandsReport(
        ordered=[*new, *known],
        unsupported=[one.vehicle_id for one in given if not one.able],
        unknown=sorted(wanted - {one.vehicle_id for one in given}),
    )


@dataclass(frozen=True, slots=True)
class _Given:
    """What became of an order to one vehicle: whether its type can, and the command if it is new."""

    vehicle_id: int
    able: bool
    command: VehicleCommand | None

    @property
    def is_known(self) -> bool:
        return self.able and self.command is None


def _order(vehicle_ids: set[int], terms: dict[str, Any]) -> list[_Given]:
    """Order this of each vehicle; one answer for each that there is, in the order of their ids."""
    values = {
        **terms,
        "parameters": json.dumps(terms["parameters"]),
        "vehicles": list(vehicle_ids),
        "names": [ids.uuid7() for _vehicle in vehicle_ids],
    }
    with connection.cursor() as cursor:
        cursor.execute(_ORDER, values)
        rows = cursor.fetchall()
    given = []
    for vehicle_id, sequence, able, public_id, pk in rows:
        command = None
        if pk is not None:
            named = {"pk": pk, "public_id": public_id}
            command = VehicleCommand(**terms, **named, vehicle_id=vehicle_id, sequence=sequence)
            command._state.adding = False
        given.append(_Given(vehicle_id, able, command))
    return given


def _known(vehicle_ids: Sequence[int], terms: dict[str, Any]) -> list[VehicleCommand]:
    """The orders given earlier under this key; raises `KeyReused` if they were other ones."""
    if not vehicle_ids:
        return []
    key = terms["idempotency_key"]
    known = list(VehicleCommand.objects.filter(vehicle__in=vehicle_ids, idempotency_key=key))
    if any((one.kind, one.parameters) != (terms["kind"], terms["parameters"]) for one in known):
        raise KeyReused
    return known


def _put_away(new: Sequence[VehicleCommand], *, at: datetime.datetime, by: Principal) -> None:
    """Supersede what the new orders make pointless; what waits is in the boxes after the commit."""
    if not new:
        return
    newest = {command.vehicle_id: command.sequence for command in new}
    opposites = OPPOSITES.get(new[0].kind, ())
    boxes = mailbox.read_table(newest)
    pointless = {
        one.id
        for vehicle_id, commands in boxes.items()
        for one in commands
        if one.kind in opposites and one.sequence < newest[vehicle_id]
    }
    if pointless:
        rows = VehicleCommand.objects.select_related("vehicle").filter(public_id__in=pointless)
        settle(rows, to=CommandState.SUPERSEDED, at=at, by=by)
    left = {
        vehicle_id: [one for one in commands if one.id not in pointless]
        for vehicle_id, commands in boxes.items()
    }
    transaction.on_commit(partial(mailbox.fill, left, at=at))
