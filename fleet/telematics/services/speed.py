"""Speed limits of zones: told to vehicles on trips, and the proof that they were applied."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.telematics.models import SpeedLimitOrder
from fleet.vehicles.models import VehicleCommand
from fleet.vehicles.services import queue_commands
from fleet.vehicles.services.commands.ordering import BULK_CAP
from fleet.vehicles.states import CommandKind, CommandState
from mobility.core.principals import system_principal

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Iterator, Mapping, Sequence

BY = system_principal("telematics")

# A vehicle reports every few seconds; an order that waits longer finds it somewhere else.
ORDER_TTL_S = 60
UNSUPPORTED = "unsupported"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The speed a vehicle may go where it is, in km/h, and the zone that says so."""

    vehicle_id: int
    kmh: int
    zone_id: int
    zones_version: int


@dataclass(kw_only=True)
class LimitNews:
    """What a batch of reports says about limits; orders are ids.

    `repeated` are orders that still hold and were not heard, `lifted` the orders of vehicles that
    have no limit any more, by vehicle, and `replaced` those that another limit follows.
    """

    limits: list[Limit] = field(default_factory=list)
    repeated: dict[int, Limit] = field(default_factory=dict)
    lifted: dict[int, int] = field(default_factory=dict)
    replaced: list[int] = field(default_factory=list)


def change_limits(news: LimitNews, *, at: datetime.datetime) -> None:
    """Tell vehicles their limits, or that they have none any more.

    An order that is lifted stays in force until the vehicle has said that it heard (`note_outcome`);
    one that its vehicle could never hear is over at once. In a constant number of statements for
    each different limit, inside the transaction of the caller.
    """
    by_kmh: defaultdict[int | None, list[int]] = defaultdict(list)
    for limit in (*news.limits, *news.repeated.values()):
        by_kmh[limit.kmh].append(limit.vehicle_id)
    if news.lifted:
        by_kmh[None] = sorted(news.lifted)
    commands: dict[int, VehicleCommand] = {}
    for kmh, vehicle_ids in by_kmh.items():
        for some in _slices(vehicle_ids):
            commands |= _order(some, kmh=kmh, at=at)
    deaf = [order for vehicle, order in news.lifted.items() if vehicle not in commands]
    if over := [*news.replaced, *deaf]:
        SpeedLimitOrder.objects.in_force().filter(pk__in=over).update(released_at=at)
    for order_id, limit in news.repeated.items():
        SpeedLimitOrder.objects.in_force().filter(pk=order_id).update(
            command=commands.get(limit.vehicle_id), outcome="", applied_at=None
        )
    if news.limits:
        _write_down(news.limits, commands, at=at)


def note_outcome(*, command_public_id: str, result: str) -> None:
    """Keep how a command about speed ended: confirmed means applied, by the vehicle's answer.

    A limit is released when the vehicle has confirmed that it has none any more. Only what changes
    is written, for the drain writes the same rows.
    """
    command = VehicleCommand.objects.filter(public_id=command_public_id).first()
    if command is None:
        return
    confirmed = result == CommandState.CONFIRMED
    if command.parameters.get("max_kmh") is not None:
        news = {"applied_at": command.finished_at} if confirmed else {}
        SpeedLimitOrder.objects.filter(command=command).update(outcome=result, **news)
    elif confirmed:
        earlier = SpeedLimitOrder.objects.in_force().filter(
            vehicle=command.vehicle_id, command__sequence__lt=command.sequence
        )
        earlier.update(released_at=command.finished_at)


def _write_down(
    limits: Sequence[Limit], commands: Mapping[int, VehicleCommand], *, at: datetime.datetime
) -> None:
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
