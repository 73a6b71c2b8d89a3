"""Our commands in the words of 1.6, and what a station's answer to them means."""

from __future__ import annotations

from typing import Final

from charging.ocpp.deeds import Unspeakable
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.saying import Hearing, Saying, by_status
from charging.ocpp.v16.outbound import charging, devices, energy, security
from charging.stations.facts import CommandResult, CommandToSend

_SAYINGS: Final[dict[str, Saying]] = {
    **charging.SAYINGS,
    **devices.SAYINGS,
    **energy.SAYINGS,
    **security.SAYINGS,
}
_HEARINGS: Final[dict[str, Hearing]] = {
    **devices.HEARINGS,
    **energy.HEARINGS,
    **security.HEARINGS,
}


def say(command: CommandToSend) -> tuple[str, Payload]:
    """Action and payload of ``command``; Unspeakable where 1.6 has no way to say it."""
    saying = _SAYINGS.get(command.action)
    if saying is None:
        raise Unspeakable("not_in_this_version")
    return saying(command)


def hear(command: CommandToSend, answer: Payload) -> CommandResult:
    """What the answer means, with the answer kept as it came."""
    return _HEARINGS.get(command.action, by_status)(command, answer)
