"""The database or Redis is away: what the door can still promise it promises, the rest it refuses."""

import contextlib
import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.db import OperationalError, connection
from django.test import Client

from fleet.telematics import services
from fleet.telematics.log import RedisPointLog
from fleet.telematics.services import accept, credentials
from fleet.vehicles import mailbox
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import queue_command
from mobility.accounts.models import Organisation
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle

URL = "/api/v1/telemetry"


def report(secret: str, **body: Any) -> Any:
    point = {"at": clock.now().isoformat(), "lat": 45.46, "lon": 9.19}
    text = json.dumps({"points": [point], **body})
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    return client.post(URL, text, content_type="application/json")


@contextlib.contextmanager
def database_away() -> Iterator[None]:
    def refuse(*_: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    return make_vehicle(lon=9.19, lat=45.46)


def test_whom_the_door_knows_goes_on_reporting(scooter: Vehicle, log: RedisPointLog) -> None:
    """Also beyond the time for which it would ask nobody."""
    assert report(scooter.device_secret).status_code == 202
    credentials._devices.doubt()
    with database_away():
        assert report(scooter.device_secret).status_code == 202
    assert log.backlog(shard=0) == 2


def test_a_stranger_is_told_to_come_again(scooter: Vehicle, ruote: Organisation) -> None:
    _one, backend = services.add_integration(
        organisation_slug="ruote", name="Backend", at=clock.now(), by=SYSTEM
    )
    with database_away():
        for secret in (scooter.device_secret, "dev_nobody", backend):
            answer = report(secret)
            assert (answer.status_code, answer.json()["code"]) == (503, "register_unreachable")
            assert answer["Retry-After"] == "5"


def test_points_are_safe_and_answers_must_be_said_again(
    scooter: Vehicle, log: RedisPointLog
) -> None:
    command = queue_command(
        vehicle_id=scooter.pk,
        kind="unlock",
        idempotency_key="1",
        ttl_s=60,
        purpose_ref="",
        at=clock.now(),
        by=SYSTEM,
    )
    acks = [{"command": str(command.public_id), "result": "confirmed"}]
    report(scooter.device_secret)
    with database_away():
        body = report(scooter.device_secret, acks=acks).json()
    assert body["accepted"] == 1
    assert [(one["item"], one["code"]) for one in body["rejected"]] == [("ack", "try_again")]
    assert log.backlog(shard=0) == 2
    assert report(scooter.device_secret, acks=acks).json()["rejected"] == []
    command.refresh_from_db()
    assert command.state == "confirmed"


def test_commands_wait_while_their_leaving_cannot_be_noted(scooter: Vehicle) -> None:
    at = clock.now()
    waiting = mailbox.PendingCommand(
        id="0197d3c4-0000-7000-8000-000000000000",
        sequence=1,
        kind="unlock",
        expires_at=at + datetime.timedelta(seconds=30),
        sent=False,
    )
    with database_away():
        assert accept.take_along(waiting=[waiting], at=at, by=SYSTEM) == []


def test_a_full_log_takes_nothing(
    scooter: Vehicle, log: RedisPointLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise redis.exceptions.OutOfMemoryError(
            "command not allowed when used memory > 'maxmemory'"
        )

    report(scooter.device_secret)
    with monkeypatch.context() as small:
        small.setattr(redis.client.Pipeline, "execute", full)
        answer = report(scooter.device_secret)
    assert (answer.status_code, answer.json()["code"]) == (503, "telemetry_busy")
    assert log.backlog(shard=0) == 1


def test_what_a_command_needs_to_know_travels_with_it(
    scooter: Vehicle, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        queue_command(
            vehicle_id=scooter.pk,
            kind="set_speed_limit",
            parameters={"max_kmh": 6},
            idempotency_key="1",
            ttl_s=60,
            purpose_ref="",
            at=clock.now(),
            by=SYSTEM,
        )
    (told,) = report(scooter.device_secret).json()["commands"]
    assert (told["kind"], told["parameters"]) == ("set_speed_limit", {"max_kmh": 6})
