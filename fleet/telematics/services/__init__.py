"""Writes of telematics, one file for each group of verbs."""

from fleet.telematics.services.accept import AcceptedReport, accept_report
from fleet.telematics.services.broker import export_broker_users
from fleet.telematics.services.credentials import DeviceUnassigned, DeviceUnknown
from fleet.telematics.services.devices import (
    ImeiInvalid,
    ImeiTaken,
    OrganisationUnknown,
    Unit,
    add_device,
    add_devices,
    add_integration,
    check_unit,
    move_device,
    release_devices,
    revoke_device,
    revoke_integration,
)
from fleet.telematics.services.drain import drain
from fleet.telematics.services.latest import Placement, place_vehicles
from fleet.telematics.services.links import age_links
from fleet.telematics.services.partitions import drop_empty_days, ensure_partitions
from fleet.telematics.services.tracks import correct_tracks, note_late_points, record_track

__all__ = [
    "AcceptedReport",
    "DeviceUnassigned",
    "DeviceUnknown",
    "ImeiInvalid",
    "ImeiTaken",
    "OrganisationUnknown",
    "Placement",
    "Unit",
    "accept_report",
    "add_device",
    "add_devices",
    "add_integration",
    "age_links",
    "check_unit",
    "correct_tracks",
    "drain",
    "drop_empty_days",
    "ensure_partitions",
    "export_broker_users",
    "move_device",
    "note_late_points",
    "place_vehicles",
    "record_track",
    "release_devices",
    "revoke_device",
    "revoke_integration",
]
