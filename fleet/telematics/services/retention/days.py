"""The nightly close: days that are no longer hot become chunks, and are counted by cells."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from fleet.telematics import cells
from fleet.telematics.models import CellCount, RetentionRun, TripTrack
from fleet.telematics.services.retention.books import write_down
from fleet.telematics.states import RetentionKind
from fleet.telematics.store import CloseFailed, point_store
from fleet.vehicles.models import Vehicle

if TYPE_CHECKING:
    from fleet.telematics.cells import Tally
    from fleet.telematics.records import Points
    from fleet.telematics.store import ClosedDay

log = structlog.get_logger(__name__)

_DAY = datetime.timedelta(days=1)
_VEHICLES_AT_ONCE = 500
_ROWS_AT_ONCE = 2_000


def close_days(*, at: datetime.datetime) -> list[ClosedDay]:
    """Close every day older than `TELEMATICS_HOT_DAYS` that has hot points.

    Each in a transaction of its own. A day that cannot be closed now stays as it is until the next
    night. Returns the days closed.
    """
    oldest = at.astimezone(datetime.UTC).date() - settings.TELEMATICS_HOT_DAYS * _DAY
    closed = []
    for day in point_store().days():
        if day < oldest:
            try:
                closed.append(_close(day, at=at))
            except CloseFailed as reason:
                log.warning("telematics.close_failed", day=str(day), reason=str(reason))
            except Exception:
                # A chunk that is broken, say: the other days must not wait for somebody to look.
                log.exception("telematics.close_failed", day=str(day))
    return closed


def count_closed_days(*, at: datetime.datetime) -> list[datetime.date]:
    """Count by cells every day that was closed since it was counted last; returns the days.

    What a night that broke off left uncounted is counted in the next one.
    """
    later = RetentionRun.objects.filter(
        kind=RetentionKind.COUNT_CELLS, subject=OuterRef("subject"), id__gt=OuterRef("id")
    )
    closes = RetentionRun.objects.filter(~Exists(later), kind=RetentionKind.CLOSE_DAY)
    subjects = closes.order_by("subject").values_list("subject", flat=True).distinct()
    counted = []
    for day in map(datetime.date.fromisoformat, subjects):
        try:
            count_cells(day=day, at=at)
            counted.append(day)
        except Exception:
            log.exception("telematics.count_failed", day=str(day))
    return counted


def count_cells(*, day: datetime.date, at: datetime.datetime) -> int:
    """Count a day (UTC) by quarter of an hour, kind and cell, anew; returns its points.

    Where a vehicle was between two reports counts for at most 15 minutes. Trips count where and
    when they started and ended; their distance where they started.
    """
    tally = _tally(day)
    points = tally.points
    rows = [CellCount(**row) for row in tally.rows()]
    with transaction.atomic():
        since = datetime.datetime.combine(day, datetime.time(), datetime.UTC)
        CellCount.objects.filter(at__gte=since, at__lt=since + _DAY).delete()
        CellCount.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)
        write_down(
            kind=RetentionKind.COUNT_CELLS,
            subject=str(day),
            counted=point_store().count(day=day),
            verified=points,
            removed=0,
            at=at,
        )
    return points


def _close(day: datetime.date, *, at: datetime.datetime) -> ClosedDay:
    with transaction.atomic():
        closed = point_store().close(day=day)
        write_down(
            kind=RetentionKind.CLOSE_DAY,
            subject=str(day),
            counted=closed.hot,
            verified=closed.hot,
            removed=closed.hot,
            at=at,
            bytes_before=closed.bytes_before,
            bytes_after=closed.bytes_after,
        )
    return closed


def _tally(day: datetime.date) -> Tally:
    since = datetime.datetime.combine(day, datetime.time(), datetime.UTC)
    until = since + _DAY
    tally = cells.Tally(since=since, until=until)
    vehicle_ids = point_store().vehicles(day=day)
    for start in range(0, len(vehicle_ids), _VEHICLES_AT_ONCE):
        some = vehicle_ids[start : start + _VEHICLES_AT_ONCE]
        kinds = dict(Vehicle.objects.filter(pk__in=some).values_list("pk", "type__kind"))
        for vehicle_id in some:
            tally.add_points(_around(vehicle_id, since, until), kind=kinds.get(vehicle_id, ""))
    _add_trips(tally, since, until)
    return tally


def _around(vehicle_id: int, since: datetime.datetime, until: datetime.datetime) -> Points:
    """The day's points, and those just before that still say where the vehicle was at midnight."""
    return point_store().track(
        vehicle_id=vehicle_id,
        start=since - cells.HOLDS,
        end=until - datetime.timedelta(microseconds=1),
    )


def _add_trips(tally: Tally, since: datetime.datetime, until: datetime.datetime) -> None:
    tracks = TripTrack.objects.values_list(
        "line", "vehicle__type__kind", "started_at", "ended_at", "distance_m"
    )
    touching = tracks.filter(started_at__lt=until, ended_at__gte=since)
    for line, kind, started_at, ended_at, distance_m in touching.iterator():
        (first, last) = (line.coords[0], line.coords[-1]) if line else (None, None)
        if first and started_at >= since:
            tally.add_start(first[:2], kind=kind, at=started_at, distance_m=distance_m)
        if last and ended_at < until:
            tally.add_end(last[:2], kind=kind, at=ended_at)
