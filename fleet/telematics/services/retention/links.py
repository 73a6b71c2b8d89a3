"""Cutting the link from ways to trips, and so to people, when nobody may ask for it any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, transaction

from fleet.telematics.services.retention.books import months_before, write_down
from fleet.telematics.states import RetentionKind

if TYPE_CHECKING:
    import datetime

    from fleet.telematics.models import RetentionRun

# A name is old when everything under it is: what belongs together keeps belonging together, under
# one new name that is drawn by chance and written down nowhere else.
_NAMES = """
CREATE TEMPORARY TABLE unlinked ON COMMIT DROP AS
SELECT name, 'unlinked:' || replace(gen_random_uuid()::text, '-', '') AS instead
FROM (
    SELECT trip_ref AS name, ended_at AS at FROM fleet_triptrack WHERE unlinked_at IS NULL
    UNION ALL
    SELECT trip_ref, at FROM fleet_vehicleevent
    WHERE trip_ref <> '' AND trip_ref NOT LIKE 'unlinked:%%'
    UNION ALL
    SELECT holder_ref, upper(during) FROM fleet_vehiclehold
    WHERE holder_ref NOT LIKE 'unlinked:%%'
) AS named
GROUP BY name HAVING max(at) < %(before)s
"""
_TRACKS = """
UPDATE fleet_triptrack SET trip_ref = instead, unlinked_at = %(at)s, stale = FALSE
FROM unlinked WHERE trip_ref = name
"""
_EVENTS = "UPDATE fleet_vehicleevent SET trip_ref = instead FROM unlinked WHERE trip_ref = name"
_HOLDS = "UPDATE fleet_vehiclehold SET holder_ref = instead FROM unlinked WHERE holder_ref = name"
_LEFT = """
SELECT count(*) FROM unlinked
WHERE EXISTS (SELECT FROM fleet_triptrack WHERE trip_ref = name)
   OR EXISTS (SELECT FROM fleet_vehicleevent WHERE trip_ref = name)
   OR EXISTS (SELECT FROM fleet_vehiclehold WHERE holder_ref = name)
"""


def cut_links(*, at: datetime.datetime) -> RetentionRun | None:
    """Rename trips and holders older than `TELEMATICS_LINK_MONTHS` to names that mean nothing.

    Tracks, events and holds of one trip stay together; which trip it was, and whose, is not to be
    found out from here any more. Returns what was written down, None if there was nothing to cut.
    """
    before = months_before(at, settings.TELEMATICS_LINK_MONTHS)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL fleet.unlink = 'on'")
        cursor.execute(_NAMES, {"before": before})
        counted = cursor.rowcount
        if not counted:
            cursor.execute("DROP TABLE unlinked")
            return None
        for statement in (_TRACKS, _EVENTS, _HOLDS):
            cursor.execute(statement, {"at": at})
        cursor.execute(_LEFT)
        (left,) = cursor.fetchone() or (counted,)
        cursor.execute("DROP TABLE unlinked")
        cursor.execute("SET LOCAL fleet.unlink = 'off'")
        return write_down(
            kind=RetentionKind.CUT_LINKS,
            subject=before.isoformat(timespec="seconds"),
            counted=counted,
            verified=counted - left,
            removed=counted - left,
            at=at,
        )
