"""Security profiles 0 to 3: what each wants of a handshake, and no way down."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from charging.certificates.authority import Authority
from charging.stations import services
from charging.stations.models import ChargingStation, RefusedHandshake
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid, RunningGateway, start_gateway
from tests.charging.ocpp.peer import PASSWORD, Peer
from tests.protocols.security import papers
from tests.protocols.versions import V16, boot

Eventually = Callable[..., Any]


class Tls:
    """A gateway with a TLS port, and the authority whose client certificates it believes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority: Authority = papers.authority()
        (folder / "ca.pem").write_text(papers.pem_of(self.authority.certificate))
        self.certificate, self.key = papers.server_files(folder)
        self.gateway: RunningGateway = start_gateway(
            tls_port=0,
            certificate=str(self.certificate),
            key=str(self.key),
            client_ca=str(folder / "ca.pem"),
            books_every_s=0.1,
        )

    @property
    def url(self) -> str:
        return f"wss://127.0.0.1:{self.gateway.tls_port}/ocpp"

    def dial(self, station: ChargingStation, version: str = V16, **options: Any) -> Peer:
        options.setdefault("ssl", papers.client(self.folder))
        return Peer.dial(self.url, station.identity, (version,), **options)

    def refusal(self, station: ChargingStation, **options: Any) -> int:
        with pytest.raises(InvalidStatus) as caught:
            self.dial(station, **options)
        return caught.value.response.status_code

    def shown(self, common: str, *, serial: str = "", signer: Authority | None = None) -> Any:
        return papers.client(
            self.folder, signer=signer or self.authority, common=common, serial=serial
        )


@pytest.fixture(scope="module")
def tls(real_database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    running = Tls(tmp_path_factory.mktemp("tls"))
    yield running
    running.gateway.close()


@pytest.fixture
def reason(eventually: Eventually) -> Callable[[str], str]:
    seen: list[int] = [0]

    def of(identity: str) -> str:
        """Of the refusal since the last time this was asked."""
        rows = RefusedHandshake.objects.filter(identity=identity, pk__gt=seen[0]).order_by("-pk")
        row = eventually(rows.first)
        seen[0] = row.pk
        return str(row.reason)

    return of


def test_profile_0_comes_without_a_password(grid: Grid, version: str) -> None:
    station = grid.station(security_profile=0, password_hash="")
    assert grid.dial(station, version, password=None).result("Heartbeat")


def test_profile_1_is_its_name_and_password_and_nothing_else(
    grid: Grid, version: str, reason: Callable[[str], str]
) -> None:
    station = grid.station()
    for options, why in (
        ({"password": None}, "no_credentials"),
        ({"user": "somebody-else"}, "wrong_user"),
        ({"password": "wrong-password-here"}, "wrong_password"),
    ):
        with pytest.raises(InvalidStatus) as caught:
            grid.dial(station, version, **options)
        assert caught.value.response.status_code == 401
        assert reason(station.identity) == why
        RefusedHandshake.objects.filter(identity=station.identity).delete()
    assert grid.dial(station, version).result("Heartbeat")


def test_profile_2_comes_by_tls_with_its_password(
    grid: Grid, tls: Tls, version: str, reason: Callable[[str], str]
) -> None:
    station = grid.station(security_profile=2)
    with pytest.raises(InvalidStatus) as caught:
        grid.dial(station, version)
    assert caught.value.response.status_code == 403
    assert reason(station.identity) == "tls_required"
    assert tls.refusal(station, password="wrong-password-here") == 401
    peer = tls.dial(station, version)
    assert peer.result("Heartbeat")
    peer.close()


def test_profile_3_is_a_certificate_in_its_own_name(
    grid: Grid, tls: Tls, version: str, reason: Callable[[str], str]
) -> None:
    station = grid.station(security_profile=3, password_hash="")
    assert tls.refusal(station) == 403
    assert reason(station.identity) == "no_certificate"
    assert tls.refusal(station, ssl=tls.shown("SOMEBODY")) == 403
    assert reason(station.identity) == "wrong_certificate"
    own = tls.shown(station.identity)
    peer = tls.dial(station, version, ssl=own, password=None)
    assert peer.result("BootNotification", boot(version))["status"] == "Accepted"
    peer.close()


def test_a_password_is_no_substitute_for_a_certificate(grid: Grid, tls: Tls) -> None:
    station = grid.station(security_profile=3)
    assert tls.refusal(station, password=PASSWORD) == 403


def test_a_revoked_certificate_opens_nothing(
    grid: Grid, tls: Tls, reason: Callable[[str], str]
) -> None:
    station = grid.station(security_profile=3)
    context = tls.shown(station.identity)
    tls.dial(station, ssl=context).close()
    pem = papers.x509.load_pem_x509_certificate((tls.folder / "client.pem").read_bytes())
    ChargingStation.objects.filter(pk=station.pk).update(
        revoked_certificates=[f"{pem.serial_number:x}"],
    )
    assert tls.refusal(station, ssl=context) == 403
    assert reason(station.identity) == "revoked_certificate"


def test_a_certificate_of_another_authority_and_old_tls_are_cut_off_and_listed(
    grid: Grid, tls: Tls, eventually: Eventually
) -> None:
    station = grid.station(security_profile=3)
    foreign = tls.shown(station.identity, signer=papers.authority("Elsewhere"))
    with pytest.raises((ssl.SSLError, WebSocketException, OSError, EOFError)):
        tls.dial(station, ssl=foreign)
    failed = RefusedHandshake.objects.filter(reason="tls_failed")
    assert eventually(failed.filter(detail__contains="CERTIFICATE_VERIFY_FAILED").exists)
    old = papers.client(tls.folder)
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        tls.dial(station, ssl=old)
    assert eventually(failed.exclude(detail__contains="VERIFY").exists)


def test_a_boot_of_other_hardware_than_the_certificates_ends_the_connection(
    grid: Grid, tls: Tls, version: str, reason: Callable[[str], str]
) -> None:
    station = grid.station(security_profile=3)
    key = "serialNumber" if version != V16 else "chargePointSerialNumber"
    context = tls.shown(station.identity, serial="SN-1")
    right = tls.dial(station, version, ssl=context)
    told = right.result("BootNotification", boot(version, **{key: "SN-1"}))
    assert told["status"] == "Accepted"
    wrong = tls.dial(station, version, ssl=context)
    assert wrong.error("BootNotification", boot(version, **{key: "SN-2"})) == "SecurityError"
    assert wrong.closed_with() == 1008
    assert reason(station.identity) == "wrong_serial"
    assert ChargingStation.objects.get(pk=station.pk).serial == "SN-1"
    right.close()


def test_a_profile_rises_with_its_first_proof_and_never_falls(
    grid: Grid, tls: Tls, version: str, reason: Callable[[str], str], eventually: Eventually
) -> None:
    station = grid.station(security_profile=1)
    now = clock.now()
    services.order_security_profile(station_id=station.pk, profile=2, at=now, by=SYSTEM)
    # Not yet there: the old way is still open.
    assert grid.dial(station, version).result("Heartbeat")
    peer = tls.dial(station, version)
    assert peer.result("Heartbeat")
    peer.close()
    row = ChargingStation.objects.get(pk=station.pk)
    assert (row.security_profile, row.next_security_profile) == (2, None)
    with pytest.raises(InvalidStatus):
        grid.dial(station, version)
    assert reason(station.identity) == "tls_required"
    for lower in (0, 1, 2):
        with pytest.raises(services.ProfileNotHigher):
            services.order_security_profile(station_id=station.pk, profile=lower, at=now, by=SYSTEM)
    services.order_security_profile(station_id=station.pk, profile=3, at=now, by=SYSTEM)
    tls.dial(station, version).close()
    tls.dial(station, version, ssl=tls.shown(station.identity), password=None).close()
    risen = ChargingStation.objects.filter(pk=station.pk, security_profile=3)
    assert eventually(risen.exists)
    assert tls.refusal(station) == 403


def test_a_renewed_certificate_is_taken_without_a_restart(
    grid: Grid, tls: Tls, eventually: Eventually
) -> None:
    station = grid.station(security_profile=2)
    before = tls.dial(station)

    def served() -> bytes:
        peer = tls.dial(station)
        der: bytes = peer.socket.socket.getpeercert(binary_form=True)
        peer.close()
        return der

    old = served()
    papers.server_files(tls.folder, "renewed")
    assert eventually(lambda: served() != old)
    before.close()
    # A half-written pair changes nothing.
    tls.key.write_text("half a key")
    again = tls.dial(station)
    assert again.result("Heartbeat")
    again.close()
    papers.server_files(tls.folder, "renewed again")


def test_behind_a_proxy_of_ours_its_word_about_tls_and_certificate_counts(grid: Grid) -> None:
    proxied = start_gateway(behind_tls_proxy=True, proxy_certificates=True)
    careless = start_gateway(behind_tls_proxy=True)
    try:
        station = grid.station(security_profile=3)
        secure = {"X-Forwarded-Proto": "https"}
        shown = {
            **secure,
            "X-Client-Cert-Verify": "SUCCESS",
            "X-Client-Cert-Subject": f"O=Operator,CN={station.identity}",
            "X-Client-Cert-Serial": "0A1B",
        }
        for headers, status in (
            ({}, 403),
            (secure, 403),
            ({**shown, "X-Client-Cert-Verify": "FAILED"}, 403),
            ({**shown, "X-Client-Cert-Subject": "CN=OTHER"}, 403),
        ):
            with pytest.raises(InvalidStatus) as caught:
                with_headers(proxied, station, headers)
            assert caught.value.response.status_code == status
        peer = with_headers(proxied, station, shown)
        assert peer.result("Heartbeat")
        peer.close()
        # Without the proxy these are words anybody can say.
        with pytest.raises(InvalidStatus):
            with_headers(grid.gateway, station, shown)
        with pytest.raises(InvalidStatus):
            with_headers(careless, station, shown)
    finally:
        proxied.close()
        careless.close()


def with_headers(
    gateway: RunningGateway, station: ChargingStation, headers: dict[str, str]
) -> Peer:
    return Peer(
        connect(
            f"{gateway.url}/{station.identity}",
            subprotocols=[Subprotocol(V16)],
            additional_headers=headers,
            proxy=None,
        ),
    )
