"""Facts about vehicles that others may want to know."""

from dataclasses import dataclass
from typing import ClassVar

from mobility.core.outbox import Event


@dataclass(frozen=True, kw_only=True)
class CommandFinished(Event):
    """A command to a vehicle came to an end.

    `result` is confirmed, rejected, expired (never delivered in time), unknown (delivered, no
    answer in time) or superseded (a newer command made it pointless). After `unknown` a late
    answer of the vehicle gives a second event, with `late` set.
    """

    name: ClassVar[str] = "fleet.command_finished.v1"

    command_id: str
    vehicle_id: int
    vehicle_public_id: str
    kind: str
    result: str
    purpose_ref: str
    late: bool = False
