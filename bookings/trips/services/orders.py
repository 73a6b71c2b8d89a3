"""Orders of a trip to its vehicle, and how their answers find back."""

import datetime
import uuid

from bookings.trips.models import Trip
from bookings.trips.states import Step
from fleet.vehicles.services import queue_command
from fleet.vehicles.states import CommandKind
from mobility.core.principals import Principal, system_principal

KEEPER = system_principal("trip-keeper")
_PREFIX = "trip"

KIND_OF_STEP = {
    Step.START: CommandKind.UNLOCK,
    Step.RESUME: CommandKind.UNLOCK,
    Step.PAUSE: CommandKind.LOCK,
    Step.END: CommandKind.LOCK,
    Step.END_AGAIN: CommandKind.LOCK,
    Step.UNDO: CommandKind.LOCK,
}


def purpose_ref(trip: Trip, step: Step, number: int) -> str:
    """The name a command carries: `trip:<id>:<step>:<number of the command in this trip>`."""
    return f"{_PREFIX}:{trip.public_id}:{step}:{number}"


def parse_purpose(ref: str) -> tuple[uuid.UUID, Step, int] | None:
    """Trip, step and number behind a command's purpose; `None` if it is none of ours."""
    parts = ref.split(":")
    if len(parts) != 4 or parts[0] != _PREFIX:
        return None
    return uuid.UUID(parts[1]), Step(parts[2]), int(parts[3])


def order(
    trip: Trip, step: Step, *, number: int, ttl_s: int, at: datetime.datetime, by: Principal
) -> None:
    """Queue the lock or unlock command of a step; the same number gives the same command.

    `number` counts the trip's commands, so that an answer to an old one is known as old.
    """
    ref = purpose_ref(trip, step, number)
    queue_command(
        vehicle_id=trip.vehicle_id,
        kind=KIND_OF_STEP[step],
        idempotency_key=ref,
        ttl_s=ttl_s,
        purpose_ref=ref,
        at=at,
        by=by,
    )


def trip_ref(trip: Trip) -> str:
    """The trip's name in the fleet's history."""
    return str(trip.public_id)
