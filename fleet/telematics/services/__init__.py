"""Writes of telematics, one file for each group of verbs."""

from fleet.telematics.services.accept import AcceptedReport, accept_report
from fleet.telematics.services.devices import (
    DeviceUnassigned,
    DeviceUnknown,
    add_device,
    add_devices,
    revoke_device,
)
from fleet.telematics.services.drain import drain
from fleet.telematics.services.latest import Placement, place_vehicles
from fleet.telematics.services.links import age_links
from fleet.telematics.services.partitions import drop_old_points, ensure_partitions

__all__ = [
    "AcceptedReport",
    "DeviceUnassigned",
    "DeviceUnknown",
    "Placement",
    "accept_report",
    "add_device",
    "add_devices",
    "age_links",
    "drain",
    "drop_old_points",
    "ensure_partitions",
    "place_vehicles",
    "revoke_device",
]
