"""Writes of telematics, one file for each group of verbs."""

from fleet.telematics.services.accept import AcceptedReport, accept_report
from fleet.telematics.services.devices import (
    DeviceUnassigned,
    DeviceUnknown,
    add_device,
    revoke_device,
)
from fleet.telematics.services.drain import drain
from fleet.telematics.services.links import age_links
from fleet.telematics.services.partitions import drop_old_points, ensure_partitions

__all__ = [
    "AcceptedReport",
    "DeviceUnassigned",
    "DeviceUnknown",
    "accept_report",
    "add_device",
    "age_links",
    "drain",
    "drop_old_points",
    "ensure_partitions",
    "revoke_device",
]
