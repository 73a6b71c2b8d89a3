"""The doors of charging: everybody sees where to charge, Luca sees and commands only his own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from rest_framework.test import APIClient

from charging.sessions import services as sessions
from charging.sessions.facts import SessionStart
from charging.sessions.models import ChargingSession
from charging.stations import services as stations
from charging.stations.facts import Handshake, StatusReport
from charging.stations.models import ChargingStation, StationCommand
from charging.tariffs.models import TariffVersion
from charging.tariffs.services import ensure_tariff
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import MakeStation, connector_of

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]
HERE = {"lat": 45.4510, "lon": 9.2050}


@pytest.fixture
def station(make_station: MakeStation) -> ChargingStation:
    """Luca's: online, connector 1 free, connector 2 in use by a card, 50 cents per kWh."""
    now = clock.now()
    station = make_station("CP1", connectors=2, online=True, at=now)
    words = {1: "Available", 2: "Charging"}
    stations.record_statuses(
        reports=[
            StatusReport(station_id=station.pk, evse_number=number, status=word, at=now)
            for number, word in words.items()
        ],
        at=now,
    )
    ensure_tariff(
        organisation_id=station.site.organisation_id,
        code="base",
        name={"it": "Base"},
        components=[{"kind": "energy", "unit_cents": "50"}],
        valid_from=now - timedelta(days=1),
        is_default=True,
        at=now,
        by=SYSTEM,
    )
    sessions.ensure_token(uid="CARD", at=now)
    start = SessionStart(
        station_id=station.pk,
        evse_number=2,
        uid="CARD",
        at=now,
        meter_start_wh=0,
    )
    sessions.start_sessions(starts=[start], at=now)
    return station


@pytest.fixture
def foreign(make_station: MakeStation, scossa: User) -> ChargingStation:
    """A charger of another operator in the same street."""
    return make_station(
        "OTHER",
        organisation=Organisation.objects.get(slug="scossa"),
        site_name="Altrui",
        online=True,
        at=clock.now(),
    )


def test_everybody_sees_places_status_and_price(station: ChargingStation, api: Api) -> None:
    [place] = api(None).get("/api/v1/stations", HERE).json()["results"]
    assert (place["distance_m"], place["available"]) == (0, 1)
    [charger] = place["stations"]
    assert charger["online"]
    free, taken = charger["connectors"]
    assert (free["status"], taken["status"]) == ("Available", "Occupied")
    assert (free["price"]["kwh_cents"], free["price"]["currency"]) == (50, "EUR")
    for public_id in (place["id"], charger["id"]):
        detail = api(None).get(f"/api/v1/stations/{public_id}").json()
        assert detail["stations"] == place["stations"]


def test_an_offline_charger_promises_nothing(station: ChargingStation, api: Api) -> None:
    ChargingStation.objects.update(connected_at=None)
    [place] = api(None).get("/api/v1/stations", HERE).json()["results"]
    assert place["available"] == 0
    assert {c["status"] for c in place["stations"][0]["connectors"]} == {"Unknown"}


def test_a_held_connector_shows_as_reserved(station: ChargingStation, api: Api) -> None:
    now = clock.now()
    stations.hold_connector(
        connector_id=connector_of(station).pk,
        since=now - timedelta(minutes=1),
        until=now + timedelta(hours=1),
        holder_ref="booking:1",
        at=now,
        by=SYSTEM,
    )
    [place] = api(None).get("/api/v1/stations", HERE).json()["results"]
    assert place["stations"][0]["connectors"][0]["status"] == "Reserved"


@pytest.mark.parametrize(
    "query",
    [{}, {"lat": 45}, {"lat": 95, "lon": 9}, {"lat": 45, "lon": 9, "radius_m": 1e9}],
)
def test_an_unreadable_place_is_refused(api: Api, query: dict[str, float]) -> None:
    answer = api(None).get("/api/v1/stations", query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_fields")


def test_far_away_is_not_near(station: ChargingStation, api: Api) -> None:
    query = {"lat": 45.4510 + 0.009, "lon": 9.2050, "radius_m": 900}
    assert api(None).get("/api/v1/stations", query).json()["results"] == []
    query["radius_m"] = 1100
    assert len(api(None).get("/api/v1/stations", query).json()["results"]) == 1


def test_the_number_of_queries_does_not_grow_with_the_city(
    station: ChargingStation,
    make_station: MakeStation,
    api: Api,
    django_assert_max_num_queries: object,
) -> None:
    for number in range(6):
        make_station(f"X{number}", connectors=3, site_name=f"Sito {number}", at=clock.now())
    anyone = api(None)
    with django_assert_max_num_queries(9):
        places = anyone.get("/api/v1/stations", HERE).json()["results"]
    assert len(places) == 7


@pytest.mark.parametrize("what", ["sites", "stations", "sessions", "commands"])
def test_luca_sees_only_his_own(
    station: ChargingStation,
    foreign: ChargingStation,
    api: Api,
    luca: User,
    scossa: User,
    giulia: User,
    elena: User,
    marco: User,
    what: str,
) -> None:
    for one in (station, foreign):
        stations.queue_command(
            station_id=one.pk,
            action="reset",
            idempotency_key=one.identity,
            at=clock.now(),
            by=SYSTEM,
        )
    address = f"/api/v1/charging/{what}"
    own = api(luca).get(address).json()["results"]
    others = api(scossa).get(address).json()["results"]
    assert own
    assert not {row["id"] for row in own} & {row["id"] for row in others}
    for row in own:
        assert api(luca).get(f"{address}/{row['id']}").status_code == 200
        assert api(scossa).get(f"{address}/{row['id']}").status_code == 404
    city = api(elena).get(address)
    if what in {"sites", "stations"}:
        seen = {row["id"] for row in city.json()["results"]}
        assert seen == {row["id"] for row in [*own, *others]}
    else:
        assert city.status_code == 403
    assert api(giulia).get(address).status_code == 403
    assert api(marco).get(address).status_code == 403
    assert api(None).get(address).status_code == 401


def test_luca_commands_his_station_and_a_repeat_is_one_command(
    station: ChargingStation,
    api: Api,
    luca: User,
) -> None:
    address = f"/api/v1/charging/stations/{station.public_id}/commands"
    wish = {"action": "reset", "kind": "hard"}
    answers = [
        api(luca).post(address, wish, headers={"Idempotency-Key": "once"}) for _try in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    command = StationCommand.objects.get()
    assert (command.payload, command.state, command.by) == (
        {"kind": "hard"},
        "queued",
        luca.principal,
    )


def test_starting_and_stopping_from_afar(
    station: ChargingStation,
    api: Api,
    luca: User,
) -> None:
    address = f"/api/v1/charging/stations/{station.public_id}/commands"
    connector = str(connector_of(station).public_id)
    sessions.ensure_token(uid="OTHERCARD", at=clock.now())
    start = {"action": "remote_start", "connector": connector, "token": "othercard"}
    assert api(luca).post(address, start).status_code == 201
    session = str(ChargingSession.objects.get().public_id)
    stop = {"action": "remote_stop", "session": session}
    assert api(luca).post(address, stop).status_code == 201
    assert [command.payload for command in StationCommand.objects.order_by("id")] == [
        {"token_uid": "OTHERCARD", "token_kind": "Central"},
        {"transaction_ref": ChargingSession.objects.get().transaction_ref},
    ]


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"action": "dance"}, 400, "invalid_fields"),
        ({"action": "remote_start"}, 400, "invalid_fields"),
        ({"action": "unlock", "connector": "FOREIGN"}, 404, "no_such_connector"),
        ({"action": "remote_start", "connector": "OWN", "token": "WHO"}, 409, "token_refused"),
        ({"action": "remote_stop", "session": "FOREIGN"}, 404, "no_such_session"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_with_its_reason(
    station: ChargingStation,
    foreign: ChargingStation,
    api: Api,
    luca: User,
    wish: dict[str, str],
    status: int,
    code: str,
) -> None:
    places = {
        "OWN": str(connector_of(station).public_id),
        "FOREIGN": str(connector_of(foreign).public_id),
    }
    body = {key: places.get(value, value) for key, value in wish.items()}
    answer = api(luca).post(f"/api/v1/charging/stations/{station.public_id}/commands", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert StationCommand.objects.count() == 0


def test_nobody_commands_anothers_station(
    station: ChargingStation,
    api: Api,
    scossa: User,
    elena: User,
    giulia: User,
) -> None:
    address = f"/api/v1/charging/stations/{station.public_id}/commands"
    for person, status in ((scossa, 404), (elena, 403), (giulia, 403), (None, 401)):
        assert api(person).post(address, {"action": "reset"}).status_code == status
    assert StationCommand.objects.count() == 0


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
    with django_assert_max_num_queries(20):
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


def test_a_new_password_is_shown_once_and_works(station: ChargingStation, desk: Client) -> None:
    page = desk.post(f"/admin/charging/chargingstation/{station.pk}/password/", follow=True)
    old = station.password_hash
    station.refresh_from_db()
    assert station.password_hash != old
    assert b"shown only now" in page.content or b"solo ora" in page.content


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
        "number": 2,
        "valid_0": "2030-01-01 00:00:00",
        "valid_1": "",
        "components": '[{"kind": "energy", "unit_cents": "60"}]',
    }
    bad = draft | {"components": '[{"kind": "energy", "unit_cents": "-1"}]'}
    assert desk.post("/admin/charging/tariffversion/add/", bad).status_code == 200
    assert desk.post("/admin/charging/tariffversion/add/", draft).status_code == 302
    version = TariffVersion.objects.get(number=2)
    action = {"action": "publish", "_selected_action": [version.pk]}
    desk.post("/admin/charging/tariffversion/", action)
    version.refresh_from_db()
    assert version.state == "published"


def test_luca_commissions_a_charger_at_his_desk(
    station: ChargingStation,
    foreign: ChargingStation,
    desk: Client,
) -> None:
    wish = {
        "site": station.site_id,
        "identity": "NEW-1",
        "security_profile": 1,
        "connectors": 2,
        "standard": "IEC_62196_T2",
        "power_type": "AC_3_PHASE",
        "max_power_w": 11_000,
    }
    add = "/admin/charging/chargingstation/add/"
    assert desk.get(add).status_code == 200
    for bad in ({"identity": "a:b"}, {"identity": "CP1"}, {"site": foreign.site_id}):
        assert desk.post(add, wish | bad).status_code == 200
    page = desk.post(add, wish, follow=True)
    assert b"/ocpp/NEW-1" in page.content
    new = ChargingStation.objects.get(identity="NEW-1")
    assert new.evses.count() == 2
    assert new.password_hash
    assert new.password_hash.encode() not in page.content


def test_luca_moves_a_site_by_its_coordinates(station: ChargingStation, desk: Client) -> None:
    site = station.site
    page = f"/admin/charging/site/{site.pk}/change/"
    assert b"cdn" not in desk.get(page).content
    wish = {
        "organisation": site.organisation_id,
        "city": site.city_id,
        "name": '{"it": "Nuovo"}',
        "lat": 45.5,
        "lon": 9.1,
    }
    assert desk.post(page, wish | {"lat": 95}).status_code == 200
    assert desk.post(page, wish).status_code == 302
    site.refresh_from_db()
    assert (site.name, site.location.y) == ({"it": "Nuovo"}, 45.5)
