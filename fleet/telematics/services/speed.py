"""Speed limits of zones: told to vehicles on trips, and the proof that they were applied."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.telematics.models import SpeedLimitOrder
from fleet.vehicles.models import VehicleCommand
from fleet.vehicles.services import queue_commands
from fleet.vehicles.services.commands.ordering import BULK_CAP
from fleet.vehicles.states import CommandKind, CommandState
from mobility.core.principals import system_principal

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Iterator, Sequence

BY = system_principal("telematics")

# A vehicle reports every few seconds; an order that waits longer finds it somewhere else.
ORDER_TTL_S = 60
UNSUPPORTED = "unsupported"
# After these the vehicle may not have heard: it is told again as long as the limit holds.
_UNHEARD = frozenset({CommandState.EXPIRED, CommandState.UNKNOWN})


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The speed a vehicle may go where it is, in km/h, and the zone that says so."""

    vehicle_id: int
    kmh: int
    zone_id: int
    zones_version: int


def change_limits(
    *,
    limits: Sequence[Limit],
    lifted: Collection[int],
    ended_orders: Collection[int],
    at: datetime.datetime,
) -> None:
    """Tell vehicles their new limits, and `lifted` ones that they have none any more.

    `ended_orders` are the orders (ids) that no longer hold. In a constant number of statements for
    each different limit, inside the transaction of the caller.
    """
    SpeedLimitOrder.objects.in_force().filter(pk__in=ended_orders).update(released_at=at)
    by_kmh: defaultdict[int | None, list[int]] = defaultdict(list)
    for limit in limits:
        by_kmh[limit.kmh].append(limit.vehicle_id)
    if lifted:
        by_kmh[None] = sorted(lifted)
    commands: dict[int, VehicleCommand] = {}
    for kmh, vehicle_ids in by_kmh.items():
        for some in _slices(vehicle_ids):
            commands |= _order(some, kmh=kmh, at=at)
    SpeedLimitOrder.objects.bulk_create(
        [
            SpeedLimitOrder(
                vehicle_id=limit.vehicle_id,
                zone_id=limit.zone_id,
                zones_version=limit.zones_version,
                limit_kmh=limit.kmh,
                ordered_at=at,
                command=commands.get(limit.vehicle_id),
                outcome="" if limit.vehicle_id in commands else UNSUPPORTED,
            )
            for limit in limits
        ],
        ignore_conflicts=True,
    )


def note_outcome(*, command_public_id: str, result: str) -> None:
    """Keep how the command of an order ended: confirmed means applied, by the vehicle's answer.

    One that the vehicle never answered is released, so that the vehicle is told again.
    """
    order = (
        SpeedLimitOrder.objects.select_related("command")
        .filter(command__public_id=command_public_id)
        .first()
    )
    if order is None or order.command is None:
        return
    order.outcome = result
    if result == CommandState.CONFIRMED:
        order.applied_at = order.command.finished_at
    elif result in _UNHEARD and order.released_at is None:
        order.released_at = order.command.finished_at
    order.save(update_fields=["outcome", "applied_at", "released_at"])


def _order(
    vehicle_ids: Collection[int], *, kmh: int | None, at: datetime.datetime
) -> dict[int, VehicleCommand]:
    report = queue_commands(
        vehicle_ids=vehicle_ids,
        kind=CommandKind.SET_SPEED_LIMIT,
        parameters={"max_kmh": kmh},
        idempotency_key=f"speed-limit:{kmh}:{at.isoformat()}",
        ttl_s=ORDER_TTL_S,
        purpose_ref="zone speed",
        at=at,
        by=BY,
    )
    return {command.vehicle_id: command for command in report.ordered}


def _slices(vehicle_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(vehicle_ids), BULK_CAP):
        yield vehicle_ids[start : start + BULK_CAP]
