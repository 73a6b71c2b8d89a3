"""What stations are made of, the jobs they do for us, and the lists they keep."""

from charging.devices.models.bounds import Overflow
from charging.devices.models.jobs import FirmwareJob, LogJob
from charging.devices.models.lists import DisplayMessage, LocalList
from charging.devices.models.reports import Report, ReportPart
from charging.devices.models.swaps import BatterySwap
from charging.devices.models.variables import DeviceEvent, DeviceVariable, VariableMonitor

__all__ = [
    "BatterySwap",
    "DeviceEvent",
    "DeviceVariable",
    "DisplayMessage",
    "FirmwareJob",
    "LocalList",
    "LogJob",
    "Overflow",
    "Report",
    "ReportPart",
    "VariableMonitor",
]
