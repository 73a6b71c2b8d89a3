"""The models of vehicles, one file for each thing."""

from fleet.vehicles.models.battery import Battery, BatteryPlacement, BatterySwap
from fleet.vehicles.models.command import VehicleCommand
from fleet.vehicles.models.document import VehicleDocument
from fleet.vehicles.models.history import LatestState, VehicleEvent
from fleet.vehicles.models.hold import VehicleHold
from fleet.vehicles.models.service import ServiceTrip, VehicleCase
from fleet.vehicles.models.vehicle import Vehicle, VehicleBlock, VehicleType

__all__ = [
    "Battery",
    "BatteryPlacement",
    "BatterySwap",
    "LatestState",
    "ServiceTrip",
    "Vehicle",
    "VehicleBlock",
    "VehicleCase",
    "VehicleCommand",
    "VehicleDocument",
    "VehicleEvent",
    "VehicleHold",
    "VehicleType",
]
