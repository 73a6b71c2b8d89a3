"""Luca reads and changes what his stations are made of; nobody else's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from charging.devices.facts import VariableSaid
from charging.devices.models import LogJob, Report
from charging.devices.services import keep_variables
from charging.stations.models import ChargingStation, StationCommand
from mobility.accounts.models import User
from mobility.core import clock
from tests.charging.fixtures import MakeStation, connector_of

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]


@pytest.fixture
def post(make_station: MakeStation) -> ChargingStation:
    """Luca's charger, which speaks 2.0.1."""
    station = make_station("CP1", online=True, at=clock.now())
    ChargingStation.objects.filter(pk=station.pk).update(ocpp_version="ocpp2.0.1")
    station.refresh_from_db()
    return station


def door(station: ChargingStation, name: str) -> str:
    return f"/api/v1/charging/stations/{station.public_id}/{name}"


def test_variables_are_asked_for_changed_and_listed(
    post: ChargingStation, luca: User, api: Api
) -> None:
    wish = {"variables": [{"component": "OCPPCommCtrlr", "name": "HeartbeatInterval"}]}
    answer = api(luca).post(door(post, "variables"), wish, format="json")
    assert answer.status_code == 201
    assert [row["action"] for row in answer.json()] == ["get_variables"]
    wish["variables"][0]["value"] = "60"
    [change] = api(luca).post(door(post, "variables"), wish, format="json").json()
    assert StationCommand.objects.get(public_id=change["id"]).action == "set_variables"
    said = VariableSaid(component="OCPPCommCtrlr", name="HeartbeatInterval", value="60")
    keep_variables(station_id=post.pk, said=[said], at=clock.now())
    listed = api(luca).get("/api/v1/charging/variables", {"station": post.public_id}).json()
    assert [(row["name"], row["value"]) for row in listed["results"]] == [
        ("HeartbeatInterval", "60")
    ]
    assert api(luca).get("/api/v1/charging/variables", {"station": "x"}).status_code == 400


def test_a_repeated_request_makes_no_second_command(
    post: ChargingStation, luca: User, api: Api
) -> None:
    wish = {"variables": [{"component": "EVSE", "name": "Power"}]}
    headers = {"HTTP_IDEMPOTENCY_KEY": "k1"}
    answers = [
        api(luca).post(door(post, "variables"), wish, format="json", **headers) for _ in range(2)
    ]
    assert answers[0].content == answers[1].content
    assert StationCommand.objects.count() == 1


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("set_default_tariff", {}, None),
        ("get_composite", {"duration_s": "soon"}, "command_malformed"),
        ("get_composite", {}, "command_impossible"),
        ("priority_charging", {"body": {}}, "command_impossible"),
        ("set_display", {"body": {"message": {"id": 1}}}, "command_malformed"),
    ],
)
def test_what_the_station_cannot_be_told_is_refused_at_the_door(
    post: ChargingStation,
    luca: User,
    api: Api,
    action: str,
    payload: dict[str, object],
    code: str | None,
) -> None:
    wish = {"action": action, "payload": payload}
    answer = api(luca).post(door(post, "commands"), wish, format="json")
    assert 400 <= answer.status_code < 500
    assert code is None or answer.json()["code"] == code
    assert not StationCommand.objects.exists()


def test_a_report_is_asked_for_and_read(post: ChargingStation, luca: User, api: Api) -> None:
    wish = {"action": "get_base_report", "payload": {"base": "full", "request_id": 0}}
    answer = api(luca).post(door(post, "commands"), wish, format="json")
    assert answer.status_code == 201, answer.json()
    [row] = api(luca).get("/api/v1/charging/reports").json()["results"]
    assert (row["kind"], row["state"], row["command"]) == ("base", "asked", answer.json()["id"])
    detail = api(luca).get(f"/api/v1/charging/reports/{row['id']}").json()
    assert detail["items"] == []
    assert Report.objects.get().number == StationCommand.objects.get().pk


def test_a_station_brings_its_log_over_https(post: ChargingStation, luca: User, api: Api) -> None:
    answer = api(luca).post(door(post, "logs"), {"kind": "security"}, format="json")
    assert answer.status_code == 201, answer.json()
    command = StationCommand.objects.get()
    address = command.payload["location"].split("127.0.0.1:8000", 1)[1]
    raw = {"data": b"\x00log", "content_type": "application/gzip"}
    assert api(None).generic("PUT", f"{address}log.gz", **raw).status_code == 204
    job = LogJob.objects.get()
    assert (job.state, job.file_name) == ("Uploaded", "log.gz")
    shown = api(luca).get(f"/api/v1/charging/log-jobs/{job.public_id}").json()
    content = api(luca).get(f"/api/v1/files/{shown['file']}")
    assert b"".join(content.streaming_content) == b"\x00log"
    assert api(None).generic("PUT", f"{address}log.gz", **raw).status_code == 404


def test_a_log_without_end_is_not_taken(post: ChargingStation, luca: User, api: Api) -> None:
    api(luca).post(door(post, "logs"), {}, format="json")
    address = StationCommand.objects.get().payload["location"].split("127.0.0.1:8000", 1)[1]
    huge = str(64 * 1024 * 1024)
    answer = api(None).generic("PUT", address, data=b"x", CONTENT_LENGTH=huge)
    assert answer.status_code == 413
    assert (
        api(None).generic("PUT", "/api/v1/charging/uploads/guess/x", data=b"x").status_code == 404
    )


def test_a_local_list_is_sent_and_shown(post: ChargingStation, luca: User, api: Api) -> None:
    assert api(luca).get(door(post, "local-list")).status_code == 404
    answer = api(luca).post(door(post, "local-list"), {"managed": True}, format="json")
    assert (answer.status_code, answer.json()["managed"]) == (200, True)
    assert StationCommand.objects.get().action == "send_list"


def test_energy_is_demanded_shared_out_and_withdrawn(
    post: ChargingStation, luca: User, api: Api
) -> None:
    load = f"/api/v1/charging/sites/{post.site.public_id}/load"
    assert api(luca).get(load).json()["managed"] is False
    answer = api(luca).put(load, {"managed": True}, format="json")
    assert answer.json()["code"] == "no_site_limit"
    answer = api(luca).put(load, {"managed": True, "limit_a": 40}, format="json")
    assert (answer.status_code, answer.json()["limit_a"]) == (200, 40)
    wish = {
        "connector": str(connector_of(post).public_id),
        "energy_wh": 9000,
        "ready_by": "2036-05-01T10:00:00Z",
    }
    made = api(luca).post("/api/v1/charging/energy-demands", wish, format="json")
    assert (made.status_code, made.json()["state"]) == (201, "open")
    gone = f"/api/v1/charging/energy-demands/{made.json()['id']}/withdraw"
    assert api(luca).post(gone).json()["state"] == "withdrawn"


def test_nobody_acts_on_the_chargers_of_others(
    foreign: ChargingStation, luca: User, elena: User, post: ChargingStation, api: Api
) -> None:
    for name in ("variables", "logs", "local-list"):
        assert api(luca).post(door(foreign, name), {}, format="json").status_code in {400, 404}
        assert api(elena).post(door(post, name), {}, format="json").status_code == 403
    load = f"/api/v1/charging/sites/{foreign.site.public_id}/load"
    wish = {"managed": True, "limit_a": 40}
    assert api(luca).put(load, wish, format="json").status_code in {403, 404}
    demand = {
        "connector": str(connector_of(foreign).public_id),
        "energy_wh": 1,
        "ready_by": "2036-05-01T10:00:00Z",
    }
    answer = api(luca).post("/api/v1/charging/energy-demands", demand, format="json")
    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["AuthorizationKey", "BasicAuthPassword", "authorizationkey"])
def test_a_password_is_no_variable_to_be_written(
    post: ChargingStation, luca: User, api: Api, name: str
) -> None:
    """It would stand in the command for ever, and lock the station out: our side keeps the old one."""
    wish = {"variables": [{"name": name, "value": "a-password-of-20-signs"}]}
    answer = api(luca).post(door(post, "variables"), wish, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "password_is_rotated")
    assert not StationCommand.objects.exists()
