"""Dropping a month of chunks, once everything that is kept of it is there."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Q, Sum

from fleet.telematics.models import CellCount, TripTrack
from fleet.telematics.services.retention.books import months_before, write_down
from fleet.telematics.services.retention.days import count_cells
from fleet.telematics.states import RetentionKind
from fleet.telematics.store import point_store

if TYPE_CHECKING:
    from fleet.telematics.models import RetentionRun

log = structlog.get_logger(__name__)

_DAY = datetime.timedelta(days=1)


def drop_months(*, at: datetime.datetime) -> list[RetentionRun]:
    """Drop the months of chunks that ended more than `TELEMATICS_CHUNK_MONTHS` ago.

    A month is dropped only when no track in it waits to be computed and the counts by cell of each
    of its days hold exactly as many points as its chunks; a day that differs is counted anew first.
    Returns what was written down.
    """
    limit = months_before(at, settings.TELEMATICS_CHUNK_MONTHS).astimezone(datetime.UTC).date()
    runs = []
    for month in point_store().months():
        if _next(month) <= limit:
            try:
                run = _drop(month, at=at)
            except OperationalError as busy:
                log.warning("telematics.month_in_use", month=str(month), reason=str(busy))
                continue
            except Exception:
                log.exception("telematics.month_failed", month=str(month))
                continue
            runs += [run] if run else []
    return runs


def _drop(month: datetime.date, *, at: datetime.datetime) -> RetentionRun | None:
    if _tracks_waiting(month):
        log.warning("telematics.month_kept", month=str(month), reason="tracks wait")
        return None
    days = [month + number * _DAY for number in range((_next(month) - month).days)]
    for day in days:
        if point_store().count(day=day) != _counted(day):
            count_cells(day=day, at=at)
    with transaction.atomic():
        verified = sum(_counted(day) for day in days)
        dropped = point_store().drop_month(month=month, expected=verified)
        if dropped is None:
            log.warning("telematics.month_kept", month=str(month), reason="counts differ")
            return None
        return write_down(
            kind=RetentionKind.DROP_MONTH,
            subject=f"{month:%Y-%m}",
            counted=verified,
            verified=verified,
            removed=verified,
            at=at,
            bytes_before=dropped,
        )


def _tracks_waiting(month: datetime.date) -> bool:
    since, until = (_midnight(day) for day in (month, _next(month)))
    waiting = TripTrack.objects.filter(Q(stale=True) | Q(settled_at=None), unlinked_at=None)
    return waiting.filter(started_at__lt=until, ended_at__gte=since).exists()


def _counted(day: datetime.date) -> int:
    since = _midnight(day)
    counts = CellCount.objects.filter(at__gte=since, at__lt=since + _DAY)
    return int(counts.aggregate(points=Sum("points"))["points"] or 0)


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC)


def _next(month: datetime.date) -> datetime.date:
    return (month + 32 * _DAY).replace(day=1)
