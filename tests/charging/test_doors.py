"""The doors of charging: everybody sees where to charge, Luca sees and commands only his own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from charging.sessions import services as sessions
from charging.sessions.models import ChargingSession
from charging.stations import services as stations
from charging.stations.models import ChargingStation, StationCommand
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import MakeStation, connector_of

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]
HERE = {"lat": 45.4510, "lon": 9.2050}


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


def test_luca_asks_for_the_sessions_under_way(
    station: ChargingStation,
    api: Api,
    luca: User,
) -> None:
    [running] = ChargingSession.objects.all()
    for wanted, count in (("open", 1), ("charging", 1), ("ended", 0), ("settled", 0)):
        answer = api(luca).get("/api/v1/charging/sessions", {"state": wanted})
        assert len(answer.json()["results"]) == count
    strange = api(luca).get("/api/v1/charging/sessions", {"state": "\x00"})
    assert strange.status_code < 500
    assert api(luca).get(f"/api/v1/charging/sessions/{running.public_id}").status_code == 200


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


def test_what_no_column_can_hold_is_refused_and_not_a_failure(
    station: ChargingStation, luca: User, api: Api
) -> None:
    wish = {"action": "data_transfer", "payload": {"vendor": "ACME", "data": "a\x00b"}}
    address = f"/api/v1/charging/stations/{station.public_id}/commands"
    answer = api(luca).post(address, wish, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_fields")


@pytest.mark.parametrize(
    ("door", "wish"),
    [
        ("commands", {"action": "clear_cache"}),
        ("variables", {"variables": [{"name": "HeartbeatInterval"}]}),
    ],
)
def test_long_keys_are_told_apart_to_their_last_sign(
    station: ChargingStation, luca: User, api: Api, door: str, wish: dict[str, object]
) -> None:
    address = f"/api/v1/charging/stations/{station.public_id}/{door}"
    for last in "ab":
        key = {"HTTP_IDEMPOTENCY_KEY": "k" * 127 + last}
        answer = api(luca).post(address, wish, format="json", **key)
        assert answer.status_code == 201
    assert StationCommand.objects.filter(station=station).count() == 2
