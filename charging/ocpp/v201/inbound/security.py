"""Certificates and security events of a 2.x station; certificates of vehicles are relayed."""

from __future__ import annotations

from typing import Any, Final

from charging.certificates import client
from charging.certificates.facts import CertificateAsk, ContractAsk, OcspQuestion
from charging.certificates.states import CertificateKind
from charging.ocpp import replies
from charging.ocpp.deeds import Asked, Deed, Errand, Handler, Verb
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.v16.inbound.security import security_event

_KINDS: Final = {
    "ChargingStationCertificate": CertificateKind.STATION,
    "V2GCertificate": CertificateKind.V2G,
    "V2G20Certificate": CertificateKind.V2G,
}
_UNREACHED: Final = {
    "reasonCode": "NotReached",
    "additionalInfo": "No service is configured, or it did not answer.",
}


def sign_certificate(asked: Asked) -> Deed:
    kind = asked.payload.get("certificateType", "ChargingStationCertificate")
    ask = CertificateAsk(
        station_id=asked.station_id,
        csr=asked.payload["csr"],
        kind=_KINDS[kind],
        station_number=asked.payload.get("requestId"),
    )
    return Deed(Verb.SIGNING, ask, replies.signing)


def contract_certificate(asked: Asked) -> Errand:
    ask = contract_ask(asked.payload)

    def run() -> Payload:
        answer = client.fetch_contract(ask)
        reply: Payload = {
            "status": "Accepted" if answer.accepted else "Failed",
            "exiResponse": answer.exi,
        }
        if answer.remaining is not None and ask.most_chains is not None:
            reply["remainingContracts"] = answer.remaining
        return reply

    failed = {"status": "Failed", "exiResponse": "", "statusInfo": _UNREACHED}
    return Errand(run, otherwise=failed)


def contract_ask(payload: Payload) -> ContractAsk:
    return ContractAsk(
        schema_version=payload["iso15118SchemaVersion"],
        action=payload["action"],
        exi=payload["exiRequest"],
        most_chains=payload.get("maximumContractCertificateChains"),
        preferred=tuple(payload.get("prioritizedEMAIDs", ())),
    )


def certificate_status(asked: Asked) -> Errand:
    question = ocsp_question(asked.payload["ocspRequestData"])

    def run() -> Payload:
        return {"status": "Accepted", "ocspResult": client.fetch_ocsp(question)}

    return Errand(run, otherwise={"status": "Failed", "statusInfo": _UNREACHED})


def ocsp_question(asked_of: dict[str, Any]) -> OcspQuestion:
    return OcspQuestion(
        hash_algorithm=asked_of["hashAlgorithm"],
        issuer_name_hash=asked_of["issuerNameHash"],
        issuer_key_hash=asked_of["issuerKeyHash"],
        serial=asked_of["serialNumber"],
        responder=asked_of["responderURL"],
    )


HANDLERS: Final[dict[str, Handler]] = {
    "Get15118EVCertificate": contract_certificate,
    "GetCertificateStatus": certificate_status,
    "SecurityEventNotification": security_event,
    "SignCertificate": sign_certificate,
}
