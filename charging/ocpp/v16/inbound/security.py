"""Certificates and security events of a 1.6 station with the security extension."""

from __future__ import annotations

from typing import Final

from charging.certificates.facts import CertificateAsk, SecurityReport
from charging.certificates.states import CertificateKind
from charging.ocpp import replies
from charging.ocpp.deeds import Asked, Deed, Handler, Verb
from charging.ocpp.wire import instant


def sign_certificate(asked: Asked) -> Deed:
    ask = CertificateAsk(
        station_id=asked.station_id,
        csr=asked.payload["csr"],
        kind=CertificateKind.STATION,
    )
    return Deed(Verb.SIGNING, ask, replies.signing_16)


def security_event(asked: Asked) -> Deed:
    report = SecurityReport(
        station_id=asked.station_id,
        kind=asked.payload["type"],
        at=instant(asked.payload["timestamp"]),
        info=asked.payload.get("techInfo", ""),
    )
    return Deed(Verb.SECURITY_EVENT, report, replies.nothing)


HANDLERS: Final[dict[str, Handler]] = {
    "SecurityEventNotification": security_event,
    "SignCertificate": sign_certificate,
}
