"""Certificates in the words of 2.x."""

from __future__ import annotations

from typing import Any, Final

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
    "csms_root": "CSMSRootCertificate",
    "manufacturer_root": "ManufacturerRootCertificate",
    "v2g_root": "V2GRootCertificate",
    "mo_root": "MORootCertificate",
    "v2g_chain": "V2GCertificateChain",
    # New in 2.1; an older station's schema refuses it by itself.
    "oem_root": "OEMRootCertificate",
}
_OURS: Final = {theirs: ours for ours, theirs in _USES.items()}
_SIGNED: Final = {"station": "ChargingStationCertificate", "v2g": "V2GCertificate"}


def _installed(command: CommandToSend) -> tuple[str, Payload]:
    use = command.payload.get("use")
    types = {"certificateType": [word(_USES, use, of="use")]} if use else {}
    return "GetInstalledCertificateIds", types


def _hear_installed(command: CommandToSend, answer: Payload) -> CommandResult:
    found = [_chain(one) for one in answer.get("certificateHashDataChain", ())]
    return held_certificates(command, answer, found=found)


def _chain(one: Payload) -> dict[str, Any]:
    children = [named_certificate(child) for child in one.get("childCertificateHashData", ())]
    use = _OURS.get(one["certificateType"], one["certificateType"])
    return named_certificate(one["certificateHashData"], use=use, children=children)


def _signed(command: CommandToSend) -> tuple[str, Payload]:
    payload: Payload = {"certificateChain": argument(command, "chain")}
    if "use" in command.payload:
        payload["certificateType"] = word(_SIGNED, command.payload["use"], of="use")
    return "CertificateSigned", payload


SAYINGS: Final[dict[str, Saying]] = {
    CommandAction.INSTALL_CERTIFICATE: install_certificate(_USES),
    CommandAction.DELETE_CERTIFICATE: delete_certificate,
    CommandAction.GET_CERTIFICATES: _installed,
    CommandAction.CERTIFICATE_SIGNED: _signed,
}
HEARINGS: Final[dict[str, Hearing]] = {CommandAction.GET_CERTIFICATES: _hear_installed}
