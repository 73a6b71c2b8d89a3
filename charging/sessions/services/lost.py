"""Sessions whose stations will never end them: given up at their last believable reading."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from charging.sessions.models import ChargingSession
from charging.sessions.rules import not_ahead
from charging.sessions.services.flags import add_flag, drop_flag
from charging.sessions.services.starts import station_identities
from charging.sessions.services.stops import END_OF_TRANSACTION, end_moved
from charging.sessions.states import Doubt, Flag
from charging.stations.states import ConnectorStatus

# An open session is given up when it is silent this long and its connector is evidently free,
# or silent for this many days whatever the connector says.
_FREED: Final = timedelta(hours=1)
_SILENT: Final = timedelta(days=2)


@transaction.atomic
def close_lost_sessions(*, at: datetime, limit: int = 200) -> int:
    """End sessions whose stations will not end them any more; returns how many.

    Given up is an open session that was silent for an hour while its connector is free again or
    has a newer session, or that was silent for two days. It ends at its last believable reading.
    A stop that comes after all replaces the guess, see `stop_sessions`.
    """
    newer = ChargingSession.objects.filter(
        connector_id=OuterRef("connector_id"),
        started_at__gt=OuterRef("started_at"),
    )
    freed = Q(connector__status=ConnectorStatus.AVAILABLE) & Q(
        connector__status_at__gt=F("heard_at"),
    )
    lost = list(
        ChargingSession.objects.silent_since(at - _FREED)
        .filter(freed | Q(Exists(newer)) | Q(heard_at__lt=at - _SILENT))
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("pk")[:limit],
    )
    for session in lost:
        _give_up(session, at=at)
    identities = station_identities({session.station_id for session in lost})
    end_moved(lost, identities=identities, at=at)
    return len(lost)


def take_late_end(session: ChargingSession) -> None:
    """Let a session that was given up, billed, and then ended by its station, end as it says.

    In memory only: who bills it anew saves it. Its end came as a reading, see `stops.note_end`.
    """
    if Flag.LOST.value not in session.flags:
        return
    end = (
        session.readings.filter(context=END_OF_TRANSACTION, register_wh__isnull=False)
        .exclude(doubt=Doubt.SIGNATURE)
        .order_by("-at", "-id")
        .first()
    )
    if end is None or session.started_at is None:
        return
    drop_flag(session, Flag.LOST)
    session.ended_at = max(end.at, session.started_at)
    session.meter_stop_wh = end.register_wh
    session.stop_reason = str(end.raw.get("reason", ""))[:30]
    # An OCPP 1.6 stop is the whole rest of the story; numbered sessions know what they miss.
    session.complete = session.complete or session.seq_first is None


def _give_up(session: ChargingSession, *, at: datetime) -> None:
    candidates = [session.last_register_at, session.started_at]
    session.ended_at = not_ahead(max(filter(None, candidates), default=session.heard_at), at=at)
    session.meter_stop_wh = session.last_register_wh
    session.end_reported_at = at
    session.stop_reason = "Lost"
    session.power_w = 0
    add_flag(session, Flag.LOST)
    session.save(
        update_fields=[
            "ended_at",
            "meter_stop_wh",
            "end_reported_at",
            "stop_reason",
            "power_w",
            "flags",
        ],
    )
