"""The ledger of commands: numbered, short-lived, idempotent; the vehicle's answer ends them.

A command waits in the table, travels over whatever line its vehicle keeps, and ends by the
vehicle's answer or by its time. What was never delivered expires; what was delivered and not
answered is `unknown`, and a late answer still settles it. An order that makes older ones pointless
supersedes them as long as the vehicle has not said that it heard them.

DomainError
├── NotFound  CommandNotFound
├── Invalid   CommandParametersInvalid, TooManyVehicles
└── Conflict  CommandUnsupported
"""

from fleet.vehicles.services.commands.answers import (
    CommandNotFound,
    expire_commands,
    let_travel,
    mark_commands_sent,
    record_acknowledgement,
)
from fleet.vehicles.services.commands.ordering import (
    BULK_CAP,
    CommandParametersInvalid,
    CommandsReport,
    CommandUnsupported,
    TooManyVehicles,
    queue_command,
    queue_commands,
)

__all__ = [
    "BULK_CAP",
    "CommandNotFound",
    "CommandParametersInvalid",
    "CommandUnsupported",
    "CommandsReport",
    "TooManyVehicles",
    "expire_commands",
    "let_travel",
    "mark_commands_sent",
    "queue_command",
    "queue_commands",
    "record_acknowledgement",
]
