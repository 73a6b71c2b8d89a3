"""An operator's backend speaks for its own fleet, and for nobody else's."""

import datetime
import io
import json
import time
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from fleet.telematics import services
from fleet.telematics.log import RedisPointLog
from fleet.telematics.models import Device, Integration, Point
from fleet.telematics.services.drain import drain_all
from fleet.telematics.states import Protocol
from fleet.vehicles import mailbox
from fleet.vehicles import services as vehicles
from fleet.vehicles.models import Vehicle, VehicleCommand
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle

URL = "/api/v1/telemetry"


@pytest.fixture
def secret(ruote: Organisation) -> str:
    out = io.StringIO()
    call_command("add_integration", "ruote", "Backend of Ruote", "--json", stdout=out)
    return str(json.loads(out.getvalue())["secret"])


@pytest.fixture
def _committing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction of a test never commits; what waits for it runs where it was asked for."""
    monkeypatch.setattr(transaction, "on_commit", lambda callback, **_: callback())


def say(secret: str, *points: dict[str, Any], acks: Any = ()) -> Any:
    body = json.dumps({"points": points, "acks": list(acks)})
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    return client.post(URL, body, content_type="application/json")


def at_home(**fields: Any) -> dict[str, Any]:
    return {"at": clock.now().isoformat(), "lat": 45.46, "lon": 9.19, **fields}


def serial_of(vehicle: Vehicle) -> str:
    return vehicle.assignments.get().device.serial


def test_it_names_devices_or_vehicles(secret: str, make_vehicle: MakeVehicle) -> None:
    first, second = (make_vehicle(lon=9.19, lat=45.46) for _ in range(2))
    answer = say(
        secret,
        at_home(device=serial_of(first)),
        at_home(vehicle=second.code),
        at_home(vehicle=second.code, battery_pct=44),
    )
    assert (answer.status_code, answer.json()["accepted"]) == (202, 3)
    drain_all(shard=0, at=clock.now())
    counts = [Point.objects.filter(vehicle_id=one.pk).count() for one in (first, second)]
    assert counts == [1, 2]


def test_the_device_of_another_operator_looks_like_none(
    secret: str, make_vehicle: MakeVehicle, rivale: User
) -> None:
    mine = make_vehicle(lon=9.19, lat=45.46)
    theirs = make_vehicle(organisation=rivale.memberships.get().organisation)
    empty = make_vehicle()
    empty.assignments.all().delete()
    answer = say(
        secret,
        at_home(device=serial_of(theirs)),
        at_home(device="nobody"),
        at_home(vehicle=theirs.code),
        at_home(vehicle="NOSUCH"),
        at_home(vehicle=empty.code),
        at_home(),
        at_home(vehicle=mine.code),
        at_home(lat="x", vehicle=mine.code),
    ).json()
    assert answer["accepted"] == 1
    verdicts = [{**one, "index": 0} for one in answer["rejected"][:6]]
    assert all(one == verdicts[0] for one in verdicts)
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [
        *((index, "device_unknown") for index in range(6)),
        (7, "point_malformed"),
    ]
    drain_all(shard=0, at=clock.now())
    assert not Point.objects.exclude(vehicle_id=mine.pk).exists()


@pytest.mark.parametrize("name", ["\0", "A\0B", "\ud800", "x\udfff", "\n\0\n"])
@pytest.mark.parametrize("kind", ["device", "vehicle"])
def test_a_name_no_database_can_be_asked_for_costs_its_point_alone(
    secret: str, make_vehicle: MakeVehicle, kind: str, name: str
) -> None:
    scooter = make_vehicle(lon=9.19, lat=45.46)
    answer = say(secret, at_home(**{kind: name}), at_home(vehicle=scooter.code))
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    verdicts = [(one["index"], one["code"]) for one in answer.json()["rejected"]]
    assert verdicts == [(0, "point_malformed")]


def test_who_names_nobody_of_the_fleet_is_refused_with_all_verdicts(secret: str) -> None:
    answer = say(secret, at_home(vehicle="NOSUCH"), at_home())
    assert (answer.status_code, answer.json()["code"]) == (422, "nothing_usable")
    assert [one["code"] for one in answer.json()["rejected"]] == ["device_unknown"] * 2


def test_a_device_speaks_for_itself_alone(make_vehicle: MakeVehicle) -> None:
    mine, other = make_vehicle(lon=9.19, lat=45.46), make_vehicle()
    assert say(mine.device_secret, at_home(vehicle=other.code)).status_code == 202
    drain_all(shard=0, at=clock.now())
    assert Point.objects.get().vehicle_id == mine.pk


@pytest.mark.usefixtures("_committing_at_once")
def test_it_hears_the_commands_of_vehicles_that_are_reached_through_it(
    secret: str, make_vehicle: MakeVehicle
) -> None:
    through_it, by_themselves = make_vehicle(), make_vehicle()
    Device.objects.filter(assignments__vehicle=through_it).update(protocol=Protocol.INTEGRATION)
    command = order(through_it)
    order(by_themselves)
    (told,) = say(secret).json()["commands"]
    assert (told["id"], told["vehicle"]) == (str(command.public_id), through_it.code)
    acks = [{"command": told["id"], "result": "confirmed"}]
    assert say(secret, acks=acks).json() == {
        "accepted": 0,
        "rejected": [],
        "commands": [],
        "report_again_s": 5,
    }
    command.refresh_from_db()
    assert command.state == "confirmed"


@pytest.mark.usefixtures("_committing_at_once")
def test_it_answers_for_no_other_fleet(
    secret: str, make_vehicle: MakeVehicle, rivale: User
) -> None:
    theirs = make_vehicle(organisation=rivale.memberships.get().organisation)
    command = order(theirs)
    acks = [{"command": str(command.public_id), "result": "confirmed"}]
    (verdict,) = say(secret, acks=acks).json()["rejected"]
    assert (verdict["item"], verdict["code"]) == ("ack", "command_not_found")
    command.refresh_from_db()
    assert command.state == "queued"


@pytest.mark.usefixtures("_committing_at_once")
def test_once_revoked_it_is_refused_within_a_second(secret: str) -> None:
    assert say(secret).status_code == 202
    one = Integration.objects.get()
    services.revoke_integration(integration_id=one.pk, at=clock.now(), by=SYSTEM)
    time.sleep(1.05)
    assert say(secret).status_code == 401


@pytest.mark.usefixtures("_committing_at_once")
def test_only_boxes_with_something_in_them_are_looked_into(
    secret: str, make_vehicle: MakeVehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = [make_vehicle(lon=9.19, lat=45.46) for _ in range(4)]
    Device.objects.filter(assignments__vehicle__in=fleet).update(protocol=Protocol.INTEGRATION)
    asked: list[int] = []
    boxes = RedisPointLog.append_batch

    def counted(log: RedisPointLog, **wanted: Any) -> Any:
        asked.extend(wanted["vehicle_ids"])
        return boxes(log, **wanted)

    monkeypatch.setattr(RedisPointLog, "append_batch", counted)
    say(secret, at_home(vehicle=fleet[0].code))
    assert asked == [fleet[0].pk]
    for one in fleet[:2]:
        order(one)
    asked.clear()
    told = say(secret, at_home(vehicle=fleet[0].code)).json()["commands"]
    assert sorted(one["vehicle"] for one in told) == sorted(one.code for one in fleet[:2])
    assert asked == [one.pk for one in fleet[:2]]


@pytest.mark.usefixtures("_committing_at_once")
def test_who_answers_hears_what_else_waits_for_the_vehicle(
    secret: str, make_vehicle: MakeVehicle
) -> None:
    scooter = make_vehicle()
    Device.objects.filter(assignments__vehicle=scooter).update(protocol=Protocol.INTEGRATION)
    first, second = order(scooter), order(scooter, "lock")
    acks = [{"command": str(first.public_id), "result": "confirmed"}]
    (told,) = say(secret, acks=acks).json()["commands"]
    assert told["id"] == str(second.public_id)


@pytest.mark.usefixtures("_committing_at_once")
def test_what_is_known_to_wait_heals_by_itself(secret: str, make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    Device.objects.filter(assignments__vehicle=scooter).update(protocol=Protocol.INTEGRATION)
    order(scooter)
    assert mailbox.waiting(at=clock.now()) == {scooter.pk}
    mailbox.client().delete(mailbox.WAITING)  # as if Redis had lost it
    assert say(secret).json()["commands"] == []
    vehicles.expire_commands(at=clock.now())
    assert len(say(secret).json()["commands"]) == 1
    later = clock.now() + datetime.timedelta(seconds=30)
    assert mailbox.waiting(at=later) == set()
    vehicles.expire_commands(at=later)
    assert mailbox.client().zcard(mailbox.WAITING) == 0


def test_a_batch_costs_the_same_whatever_its_size(
    secret: str, make_vehicle: MakeVehicle, django_assert_num_queries: Any
) -> None:
    fleet = [make_vehicle() for _ in range(8)]
    say(secret)
    for size in (1, 8):
        with django_assert_num_queries(1):
            say(secret, *(at_home(vehicle=one.code) for one in fleet[:size]))


def test_the_command_speaks_to_people_too(ruote: Organisation) -> None:
    out = io.StringIO()
    call_command("add_integration", "ruote", "Backend", stdout=out)
    assert say(out.getvalue().split("Bearer ")[1].split()[0]).status_code == 202
    with pytest.raises(CommandError, match="no organisation nosuch"):
        call_command("add_integration", "nosuch", "Backend")


def order(vehicle: Vehicle, kind: str = "unlock") -> VehicleCommand:
    return vehicles.queue_command(
        vehicle_id=vehicle.pk,
        kind=kind,
        idempotency_key=f"{kind} {vehicle.pk}",
        ttl_s=20,
        purpose_ref="",
        at=clock.now(),
        by=SYSTEM,
    )
