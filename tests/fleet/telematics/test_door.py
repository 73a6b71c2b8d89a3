"""What a device meets at POST /api/v1/telemetry."""

import datetime
import gzip
import json
import uuid
from typing import Any

import pytest
import redis
from django.db import transaction
from django.test import Client
from redis.backoff import NoBackoff
from redis.retry import Retry

from fleet.telematics import log as log_module
from fleet.telematics import services
from fleet.telematics.log import RedisPointLog
from fleet.telematics.services import credentials
from fleet.telematics.services.drain import drain_all
from fleet.vehicles import mailbox
from fleet.vehicles import services as vehicles
from fleet.vehicles.models import LatestState, Vehicle, VehicleCommand
from mobility.core import clock
from mobility.core.health import record_heartbeat
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle

URL = "/api/v1/telemetry"


def report(vehicle: Vehicle | None, *points: dict[str, Any], acks: Any = (), **extra: Any) -> Any:
    headers = {} if vehicle is None else {"Authorization": f"Bearer {vehicle.device_secret}"}
    body = json.dumps({"points": points, "acks": list(acks)}).encode()
    return Client(headers={**headers, **extra.pop("headers", {})}).post(
        URL, extra.pop("body", body), content_type="application/json"
    )


def here(**fields: Any) -> dict[str, Any]:
    return {"at": clock.now().isoformat(), "lat": 45.46, "lon": 9.19, "battery_pct": 81, **fields}


def test_a_scooter_reports_and_is_seen_there(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle(lon=9.19, lat=45.46)
    answer = report(
        scooter,
        here(
            at=int(clock.now().timestamp() * 1000) + 1,
            speed_kmh=18,
            heading_deg=90,
            odometer_m=12345,
            locked=False,
            accuracy_m=5,
        ),
    )
    assert answer.status_code == 202
    assert answer.json() == {"accepted": 1, "rejected": [], "commands": [], "report_again_s": 5}
    assert answer["Content-Length"] == str(len(answer.content))
    drain_all(shard=0, at=clock.now())
    latest = LatestState.objects.get(vehicle=scooter)
    assert (latest.lon, latest.lat, latest.battery_pct) == (9.19, 45.46, 81)
    assert (latest.speed_cms, latest.heading, latest.odometer_m) == (500, 90, 12345)
    assert (latest.accuracy_dm, latest.locked) == (50, False)


def test_steady_reports_ask_the_database_nothing(
    make_vehicle: MakeVehicle, django_assert_num_queries: Any
) -> None:
    scooter = make_vehicle()
    with django_assert_num_queries(1):
        report(scooter, here())
    with django_assert_num_queries(0):
        report(scooter, here())


def test_strangers_are_refused(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    assert report(None, here()).status_code == 401
    scooter.device_secret = "dev_of-nobody"
    answer = report(scooter, here())
    assert (answer.status_code, answer.json()["code"]) == (401, "device_unknown")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_device_is_refused_once_it_is_forgotten(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    report(scooter, here())
    device_id = scooter.assignments.get().device_id
    services.revoke_device(device_id=device_id, at=clock.now(), by=SYSTEM)
    credentials.forget_credentials()
    assert report(scooter, here()).status_code == 401


def test_a_device_in_no_vehicle_is_told_so(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    scooter.assignments.all().delete()
    answer = report(scooter, here())
    assert (answer.status_code, answer.json()["code"]) == (403, "device_unassigned")


def test_a_bad_point_costs_only_itself(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    answer = report(
        scooter,
        here(),
        {"lat": 45.46, "lon": 9.19, "at": "yesterday"},
        here(lon=1000),
        here(at="2026-05-01T10:00:00"),
        here(battery_pct=None),
        here(accuracy_m=1e308),
    )
    assert answer.status_code == 202
    body = answer.json()
    assert body["accepted"] == 2
    assert [(one["index"], one["item"], one["code"]) for one in body["rejected"]] == [
        (1, "point", "point_malformed"),
        (2, "point", "point_malformed"),
        (3, "point", "point_malformed"),
        (5, "point", "point_malformed"),
    ]


_DEEP = b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def test_what_is_no_report_is_refused_whole(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    for body in (b"{", b"[]", b'{"points": 1}', b'{"points": [{"a": 1]}', _DEEP):
        answer = report(scooter, body=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "report_malformed"), body
    answer = report(scooter, body=b"no gzip", headers={"Content-Encoding": "gzip"})
    assert answer.json()["code"] == "report_malformed"
    assert Client().get(URL).status_code == 405


def test_too_much_at_once_is_refused(make_vehicle: MakeVehicle, log: RedisPointLog) -> None:
    scooter = make_vehicle()
    assert report(scooter, *[here()] * 5001).status_code == 413
    acks = [{"command": str(uuid.uuid4()), "result": "confirmed"}] * 101
    assert report(scooter, body=json.dumps({"acks": acks}).encode()).status_code == 413
    assert report(scooter, body=b" " * (5 * 1024 * 1024 + 1)).status_code == 413
    bomb = gzip.compress(b" " * (50 * 1024 * 1024))
    assert report(scooter, body=bomb, headers={"Content-Encoding": "gzip"}).status_code == 413
    assert log.backlog(shard=0) == 0


def test_zipped_reports_are_welcome(make_vehicle: MakeVehicle, log: RedisPointLog) -> None:
    body = gzip.compress(json.dumps({"points": [here()] * 5000}).encode())
    answer = report(make_vehicle(), body=body, headers={"Content-Encoding": "gzip"})
    assert answer.json()["accepted"] == 5000
    assert log.backlog(shard=0) == 1


def test_a_full_log_asks_to_come_back(
    make_vehicle: MakeVehicle, monkeypatch: pytest.MonkeyPatch, log: RedisPointLog
) -> None:
    scooter = make_vehicle()
    monkeypatch.setattr(log_module, "MAX_BACKLOG", 2)
    assert [report(scooter, here()).status_code for _ in range(3)] == [202, 202, 503]
    answer = report(scooter, here())
    assert (answer["Retry-After"], answer.json()["code"]) == ("5", "telemetry_busy")
    assert log.backlog(shard=0) == 2
    drain_all(shard=0, at=clock.now())
    log._backlogs[0] = (2, 0.0)  # measured more than a second ago
    assert report(scooter, here()).status_code == 202


def test_without_the_log_nothing_is_acknowledged(
    make_vehicle: MakeVehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = redis.Redis(unix_socket_path="/nowhere.sock", retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(mailbox, "client", lambda: away)
    answer = report(make_vehicle(), here())
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


# --- commands ---------------------------------------------------------------------------------------


@pytest.fixture
def _committing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction of a test never commits; what waits for it runs where it was asked for."""
    monkeypatch.setattr(transaction, "on_commit", lambda callback, **_: callback())


def unlock(vehicle: Vehicle, *, key: str = "trip:1") -> VehicleCommand:
    return vehicles.queue_command(
        vehicle_id=vehicle.pk,
        kind="unlock",
        idempotency_key=key,
        ttl_s=20,
        purpose_ref="trip:1",
        at=clock.now(),
        by=SYSTEM,
    )


@pytest.mark.usefixtures("_committing_at_once")
def test_a_command_travels_in_the_reply_until_it_is_answered(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    command = unlock(scooter)
    for _ in range(2):  # the first reply may be lost
        (told,) = report(scooter, here()).json()["commands"]
        assert told["id"] == str(command.public_id)
        assert (told["sequence"], told["kind"]) == (1, "unlock")
    command.refresh_from_db()
    assert command.state == "sent"
    answered = report(
        scooter, here(), acks=[{"command": str(command.public_id), "result": "confirmed"}]
    )
    assert answered.json()["commands"] == []
    command.refresh_from_db()
    assert command.state == "confirmed"
    assert report(scooter).json()["commands"] == []


@pytest.mark.usefixtures("_committing_at_once")
def test_a_poll_without_points_hears_of_commands_soon_again(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    unlock(scooter)
    body = report(scooter).json()
    assert (body["accepted"], len(body["commands"]), body["report_again_s"]) == (0, 1, 1)


@pytest.mark.usefixtures("_committing_at_once")
def test_nobody_answers_for_another_vehicle(make_vehicle: MakeVehicle) -> None:
    mine, other = make_vehicle(), make_vehicle()
    command = unlock(other)
    answer = report(
        mine,
        acks=[
            {"command": str(command.public_id), "result": "confirmed"},
            {"command": "not-an-id", "result": "confirmed"},
        ],
    )
    codes = [(one["index"], one["item"], one["code"]) for one in answer.json()["rejected"]]
    assert sorted(codes) == [(0, "ack", "command_not_found"), (1, "ack", "ack_malformed")]
    command.refresh_from_db()
    assert command.state == "queued"


@pytest.mark.usefixtures("_committing_at_once")
def test_a_command_whose_time_is_over_stays_home(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    command = unlock(scooter)
    later = command.expires_at + datetime.timedelta(seconds=1)
    mailbox.refill(vehicle_ids=[scooter.pk], at=later)
    assert report(scooter).json()["commands"] == []


@pytest.mark.usefixtures("_committing_at_once")
def test_a_lost_box_is_filled_again_by_the_sweep(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    unlock(scooter)
    mailbox.client().delete(mailbox.box_key(scooter.pk))
    assert report(scooter).json()["commands"] == []
    vehicles.expire_commands(at=clock.now())
    assert len(report(scooter).json()["commands"]) == 1


# --- told to others ---------------------------------------------------------------------------------


def test_the_api_describes_the_door(client: Client) -> None:
    schema = json.loads(client.get("/api/schema/?format=json").content)
    operation = schema["paths"]["/api/v1/telemetry"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"points", "acks"}
    assert "lat" in body["properties"]["points"]["items"]["required"]
    assert set(
        operation["responses"]["202"]["content"]["application/json"]["schema"]["properties"]
    ) == {
        "accepted",
        "rejected",
        "commands",
        "report_again_s",
    }


def test_metrics_tell_how_far_behind_storing_is(make_vehicle: MakeVehicle, client: Client) -> None:
    report(make_vehicle(), here())
    text = client.get("/metrics").content.decode()
    assert 'telemetry_backlog_entries{shard="0"} 1.0' in text
    assert "telemetry_dead_entries 0.0" in text
    assert "telemetry_stray_points 0.0" in text
    assert 'vehicles{link="online"} 1.0' in text


def test_metrics_tell_when_an_edge_was_last_seen(db: None, client: Client) -> None:
    assert "telemetry_edge_silent_seconds" not in client.get("/metrics").content.decode()
    record_heartbeat(queue="edge", at=clock.now() - datetime.timedelta(seconds=100))
    assert "telemetry_edge_silent_seconds 100." in client.get("/metrics").content.decode()
