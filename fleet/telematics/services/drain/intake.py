"""From entries to points that can be stored: whose they are, and which cannot be true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import structlog
from django.db import connection

from fleet.telematics import records, rules
from fleet.telematics.services import owners
from fleet.telematics.states import QuarantineReason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.telematics.records import Points

log = structlog.get_logger(__name__)

# Only of devices that exist: one unknown device must not stop the batch of all others.
_PUT_ASIDE = """
INSERT INTO fleet_quarantinedpoint
    (device_id, vehicle_id, reason, at_us, received_at, lon_e7, lat_e7)
SELECT device.id, NULLIF(aside.vehicle_id, -1), reason, at_us, received_at, lon_e7, lat_e7
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[],
            %s::int[], %s::int[])
    WITH ORDINALITY
    AS aside (device_id, vehicle_id, reason, at_us, received_at, lon_e7, lat_e7, place)
JOIN fleet_device device ON device.id = aside.device_id
ORDER BY place
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Points in order and each once, and how many were put aside or set right."""

    points: Points
    quarantined: int
    corrected: int


def take_in(received: Points) -> Intake:
    """Find the owner of every point, put aside what cannot be stored, order the rest.

    A point that cannot be true has no trustworthy time: it is shown with the vehicle in which its
    device sat when it was received.
    """
    corrected = rules.right_week(received)
    if corrected:
        log.warning("telematics.gps_week_corrected", points=corrected)
    codes = rules.quarantine_reasons(received)
    bad = codes > 0
    asked = np.where(bad, received["received_us"], received["at_us"])
    vehicles = owners.vehicles_of(received, at_us=asked)
    homeless = ~bad & (vehicles == owners.NOBODY)
    put_aside(received[bad], vehicles[bad], [rules.reason_of(code) for code in codes[bad].tolist()])
    put_aside(
        received[homeless],
        vehicles[homeless],
        [QuarantineReason.UNASSIGNED] * int(homeless.sum()),
    )
    good = ~bad & ~homeless
    points = received if good.all() else received[good]
    owners_of = vehicles if good.all() else vehicles[good]
    return Intake(
        points=rules.in_order_once(records.owned(points, vehicle_id=owners_of)),
        quarantined=len(received) - len(points),
        corrected=corrected,
    )


def put_aside(
    points: Points,
    vehicles: NDArray[np.int64],
    reasons: list[QuarantineReason],
) -> None:
    """Keep these points with their reasons; the same one stands there once."""
    if not len(points):
        return
    columns = [
        points["device_id"].tolist(),
        vehicles.tolist(),
        [str(reason) for reason in reasons],
        points["at_us"].tolist(),
        [records.from_us(us) for us in points["received_us"].tolist()],
        points["lon_e7"].tolist(),
        points["lat_e7"].tolist(),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_PUT_ASIDE, columns)
