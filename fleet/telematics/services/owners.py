"""Which vehicle a report belongs to: the one its device sat in at the report's own time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from django.db import connection

from fleet.telematics import records

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.telematics.records import Points

NOBODY = -1
_EVER = np.iinfo(np.int64).max
_ALWAYS = np.iinfo(np.int64).min

_ASSIGNMENTS = """
SELECT device_id, vehicle_id, lower(during), upper(during) FROM fleet_deviceassignment
WHERE device_id = ANY (%s) AND NOT isempty(during)
"""


def vehicles_of(points: Points, *, at_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """The vehicle of each received point, `NOBODY` where its device sat in none at `at_us`.

    One query for a batch; a device has few assignments, so each of them is laid over the points
    of its device at once.
    """
    vehicles = np.full(len(points), NOBODY, dtype=np.int64)
    order = np.argsort(points["device_id"], kind="stable")
    devices, moments = points["device_id"][order], at_us[order]
    with connection.cursor() as cursor:
        first = np.diff(devices, prepend=NOBODY) != 0
        cursor.execute(_ASSIGNMENTS, [devices[first].tolist()])
        rows = cursor.fetchall()
    for device_id, vehicle_id, start, end in rows:
        first, after = np.searchsorted(devices, [device_id, device_id + 1])
        start_us = _ALWAYS if start is None else records.to_us(start)
        end_us = _EVER if end is None else records.to_us(end)
        theirs = (moments[first:after] >= start_us) & (moments[first:after] < end_us)
        vehicles[order[first:after][theirs]] = vehicle_id
    return vehicles
