"""What stations are made of, the jobs they do for us, and the lists they keep."""

from charging.devices.models.jobs import FirmwareJob, LogJob
from charging.devices.models.lists import DisplayMessage, LocalList
from charging.devices.models.reports import Report, ReportPart
from charging.devices.models.variables import DeviceEvent, DeviceVariable, VariableMonitor

__all__ = [
    "DeviceEvent",
    "DeviceVariable",
    "DisplayMessage",
    "FirmwareJob",
    "LocalList",
    "LogJob",
    "Report",
    "ReportPart",
    "VariableMonitor",
]
