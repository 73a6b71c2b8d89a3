"""Certificates in the words of 1.6's security extension."""

from __future__ import annotations

from typing import Final

from charging.ocpp.rpc.frames import Payload
from charging.ocpp.saying import (
    Hearing,
    Saying,
    argument,
    delete_certificate,
    held_certificates,
    install_certificate,
    named_certificate,
    word,
)
from charging.stations.facts import CommandResult, CommandToSend
from charging.stations.states import CommandAction

_USES: Final = {
    "csms_root": "CentralSystemRootCertificate",
    "manufacturer_root": "ManufacturerRootCertificate",
}


def _installed(command: CommandToSend) -> tuple[str, Payload]:
    use = command.payload.get("use", "csms_root")
    return "GetInstalledCertificateIds", {"certificateType": word(_USES, use, of="use")}


def _hear_installed(command: CommandToSend, answer: Payload) -> CommandResult:
    use = command.payload.get("use", "csms_root")
    found = [named_certificate(one, use=use) for one in answer.get("certificateHashData", ())]
    return held_certificates(command, answer, found=found)


def _signed(command: CommandToSend) -> tuple[str, Payload]:
    return "CertificateSigned", {"certificateChain": argument(command, "chain")}


SAYINGS: Final[dict[str, Saying]] = {
    CommandAction.INSTALL_CERTIFICATE: install_certificate(_USES),
    CommandAction.DELETE_CERTIFICATE: delete_certificate,
    CommandAction.GET_CERTIFICATES: _installed,
    CommandAction.CERTIFICATE_SIGNED: _signed,
}
HEARINGS: Final[dict[str, Hearing]] = {CommandAction.GET_CERTIFICATES: _hear_installed}
