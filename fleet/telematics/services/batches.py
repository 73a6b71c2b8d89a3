"""What an operator's backend reports for its whole fleet, and what its vehicles must do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import redis
from django.db import InterfaceError, OperationalError

from fleet.telematics.log import LogBusy, point_log
from fleet.telematics.models import DeviceAssignment
from fleet.telematics.services.accept import Acknowledgement, Report, accept_reports, take_along
from fleet.telematics.services.credentials import Credential, RegisterUnreachable
from fleet.telematics.states import Protocol
from fleet.vehicles import mailbox
from fleet.vehicles.mailbox import PendingCommand
from fleet.vehicles.models import VehicleCommand
from mobility.core.principals import Principal

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Sequence

    from django.db.models import QuerySet

    from fleet.telematics.records import Points
    from fleet.telematics.services.credentials import IntegrationCredential

# A name as the peer gives it: ("device", serial) or ("vehicle", code).
Name = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class AddressedCommand:
    """A waiting command and the code of the vehicle it is for."""

    vehicle_code: str
    command: PendingCommand


@dataclass(kw_only=True)
class AcceptedBatch:
    """What an integration is told after its batch is safe."""

    commands: list[AddressedCommand] = field(default_factory=list)
    # Place of a point or answer in the request, and why it was not taken.
    refused_points: dict[int, str] = field(default_factory=dict)
    refused_acks: dict[int, str] = field(default_factory=dict)
    doubtful: list[tuple[int, str]] = field(default_factory=list)


@dataclass(kw_only=True)
class _Named:
    """The devices behind the names of a request, and what waits for their vehicles."""

    speakers: dict[Name, Credential] = field(default_factory=dict)
    # Code of each vehicle among them that hears through the backend, by its id.
    reached: dict[int, str] = field(default_factory=dict)
    waiting: dict[int, list[PendingCommand]] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Share:
    """What of a batch one device is said to have said, by places in the request."""

    points: list[int] = field(default_factory=list)
    acks: list[int] = field(default_factory=list)


def accept_batch(
    *,
    integration: IntegrationCredential,
    names: Sequence[Name],
    points: Points,
    acks: Sequence[Acknowledgement],
    at: datetime.datetime,
) -> AcceptedBatch:
    """Take what an operator's backend says for its vehicles; `names[i]` said `points[i]`.

    1. Find the device behind every name, in this fleet only: another operator's looks unknown.
    2. Accept all reports at once, as if each device had come by itself. Raises `LogBusy`.
    3. Hand over the commands of its vehicles that hear through the backend and nothing else.

    Raises `RegisterUnreachable` with the database away; what was appended by then is stored once.
    """
    try:
        return _take(integration, names, points, acks, at=at)
    except (OperationalError, InterfaceError) as error:
        raise RegisterUnreachable from error


def _take(
    integration: IntegrationCredential,
    names: Sequence[Name],
    points: Points,
    acks: Sequence[Acknowledgement],
    *,
    at: datetime.datetime,
) -> AcceptedBatch:
    named = _named(integration.organisation_id, set(names), at=at)
    answer, shares = AcceptedBatch(), dict[Credential, _Share]()
    for place, name in enumerate(names):
        speaker = named.speakers.get(name)
        if speaker is None:
            answer.refused_points[place] = "device_unknown"
        else:
            shares.setdefault(speaker, _Share()).points.append(place)
    _share_acks(integration, acks, shares, answer, at=at)
    named.waiting = _accept(shares, points, acks, answer, at=at)
    answer.commands = _commands(integration, named, acks, at=at)
    return answer


def _accept(
    shares: dict[Credential, _Share],
    points: Points,
    acks: Sequence[Acknowledgement],
    answer: AcceptedBatch,
    *,
    at: datetime.datetime,
) -> dict[int, list[PendingCommand]]:
    """Accept every share; returns what waits for each vehicle among them."""
    reports = [
        Report(
            credential=speaker,
            points=points[np.array(share.points, dtype=np.intp)],
            acks=[acks[place] for place in share.acks],
        )
        for speaker, share in shares.items()
    ]
    accepted = accept_reports(reports=reports, at=at)
    for share, one in zip(shares.values(), accepted, strict=True):
        answer.doubtful += [(share.points[index], reason) for index, reason in one.doubtful]
        for index in one.unknown_acks:
            answer.refused_acks[share.acks[index]] = "command_not_found"
        for index in one.postponed_acks:
            answer.refused_acks[share.acks[index]] = "try_again"
    return {speaker.vehicle_id: one.commands for speaker, one in zip(shares, accepted, strict=True)}


def _named(
    organisation_id: int,
    names: Collection[Name],
    *,
    at: datetime.datetime,
) -> _Named:
    """The devices of this fleet that sit in a vehicle, by each name in use; one query."""
    serials = [name for kind, name in names if kind == "device"]
    codes = [name for kind, name in names if kind == "vehicle"]
    seats = _seats(organisation_id, at=at)
    rows = seats.filter(device__serial__in=serials) | seats.filter(vehicle__code__in=codes)
    named = _Named()
    for device_id, vehicle_id, serial, protocol, code in rows.order_by("during", "pk").values_list(
        "device_id", "vehicle_id", "device__serial", "device__protocol", "vehicle__code"
    ):
        speaker = Credential(device_id=device_id, vehicle_id=vehicle_id)
        named.speakers["device", serial] = speaker
        named.speakers["vehicle", code] = speaker
        if protocol == Protocol.INTEGRATION:
            named.reached[vehicle_id] = code
    return named


def _share_acks(
    integration: IntegrationCredential,
    acks: Sequence[Acknowledgement],
    shares: dict[Credential, _Share],
    answer: AcceptedBatch,
    *,
    at: datetime.datetime,
) -> None:
    """Give every answer to the device that sits in the vehicle the command was for."""
    if not acks:
        return
    commands = VehicleCommand.objects.filter(
        public_id__in=[ack.command_id for ack in acks],
        vehicle__organisation_id=integration.organisation_id,
    )
    vehicle_of = dict(commands.values_list("public_id", "vehicle_id"))
    seats = _seats(integration.organisation_id, at=at).filter(vehicle__in=vehicle_of.values())
    device_in = dict(seats.values_list("vehicle_id", "device_id"))
    by_command = {str(command_id): vehicle_id for command_id, vehicle_id in vehicle_of.items()}
    for place, ack in enumerate(acks):
        vehicle_id = by_command.get(ack.command_id)
        if vehicle_id not in device_in:
            answer.refused_acks[place] = "command_not_found"
            continue
        speaker = Credential(device_id=device_in[vehicle_id], vehicle_id=vehicle_id)
        shares.setdefault(speaker, _Share()).acks.append(place)


def _commands(
    integration: IntegrationCredential,
    named: _Named,
    acks: Sequence[Acknowledgement],
    *,
    at: datetime.datetime,
) -> list[AddressedCommand]:
    """Commands of all vehicles that are reached through the backend, and may travel.

    What waits for the vehicles of the request was read with it; others are looked at only if
    something waits for them.
    """
    codes, boxes = _others_waiting(integration.organisation_id, set(named.reached), at=at)
    answered = {ack.command_id for ack in acks}
    found = {vehicle_id: named.waiting.get(vehicle_id, []) for vehicle_id in named.reached} | boxes
    codes |= named.reached
    waiting = [
        AddressedCommand(vehicle_code=codes[vehicle_id], command=command)
        for vehicle_id, commands in found.items()
        for command in commands
        if command.id not in answered
    ]
    by = Principal(f"integration:{integration.integration_id}")
    travelling = take_along(waiting=[one.command for one in waiting], at=at, by=by)
    ids = {command.id for command in travelling}
    return [one for one in waiting if one.command.id in ids]


def _others_waiting(
    organisation_id: int,
    known: set[int],
    *,
    at: datetime.datetime,
) -> tuple[dict[int, str], dict[int, list[PendingCommand]]]:
    """Codes and commands of vehicles that are reached through the backend and were not `known`."""
    try:
        others = mailbox.waiting(at=at) - known
    except redis.RedisError as error:
        raise LogBusy from error
    if not others:
        return {}, {}
    seats = _seats(organisation_id, at=at).filter(vehicle__in=others)
    reached = seats.filter(device__protocol=Protocol.INTEGRATION)
    codes = dict(reached.values_list("vehicle_id", "vehicle__code"))
    boxes = point_log().boxes(vehicle_ids=list(codes))
    return codes, {
        vehicle_id: mailbox.read_box(box, at=at)
        for vehicle_id, box in zip(codes, boxes, strict=True)
    }


def _seats(organisation_id: int, *, at: datetime.datetime) -> QuerySet[DeviceAssignment]:
    """Where the devices of a fleet sit now."""
    seats = DeviceAssignment.objects.valid_at(at)
    return seats.filter(device__organisation=organisation_id, device__revoked_at=None)
