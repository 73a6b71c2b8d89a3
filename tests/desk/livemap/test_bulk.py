"""Deeds for many vehicles: what is foretold, what is done, and to whose vehicles."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from fleet.vehicles.models import Vehicle, VehicleBlock, VehicleCommand, VehicleType
from fleet.vehicles.states import BlockReason, LifeState, LinkState, RentalState
from mobility.accounts.models import User
from mobility.core import clock
from mobility.desk.livemap.bulk import Deed, Standing, judge

pytestmark = pytest.mark.django_db

Api = Callable[[User | None], APIClient]
MakeVehicle = Callable[..., Vehicle]
BULK = "/api/v1/fleet/bulk"


def ask(client: APIClient, deed: str, *codes: str, look: bool = True) -> dict[str, dict[str, Any]]:
    body = {"deed": deed, "vehicles": codes, "reason": "Brake recall"}
    answer = client.post(f"{BULK}/preview" if look else BULK, body)
    assert answer.status_code == 200, answer.content
    report = answer.json()
    assert report["done"] + report["refused"] == len(report["vehicles"])
    return {line["code"]: line for line in report["vehicles"]}


def test_a_preview_says_who_refuses_and_why_and_changes_nothing(
    api: Api, marco: User, make_vehicle: MakeVehicle
) -> None:
    make_vehicle(code="FREE")
    make_vehicle(code="RIDDEN", rental_state=RentalState.ON_TRIP)
    make_vehicle(code="RESERVED", rental_state=RentalState.HELD)
    make_vehicle(code="INSIDE", life_state=LifeState.WORKSHOP)
    make_vehicle(code="GONE", life_state=LifeState.RETIRED)
    lines = ask(api(marco), "recall", "FREE", "RIDDEN", "RESERVED", "INSIDE", "GONE", "NOBODYS")
    assert {code: line["reason"] for code, line in lines.items()} == {
        "FREE": "",
        "RIDDEN": "in_use",
        "RESERVED": "in_use",
        "INSIDE": "already",
        "GONE": "no_way",
        "NOBODYS": "unknown",
    }
    assert lines["RIDDEN"]["words"] == "Somebody is using this vehicle. Wait for the trip to end."
    assert Vehicle.objects.filter(life_state=LifeState.WORKSHOP).count() == 1


@pytest.mark.parametrize("deed", [one.value for one in Deed])
def test_the_deed_does_what_was_foretold(
    deed: str, api: Api, marco: User, make_vehicle: MakeVehicle
) -> None:
    make_vehicle(code="FREE")
    make_vehicle(code="RIDDEN", rental_state=RentalState.ON_TRIP)
    make_vehicle(code="SILENT", link_state=LinkState.LOST)
    inside = make_vehicle(code="INSIDE", life_state=LifeState.WORKSHOP)
    VehicleBlock.objects.create(
        vehicle=inside, reason=BlockReason.MAINTENANCE, since=clock.now(), placed_by="test"
    )
    deaf = make_vehicle("bicycle", code="DEAF")
    VehicleType.objects.filter(pk=deaf.type_id).update(commands=["lock", "unlock"])
    codes = ("FREE", "RIDDEN", "SILENT", "INSIDE", "DEAF")
    client = api(marco)
    foretold = ask(client, deed, *codes)
    done = ask(client, deed, *codes, look=False)
    assert {code: line["ok"] for code, line in done.items()} == {
        code: line["ok"] for code, line in foretold.items()
    }
    assert any(line["ok"] for line in done.values())
    assert not all(line["ok"] for line in done.values())
    assert all(line["words"] for line in done.values() if not line["ok"])


def test_what_one_should_know_stands_beside_who_goes(
    api: Api, marco: User, make_vehicle: MakeVehicle
) -> None:
    make_vehicle(code="RIDDEN", rental_state=RentalState.ON_TRIP)
    make_vehicle(code="SILENT", link_state=LinkState.LOST)
    client = api(marco)
    assert ask(client, "maintenance", "RIDDEN")["RIDDEN"]["reason"] == "when_free"
    assert ask(client, "honk", "SILENT")["SILENT"]["reason"] == "silent"


def test_a_page_sent_twice_honks_once(api: Api, marco: User, make_vehicle: MakeVehicle) -> None:
    make_vehicle(code="FREE")
    client = api(marco)
    body = {"deed": "honk", "vehicles": ["FREE"]}
    for _ in range(2):
        assert client.post(BULK, body, headers={"Idempotency-Key": "once"}).status_code == 200
    assert VehicleCommand.objects.count() == 1


def test_nobody_touches_another_fleet(
    api: Api, rivale: User, elena: User, make_vehicle: MakeVehicle
) -> None:
    make_vehicle(code="OURS")
    line = ask(api(rivale), "maintenance", "OURS", look=False)["OURS"]
    assert (line["ok"], line["words"]) == (False, "This is no vehicle of yours.")
    assert not VehicleBlock.objects.exists()
    for address in (BULK, f"{BULK}/preview"):
        body = {"deed": "honk", "vehicles": ["OURS"]}
        assert api(elena).post(address, body).status_code == 403


@pytest.mark.parametrize("rental", list(RentalState))
def test_a_recall_takes_only_what_nobody_has(rental: str) -> None:
    standing = Standing(
        life=LifeState.IN_SERVICE,
        rental=rental,
        link=LinkState.ONLINE,
        blocks=frozenset(),
        commands=frozenset(),
    )
    refused = judge(Deed.RECALL, standing)
    assert bool(refused) is (rental not in {RentalState.FREE, RentalState.STAFF})
