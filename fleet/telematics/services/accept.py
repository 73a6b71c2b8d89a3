"""Taking a report: into the log first, then the answers to commands, then what the vehicle must do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.telematics import records
from fleet.telematics.log import point_log
from fleet.vehicles import mailbox
from fleet.vehicles.mailbox import PendingCommand
from fleet.vehicles.services import (
    CommandNotFound,
    mark_commands_sent,
    record_acknowledgement,
)
from mobility.core.principals import device_principal

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from fleet.telematics.records import Points
    from fleet.telematics.services.devices import Credential
    from mobility.core.principals import Principal


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """A vehicle's answer to a command."""

    command_id: str
    result: str


@dataclass(frozen=True, kw_only=True)
class AcceptedReport:
    """What a device is told after its report is safe."""

    commands: list[PendingCommand]
    unknown_acks: list[int]


def accept_report(
    *,
    credential: Credential,
    points: Points,
    acks: Sequence[Acknowledgement],
    at: datetime.datetime,
) -> AcceptedReport:
    """Take a device's points and answers; the points are in the log when this returns.

    1. Append the points, one entry for the request. Raises `LogBusy`: nothing was taken.
    2. Note the answers to commands, each in its own transaction; they can be repeated.
    3. Return the commands that wait. Without any, this asks the database nothing.
    """
    by = device_principal(credential.device_id)
    box = _append(credential, points, at=at)
    unknown = _acknowledge(credential.vehicle_id, acks, at=at, by=by)
    answered = {ack.command_id for ack in acks}
    waiting = [command for command in mailbox.read_box(box, at=at) if command.id not in answered]
    return AcceptedReport(commands=_hand_over(waiting, at=at, by=by), unknown_acks=unknown)


def _append(credential: Credential, points: Points, *, at: datetime.datetime) -> bytes | None:
    log = point_log()
    if not len(points):
        return log.boxes(vehicle_ids=(credential.vehicle_id,))[0]
    reports = records.reports_of(device_id=credential.device_id, points=points)
    payload = records.pack_entry(received_at=at, reports=reports)
    return log.append(vehicle_id=credential.vehicle_id, payload=payload)


def _acknowledge(
    vehicle_id: int,
    acks: Sequence[Acknowledgement],
    *,
    at: datetime.datetime,
    by: Principal,
) -> list[int]:
    """Note the answers; returns the places of those for commands this vehicle never had."""
    unknown = []
    for index, ack in enumerate(acks):
        try:
            record_acknowledgement(
                command_public_id=ack.command_id,
                device_vehicle_id=vehicle_id,
                result=ack.result,
                at=at,
                by=by,
            )
        except CommandNotFound:
            unknown.append(index)
    return unknown


def _hand_over(
    waiting: list[PendingCommand],
    *,
    at: datetime.datetime,
    by: Principal,
) -> list[PendingCommand]:
    """The waiting commands that may travel; the first time, their leaving is noted."""
    if all(command.sent for command in waiting):
        return waiting
    travelling = mark_commands_sent(public_ids=[one.id for one in waiting], at=at, by=by)
    ids = {str(command.public_id) for command in travelling}
    return [command for command in waiting if command.id in ids]
