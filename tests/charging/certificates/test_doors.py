"""Luca looks after the safety of his chargers; nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from charging.certificates.models import (
    CertificateRequest,
    InstalledCertificate,
    SecurityEvent,
    StationCertificate,
)
from charging.frames.facts import FrameSeen, QuirkUse
from charging.frames.services import ensure_partitions, note_quirks, record_frames
from charging.stations.models import ChargingStation
from charging.stations.queries import to_send
from mobility.accounts.models import User
from mobility.core import clock

As = Callable[..., Any]
pytestmark = pytest.mark.django_db


@pytest.fixture
def certificate(station: ChargingStation) -> StationCertificate:
    now = clock.now()
    return StationCertificate.objects.create(
        station=station,
        kind="charging_station",
        serial="ab12",
        subject="CN=CP1",
        pem="",
        valid_from=now,
        valid_until=now + timedelta(days=300),
        issued_at=now,
    )


def of(station: ChargingStation, word: str) -> str:
    return f"/api/v1/charging/stations/{station.public_id}/{word}"


def test_the_last_frames_and_what_was_forgiven(
    api: As, luca: User, station: ChargingStation
) -> None:
    now = clock.now()
    ensure_partitions(at=now)
    raw = b'[2,"1","Heartbeat",{}]'
    record_frames(
        frames=[FrameSeen(station.pk, now, "in", 1, "ocpp1.6", 2, "1", "Heartbeat", raw)],
    )
    note_quirks(uses=[QuirkUse(station_id=station.pk, quirk="too_long", times=2, at=now)])
    note_quirks(uses=[QuirkUse(station_id=station.pk, quirk="too_long", times=3, at=now)])
    (frame,) = api(luca).get(of(station, "frames")).json()
    assert (frame["direction"], frame["words"]) == ("in", "Sign of life")
    (quirk,) = api(luca).get(of(station, "quirks")).json()
    assert (quirk["quirk"], quirk["times"]) == ("too_long", 5)


def test_security_at_a_glance(
    api: As, luca: User, station: ChargingStation, certificate: StationCertificate
) -> None:
    now = clock.now()
    CertificateRequest.objects.create(
        station=station, kind="charging_station", digest="d", csr="c", asked_at=now
    )
    InstalledCertificate.objects.create(
        station=station, use="csms_root", hash_algorithm="SHA256", issuer_name_hash="a",
        issuer_key_hash="b", serial="1", seen_at=now,
    )  # fmt: skip
    SecurityEvent.objects.create(station=station, kind="ResetOrReboot", at=now, received_at=now)
    seen = api(luca).get(of(station, "security")).json()
    assert (seen["security_profile"], seen["ordered_profile"]) == (1, None)
    assert [len(seen[name]) for name in ("requests", "installed", "events")] == [1, 1, 1]
    (row,) = api(luca).get("/api/v1/charging/certificates").json()["results"]
    assert (row["serial"], row["state"]) == ("ab12", "issued")


def test_a_certificate_is_revoked_once_and_for_all(
    api: As, luca: User, station: ChargingStation, certificate: StationCertificate
) -> None:
    address = f"/api/v1/charging/certificates/{certificate.public_id}/revoke"
    for _ in range(2):
        assert api(luca).post(address).json()["state"] == "revoked"
    assert ChargingStation.objects.get(pk=station.pk).revoked_certificates == ["ab12"]


def test_a_password_is_changed_without_anybody_seeing_it(
    api: As, luca: User, station: ChargingStation
) -> None:
    answer = api(luca).post(of(station, "password"))
    assert answer.status_code == 202
    row = ChargingStation.objects.get(pk=station.pk)
    command = to_send(row.commands.get())
    assert command.payload["password"] not in answer.content.decode()
    assert command.payload["password"] not in str(row.commands.get().payload)
    again = api(luca).post(of(station, "password"))
    assert (again.status_code, again.json()["code"]) == (409, "password_rotation_running")


def test_a_profile_only_rises(api: As, luca: User, station: ChargingStation) -> None:
    address = of(station, "security-profile")
    assert api(luca).post(address, {"profile": 3}).json()["ordered_profile"] == 3
    lower = api(luca).post(address, {"profile": 1})
    assert lower.json()["code"] == "security_profile_not_higher"
    assert api(luca).post(address, {"profile": 4}).status_code == 400


def test_other_peoples_chargers_are_none_of_ours(
    api: As, luca: User, foreign: ChargingStation
) -> None:
    for word in ("frames", "quirks", "security"):
        assert api(luca).get(of(foreign, word)).status_code == 404
    for word, body in (("password", {}), ("security-profile", {"profile": 2})):
        assert api(luca).post(of(foreign, word), body).status_code == 404
