"""The tracks of trips: computed from stored points at the end, and again when more points come.

1. When a trip has ended its track is recorded (`record_track`).
2. Points are still on their way then. Once `SETTLED_AFTER` the end nobody is expected any more, and
   the track is computed again, this time holding its row.
3. Points that come later still (`note_late_points`, in the transaction that stores them) make it
   stale, and the next sweep computes it once more (`correct_tracks`).
4. Whenever a computation gives another distance, `TrackCorrected` says so. What to do about the
   price is for whoever sold the trip; nothing is charged from here.

Storing takes the lock of the track's row after it has written its points, computing takes it before
it reads: either the computation sees the points, or it leaves a track that is then made stale.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import structlog
from django.contrib.gis.geos import LineString
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from fleet.telematics import queries
from fleet.telematics.events import TrackCorrected
from fleet.telematics.models import TripTrack
from mobility.core import geo, outbox
from mobility.core.prepared import insert, prepared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.telematics.rules.way import Way

log = structlog.get_logger(__name__)

# Devices report every few seconds; what takes longer than this is noticed as late.
SETTLED_AFTER = datetime.timedelta(minutes=15)
_AT_ONCE = 200

_NOTE = """
UPDATE fleet_triptrack track SET stale = TRUE
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS late (vehicle_id, first, last)
WHERE track.vehicle_id = late.vehicle_id
  AND track.ended_at >= late.first AND track.started_at <= late.last
  AND track.unlinked_at IS NULL
"""


def record_track(
    *,
    trip_ref: str,
    vehicle_id: int,
    started_at: datetime.datetime,
    ended_at: datetime.datetime,
    at: datetime.datetime,
) -> TripTrack:
    """Compute and keep the track of a trip that has ended; told twice, it stays as it is."""
    with transaction.atomic(savepoint=False):
        known = _known.first(trip_ref=trip_ref)
        if known is not None:
            return known
        track = TripTrack(
            trip_ref=trip_ref,
            vehicle_id=vehicle_id,
            started_at=started_at,
            ended_at=max(started_at, ended_at),
        )
        _compute(track, at=at)
        return insert(track)


@prepared
def _known(*, trip_ref: str) -> QuerySet[TripTrack]:
    return TripTrack.objects.filter(trip_ref=trip_ref)


def note_late_points(
    *,
    spans: Sequence[tuple[int, datetime.datetime, datetime.datetime]],
    at: datetime.datetime,
) -> int:
    """Make the tracks stale over which points have just been stored; returns how many.

    `spans` are (vehicle id, first moment, last moment), one or more a vehicle. To be called in the
    transaction that stores the points, after they are written.
    """
    if not spans:
        return 0
    vehicles, firsts, lasts = (list(column) for column in zip(*spans, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [vehicles, firsts, lasts])
        return int(cursor.rowcount)


def correct_tracks(*, at: datetime.datetime, limit: int = _AT_ONCE) -> int:
    """Compute again what is stale or can be settled by now, each in its own transaction.

    One that cannot be computed is told in the log and does not stop the others. Returns how many
    distances changed.
    """
    due = Q(stale=True) | Q(settled_at=None, ended_at__lte=at - SETTLED_AFTER)
    waiting = TripTrack.objects.filter(due, unlinked_at=None).order_by("pk")
    pks = list(waiting.values_list("pk", flat=True)[:limit])
    changed = 0
    for pk in pks:
        try:
            changed += _correct(pk, at=at)
        except Exception:
            log.exception("telematics.track_failed", track=pk)
    return changed


def _correct(pk: int, *, at: datetime.datetime) -> bool:
    with transaction.atomic():
        locked = TripTrack.objects.select_for_update(skip_locked=True, no_key=True)
        track = locked.filter(pk=pk).first()
        if track is None:
            return False
        before = track.distance_m
        changed = _compute(track, at=at)
        track.version += changed
        if track.settled_at is None and at >= track.ended_at + SETTLED_AFTER:
            track.settled_at = at
        track.save(force_update=True)
        if track.distance_m == before:
            return False
        outbox.publish(_corrected(track, before), at=at)
    log.info("telematics.track_corrected", trip_ref=track.trip_ref, before_m=before)
    return True


def _compute(track: TripTrack, *, at: datetime.datetime) -> bool:
    """Fill in what the stored points tell; whether it differs from what was there."""
    points, way = queries.trip_way(
        vehicle_id=track.vehicle_id, start=track.started_at, end=track.ended_at
    )
    before = (track.distance_m, track.points, track.line)
    track.distance_m = round(way.distance_m)
    track.points = len(points)
    track.line = _line(way)
    track.computed_at = at
    track.stale = False
    return before != (track.distance_m, track.points, track.line)


def _line(way: Way) -> LineString | None:
    """A line needs two ends; a trip that told one place has that place twice."""
    if not way.corners:
        return None
    corners = way.corners if len(way.corners) > 1 else way.corners * 2
    return LineString(corners, srid=geo.WGS84)


def _corrected(track: TripTrack, before_m: int) -> TrackCorrected:
    return TrackCorrected(
        trip_ref=track.trip_ref,
        vehicle_id=track.vehicle_id,
        distance_m_before=before_m,
        distance_m_after=track.distance_m,
    )
