"""Security events: each kept once, the critical ones told to whoever listens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from charging.certificates.events import SecurityAlarm
from charging.certificates.facts import SecurityReport
from charging.certificates.models import SecurityEvent
from charging.certificates.rules import CRITICAL_EVENTS
from charging.stations.models import ChargingStation
from mobility.core import outbox

_KEEP: Final = timedelta(days=365)
_INSERT: Final = """
INSERT INTO charging_securityevent (station_id, kind, at, received_at, info, critical)
SELECT station_id, kind, at, %s, info, critical
  FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[], %s::boolean[])
       AS event (station_id, kind, at, info, critical)
 ORDER BY station_id, at
    ON CONFLICT (station_id, kind, at, info) DO NOTHING
RETURNING station_id, kind, at, info, critical
"""


def record_security_events(*, reports: Sequence[SecurityReport], at: datetime) -> None:
    """Keep what stations noticed; a repeat changes nothing. Runs in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                at,
                [report.station_id for report in reports],
                [_text(report.kind, 50) for report in reports],
                [report.at for report in reports],
                [_text(report.info, 255) for report in reports],
                [report.kind in CRITICAL_EVENTS for report in reports],
            ],
        )
        alarms = [row for row in cursor.fetchall() if row[4]]
    if not alarms:
        return
    names = dict(
        ChargingStation.objects.filter(pk__in={row[0] for row in alarms}).values_list(
            "pk",
            "identity",
        ),
    )
    outbox.publish(
        *[
            SecurityAlarm(station_identity=names[pk], kind=kind, happened_at=when, info=info)
            for pk, kind, when, info, _critical in alarms
        ],
        at=at,
    )


def forget_security_events(*, at: datetime) -> int:
    """Drop events older than a year; returns how many."""
    deleted, _per_model = SecurityEvent.objects.filter(received_at__lt=at - _KEEP).delete()
    return deleted


def _text(value: str, length: int) -> str:
    return value.replace("\x00", "")[:length]
