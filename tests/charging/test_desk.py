"""Luca's desk: what happens at his stations, and the buttons that command them."""

from __future__ import annotations

import pytest
from django.test import Client

from charging.sessions import services as sessions
from charging.stations import services as stations
from charging.stations.facts import Handshake
from charging.stations.models import ChargingStation, StationCommand
from charging.tariffs.models import TariffVersion
from mobility.accounts.models import Organisation, User
from mobility.accounts.states import Role
from mobility.core import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(luca: User, client: Client) -> Client:
    """Luca at his desk."""
    client.force_login(luca)
    return client


def test_the_station_page_tells_what_happens_there(
    station: ChargingStation,
    desk: Client,
    django_assert_max_num_queries: object,
) -> None:
    handshake = Handshake(identity="CP1", path="/", reason="wrong_password", remote="10.0.0.9")
    stations.record_refused_handshakes(handshakes=[handshake], at=clock.now())
    with django_assert_max_num_queries(45):
        page = desk.get(f"/admin/charging/chargingstation/{station.pk}/change/")
    text = page.content.decode()
    assert page.status_code == 200
    for word in ("CARD", "wrong_password", "10.0.0.9", "remote_start", "remote_stop", "unlock"):
        assert word in text
    assert station.password_hash not in text


def test_a_button_makes_one_command_however_often_it_is_pressed(
    station: ChargingStation,
    desk: Client,
) -> None:
    address = f"/admin/charging/chargingstation/{station.pk}/command/"
    for _press in range(3):
        answer = desk.post(address, {"action": "reset", "kind": "soft", "key": "k"})
        assert answer.status_code == 302
    assert StationCommand.objects.count() == 1
    assert desk.get(address).status_code == 405
    assert desk.post(address, {"action": "remote_start"}).status_code == 302
    assert StationCommand.objects.count() == 1


def test_the_desk_is_closed_to_others(
    station: ChargingStation,
    foreign: ChargingStation,
    desk: Client,
    elena: User,
    client: Client,
) -> None:
    page = f"/admin/charging/chargingstation/{foreign.pk}"
    assert desk.get(f"{page}/change/").status_code == 302
    assert desk.post(f"{page}/command/", {"action": "reset"}).status_code == 404
    assert desk.post(f"{page}/password/").status_code == 404
    client.force_login(elena)
    own = f"/admin/charging/chargingstation/{station.pk}"
    hardware = client.get(f"{own}/change/")
    assert hardware.status_code == 200
    assert b"CARD" not in hardware.content
    assert client.post(f"{own}/command/", {"action": "reset"}).status_code == 403
    assert client.post(f"{own}/password/").status_code == 403
    assert StationCommand.objects.count() == 0


def test_who_also_serves_the_city_edits_no_other_operators_hardware(
    foreign: ChargingStation,
    luca: User,
    comune: Organisation,
    desk: Client,
) -> None:
    luca.memberships.create(organisation=comune, role=Role.CITY_OFFICER)
    page = f"/admin/charging/chargingstation/{foreign.pk}/change/"
    assert desk.get(page).status_code == 200
    wish = {"site": foreign.site_id, "ocpp_versions": "ocpp1.6", "boot_interval_s": 1}
    assert desk.post(page, wish).status_code == 403
    assert desk.post(f"/admin/charging/site/{foreign.site_id}/change/", {}).status_code == 403
    chosen = {"action": "reject", "_selected_action": foreign.pk}
    desk.post("/admin/charging/chargingstation/", chosen)
    foreign.refresh_from_db()
    assert (foreign.registration, foreign.boot_interval_s) == ("accepted", 300)


@pytest.mark.parametrize(
    "page",
    [
        "site",
        "chargingstation",
        "stationcommand",
        "refusedhandshake",
        "tariff",
        "tariffversion",
        "token",
        "chargingsession",
        "inboxmessage",
    ],
)
def test_every_list_opens_and_shows_only_luca_his_rows(
    station: ChargingStation,
    foreign: ChargingStation,
    desk: Client,
    page: str,
) -> None:
    answer = desk.get(f"/admin/charging/{page}/")
    assert answer.status_code == 200
    assert b"OTHER" not in answer.content


def test_luca_finds_what_could_not_be_processed(
    station: ChargingStation,
    foreign: ChargingStation,
    desk: Client,
) -> None:
    for place, reason in ((station, "PlugFellOff"), (foreign, "NotHisBusiness")):
        sessions.quarantine(
            station_id=place.pk, action="start", payload={}, reason=reason, at=clock.now()
        )
    page = desk.get("/admin/charging/inboxmessage/").content.decode()
    assert page.count("PlugFellOff") == 1
    assert "NotHisBusiness" not in page


def test_a_published_tariff_is_only_read(station: ChargingStation, desk: Client) -> None:
    version = TariffVersion.objects.get()
    page = f"/admin/charging/tariffversion/{version.pk}/change/"
    assert desk.get(page).status_code == 200
    assert desk.post(page, {"components": "[]"}).status_code == 403
    version.refresh_from_db()
    assert version.components


def test_luca_drafts_and_publishes_a_tariff(station: ChargingStation, desk: Client) -> None:
    tariff = TariffVersion.objects.get().tariff
    draft = {
        "tariff": tariff.pk,
        "valid_from": "2030-01-01T00:00",
        "lines-TOTAL_FORMS": 2,
        "lines-INITIAL_FORMS": 0,
        "lines-0-kind": "energy",
        "lines-0-unit_cents": "60",
        "lines-0-vat_percent": "22",
        "lines-1-vat_percent": "22",
        "save": "1",
    }
    assert desk.get("/admin/charging/tariffversion/add/").status_code == 200
    bad = draft | {"lines-0-unit_cents": "-1"}
    assert desk.post("/admin/charging/tariffversion/add/", bad).status_code == 200
    assert desk.post("/admin/charging/tariffversion/add/", draft).status_code == 302
    version = TariffVersion.objects.get(number=2)
    action = {"action": "publish", "_selected_action": [version.pk]}
    desk.post("/admin/charging/tariffversion/", action)
    version.refresh_from_db()
    assert version.state == "published"


def test_luca_moves_a_site_by_its_coordinates(station: ChargingStation, desk: Client) -> None:
    site = station.site
    page = f"/admin/charging/site/{site.pk}/change/"
    assert b"cdn" not in desk.get(page).content
    wish = {
        "organisation": site.organisation_id,
        "city": site.city_id,
        "name_it": "Nuovo",
        "lat": 45.5,
        "lon": 9.1,
    }
    assert desk.post(page, wish | {"lat": 95}).status_code == 200
    assert desk.post(page, wish).status_code == 302
    site.refresh_from_db()
    assert (site.name, site.location.y) == ({"it": "Nuovo"}, 45.5)
