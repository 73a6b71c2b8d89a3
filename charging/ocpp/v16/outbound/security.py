"""Certificates in the words of 1.6's security extension."""

from __future__ import annotations

from typing import Final

from charging.ocpp.rpc.frames import Payload
from charging.ocpp.saying import (
    Hearing,
    Saying,
    argument,
    by_status,
    certificate_hash,
    judged,
    named_certificate,
    word,
)
from charging.stations.facts import CommandResult, CommandToSend
from charging.stations.states import CommandAction, CommandState

_USES: Final = {
    "csms_root": "CentralSystemRootCertificate",
    "manufacturer_root": "ManufacturerRootCertificate",
}


def _install(command: CommandToSend) -> tuple[str, Payload]:
    return "InstallCertificate", {
        "certificateType": word(_USES, argument(command, "use"), of="use"),
        "certificate": argument(command, "certificate"),
    }


def _delete(command: CommandToSend) -> tuple[str, Payload]:
    return "DeleteCertificate", {"certificateHashData": certificate_hash(command)}


def _installed(command: CommandToSend) -> tuple[str, Payload]:
    use = command.payload.get("use", "csms_root")
    return "GetInstalledCertificateIds", {"certificateType": word(_USES, use, of="use")}


def _hear_installed(command: CommandToSend, answer: Payload) -> CommandResult:
    use = command.payload.get("use", "csms_root")
    found = [named_certificate(one, use=use) for one in answer.get("certificateHashData", ())]
    # NotFound is an answer too: there is none.
    known = answer["status"] == "NotFound"
    yes = known or by_status(command, answer).state == CommandState.ACCEPTED
    return judged(command, answer, yes=yes, details={"certificates": found})


def _signed(command: CommandToSend) -> tuple[str, Payload]:
    return "CertificateSigned", {"certificateChain": argument(command, "chain")}


SAYINGS: Final[dict[str, Saying]] = {
    CommandAction.INSTALL_CERTIFICATE: _install,
    CommandAction.DELETE_CERTIFICATE: _delete,
    CommandAction.GET_CERTIFICATES: _installed,
    CommandAction.CERTIFICATE_SIGNED: _signed,
}
HEARINGS: Final[dict[str, Hearing]] = {CommandAction.GET_CERTIFICATES: _hear_installed}
