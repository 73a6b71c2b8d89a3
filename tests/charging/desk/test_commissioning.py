"""From nothing to the first measured charge: one page, one password, a checklist that ticks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from charging.sessions import services as sessions
from charging.sessions.facts import Reading, ReadingBatch, Sample, SessionStart
from charging.stations import services as stations
from charging.stations.facts import BootReport, Handshake, StatusReport
from charging.stations.models import ChargingStation, Connector, Site
from charging.stations.queries import credentials_by_identity
from charging.stations.rules import password_matches
from mobility.core import clock
from tests.charging.desk.conftest import BASE

pytestmark = pytest.mark.django_db


def lines(*rows: dict[str, object]) -> dict[str, object]:
    """The connectors' part of the form as a browser sends it."""
    told: dict[str, object] = {"connectors-TOTAL_FORMS": 4, "connectors-INITIAL_FORMS": 0}
    untouched = {
        "count": "",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_power_w": 22_000,
    }
    for number in range(4):
        row = untouched | (rows[number] if number < len(rows) else {})
        told |= {f"connectors-{number}-{name}": value for name, value in row.items()}
    return told


def wish(**other: object) -> dict[str, object]:
    """A new charger at a new site."""
    return {
        "site": "",
        "name": "Via Ripamonti",
        "address": "Via Ripamonti 1, Milano",
        "lat": "45.44",
        "lon": "9.2",
        "grid_limit_w": "60000",
        "identity": "NEW-1",
        "security_profile": "1",
        "ocpp_versions": ["ocpp1.6", "ocpp2.0.1"],
        **lines(
            {"count": 2},
            {
                "count": 1,
                "standard": "IEC_62196_T2_COMBO",
                "power_type": "DC",
                "max_power_w": 50_000,
            },
        ),
        **other,
    }


def test_one_page_makes_site_charger_connectors_and_a_password_shown_once(
    station: ChargingStation, desk: Client
) -> None:
    assert desk.get(f"{BASE}/add/").status_code == 200
    organisation = station.site.organisation_id
    page = desk.post(f"{BASE}/add/", wish(organisation=organisation), follow=True)
    new = ChargingStation.objects.get(identity="NEW-1")
    secret = page.context["secret"]
    text = page.content.decode()
    assert password_matches(password=secret.encode(), hashes=(new.password_hash,))
    assert secret in text
    assert f"{page.context['addresses'][0]}" in text
    assert page.context["addresses"][0].endswith("/ocpp/NEW-1")
    assert new.password_hash not in text
    assert "no-store" in page.headers["Cache-Control"]
    assert (new.site.name["it"], new.site.grid_limit_w) == ("Via Ripamonti", 60_000)
    assert new.ocpp_versions == ["ocpp1.6", "ocpp2.0.1"]
    made = Connector.objects.filter(evse__station=new).order_by("evse__number")
    assert list(made.values_list("evse__number", "standard", "format", "max_power_w")) == [
        (1, "IEC_62196_T2", "SOCKET", 22_000),
        (2, "IEC_62196_T2", "SOCKET", 22_000),
        (3, "IEC_62196_T2_COMBO", "CABLE", 50_000),
    ]
    again = desk.get(f"{BASE}/{new.pk}/first-contact/").content.decode()
    assert secret not in again


@pytest.mark.parametrize(
    "bad",
    [
        {"identity": "a:b"},
        {"identity": "CP1"},
        {"name": ""},
        {"name": "Porta Romana"},
        {"lat": "95"},
        {"ocpp_versions": []},
        {"site": "abc"},
        lines({"count": ""}),
        lines({"count": 65}),
    ],
)
def test_what_cannot_be_commissioned_leaves_nothing_behind(
    station: ChargingStation, desk: Client, bad: dict[str, object]
) -> None:
    told = wish(organisation=station.site.organisation_id) | bad
    answer = desk.post(f"{BASE}/add/", told)
    assert answer.status_code == 200
    assert b"error" in answer.content
    assert ChargingStation.objects.count() == 1
    assert Site.objects.count() == 1


def test_nobody_commissions_at_the_site_or_in_the_name_of_another_operator(
    station: ChargingStation, foreign: ChargingStation, desk: Client
) -> None:
    for theirs in ({"site": foreign.site_id}, {"organisation": foreign.site.organisation_id}):
        told = wish(organisation=station.site.organisation_id) | theirs
        assert desk.post(f"{BASE}/add/", told).status_code == 200
    assert not ChargingStation.objects.filter(identity="NEW-1").exists()
    assert b"Altrui" not in desk.get(f"{BASE}/add/").content


@pytest.mark.parametrize("profile", [2, 3])
def test_an_encrypted_profile_gets_no_plain_address(
    station: ChargingStation, desk: Client, settings: object, profile: int
) -> None:
    told = wish(site=station.site_id, security_profile=profile)
    settings.OCPP_TLS_URL = ""
    page = desk.post(f"{BASE}/add/", told, follow=True)
    assert page.context["addresses"] == []
    settings.OCPP_TLS_URL = "wss://charge.example:9443/ocpp"
    new = ChargingStation.objects.get(identity="NEW-1")
    page = desk.get(f"{BASE}/{new.pk}/first-contact/")
    assert page.context["addresses"] == ["wss://charge.example:9443/ocpp/NEW-1"]
    assert "ws://127" not in page.content.decode()


def test_the_checklist_says_in_plain_words_why_a_charger_stays_out_and_ticks_as_it_comes(
    station: ChargingStation, desk: Client
) -> None:
    desk.post(f"{BASE}/add/", wish(site=station.site_id))
    new = ChargingStation.objects.get(identity="NEW-1")

    def ticks() -> str:
        answer = desk.get(f"{BASE}/{new.pk}/parts/", {"part": "checklist~"}).json()
        html: str = answer["checklist"]["html"]
        return "".join(
            "1" if mark.startswith("yes") else "0" for mark in html.split('data-done="')[1:]
        )

    def words() -> str:
        html: str = desk.get(f"{BASE}/{new.pk}/parts/?part=checklist~").json()["checklist"]["html"]
        return html

    now = clock.now()
    assert ticks() == "000000"
    refused = Handshake(identity="NEW-1", path="/", reason="wrong_password", remote="10.0.0.9")
    stations.record_refused_handshakes(handshakes=[refused], at=now)
    assert "data-trouble" in words()
    assert "password" in words()
    assert credentials_by_identity(identities=["NEW-1"])
    stations.open_connection(
        station_id=new.pk, ocpp_version="ocpp1.6", gateway="test", at=now + timedelta(seconds=1)
    )
    assert ticks() == "100000"
    assert "data-trouble" not in words()
    stations.record_boots(boots=[BootReport(station_id=new.pk, vendor="V", model="M")], at=now)
    assert ticks() == "110000"
    reports = [
        StatusReport(station_id=new.pk, evse_number=number, status="Available", at=now)
        for number in (1, 2, 3)
    ]
    stations.record_statuses(reports=reports[:2], at=now)
    assert ticks() == "110000"
    assert "2" in words()
    stations.record_statuses(reports=reports, at=now)
    assert ticks() == "111000"
    ChargingStation.objects.filter(pk=new.pk).update(last_seen_at=now + timedelta(hours=1))
    assert ticks() == "111100"
    start = SessionStart(station_id=new.pk, evse_number=1, uid="CARD2", at=now, meter_start_wh=0)
    sessions.ensure_token(uid="CARD2", at=now)
    begun = sessions.start_sessions(starts=[start], at=now)
    assert ticks() == "111110"
    batch = ReadingBatch(
        station_id=new.pk,
        evse_number=1,
        transaction_ref=begun[0].transaction_ref,
        readings=(Reading(at=now + timedelta(minutes=1), samples=(Sample(value=300),)),),
    )
    sessions.record_readings(readings=[batch], at=now + timedelta(minutes=1))
    assert ticks() == "111111"


def test_a_new_password_is_shown_once_and_the_old_one_is_worth_nothing(
    station: ChargingStation, desk: Client
) -> None:
    old = station.password_hash
    page = desk.post(f"{BASE}/{station.pk}/password/", follow=True)
    station.refresh_from_db()
    secret = page.context["secret"]
    assert password_matches(password=secret.encode(), hashes=(station.password_hash,))
    assert not password_matches(password=secret.encode(), hashes=(old,))
    assert secret not in desk.get(f"{BASE}/{station.pk}/first-contact/").content.decode()
