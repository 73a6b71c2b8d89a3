"""What the outbound tables of all versions share: how an answer is judged, what a detail is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from charging.ocpp.deeds import Unspeakable
from charging.ocpp.rpc.frames import Payload
from charging.stations.facts import CommandResult, CommandToSend
from charging.stations.states import CommandState

Saying = Callable[[CommandToSend], tuple[str, Payload]]
Hearing = Callable[[CommandToSend, Payload], CommandResult]

_YES: Final = frozenset({"Accepted", "AcceptedCanceled", "RebootRequired", "Scheduled", "Unlocked"})
"""``Scheduled``: when the running transaction allows it; ``RebootRequired``: after a restart."""


def by_status(command: CommandToSend, answer: Payload) -> CommandResult:
    """Accepted or rejected by the answer's status word."""
    return judged(command, answer, yes=answer["status"] in _YES)


def always(command: CommandToSend, answer: Payload) -> CommandResult:
    """Answers without a status: there is no way to say no but an error."""
    return judged(command, answer, yes=True)


def judged(
    command: CommandToSend, answer: Payload, *, yes: bool, details: dict[str, Any] | None = None
) -> CommandResult:
    """The result with the answer as it came, and what it means."""
    return CommandResult(
        command_id=command.command_id,
        state=CommandState.ACCEPTED if yes else CommandState.REJECTED,
        result=answer,
        details=details or {},
    )


def filled(**values: Any) -> Payload:
    """The values that are there: an absent field and null are not the same to a station."""
    return {name: value for name, value in values.items() if value is not None}


def argument(command: CommandToSend, name: str) -> Any:
    """An argument that the action cannot do without; Unspeakable where it is missing."""
    try:
        return command.payload[name]
    except KeyError:
        raise Unspeakable(f"missing_{name}") from None


def word(table: dict[str, str], choice: str, *, of: str) -> str:
    """The version's word for one of our choices; Unspeakable where it has none."""
    try:
        return table[choice]
    except KeyError:
        raise Unspeakable(f"no_such_{of}") from None


def one_variable(command: CommandToSend) -> dict[str, Any]:
    """The only variable of a command; Unspeakable for several."""
    variables = argument(command, "variables")
    if len(variables) != 1:
        raise Unspeakable("one_variable_at_a_time")
    only: dict[str, Any] = variables[0]
    return only


def certificate_hash(command: CommandToSend) -> Payload:
    """The four values that name a certificate, the same in every version."""
    return {
        "hashAlgorithm": argument(command, "hash_algorithm"),
        "issuerNameHash": argument(command, "issuer_name_hash"),
        "issuerKeyHash": argument(command, "issuer_key_hash"),
        "serialNumber": argument(command, "serial_number"),
    }


def named_certificate(hashed: Payload, **more: Any) -> dict[str, Any]:
    """The reverse of `certificate_hash`."""
    return {
        "hash_algorithm": hashed["hashAlgorithm"],
        "issuer_name_hash": hashed["issuerNameHash"],
        "issuer_key_hash": hashed["issuerKeyHash"],
        "serial_number": hashed["serialNumber"],
        **more,
    }
