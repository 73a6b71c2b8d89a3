"""What stations report about themselves: boots and the status of connectors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection, transaction
from django.db.models import F, Q

from charging.stations import queries
from charging.stations.events import ConnectorStatusChanged
from charging.stations.facts import BootAnswer, BootReport, StatusReport
from charging.stations.models import Connector
from charging.stations.queries import ConnectorKey, ConnectorRow
from charging.stations.rules import TOLD_WITHIN, connector_status, storable_json, telling
from charging.stations.states import Registration
from mobility.core import outbox

_AT_ONCE: Final = 500
_BOOT = """
UPDATE charging_chargingstation AS station
   SET vendor = boot.vendor, model = boot.model, serial = boot.serial,
       firmware = boot.firmware, boot_reason = boot.reason, boot_details = boot.details::jsonb,
       last_seen_at = %s,
       booted_at = CASE WHEN station.registration = 'accepted' THEN %s ELSE station.booted_at END
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
       AS boot (station_id, vendor, model, serial, firmware, reason, details)
 WHERE station.id = boot.station_id
RETURNING station.id, station.registration, station.boot_interval_s
"""
_STATUS = """
UPDATE charging_connector AS connector
   SET status = report.status, status_detail = report.detail, status_at = report.at,
       error_code = report.error_code, status_info = report.info,
       -- Out of service after the charge: the charge is over now.
       availability = CASE WHEN connector.availability = 'scheduled'
                            AND report.status = 'Unavailable'
                           THEN 'inoperative' ELSE connector.availability END,
       told_status = CASE WHEN report.told THEN report.status ELSE connector.told_status END,
       told_since = report.told_since, told_times = report.told_times
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[],
              %s::boolean[], %s::timestamptz[], %s::smallint[])
       AS report (connector_id, status, detail, at, error_code, info, told, told_since, told_times)
 WHERE connector.id = report.connector_id
   AND (connector.status_at IS NULL OR connector.status_at <= report.at)
RETURNING connector.id
"""
_STATION_STATUS = """
UPDATE charging_chargingstation AS station
   SET status = report.status, status_at = report.at, error_code = report.error_code
  FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[])
       AS report (station_id, status, at, error_code)
 WHERE station.id = report.station_id
   AND (station.status_at IS NULL OR station.status_at <= report.at)
RETURNING station.id
"""


def record_boots(*, boots: Sequence[BootReport], at: datetime) -> list[BootAnswer]:
    """Keep what stations say of themselves and answer whether we serve them.

    A station that was deleted meanwhile is answered ``rejected``.
    """
    newest = {boot.station_id: boot for boot in boots}
    rows = [newest[pk] for pk in sorted(newest)]
    with connection.cursor() as cursor:
        cursor.execute(
            _BOOT,
            [
                at,
                at,
                [boot.station_id for boot in rows],
                [_text(boot.vendor) for boot in rows],
                [_text(boot.model) for boot in rows],
                [_text(boot.serial) for boot in rows],
                [_text(boot.firmware) for boot in rows],
                [_text(boot.reason, 30) for boot in rows],
                [storable_json(boot.details) for boot in rows],
            ],
        )
        answers = {pk: (registration, interval) for pk, registration, interval in cursor}
    gone = (str(Registration.REJECTED), 3600)
    return [
        BootAnswer(registration=registration, interval_s=interval_s)
        for registration, interval_s in (answers.get(boot.station_id, gone) for boot in boots)
    ]


def record_statuses(*, reports: Sequence[StatusReport], at: datetime) -> list[bool]:
    """Keep the newest status of each connector; an older report never overwrites a newer one.

    What is said of the future is of now: until then a clock that runs ahead, and is set right,
    would freeze its connectors.

    The status is the station's word, not a state of ours: any status may follow any other.
    Answers whether each report's connector is known. Connectors whose status changed are
    published, once per batch; of one that flaps so many changes a minute as `rules.telling` says,
    and by `tell_statuses` what stands in the end.
    """
    connectors = queries.connectors_by_key(station_ids={r.station_id for r in reports})
    newest: dict[int, StatusReport] = {}
    stations: dict[int, StatusReport] = {}
    targets: dict[int, ConnectorRow] = {}
    known = []
    for report in reports:
        connector = _connector(connectors, report)
        known.append(connector is not None or report.evse_number == 0)
        if connector is not None:
            targets[connector.pk] = connector
            _keep_newest(newest, connector.pk, report)
        elif report.evse_number == 0:
            _keep_newest(stations, report.station_id, report)
    _write_station_statuses(stations, at=at)
    tellings = {pk: _telling(targets[pk], report, at=at) for pk, report in newest.items()}
    written = _write_connector_statuses(newest, tellings, at=at)
    changes = [_change(targets[pk], newest[pk]) for pk in written if tellings[pk].told]
    if changes:
        outbox.publish(*changes, at=at)
    return known


@transaction.atomic
def tell_statuses(*, at: datetime) -> int:
    """Publish the status of connectors that changed too often to be told each time; how many."""
    rows = (
        Connector.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(~Q(status=F("told_status")), told_since__lte=at - TOLD_WITHIN)
        .select_related("evse__station")
        .order_by("pk")[:_AT_ONCE]
    )
    changes = [
        ConnectorStatusChanged(
            connector_id=str(connector.public_id),
            station_identity=connector.evse.station.identity,
            evse_number=connector.evse.number,
            connector_number=connector.number,
            old_status=connector.told_status,
            status=connector.status,
            status_at=connector.status_at or at,
            error_code=connector.error_code,
        )
        for connector in rows
    ]
    told = Connector.objects.filter(pk__in=[connector.pk for connector in rows])
    told.update(told_status=F("status"), told_since=at, told_times=1)
    if changes:
        outbox.publish(*changes, at=at)
    return len(changes)


class _Telling(NamedTuple):
    """Whether a report is told to others, and what that makes of the count."""

    told: bool
    since: datetime | None
    times: int


def _telling(connector: ConnectorRow, report: StatusReport, *, at: datetime) -> _Telling:
    status, _detail = connector_status(report.status)
    if status == connector.told_status:
        return _Telling(told=False, since=connector.told_since, times=connector.told_times)
    return _Telling(*telling(since=connector.told_since, times=connector.told_times, at=at))


def _connector(
    connectors: dict[ConnectorKey, ConnectorRow],
    report: StatusReport,
) -> ConnectorRow | None:
    return queries.find_connector(
        connectors,
        station_id=report.station_id,
        evse_number=report.evse_number,
        connector_number=report.connector_number,
    )


def _keep_newest(newest: dict[int, StatusReport], pk: int, report: StatusReport) -> None:
    if pk not in newest or newest[pk].at <= report.at:
        newest[pk] = report


def _write_connector_statuses(
    newest: dict[int, StatusReport], tellings: dict[int, _Telling], *, at: datetime
) -> list[int]:
    if not newest:
        return []
    ids = sorted(newest)
    words = [connector_status(newest[pk].status) for pk in ids]
    with connection.cursor() as cursor:
        cursor.execute(
            _STATUS,
            [
                ids,
                [str(status) for status, _detail in words],
                [_text(detail) for _status, detail in words],
                [min(newest[pk].at, at) for pk in ids],
                [_error(newest[pk].error_code) for pk in ids],
                [_text(newest[pk].info, 100) for pk in ids],
                [tellings[pk].told for pk in ids],
                [tellings[pk].since for pk in ids],
                [tellings[pk].times for pk in ids],
            ],
        )
        return [row[0] for row in cursor.fetchall()]


def _write_station_statuses(stations: dict[int, StatusReport], *, at: datetime) -> None:
    if not stations:
        return
    ids = sorted(stations)
    with connection.cursor() as cursor:
        cursor.execute(
            _STATION_STATUS,
            [
                ids,
                [str(connector_status(stations[pk].status)[0]) for pk in ids],
                [min(stations[pk].at, at) for pk in ids],
                [_error(stations[pk].error_code) for pk in ids],
            ],
        )


def _change(connector: ConnectorRow, report: StatusReport) -> ConnectorStatusChanged:
    status, _detail = connector_status(report.status)
    return ConnectorStatusChanged(
        connector_id=str(connector.public_id),
        station_identity=connector.identity,
        evse_number=connector.evse_number,
        connector_number=connector.number,
        old_status=connector.told_status,
        status=str(status),
        status_at=report.at,
        error_code=_error(report.error_code),
    )


def _error(code: str) -> str:
    return "" if code == "NoError" else _text(code)


def _text(value: str, length: int = 50) -> str:
    """Fits its column; PostgreSQL stores no NUL."""
    return value.replace("\x00", "")[:length]
