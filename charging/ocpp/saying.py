"""What the outbound tables of all versions share: how an answer is judged, what a detail is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def teller(
    sayings: Mapping[str, Saying], hearings: Mapping[str, Hearing]
) -> tuple[Saying, Hearing]:
    """How one version says our commands and hears the answers, by its two tables."""

    def say(command: CommandToSend) -> tuple[str, Payload]:
        """Action and payload; Unspeakable where the version has no way to say it."""
        saying = sayings.get(command.action)
        if saying is None:
            raise Unspeakable("not_in_this_version")
        return saying(command)

    def hear(command: CommandToSend, answer: Payload) -> CommandResult:
        """What the answer means, with the answer kept as it came."""
        return hearings.get(command.action, by_status)(command, answer)

    return say, hear


def data_transfer(command: CommandToSend) -> tuple[str, Payload]:
    """A vendor's private message, the same in every version."""
    wish = command.payload
    return "DataTransfer", filled(
        vendorId=argument(command, "vendor"),
        messageId=wish.get("message_id"),
        data=wish.get("data"),
    )


def schedule(profile: Mapping[str, Any], **more: Any) -> Payload:
    """A charging schedule of one of our profiles; `more` is what only some versions have."""
    return filled(
        **more,
        duration=profile.get("duration_s"),
        startSchedule=profile.get("start"),
        chargingRateUnit=profile["unit"],
        chargingSchedulePeriod=[
            filled(
                startPeriod=period["start_s"],
                # The schemas allow one digit after the point.
                limit=round(period["limit"], 1),
                numberPhases=period.get("phases"),
            )
            for period in profile["periods"]
        ],
    )


def install_certificate(uses: dict[str, str]) -> Saying:
    """A saying that installs a root certificate for one of the version's `uses`."""

    def saying(command: CommandToSend) -> tuple[str, Payload]:
        return "InstallCertificate", {
            "certificateType": word(uses, argument(command, "use"), of="use"),
            "certificate": argument(command, "certificate"),
        }

    return saying


def delete_certificate(command: CommandToSend) -> tuple[str, Payload]:
    """A certificate is removed by its hashes."""
    return "DeleteCertificate", {"certificateHashData": certificate_hash(command)}


def held_certificates(
    command: CommandToSend, answer: Payload, *, found: list[dict[str, Any]]
) -> CommandResult:
    """The answer to a listing: NotFound is one too, there is none."""
    yes = answer["status"] == "NotFound" or by_status(command, answer).state == "accepted"
    return judged(command, answer, yes=yes, details={"certificates": found})
