"""Writes on vehicles, one file for each group of verbs."""

from fleet.vehicles.services.blocks import (
    BlockIsAutomatic,
    block_vehicle,
    block_vehicles,
    change_blocks_by_hand,
    lift_block,
    lift_blocks,
)
from fleet.vehicles.services.commands import (
    BULK_CAP,
    CommandNotFound,
    CommandParametersInvalid,
    CommandsReport,
    CommandUnsupported,
    TooManyVehicles,
    expire_commands,
    mark_commands_sent,
    queue_command,
    queue_commands,
    record_acknowledgement,
)
from fleet.vehicles.services.holds import (
    HoldNotFound,
    HoldOver,
    VehicleNotFound,
    VehicleNotRentable,
    VehicleTaken,
    extend_hold,
    hold_vehicle,
    release_hold,
)
from fleet.vehicles.services.life import LifeChangeRefused, set_life_state
from fleet.vehicles.services.links import set_link_state
from fleet.vehicles.services.outside import set_outside
from fleet.vehicles.services.trips import mark_trip

__all__ = [
    "BULK_CAP",
    "BlockIsAutomatic",
    "CommandNotFound",
    "CommandParametersInvalid",
    "CommandUnsupported",
    "CommandsReport",
    "HoldNotFound",
    "HoldOver",
    "LifeChangeRefused",
    "TooManyVehicles",
    "VehicleNotFound",
    "VehicleNotRentable",
    "VehicleTaken",
    "block_vehicle",
    "block_vehicles",
    "change_blocks_by_hand",
    "expire_commands",
    "extend_hold",
    "hold_vehicle",
    "lift_block",
    "lift_blocks",
    "mark_commands_sent",
    "mark_trip",
    "queue_command",
    "queue_commands",
    "record_acknowledgement",
    "release_hold",
    "set_life_state",
    "set_link_state",
    "set_outside",
]
