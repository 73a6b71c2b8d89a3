"""What 2.1 adds to security: the state of several certificates at once, and VAT numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from charging.certificates import client
from charging.certificates.facts import OcspQuestion
from charging.ocpp.deeds import Asked, Errand, Handler
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.wire import instant_text

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


def chain_status(asked: Asked) -> Errand:
    """The state of each certificate by OCSP; CRLs are not fetched and count as not answered."""
    asked_of = asked.payload["certificateStatusRequests"]

    def run() -> Payload:
        return {"certificateStatus": [_status(one) for one in asked_of]}

    return Errand(run, otherwise={"certificateStatus": [_failed(one) for one in asked_of]})


def _status(asked_of: dict[str, Any]) -> dict[str, Any]:
    try:
        verdict, next_update = client.certificate_status(_question(asked_of))
    except (client.NotConfigured, client.UnusableAnswer, ValueError, OSError):
        return _failed(asked_of)
    return {**_failed(asked_of), "status": verdict, "nextUpdate": instant_text(next_update)}


def _question(asked_of: dict[str, Any]) -> OcspQuestion:
    if asked_of["source"] != "OCSP":
        raise client.NotConfigured
    hashed = asked_of["certificateHashData"]
    return OcspQuestion(
        hash_algorithm=hashed["hashAlgorithm"],
        issuer_name_hash=hashed["issuerNameHash"],
        issuer_key_hash=hashed["issuerKeyHash"],
        serial=hashed["serialNumber"],
        responder=next(iter(asked_of["urls"]), ""),
    )


def _failed(asked_of: dict[str, Any]) -> dict[str, Any]:
    """Nobody answered: to be asked again at once, hence an update that is long due."""
    return {
        "certificateHashData": asked_of["certificateHashData"],
        "source": asked_of["source"],
        "status": "Failed",
        "nextUpdate": instant_text(_LONG_AGO),
    }


def vat_number(asked: Asked) -> Payload:
    """We ask no tax office, so no number is confirmed; the receipt is made out without it."""
    reply: Payload = {
        "status": "Rejected",
        "vatNumber": asked.payload["vatNumber"],
        "statusInfo": {"reasonCode": "NotChecked"},
    }
    if "evseId" in asked.payload:
        reply["evseId"] = asked.payload["evseId"]
    return reply


HANDLERS: Final[dict[str, Handler]] = {
    "GetCertificateChainStatus": chain_status,
    "VatNumberValidation": vat_number,
}
