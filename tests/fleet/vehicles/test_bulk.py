"""Marco changes and orders many vehicles at once, and is told what became of each."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from fleet.vehicles import rules, services
from fleet.vehicles.models import Vehicle, VehicleCommand, VehicleType
from mobility.accounts.models import Organisation, User
from mobility.core.models import AuditEntry
from mobility.geography.models import City, Hub
from tests.fleet.fixtures import MakeVehicle, vehicle_type
from tests.fleet.vehicles.acting import NOW, blocks_of, change_type, ride
from tests.fleet.vehicles.test_staff import LIST, desk


def chosen(*vehicles: Vehicle) -> str:
    return ",".join(str(vehicle.pk) for vehicle in vehicles)


def lines(answer: Any) -> dict[str, tuple[bool, str]]:
    assert answer.status_code == 200
    assert answer.context["lines"] is not None, answer.context["form"].errors
    return {line.code: (line.done, str(line.detail)) for line in answer.context["lines"]}


def edit(client: Client, *vehicles: Vehicle, **fields: Any) -> Any:
    return client.post(f"{LIST}bulk-edit/", {"apply": "1", "chosen": chosen(*vehicles), **fields})


def test_marco_chooses_sees_and_changes_many(make_vehicle: MakeVehicle, marco: User) -> None:
    first, second = make_vehicle(code="AA1"), make_vehicle(code="AA2")
    client = desk(marco)
    action = {"action": "bulk_edit", "_selected_action": [first.pk, second.pk]}
    page = client.post(LIST, action)
    assert page.context["count"] == 2
    assert page.context["form"]["chosen"].value() == chosen(first, second)
    done = edit(
        client, first, second, add_equipment=["helmet_box"], block=["damage"], life="storage"
    )
    assert lines(done) == {"AA1": (True, ""), "AA2": (True, "")}
    for vehicle in (first, second):
        vehicle.refresh_from_db()
        assert (vehicle.equipment, vehicle.life_state) == (["helmet_box"], "storage")
        assert blocks_of(vehicle) == {"damage"}
    entry = AuditEntry.objects.filter(action="bulk_edit", by=marco.principal).first()
    assert entry is not None
    assert entry.changes == {"add_equipment": ["helmet_box"]}


def test_who_is_on_a_trip_is_named_and_the_others_go(
    make_vehicle: MakeVehicle, marco: User
) -> None:
    rented, free = make_vehicle(code="TRIP1"), make_vehicle(code="FREE1")
    ride(rented)
    told = lines(edit(desk(marco), rented, free, life="workshop"))
    assert told["FREE1"] == (True, "")
    done, why = told["TRIP1"]
    assert not done
    assert why == services.LifeChangeRefused.message


def test_a_new_type_asks_for_its_papers_at_once(make_vehicle: MakeVehicle, marco: User) -> None:
    scooter = make_vehicle("scooter")
    strict = VehicleType.objects.create(
        code="strict",
        name={"it": "S"},
        kind="scooter",
        max_range_m=1,
        max_speed_kmh=20,
        battery_wh=1,
        required_documents=["targhino"],
    )
    edit(desk(marco), scooter, type=strict.pk)
    assert blocks_of(scooter) == {"document_expired"}


def test_nothing_to_change_is_told_as_that(make_vehicle: MakeVehicle, marco: User) -> None:
    scooter = make_vehicle(code="SAME1")
    assert lines(edit(desk(marco), scooter))["SAME1"] == (False, "nothing to change")


@pytest.mark.parametrize("page", ["bulk-edit/", "bulk-order/"])
def test_what_is_not_ones_own_stays_as_it_is(
    make_vehicle: MakeVehicle, marco: User, rivale: User, sara: User, elena: User, page: str
) -> None:
    scooter = make_vehicle(code="MIO1")
    wish = {
        "apply": "1",
        "chosen": chosen(scooter),
        "block": ["damage"],
        "kind": "lock",
        "key": "k",
    }
    answer = desk(rivale).post(f"{LIST}{page}", wish)
    assert lines(answer) == {}
    for person in (sara, elena):
        assert desk(person).post(f"{LIST}{page}", wish).status_code == 403
    assert desk(marco).get(f"{LIST}{page}").status_code == 403
    assert blocks_of(scooter) == set()
    assert not VehicleCommand.objects.exists()


@pytest.mark.parametrize("wrong", ["", "1;2", "x", "²", "9" * 30, ",".join(map(str, range(1_500)))])
def test_chosen_vehicles_must_be_vehicles(marco: User, wrong: str) -> None:
    answer = desk(marco).post(f"{LIST}bulk-edit/", {"apply": "1", "chosen": wrong})
    assert answer.status_code == 200
    assert answer.context["lines"] is None
    assert "chosen" in answer.context["form"].errors


def test_marco_orders_many_and_reads_who_cannot(make_vehicle: MakeVehicle, marco: User) -> None:
    scooter, bike = make_vehicle(code="CAN1"), make_vehicle("bicycle", code="CANT1")
    change_type(bike, commands=["locate"])
    order = {"apply": "1", "chosen": chosen(scooter, bike), "key": "once"}
    order |= {"kind": "set_speed_limit", "max_kmh": "6"}
    for _ in range(2):  # the page sent twice
        told = lines(desk(marco).post(f"{LIST}bulk-order/", order))
        assert told["CAN1"] == (True, "")
        assert told["CANT1"] == (False, services.CommandUnsupported.message)
    command = VehicleCommand.objects.get()
    assert (command.parameters, command.requested_by) == ({"max_kmh": 6}, marco.principal)


def test_automatic_blocks_are_refused_in_bulk_too(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    wish = services.BulkEdit(add_equipment=frozenset({"helmet_box"}), lift=frozenset({"zone"}))
    with pytest.raises(services.BlockIsAutomatic):
        services.edit_vehicles(vehicle_ids=[scooter.pk], edit=wish, **NOW)
    scooter.refresh_from_db()
    assert scooter.equipment == []


def test_a_vehicle_on_the_street_keeps_its_kind_and_a_hub_of_its_city(
    make_vehicle: MakeVehicle, marco: User, milan: City, comune: Organisation
) -> None:
    street, indoors = make_vehicle(code="AA1"), make_vehicle(code="AA2", life_state="storage")
    done = edit(desk(marco), street, indoors, type=vehicle_type("car").pk)
    assert lines(done) == {"AA1": (False, str(rules.KIND_STAYS)), "AA2": (True, "")}
    lodi = City.objects.create(
        slug="lodi",
        name={"it": "Lodi"},
        organisation=comune,
        boundary=milan.boundary,
        centre=milan.centre,
    )
    hub = Hub.objects.create(city=lodi, code="L1", name={"it": "Lodi"}, location=milan.centre)
    done = edit(desk(marco), street, home_hub=hub.pk)
    assert lines(done) == {"AA1": (False, str(rules.NO_SUCH_HUB))}
    for wrong, field in (({"home_hub": hub}, "home_hub"), ({"type": vehicle_type("car")}, "type")):
        street.refresh_from_db()
        for name, value in wrong.items():
            setattr(street, name, value)
        with pytest.raises(ValidationError) as refusal:
            street.full_clean()
        assert set(refusal.value.message_dict) == {field}
