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


_HOUR_US = 3_600_000_000
_SHOWN = f"""
SELECT device, hour FROM unnest(%s::bigint[], %s::bigint[]) AS asked (device, hour)
WHERE EXISTS (
    SELECT FROM fleet_quarantinedpoint aside
    WHERE aside.device_id = device AND aside.reason = '{QuarantineReason.ZERO_FIX}'
      AND aside.at_us >= hour * {_HOUR_US} AND aside.at_us < (hour + 1) * {_HOUR_US}
)
"""  # noqa: S608 - constants


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Points in order and each once, and how many were put aside or set right."""

    points: Points
    quarantined: int
    corrected: int
    # Reports without a place, in order: what else they tell is as good as with one.
    placeless: Points
    # Whoever was heard, whatever it said, and when we last received it (µs).
    heard: dict[int, int]


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
    placeless = rules.without_place(received, codes) & (vehicles != owners.NOBODY)
    shown = _first_of_the_hour(received, placeless)
    aside = bad & (~placeless | shown)
    reasons = [rules.reason_of(code) for code in codes[aside].tolist()]
    put_aside(received[aside], vehicles[aside], reasons)
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
        placeless=rules.in_order_once(
            records.owned(received[placeless], vehicle_id=vehicles[placeless])
        ),
        heard=_heard(vehicles, received["received_us"]),
    )


def _heard(vehicles: NDArray[np.int64], received_us: NDArray[np.int64]) -> dict[int, int]:
    order = np.lexsort((received_us, vehicles))
    pairs = zip(vehicles[order].tolist(), received_us[order].tolist(), strict=True)
    heard = dict(pairs)  # the last of each counts
    heard.pop(owners.NOBODY, None)
    return heard


def _first_of_the_hour(received: Points, placeless: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of reports without a place those to show: a vehicle in a garage sends them all day."""
    shown = np.zeros(len(received), dtype=bool)
    where = np.flatnonzero(placeless)
    if not len(where):
        return shown
    devices = received["device_id"][where].tolist()
    hours = (received["at_us"][where] // _HOUR_US).tolist()
    firsts: dict[tuple[int, int], int] = {}
    for place, device, hour in zip(where.tolist(), devices, hours, strict=True):
        firsts.setdefault((device, hour), place)
    known = _shown_already(list(firsts))
    shown[[place for key, place in firsts.items() if key not in known]] = True
    return shown


def _shown_already(keys: list[tuple[int, int]]) -> set[tuple[int, int]]:
    devices, hours = ([key[number] for key in keys] for number in (0, 1))
    with connection.cursor() as cursor:
        cursor.execute(_SHOWN, [devices, hours])
        return {(device, hour) for device, hour in cursor.fetchall()}


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
