"""The models of vehicles, one file for each thing."""

from fleet.vehicles.models.command import VehicleCommand
from fleet.vehicles.models.history import LatestState, VehicleEvent
from fleet.vehicles.models.hold import VehicleHold
from fleet.vehicles.models.vehicle import Vehicle, VehicleBlock, VehicleType

__all__ = [
    "LatestState",
    "Vehicle",
    "VehicleBlock",
    "VehicleCommand",
    "VehicleEvent",
    "VehicleHold",
    "VehicleType",
]
