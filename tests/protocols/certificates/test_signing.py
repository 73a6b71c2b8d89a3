"""Stations ask for certificates: signed, brought, used, renewed, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings
from django.db import connection

from charging.certificates import services
from charging.certificates.authority import certificate_file, ensure_authority
from charging.certificates.models import (
    CertificateRequest,
    InstalledCertificate,
    StationCertificate,
)
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.services import queue_command
from mobility.core import clock, ids, outbox
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid, start_gateway
from tests.charging.ocpp.peer import Peer
from tests.protocols.security import papers
from tests.protocols.versions import TWO, V16, V21, V201

Eventually = Callable[..., Any]


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An authority of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("authority") / "private"
        patch.setattr(settings, "OCPP_CA_DIR", path)
        yield path


def work_off() -> None:
    """What the workers do: handle what is in the outbox."""
    waiting = OutboxEvent.objects.filter(name="charging.certificate_asked.v1", handled_at=None)
    outbox.deliver(ids=list(waiting.values_list("pk", flat=True)), at=clock.now())


def ask(version: str, csr: str, **more: Any) -> dict[str, Any]:
    kind = {} if version == V16 else {"certificateType": "ChargingStationCertificate"}
    return {"csr": csr, **kind, **more}


@pytest.mark.parametrize("kind", ["RSA 2048", "EC secp256r1", "EC secp384r1"])
def test_a_request_comes_back_as_a_signed_chain(
    grid: Grid, version: str, eventually: Eventually, kind: str
) -> None:
    key: Any = {
        "RSA 2048": lambda: rsa.generate_private_key(65537, 2048),
        "EC secp256r1": papers.ec_key,
        "EC secp384r1": lambda: ec.generate_private_key(ec.SECP384R1()),
    }[kind]()
    station = grid.station()
    peer = grid.dial(station, version)
    wish = ask(
        version, papers.csr(station.identity, key), **({"requestId": 77} if version == V21 else {})
    )
    assert peer.result("SignCertificate", wish)["status"] == "Accepted"
    work_off()
    call = peer.receive()
    assert call[2] == "CertificateSigned"
    leaf, root = x509.load_pem_x509_certificates(call[3]["certificateChain"].encode())
    leaf.verify_directly_issued_by(root)
    assert leaf.public_key() == key.public_key()
    assert "\r" not in call[3]["certificateChain"]
    if version == V21:
        assert call[3]["requestId"] == 77
    peer.answer(call, {"status": "Accepted"})
    request = CertificateRequest.objects.filter(station=station, state="installed")
    assert eventually(request.exists)
    assert request.get().key_type == kind


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        (lambda _: "no request at all", "malformed"),
        (lambda _: papers.csr("SOMEBODY-ELSE", papers.ec_key()), "wrong_name"),
        (lambda name: papers.csr(name, rsa.generate_private_key(65537, 1024)), "weak_key"),
        (lambda name: papers.csr(name, ec.generate_private_key(ec.SECP192R1())), "weak_key"),
    ],
)  # fmt: skip
def test_what_cannot_be_signed_is_rejected_and_kept_with_its_reason(
    grid: Grid, version: str, wish: Callable[[str], str], reason: str
) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    answer = peer.result("SignCertificate", ask(version, wish(station.identity)))
    assert answer["status"] == "Rejected"
    if version != V16:
        code = "".join(word.capitalize() for word in reason.split("_"))
        assert answer["statusInfo"]["reasonCode"] == code
    row = CertificateRequest.objects.get(station=station)
    assert (row.state, row.reason) == ("refused", reason)


def test_a_flood_of_requests_is_stopped_and_a_repeat_is_none(grid: Grid, version: str) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    same = ask(version, papers.csr(station.identity, papers.ec_key()))
    for _ in range(8):
        assert peer.result("SignCertificate", same)["status"] == "Accepted"
    assert CertificateRequest.objects.filter(station=station).count() == 1
    told = [
        peer.result("SignCertificate", ask(version, papers.csr(station.identity, papers.ec_key())))[
            "status"
        ]
        for _ in range(services.MOST_PER_HOUR + 2)
    ]
    assert told == ["Accepted"] * (services.MOST_PER_HOUR - 1) + ["Rejected"] * 3
    assert CertificateRequest.objects.filter(station=station).count() == services.MOST_PER_HOUR


def test_a_chain_that_did_not_arrive_is_brought_when_asked_again(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    wish = ask(version, papers.csr(station.identity, papers.ec_key()))
    peer.result("SignCertificate", wish)
    work_off()
    first = peer.receive()
    peer.cut()
    lost = StationCommand.objects.filter(station=station, state="failed")
    assert eventually(lost.exists)
    again = grid.dial(station, version)
    assert again.result("SignCertificate", wish)["status"] == "Accepted"
    work_off()
    second = again.receive()
    assert second[3] == first[3]
    again.answer(second, {"status": "Rejected"})
    declined = CertificateRequest.objects.filter(station=station, state="declined")
    assert eventually(declined.exists)
    assert StationCertificate.objects.filter(station=station).count() == 1


@pytest.mark.parametrize("version", TWO)
def test_certificates_for_vehicles_are_none_of_ours(grid: Grid, version: str) -> None:
    station = grid.station()
    wish = {
        "csr": papers.csr(station.identity, papers.ec_key()),
        "certificateType": "V2GCertificate",
    }
    answer = grid.dial(station, version).result("SignCertificate", wish)
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "NoV2gAuthority")


def test_the_authority_is_made_once_and_its_key_is_private(folder: Path) -> None:
    first = ensure_authority(at=clock.now())
    assert ensure_authority(at=clock.now()).certificate == first.certificate
    assert (folder / "ca.key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert certificate_file() == folder / "ca.pem"


def certified(grid: Grid, peer: Peer, station: ChargingStation, key: Any) -> str:
    """The chain the station installed."""
    peer.result("SignCertificate", ask(V16, papers.csr(station.identity, key)))
    work_off()
    call = peer.receive()
    peer.answer(call, {"status": "Accepted"})
    chain: str = call[3]["certificateChain"]
    return chain


def test_a_certificate_goes_into_use_is_superseded_renewed_and_revoked(
    grid: Grid, eventually: Eventually, tmp_path: Path
) -> None:
    station = grid.station()
    peer = grid.dial(station)
    ensure_authority(at=clock.now())
    server, server_key = papers.server_files(tmp_path)
    secure = start_gateway(
        tls_port=0, certificate=str(server), key=str(server_key), client_ca=str(certificate_file())
    )
    try:

        def dial(key: Any, chain: str) -> None:
            context = papers.client(tmp_path)
            papers.present(context, tmp_path, key, chain)
            url = f"wss://127.0.0.1:{secure.tls_port}/ocpp"
            shown = Peer.dial(url, station.identity, (V16,), ssl=context)
            shown.result("Heartbeat")
            shown.close()

        keys = [papers.ec_key(), papers.ec_key()]
        chains = [certified(grid, peer, station, keys[0])]
        dial(keys[0], chains[0])
        peer = grid.dial(station)
        chains.append(certified(grid, peer, station, keys[1]))
        dial(keys[1], chains[1])
        rows = StationCertificate.objects.filter(station=station).order_by("pk")
        assert [row.state for row in rows] == ["superseded", "in_use"]

        peer = grid.dial(station)
        peer.result("Heartbeat")
        soon = rows[1].valid_until - timedelta(days=20)
        # Both end about then; the station is asked once.
        assert services.renew_certificates(at=soon) == 1
        assert services.renew_certificates(at=soon + timedelta(hours=1)) == 0
        asked = StationCommand.objects.get(station=station, action="trigger")
        assert asked.payload == {"message": "sign_certificate"}

        current = rows[1]
        services.revoke_certificate(certificate_id=current.pk, at=clock.now(), by=SYSTEM)
        ChargingStation.objects.filter(pk=station.pk).update(security_profile=3)
        with pytest.raises(Exception, match="403"):
            dial(keys[1], chains[1])
        dial(keys[0], chains[0])
        assert services.renew_certificates(at=soon + timedelta(days=60)) == 0
        assert {row.state for row in rows.all()} == {"revoked", "expired"}
    finally:
        secure.close()


def test_what_a_station_holds_is_known_after_it_was_asked(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    peer.result("Heartbeat")
    hashed = {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "aa" * 32,
        "issuerKeyHash": "bb" * 32,
        "serialNumber": "0123",
    }
    listed: dict[str, Any] = {"certificateHashData": [hashed]}
    if version != V16:
        chain = {"certificateType": "CSMSRootCertificate", "certificateHashData": hashed}
        listed = {"certificateHashDataChain": [chain]}
    held = InstalledCertificate.objects.filter(station=station)
    for answer, count in ((listed, 1), ({}, 0)):
        queue_command(
            station_id=station.pk,
            action="get_certificates",
            payload={"use": "csms_root"},
            idempotency_key=ids.short_code(20),
            at=clock.now(),
            by=SYSTEM,
        )
        call = peer.receive()
        assert call[2] == "GetInstalledCertificateIds"
        peer.answer(call, {"status": "Accepted" if answer else "NotFound", **answer})
        assert eventually(lambda count=count: held.count() == count and not open_commands(station))
        if count:
            assert held.get().use == "csms_root"
            assert held.get().serial == "0123"


def open_commands(station: ChargingStation) -> int:
    return StationCommand.objects.filter(station=station, state__in=("queued", "sent")).count()


def test_two_workers_sign_one_request_once(grid: Grid) -> None:
    station = grid.station()
    peer = grid.dial(station, V201)
    peer.result("SignCertificate", ask(V201, papers.csr(station.identity, papers.ec_key())))
    request = CertificateRequest.objects.get(station=station)

    def sign(_: int) -> None:
        try:
            services.sign_and_send(request_id=request.public_id, at=clock.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sign, range(4)))
    assert StationCertificate.objects.filter(station=station).count() == 1
