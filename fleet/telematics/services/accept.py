"""Taking reports: into the log first, then the answers to commands, then what the vehicle must do.

The one service behind every door. What can never be true is told to the peer at once and goes into
the log all the same: the drain keeps it aside for staff to look at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import structlog
from django.db import InterfaceError, OperationalError

from fleet.telematics import records, rules
from fleet.telematics.log import point_log, shard_of
from fleet.vehicles import mailbox
from fleet.vehicles.mailbox import PendingCommand
from fleet.vehicles.services import (
    CommandNotFound,
    let_travel,
    record_acknowledgement,
)
from mobility.core.principals import device_principal

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from fleet.telematics.records import Points
    from fleet.telematics.services.credentials import Credential
    from mobility.core.principals import Principal

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """A vehicle's answer to a command."""

    command_id: str
    result: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one device says at once."""

    credential: Credential
    points: Points
    acks: Sequence[Acknowledgement] = ()


@dataclass(kw_only=True)
class AcceptedReport:
    """What a device is told after its report is safe; lists of places count within the report."""

    commands: list[PendingCommand] = field(default_factory=list)
    unknown_acks: list[int] = field(default_factory=list)
    # Could not be noted now: the device must say them again.
    postponed_acks: list[int] = field(default_factory=list)
    # Place of a point and why it can never be true.
    doubtful: list[tuple[int, str]] = field(default_factory=list)


def accept_report(
    *,
    credential: Credential,
    points: Points,
    acks: Sequence[Acknowledgement],
    at: datetime.datetime,
) -> AcceptedReport:
    """Take a device's points and answers, and hand it its commands with the reply.

    1. Append the points, one entry for the request. Raises `LogBusy`: nothing was taken.
    2. Note the answers to commands, each in its own transaction; they can be repeated.
    3. Return the commands that wait. Without any, this asks the database nothing.
    """
    report = Report(credential=credential, points=points, acks=acks)
    (accepted,) = accept_reports(reports=[report], at=at)
    by = device_principal(credential.device_id)
    accepted.commands = take_along(waiting=accepted.commands, at=at, by=by)
    return accepted


def accept_reports(*, reports: Sequence[Report], at: datetime.datetime) -> list[AcceptedReport]:
    """Take the reports of many devices at once: one entry for each shard, all or none of them.

    The commands in the answers only wait: `take_along` lets them travel. Raises `LogBusy`.
    """
    points = records.gathered([report.points for report in reports])
    lengths = [len(report.points) for report in reports]
    boxes = _append(reports, points, lengths, at=at)
    doubtful = _doubtful(points, lengths, at=at)
    accepted = []
    for report, box, doubts in zip(reports, boxes, doubtful, strict=True):
        answer = AcceptedReport(doubtful=doubts)
        if report.acks:
            _acknowledge(report, answer, at=at)
        if box:
            answered = {ack.command_id for ack in report.acks}
            waiting = mailbox.read_box(box, at=at)
            answer.commands = [command for command in waiting if command.id not in answered]
        accepted.append(answer)
    return accepted


def take_along(
    *,
    waiting: Sequence[PendingCommand],
    at: datetime.datetime,
    by: Principal,
) -> list[PendingCommand]:
    """The waiting commands that may travel; the first time, their leaving is noted.

    None with the database out of reach: they wait, and the points are safe without it.
    """
    if all(command.sent for command in waiting):
        return list(waiting)
    try:
        return let_travel(waiting=waiting, at=at, by=by)
    except (OperationalError, InterfaceError):
        log.warning("telematics.commands_wait", commands=len(waiting))
        return []


def _append(
    reports: Sequence[Report],
    points: Points,
    lengths: Sequence[int],
    *,
    at: datetime.datetime,
) -> list[bytes | None]:
    vehicle_ids = [report.credential.vehicle_id for report in reports]
    if not len(points):
        return point_log().boxes(vehicle_ids=vehicle_ids)
    device_ids = np.repeat([report.credential.device_id for report in reports], lengths)
    named = records.reports_of(device_id=device_ids, points=points)
    shards = [
        shard_of(vehicle_id)
        for vehicle_id, length in zip(vehicle_ids, lengths, strict=True)
        if length
    ]
    if len(set(shards)) == 1:
        payloads = {shards[0]: records.pack_entry(received_at=at, reports=named)}
    else:
        whose = np.repeat(shards, [length for length in lengths if length])
        payloads = {
            shard: records.pack_entry(received_at=at, reports=named[whose == shard])
            for shard in set(shards)
        }
    return point_log().append_batch(payloads=payloads, vehicle_ids=vehicle_ids)


def _doubtful(
    points: Points,
    lengths: Sequence[int],
    *,
    at: datetime.datetime,
) -> list[list[tuple[int, str]]]:
    """For each report the places of points that can never be true, and why."""
    found: list[list[tuple[int, str]]] = [[] for _ in lengths]
    if not len(points):
        return found
    received = records.received(points, received_at=at)
    # The log keeps what the device said; the drain corrects it the same way.
    rules.right_week(received)
    reasons = rules.quarantine_reasons(received)
    if reasons.any():
        starts = np.cumsum([0, *lengths[:-1]])
        for place in np.flatnonzero(reasons).tolist():
            whose = int(np.searchsorted(starts, place, side="right")) - 1
            reason = rules.reason_of(int(reasons[place])).value
            found[whose].append((place - int(starts[whose]), reason))
    return found


def _acknowledge(report: Report, answer: AcceptedReport, *, at: datetime.datetime) -> None:
    """Note the answers to commands, and which could not be noted."""
    for index, ack in enumerate(report.acks):
        try:
            record_acknowledgement(
                command_public_id=ack.command_id,
                device_vehicle_id=report.credential.vehicle_id,
                result=ack.result,
                at=at,
                by=device_principal(report.credential.device_id),
            )
        except CommandNotFound:
            answer.unknown_acks.append(index)
        except (OperationalError, InterfaceError):
            answer.postponed_acks.append(index)
