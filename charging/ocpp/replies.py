"""Answers that read the same in every version."""

from __future__ import annotations

from typing import Final

from charging.certificates.facts import CertificateAnswer
from charging.ocpp.deeds import Asked
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.wire import instant_text
from charging.stations.facts import BootAnswer

_REGISTRATION: Final = {"accepted": "Accepted", "pending": "Pending", "rejected": "Rejected"}


def boot(answer: BootAnswer, asked: Asked) -> Payload:
    return {
        "status": _REGISTRATION[answer.registration],
        "currentTime": instant_text(asked.at),
        "interval": answer.interval_s,
    }


def heartbeat(asked: Asked) -> Payload:
    return {"currentTime": instant_text(asked.at)}


def nothing(_: object) -> Payload:
    """The answer of messages that only want to be heard."""
    return {}


def unknown_vendor(_: Asked) -> Payload:
    """No vendor's private messages are understood here."""
    return {"status": "UnknownVendorId"}


def signing(answer: CertificateAnswer) -> Payload:
    """Whether a signed chain will follow, and why not."""
    if answer.accepted:
        return {"status": "Accepted"}
    return {"status": "Rejected", "statusInfo": {"reasonCode": _coded(answer.reason)}}


def signing_16(answer: CertificateAnswer) -> Payload:
    """The same to a 1.6 station, which knows no reasons."""
    return {"status": "Accepted" if answer.accepted else "Rejected"}


def _coded(reason: str) -> str:
    """`wrong_name` as the standard writes codes, at most 20 characters: WrongName."""
    return "".join(word.capitalize() for word in reason.split("_"))[:20]


def rejected(_: Asked) -> Payload:
    """We sign no certificates."""
    return {"status": "Rejected"}
