"""Reports in parts: put in order, found complete, found wanting."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import orjson
from django.db import transaction
from django.db.models import Q

from charging.devices import rules
from charging.devices.facts import PartSaid
from charging.devices.models import Report, ReportPart
from charging.devices.services.bounds import MOST, MOST_REPORT_BYTES, note_overflow
from charging.devices.services.monitors import keep_monitors
from charging.devices.services.variables import keep_variables
from charging.devices.states import Kept, ReportKind, ReportState
from charging.stations.models import StationCommand
from charging.stations.rules import without_nul
from charging.stations.states import CommandAction, CommandState
from mobility.core.principals import SYSTEM
from mobility.core.transitions import move

# Between two parts a slow station may take this long; after it the rest does not come.
PATIENCE: Final = timedelta(minutes=2)

KIND_OF: Final = {
    CommandAction.GET_BASE_REPORT: ReportKind.BASE,
    CommandAction.GET_REPORT: ReportKind.CUSTOM,
    CommandAction.GET_MONITORING: ReportKind.MONITORING,
    CommandAction.CUSTOMER_INFORMATION: ReportKind.CUSTOMER,
    CommandAction.GET_DISPLAYS: ReportKind.DISPLAY,
    CommandAction.GET_PROFILES: ReportKind.PROFILES,
    CommandAction.GET_DER_CONTROL: ReportKind.DER,
}


def begin_report(command: StationCommand, at: datetime) -> None:
    """A report was asked for: its parts will carry the command's number."""
    Report.objects.create(
        station_id=command.station_id,
        command=command,
        number=command.pk,
        kind=KIND_OF[CommandAction(command.action)],
        asked_at=at,
    )


def note_report_answer(command: StationCommand, at: datetime) -> None:
    """The station agreed, had nothing to report, or refused. Silence settles nothing: parts may come."""
    report = Report.objects.select_for_update().filter(command=command).first()
    if report is None or report.state != ReportState.ASKED:
        return
    if command.state == CommandState.ACCEPTED:
        if command.result.get("details", {}).get("empty"):
            move(report, to=ReportState.EMPTY, at=at, by=SYSTEM, finished_at=at)
    elif command.state != CommandState.TIMED_OUT:
        move(report, to=ReportState.REFUSED, at=at, by=SYSTEM, finished_at=at)


def take_part(*, part: PartSaid, at: datetime) -> None:
    """Keep one part of a report.

    1. What it says of variables and monitors counts at once, whether or not it was asked for.
    2. The part goes to its place; the same number twice is the same part.
    3. With all numbers from 0 to the last one the report is complete.

    Each part costs the same, however many came before it; which ones are missing is looked up when
    the last one comes.
    """
    keep_variables(station_id=part.station_id, said=part.variables, at=min(part.at, at))
    keep_monitors(station_id=part.station_id, monitors=part.monitors, at=at)
    report = (
        Report.objects.select_for_update()
        .filter(station_id=part.station_id, number=part.number)
        .first()
    )
    if report is None:
        return
    number = report.parts_count if part.seq_no is None else part.seq_no
    if not 0 <= number < MOST[Kept.PARTS]:
        note_overflow(station_id=part.station_id, kind=Kept.PARTS, times=1, at=at)
        return
    if _put(report, part, number, at=at):
        _judge(report, number, last=part.last, at=at)


@transaction.atomic
def give_up_reports(*, at: datetime) -> int:
    """Say of reports that fell silent what is missing; returns how many."""
    quiet = Report.objects.waiting().select_for_update(skip_locked=True)
    count = 0
    for report in quiet.filter(asked_at__lt=at - PATIENCE).order_by("pk")[:500]:
        if (report.heard_at or report.asked_at) > at - PATIENCE:
            continue
        # Without a gap what came last was not the end: the part after it is missing.
        missing = _gaps(report) or [report.parts.count()]
        move(
            report,
            to=ReportState.INCOMPLETE,
            at=at,
            by=SYSTEM,
            missing=missing,
            finished_at=at,
        )
        count += 1
    return count


def report_items(*, report: Report) -> list[dict[str, Any]]:
    """All items of a report in the order of its parts, as far as they came."""
    parts = report.parts.order_by("seq_no").values_list("items", flat=True)
    return [item for items in parts for item in items]


def _put(report: Report, part: PartSaid, number: int, *, at: datetime) -> bool:
    """Whether it is a new part that still fits; the caller holds the report, so nobody puts one beside us."""
    items = without_nul(part.items)
    digest = "" if part.seq_no is not None else _digest(items, last=part.last)
    same = Q(seq_no=number) if part.seq_no is not None else Q(digest=digest)
    if report.parts.filter(same).exists():
        return False
    report.size_bytes += len(orjson.dumps(items))
    if report.size_bytes > MOST_REPORT_BYTES:
        note_overflow(station_id=part.station_id, kind=Kept.PARTS, times=1, at=at)
        return False
    ReportPart.objects.create(
        report=report, seq_no=number, last=part.last, items=items, digest=digest, at=at
    )
    return True


def _digest(items: list[Any], *, last: bool) -> str:
    text = orjson.dumps([last, items], option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=16).hexdigest()


def _judge(report: Report, number: int, *, last: bool, at: datetime) -> None:
    report.parts_count += 1
    report.heard_at = at
    if last:
        report.last_no = max(number, report.last_no or 0)
        report.missing = _gaps(report)
    elif number in report.missing:
        report.missing = [one for one in report.missing if one != number]
    report.save(update_fields=["parts_count", "size_bytes", "last_no", "missing", "heard_at"])
    if report.state in (ReportState.COMPLETE, ReportState.EMPTY):
        return
    if report.last_no is not None and not report.missing:
        move(report, to=ReportState.COMPLETE, at=at, by=SYSTEM, finished_at=at)
    elif report.state in (ReportState.ASKED, ReportState.REFUSED):
        move(report, to=ReportState.RECEIVING, at=at, by=SYSTEM)


def _gaps(report: Report) -> list[int]:
    parts = list(report.parts.values_list("seq_no", "last"))
    ends = [number for number, last in parts if last]
    return rules.gaps(seen={number for number, _last in parts}, last=max(ends, default=None))
