"""The models of telematics, one file for each thing."""

from fleet.telematics.models.alarm import Alarm
from fleet.telematics.models.crossing import SpeedLimitOrder, VehiclePresence, ZoneCrossing
from fleet.telematics.models.device import Device, DeviceAssignment, Integration
from fleet.telematics.models.ingest import IngestOffset
from fleet.telematics.models.point import Point, QuarantinedPoint
from fleet.telematics.models.retention import CellCount, PointChunk, RetentionRun
from fleet.telematics.models.track import TripTrack
from fleet.vehicles.models import LatestState

__all__ = [
    "Alarm",
    "CellCount",
    "Device",
    "DeviceAssignment",
    "IngestOffset",
    "Integration",
    "LatestState",
    "Point",
    "PointChunk",
    "QuarantinedPoint",
    "RetentionRun",
    "SpeedLimitOrder",
    "TripTrack",
    "VehiclePresence",
    "ZoneCrossing",
]
