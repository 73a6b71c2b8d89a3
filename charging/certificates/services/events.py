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
from charging.devices.services import by_station, fitting, of_today
from charging.devices.states import Kept
from charging.stations.models import ChargingStation
from charging.stations.services import forget_oldest
from mobility.core import outbox

MOST_CRITICAL: Final = 1_000
"""Critical events of one station in a day; each is an alarm. They have a bound of their own, so that
none is lost among the others."""

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
    """Keep what stations noticed; a repeat changes nothing. Runs in the caller's transaction.

    Of one station as many a day as `devices.MOST` allows, and `MOST_CRITICAL` critical ones.
    """
    reports = [
        report for pk, told in by_station(reports).items() for report in _in_a_day(told, pk, at=at)
    ]
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
    return forget_oldest(SecurityEvent.objects.all, told_at="received_at", before=at - _KEEP)


def _in_a_day(
    reports: list[SecurityReport], station_id: int, *, at: datetime
) -> list[SecurityReport]:
    kept = of_today(SecurityEvent.objects.filter(station_id=station_id), at=at)
    fit: list[SecurityReport] = []
    for critical, most in ((True, MOST_CRITICAL), (False, None)):
        fit += fitting(
            [report for report in reports if (report.kind in CRITICAL_EVENTS) is critical],
            kept=kept.filter(critical=critical),
            kind=Kept.SECURITY,
            most=most,
            station_id=station_id,
            at=at,
        )
    return fit


def _text(value: str, length: int) -> str:
    return value.replace("\x00", "")[:length]
