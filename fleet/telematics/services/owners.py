"""Which vehicle a report belongs to: the one its device sat in at the report's own time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleet.telematics import records
from fleet.telematics.models import DeviceAssignment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleet.telematics.records import Points

NOBODY = -1
_EVER = np.iinfo(np.int64).max
_ALWAYS = np.iinfo(np.int64).min


def vehicles_of(points: Points) -> NDArray[np.int64]:
    """The vehicle of each received point, `NOBODY` where its device sat in none at that time.

    One query for a batch; a device has few assignments, so each of them is laid over the points
    of its device at once.
    """
    vehicles = np.full(len(points), NOBODY, dtype=np.int64)
    devices = np.unique(points["device_id"])
    order = np.argsort(points["device_id"], kind="stable")
    sorted_devices, at_us = points["device_id"][order], points["at_us"][order]
    rows = DeviceAssignment.objects.filter(device_id__in=devices.tolist())
    for device_id, vehicle_id, during in rows.values_list("device_id", "vehicle_id", "during"):
        if during.isempty:
            continue
        first, end = np.searchsorted(sorted_devices, [device_id, device_id + 1])
        start_us = _ALWAYS if during.lower is None else records.to_us(during.lower)
        end_us = _EVER if during.upper is None else records.to_us(during.upper)
        theirs = (at_us[first:end] >= start_us) & (at_us[first:end] < end_us)
        vehicles[order[first:end][theirs]] = vehicle_id
    return vehicles
