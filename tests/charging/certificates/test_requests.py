"""Requests for certificates without a socket: whose name, and how often the answer is brought."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from charging.certificates import services
from charging.certificates.facts import CertificateAnswer, CertificateAsk
from charging.certificates.models import CertificateRequest
from charging.stations.models import ChargingStation, StationCommand
from mobility.core.models import OutboxEvent
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
