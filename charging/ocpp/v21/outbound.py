"""Our commands in the words of 2.1: those of 2.0.1, and what came new."""

from __future__ import annotations

from charging.ocpp.rpc.frames import Payload
from charging.ocpp.v201 import outbound as v201
from charging.stations.facts import CommandResult, CommandToSend


def say(command: CommandToSend) -> tuple[str, Payload]:
    """Action and payload of ``command``; Unspeakable where 2.1 has no way to say it."""
    return v201.say(command)


def hear(command: CommandToSend, answer: Payload) -> CommandResult:
    """Accepted or rejected, with the answer kept as it came."""
    return v201.hear(command, answer)
