"""What is asked elsewhere for a vehicle or a station: a contract hub, an OCSP responder, VIES.

Nobody is asked unless the settings name them: a station's word alone must never send our machine
to an address of its choice. Everything is bounded in time and size; failures are exceptions.
"""

from __future__ import annotations

import base64
import json
import time
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from django.conf import settings

from charging.certificates.facts import ContractAnswer, ContractAsk, OcspQuestion

_HUB_S: Final = 20.0
_OCSP_S: Final = 10.0
_MOST_BYTES: Final = 64 * 1024
_PORTS: Final = {"http": 80, "https": 443}
_ALGORITHMS: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}


class NotConfigured(Exception):
    """Nobody is named who could be asked."""


class UnusableAnswer(Exception):
    """Who was asked said something else than an answer."""


def fetch_contract(ask: ContractAsk) -> ContractAnswer:
    """What the contract hub (`CONTRACT_HUB_URL`) says to a vehicle's request, passed on unread.

    Raises NotConfigured, UnusableAnswer, httpx.HTTPError.
    """
    if not settings.CONTRACT_HUB_URL:
        raise NotConfigured
    wish: dict[str, Any] = {
        "iso15118SchemaVersion": ask.schema_version,
        "action": ask.action,
        "exiRequest": ask.exi,
    }
    if ask.most_chains is not None:
        wish["maximumContractCertificateChains"] = ask.most_chains
    if ask.preferred:
        wish["prioritizedEMAIDs"] = list(ask.preferred)
    token = settings.CONTRACT_HUB_TOKEN
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    said = _post(settings.CONTRACT_HUB_URL, json=wish, headers=headers, patience_s=_HUB_S)
    answer = json.loads(said)
    if not isinstance(answer, dict) or not isinstance(answer.get("exiResponse"), str):
        raise UnusableAnswer("the hub sent no exiResponse")
    remaining = answer.get("remainingContracts")
    return ContractAnswer(
        accepted=answer.get("status") == "Accepted",
        exi=answer["exiResponse"],
        remaining=remaining if isinstance(remaining, int) else None,
    )


def fetch_ocsp(question: OcspQuestion) -> str:
    """The responder's signed answer (DER, base64), for the station to verify.

    Only addresses that stand in `OCSP_RESPONDERS` are asked, as they stand there. Raises
    NotConfigured, UnusableAnswer, httpx.HTTPError, ValueError for hashes that are none.
    """
    return base64.b64encode(_ask_responder(question)).decode()


def certificate_status(question: OcspQuestion) -> tuple[str, datetime]:
    """``Good``, ``Revoked`` or ``Unknown``, and until when that holds.

    Without the issuer's certificate the answer's signature cannot be checked, so only a responder
    of ours that is reached by https is believed. Raises like `fetch_ocsp`.
    """
    if urlsplit(question.responder).scheme.lower() != "https":
        raise NotConfigured
    answer = ocsp.load_der_ocsp_response(_ask_responder(question))
    if answer.next_update_utc is None:
        raise UnusableAnswer("the answer does not say how long it holds")
    return answer.certificate_status.name.capitalize(), answer.next_update_utc


def _ask_responder(question: OcspQuestion) -> bytes:
    address = _known_responder(question.responder)
    request = (
        ocsp.OCSPRequestBuilder()
        .add_certificate_by_hash(
            bytes.fromhex(question.issuer_name_hash),
            bytes.fromhex(question.issuer_key_hash),
            int(question.serial, 16),
            _ALGORITHMS[question.hash_algorithm](),
        )
        .build()
    )
    der = _post(
        address,
        content=request.public_bytes(serialization.Encoding.DER),
        headers={"Content-Type": "application/ocsp-request"},
        patience_s=_OCSP_S,
    )
    if ocsp.load_der_ocsp_response(der).response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise UnusableAnswer("the responder refused")
    return der


def _known_responder(named: str) -> str:
    """The address as our settings write it; the station only chooses among them.

    Scheme, host, port and path are all compared: a known host must not be asked at any port or path
    of a station's choice. Raises NotConfigured.
    """
    wanted = _place(named)
    for address in settings.OCSP_RESPONDERS:
        if wanted is not None and _place(address) == wanted:
            return str(address)
    raise NotConfigured


def _place(address: str) -> tuple[str, str, int, str] | None:
    """What tells an address from others; None for one that is none, or carries more than that."""
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS[parts.scheme.lower()]
    except (KeyError, ValueError):
        return None
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        return None
    return parts.scheme.lower(), parts.hostname.rstrip("."), port, parts.path.rstrip("/")


def _post(address: str, *, patience_s: float, **wish: Any) -> bytes:
    """The body of the answer: what is too long, or comes by drops, is not read to its end.

    Raises UnusableAnswer, httpx.HTTPError.
    """
    deadline = time.monotonic() + patience_s
    body = bytearray()
    # Its time-out is one of each read alone.
    with httpx.stream("POST", address, timeout=patience_s, follow_redirects=False, **wish) as reply:
        reply.raise_for_status()
        for piece in reply.iter_bytes():
            body += piece
            if len(body) > _MOST_BYTES:
                raise UnusableAnswer("the answer is too long")
            if time.monotonic() > deadline:
                raise UnusableAnswer("the answer takes too long")
    return bytes(body)
