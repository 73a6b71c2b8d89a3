"""Certificates of vehicles are relayed where somebody is named to ask, and honestly failed else."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from django.conf import settings

from charging.certificates import client
from charging.certificates.models import SecurityEvent
from charging.stations.rules import hash_password
from mobility.core.models import OutboxEvent
from tests.charging.ocpp.conftest import Grid
from tests.protocols.security import papers
from tests.protocols.versions import TWO, V16, V21

Eventually = Callable[..., Any]
EV = {
    "iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef",
    "action": "Install",
    "exiRequest": "RVhJ",
}
HASHED = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "11" * 32,
    "issuerKeyHash": "22" * 32,
    "serialNumber": "abc",
}


class Outside(BaseHTTPRequestHandler):
    """A contract hub and an OCSP responder."""

    heard: ClassVar[list[Any]] = []
    mood: ClassVar[str] = "good"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.mood == "slow":
            time.sleep(1.5)
        if self.path == "/hub":
            Outside.heard.append((self.headers["Authorization"], json.loads(body)))
            answer = json.dumps(
                {"status": "Accepted", "exiResponse": "QU5T", "remainingContracts": 2}
            ).encode()
        else:
            Outside.heard.append(ocsp.load_der_ocsp_request(body).serial_number)
            answer = ocsp_answer()
        if self.mood == "rubbish":
            answer = b"<html>"
        self.send_response(503 if self.mood == "broken" else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.mood != "drops":
            self.wfile.write(answer)
            return
        with suppress(ConnectionError):
            for byte in answer:
                self.wfile.write(bytes([byte]))
                time.sleep(0.03)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def ocsp_answer() -> bytes:
    signer, now = papers.authority(), datetime.now(UTC)
    key = papers.ec_key()
    request = x509.load_pem_x509_csr(papers.csr("EV", key).encode())
    certificate = signer.sign(request, at=now)
    built = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            certificate, signer.certificate, hashes.SHA256(), ocsp.OCSPCertStatus.GOOD,
            now, now + timedelta(days=1), None, None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.NAME, signer.certificate)
        .sign(signer.key, hashes.SHA256())
    )  # fmt: skip
    return built.public_bytes(serialization.Encoding.DER)


@pytest.fixture
def outside() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Outside.heard.clear()
    Outside.mood = "good"
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def named(outside: str) -> Iterator[str]:
    """The outside world, and settings that name it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "CONTRACT_HUB_URL", f"{outside}/hub")
        patch.setattr(settings, "CONTRACT_HUB_TOKEN", "secret-token")
        patch.setattr(settings, "OCSP_RESPONDERS", [f"{outside}/ocsp"])
        yield outside


@pytest.mark.parametrize("version", TWO)
def test_without_a_hub_a_contract_is_failed_and_nobody_is_asked(
    grid: Grid, version: str, outside: str
) -> None:
    peer = grid.dial(grid.station(), version)
    answer = peer.result("Get15118EVCertificate", EV)
    assert (answer["status"], answer["exiResponse"]) == ("Failed", "")
    status = {"ocspRequestData": {**HASHED, "responderURL": f"{outside}/ocsp"}}
    assert peer.result("GetCertificateStatus", status)["status"] == "Failed"
    assert Outside.heard == []


@pytest.mark.parametrize("version", TWO)
def test_a_contract_is_relayed_unread_both_ways(grid: Grid, version: str, named: str) -> None:
    more = {"maximumContractCertificateChains": 3} if version == V21 else {}
    answer = grid.dial(grid.station(), version).result("Get15118EVCertificate", {**EV, **more})
    assert (answer["status"], answer["exiResponse"]) == ("Accepted", "QU5T")
    assert answer.get("remainingContracts") == (2 if version == V21 else None)
    assert Outside.heard == [("Bearer secret-token", {**EV, **more})]


@pytest.mark.parametrize("version", TWO)
def test_the_state_of_a_certificate_is_asked_of_its_responder(
    grid: Grid, version: str, named: str
) -> None:
    status = {"ocspRequestData": {**HASHED, "responderURL": f"{named}/ocsp"}}
    answer = grid.dial(grid.station(), version).result("GetCertificateStatus", status)
    assert answer["status"] == "Accepted"
    der = base64.b64decode(answer["ocspResult"])
    assert ocsp.load_der_ocsp_response(der).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert Outside.heard == [0xABC]


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize("mood", ["broken", "rubbish"])
def test_a_hub_out_of_order_is_an_honest_failure(
    grid: Grid, version: str, named: str, mood: str
) -> None:
    Outside.mood = mood
    peer = grid.dial(grid.station(), version)
    assert peer.result("Get15118EVCertificate", EV)["status"] == "Failed"
    status = {"ocspRequestData": {**HASHED, "responderURL": f"{named}/ocsp"}}
    assert peer.result("GetCertificateStatus", status)["status"] == "Failed"


@pytest.mark.parametrize("version", TWO)
def test_a_slow_hub_has_a_time_limit_and_holds_up_nobody_else(
    grid: Grid, version: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_HUB_S", 0.3)
    Outside.mood = "slow"
    peer, neighbour = grid.dial(grid.station(), version), grid.dial(grid.station(), version)
    began = time.monotonic()
    peer.send([2, "e1", "Get15118EVCertificate", EV])
    assert neighbour.result("Heartbeat")
    assert time.monotonic() - began < 0.3
    assert peer.receive()[2]["status"] == "Failed"
    assert time.monotonic() - began < 1.4


@pytest.mark.parametrize("version", TWO)
def test_an_answer_that_comes_by_drops_is_not_waited_for(
    grid: Grid, version: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte in good time, all of them never: a responder must not keep our hands busy."""
    monkeypatch.setattr(client, "_HUB_S", 0.3)
    Outside.mood = "drops"
    answer = grid.dial(grid.station(), version).result("Get15118EVCertificate", EV)
    assert answer["status"] == "Failed"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://localhost/",
        "file:///etc/passwd",
        "x",
        # The host that is named in the settings, but another door of it.
        "{named}/admin",
        "{named}/ocsp/../admin",
        "{named}/ocsp?next=http://elsewhere",
        "http://127.0.0.1:1/ocsp",
        "http://user@{host}/ocsp",
        "http://[::1/ocsp",
    ],
)
def test_a_station_cannot_send_us_anywhere(grid: Grid, named: str, url: str) -> None:
    url = url.replace("{named}", named).replace("{host}", named.removeprefix("http://"))
    status = {"ocspRequestData": {**HASHED, "responderURL": url}}
    answer = grid.dial(grid.station(), V21).result("GetCertificateStatus", status)
    assert answer["status"] == "Failed"
    assert Outside.heard == []


def test_a_chain_is_judged_only_by_responders_whose_word_is_safe(grid: Grid, named: str) -> None:
    asked = [
        {"certificateHashData": HASHED, "source": source, "urls": [f"{named}/ocsp"]}
        for source in ("OCSP", "CRL")
    ]
    answer = grid.dial(grid.station(), V21).result(
        "GetCertificateChainStatus", {"certificateStatusRequests": asked}
    )
    assert [one["status"] for one in answer["certificateStatus"]] == ["Failed", "Failed"]


def test_a_vat_number_is_not_confirmed_by_guessing(grid: Grid) -> None:
    answer = grid.dial(grid.station(), V21).result(
        "VatNumberValidation", {"vatNumber": "IT12345678901", "evseId": 1}
    )
    assert (answer["status"], answer["vatNumber"], answer["evseId"]) == (
        "Rejected",
        "IT12345678901",
        1,
    )


def test_security_events_are_kept_once_and_the_critical_ones_are_told(
    grid: Grid, version: str
) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    # The same event, as each version calls us.
    us = "CentralSystem" if version == V16 else "Csms"
    event = {
        "type": f"Invalid{us}Certificate",
        "timestamp": "2026-05-01T10:00:00Z",
        "techInfo": "x",
    }
    for _ in range(2):
        assert peer.result("SecurityEventNotification", event) == {}
    tamper = {"type": "TamperDetectionActivated", "timestamp": "2026-05-01T10:01:00Z"}
    for _ in range(2):
        assert peer.result("SecurityEventNotification", tamper) == {}
    rows = SecurityEvent.objects.filter(station=station).order_by("at")
    assert [(row.kind, row.critical) for row in rows] == [
        (f"Invalid{us}Certificate", False),
        ("TamperDetectionActivated", True),
    ]
    told = OutboxEvent.objects.filter(
        name="charging.security_alarm.v1", payload__station_identity=station.identity
    )
    assert told.count() == 1


def test_a_slow_hub_shuts_the_door_on_nobody(grid: Grid, named: str) -> None:
    """A short password is hashed slowly, in a thread; those must not all wait for the hub."""
    short = grid.station(password_hash=hash_password(password="short", salt="salt"))
    Outside.mood = "slow"
    asking = [grid.dial(grid.station(), V21) for _ in range(16)]
    for peer in asking:
        peer.send([2, "e1", "Get15118EVCertificate", EV])
    began = time.monotonic()
    late = grid.dial(short, V21, password="short")
    assert late.result("Heartbeat")
    assert time.monotonic() - began < 3.0
    for peer in asking:
        assert peer.receive()[0] == 3
