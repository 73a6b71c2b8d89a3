"""The models of telematics, one file for each thing."""

from fleet.telematics.models.alarm import Alarm
from fleet.telematics.models.crossing import SpeedLimitOrder, VehiclePresence, ZoneCrossing
from fleet.telematics.models.device import Device, DeviceAssignment, Integration
from fleet.telematics.models.ingest import IngestOffset
from fleet.telematics.models.point import Point, QuarantinedPoint
from fleet.vehicles.models import LatestState

__all__ = [
    "Alarm",
    "Device",
    "DeviceAssignment",
    "IngestOffset",
    "Integration",
    "LatestState",
    "Point",
    "QuarantinedPoint",
    "SpeedLimitOrder",
    "VehiclePresence",
    "ZoneCrossing",
]
