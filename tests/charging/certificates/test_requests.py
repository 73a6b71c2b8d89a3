"""Requests for certificates without a socket: whose name, and how often the answer is brought."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from django.conf import settings
from django.db import transaction
from rest_framework.test import APIClient

from charging.certificates import services
from charging.certificates.authority import ensure_authority
from charging.certificates.facts import CertificateAnswer, CertificateAsk
from charging.certificates.models import CertificateRequest, StationCertificate
from charging.certificates.services import certificates
from charging.ocpp.gateway.admission import Reason, judge
from charging.stations import queries
from charging.stations.facts import ClientCertificate
from charging.stations.models import ChargingStation, StationCommand
from mobility.core import outbox
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import NOON, MakeStation
from tests.protocols.security import papers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An authority of the tests' own."""
    monkeypatch.setattr(settings, "OCPP_CA_DIR", tmp_path / "private")


def ask(station: ChargingStation, csr: str) -> CertificateAnswer:
    wish = CertificateAsk(station_id=station.pk, kind="charging_station", csr=csr)
    with transaction.atomic():
        return services.take_requests(asks=[wish], at=NOON)[0]


def test_an_identity_that_is_another_stations_serial_number_is_signed_for_nobody(
    make_station: MakeStation,
) -> None:
    """With it one operator's station could come as another operator's."""
    ChargingStation.objects.filter(pk=make_station("VICTIM").pk).update(serial="SN-7")
    csr = papers.csr("SN-7", papers.ec_key())
    answer = ask(make_station("SN-7"), csr)
    assert (answer.accepted, answer.reason) == (False, "wrong_name")


def test_who_comes_without_any_proof_is_signed_nothing(make_station: MakeStation) -> None:
    """Else the first who asks in its name would hold its door once it asks for certificates."""
    station = make_station("CP0")
    ChargingStation.objects.filter(pk=station.pk).update(security_profile=0)
    answer = ask(station, papers.csr("CP0", papers.ec_key()))
    assert (answer.accepted, answer.reason) == (False, "not_authenticated")


def test_a_station_that_repeats_itself_is_brought_one_chain(make_station: MakeStation) -> None:
    station = make_station("CP1", online=True)
    csr = papers.csr("CP1", papers.ec_key())
    assert ask(station, csr).accepted
    number = CertificateRequest.objects.get().public_id
    services.sign_and_send(request_id=number, at=NOON)
    for _ in range(3):
        assert ask(station, csr).accepted
        services.sign_and_send(request_id=number, at=NOON)
    assert StationCommand.objects.filter(action="certificate_signed").count() == 1
    assert OutboxEvent.objects.filter(name="charging.certificate_asked.v1").count() == 1


def test_a_certificate_signed_before_a_namesake_booted_stays_its_owners(
    make_station: MakeStation,
) -> None:
    """SN-7 is certified; only then another station says at its boot that this is its serial number."""
    make_station("SN-7")
    other = make_station("OTHER")
    ChargingStation.objects.filter(pk=other.pk).update(serial="SN-7", security_profile=3)
    shown = ClientCertificate(common_name="SN-7", serial="1")
    found = queries.credentials_by_identity(identities=["SN-7", "OTHER"])
    judged = judge(found["OTHER"], header=None, encrypted=True, certificate=shown)
    assert judged == Reason.WRONG_CERTIFICATE
    # A serial number that is nobody's identity still names its station.
    ChargingStation.objects.filter(pk=other.pk).update(serial="SN-8")
    found = queries.credentials_by_identity(identities=["OTHER"])
    shown = ClientCertificate(common_name="SN-8", serial="1")
    assert judge(found["OTHER"], header=None, encrypted=True, certificate=shown) is None


@pytest.mark.parametrize("outcome", ["accepted", "rejected"])
def test_who_asks_again_after_the_end_is_brought_the_chain_again(
    make_station: MakeStation, outcome: str
) -> None:
    station = make_station("CP1", online=True)
    csr = papers.csr("CP1", papers.ec_key())
    ask(station, csr)
    number = CertificateRequest.objects.get().public_id
    told = []
    for _ in range(services.MOST_PER_HOUR + 1):
        services.sign_and_send(request_id=number, at=NOON)
        StationCommand.objects.filter(action="certificate_signed").update(state=outcome)
        services.note_delivery(request_id=number, outcome=outcome, at=NOON)
        told.append(ask(station, csr))
    # Accepted is a promise: each was followed by a chain, until there were enough of them.
    assert [one.accepted for one in told] == [True] * (services.MOST_PER_HOUR - 1) + [False] * 2
    assert told[-1].reason == "too_many_requests"
    brought = StationCommand.objects.filter(action="certificate_signed")
    assert brought.count() == services.MOST_PER_HOUR
    assert StationCertificate.objects.count() == 1


def test_a_revoked_certificate_is_not_brought_again(make_station: MakeStation) -> None:
    station = make_station("CP1", online=True)
    csr = papers.csr("CP1", papers.ec_key())
    ask(station, csr)
    services.sign_and_send(request_id=CertificateRequest.objects.get().public_id, at=NOON)
    services.note_delivery(
        request_id=CertificateRequest.objects.get().public_id, outcome="accepted", at=NOON
    )
    StationCommand.objects.update(state="accepted")
    held = StationCertificate.objects.get()
    services.revoke_certificate(certificate_id=held.pk, at=NOON, by=SYSTEM)
    answer = ask(station, csr)
    assert (answer.accepted, answer.reason) == (False, "revoked")


def test_what_is_revoked_is_listed_for_whoever_believes_the_authority(
    make_station: MakeStation,
) -> None:
    station = make_station("CP1", online=True)
    address = "/api/v1/charging/authority/revoked.crl"
    assert APIClient().get(address).status_code == 404
    assert services.renew_revocations(at=NOON) is False
    ask(station, papers.csr("CP1", papers.ec_key()))
    services.sign_and_send(request_id=CertificateRequest.objects.get().public_id, at=NOON)
    held = StationCertificate.objects.get()
    services.revoke_certificate(certificate_id=held.pk, at=NOON, by=SYSTEM)
    waiting = OutboxEvent.objects.filter(name="charging.certificate_revoked.v1")
    outbox.deliver(ids=list(waiting.values_list("pk", flat=True)), at=NOON)
    reply = APIClient().get(address)
    listed = x509.load_der_x509_crl(reply.content)
    authority = ensure_authority(at=NOON)
    assert listed.is_signature_valid(authority.certificate.public_key())
    [entry] = listed
    assert (entry.serial_number, entry.revocation_date_utc) == (int(held.serial, 16), NOON)
    # The certificate itself says where to look.
    signed = x509.load_pem_x509_certificate(held.pem.encode())
    places = signed.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert places[0].full_name[0].value.endswith(address)
    # A list is a day old at most, its number rises, and what is over leaves it.
    assert services.renew_revocations(at=NOON + timedelta(hours=1)) is False
    assert services.renew_revocations(at=NOON + timedelta(days=400)) is True
    later = x509.load_der_x509_crl(APIClient().get(address).content)
    assert len(later) == 0
    number = [
        one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        for one in (listed, later)
    ]
    assert number[1] > number[0]


def test_renewals_are_asked_one_by_one(
    make_station: MakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One station that cannot be asked keeps no other from being asked."""
    stations = [make_station(name, online=True) for name in ("CP1", "CP2")]
    for station in stations:
        ask(station, papers.csr(station.identity, papers.ec_key()))
        request = CertificateRequest.objects.get(station=station)
        services.sign_and_send(request_id=request.public_id, at=NOON)
    real = certificates.queue_command

    def queue(**wish: Any) -> StationCommand:
        if wish["station_id"] == stations[0].pk:
            raise ValueError("this one cannot be asked")
        return real(**wish)

    monkeypatch.setattr(certificates, "queue_command", queue)
    soon = NOON + timedelta(days=350)
    assert services.renew_certificates(at=soon) == 1
    assert [row.station_id for row in StationCommand.objects.filter(action="trigger")] == [
        stations[1].pk
    ]
    monkeypatch.setattr(certificates, "queue_command", real)
    assert services.renew_certificates(at=soon) == 1
