"""Between the JSON of reports and the services: answers, verdicts, commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleet.telematics import wire
from fleet.telematics.services.accept import Acknowledgement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fleet.telematics.services.accept import AcceptedReport
    from fleet.telematics.services.batches import AcceptedBatch, Name
    from fleet.vehicles.mailbox import PendingCommand

REPORT_AGAIN_S = 5
# After a command the answer is awaited by a person in front of the vehicle.
REPORT_AGAIN_SOON_S = 1

# In English as all that is said to machines; the code is what they go by.
_DETAILS = {
    "command_not_found": "no such command for this vehicle",
    "device_unknown": "no such device or vehicle in this fleet, or none that speaks for it",
    "try_again": "could not be noted now: say it again",
    "future": "the device's clock is ahead",
    "too_old": "older than 30 days",
    "zero_fix": "no position: 0, 0",
    "out_of_range": "not a place on earth",
}


def require_something(report: wire.Read[Any]) -> None:
    """Raise `NothingUsable` with every verdict if there were points and none can be read."""
    if report.rejected and not (report.points or report.acks):
        raise wire.NothingUsable(extra={"rejected": report.rejected})


def acknowledgements(report: wire.Read[Any]) -> list[Acknowledgement]:
    """The answers to commands in a request."""
    return [Acknowledgement(command_id=str(ack.command), result=ack.result) for ack in report.acks]


def names(report: wire.Read[wire.NamedPointIn]) -> list[Name]:
    """Who said each point of a backend's request."""
    return [
        ("device", point.device) if point.device is not None else ("vehicle", point.vehicle or "")
        for point in report.points
    ]


def report_answer(report: wire.Read[Any], accepted: AcceptedReport) -> wire.ReportOut:
    """What a device hears."""
    acks = dict.fromkeys(accepted.unknown_acks, "command_not_found")
    acks |= dict.fromkeys(accepted.postponed_acks, "try_again")
    commands = [command_out(command) for command in accepted.commands]
    return _answer(report, points=dict(accepted.doubtful), acks=acks, commands=commands)


def batch_answer(
    report: wire.Read[wire.NamedPointIn],
    accepted: AcceptedBatch,
) -> wire.ReportOut:
    """What an operator's backend hears.

    Raises `NothingUsable` if it named nobody of its own fleet and nothing else is to be told.
    """
    answer = _answer(
        report,
        points=accepted.refused_points | dict(accepted.doubtful),
        acks=accepted.refused_acks,
        commands=[command_out(one.command, vehicle=one.vehicle_code) for one in accepted.commands],
    )
    nobody = report.points and len(accepted.refused_points) == len(report.points)
    if nobody and not (report.acks or answer.commands):
        raise wire.NothingUsable(extra={"rejected": answer.rejected})
    return answer


def command_out(command: PendingCommand, *, vehicle: str | None = None) -> wire.CommandOut:
    """A waiting command as the peer reads it."""
    return wire.CommandOut(
        command.id,
        command.sequence,
        command.kind,
        command.expires_at,
        command.parameters,
        vehicle,
    )


def _answer(
    report: wire.Read[Any],
    *,
    points: Mapping[int, str],
    acks: Mapping[int, str],
    commands: list[wire.CommandOut],
) -> wire.ReportOut:
    rejected = [*report.rejected]
    rejected += _verdicts(points.items(), report.point_places, "point")
    rejected += _verdicts(acks.items(), report.ack_places, "ack")
    return wire.ReportOut(
        accepted=len(report.points) - len(points),
        rejected=sorted(rejected, key=lambda one: (one.item != "point", one.index)),
        commands=commands,
        report_again_s=REPORT_AGAIN_SOON_S if commands else REPORT_AGAIN_S,
    )


def _verdicts(
    found: Iterable[tuple[int, str]],
    places: list[int] | range,
    item: Any,
) -> list[wire.Rejected]:
    return [
        wire.Rejected(places[index], code, _DETAILS.get(code, code), item) for index, code in found
    ]
