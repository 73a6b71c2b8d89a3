"""The models of telematics, one file for each thing."""

from fleet.telematics.models.device import Device, DeviceAssignment
from fleet.telematics.models.ingest import IngestOffset
from fleet.telematics.models.point import Point, QuarantinedPoint
from fleet.vehicles.models import LatestState

__all__ = [
    "Device",
    "DeviceAssignment",
    "IngestOffset",
    "LatestState",
    "Point",
    "QuarantinedPoint",
]
