"""Marco and Sara at work: the API and the admin of vehicles, each seeing only their own."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from fleet.vehicles import queries, services
from fleet.vehicles.models import Vehicle, VehicleBlock, VehicleCommand, VehicleEvent
from fleet.vehicles.states import (
    LIFE_MOVES,
    LINK_MOVES,
    RENTAL_MOVES,
    LifeState,
    LinkState,
    RentalState,
)
from mobility.accounts import services as accounts
from mobility.accounts.models import Organisation, User
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle

Api = Callable[[User | None], APIClient]
URL = "/api/v1/fleet/vehicles"


def test_marco_sees_his_vehicles_and_nobody_elses(
    api: Api, make_vehicle: MakeVehicle, marco: User, rivale: User
) -> None:
    mine = make_vehicle("scooter", lon=9.2, lat=45.45, battery_pct=77)
    other = make_vehicle(organisation=rivale.memberships.get().organisation)
    (row,) = api(marco).get(URL).json()["results"]
    assert (row["id"], row["code"], row["kind"]) == (str(mine.public_id), mine.code, "scooter")
    assert (row["state"], row["rentable"], row["blocks"]) == ("available", True, [])
    assert (row["lat"], row["lon"], row["battery_pct"]) == (45.45, 9.2, 77)
    assert api(marco).get(f"{URL}/{other.public_id}").status_code == 404


@pytest.mark.parametrize("who", ["giulia", "luca", None])
def test_others_have_no_business_here(
    api: Api, make_vehicle: MakeVehicle, who: str | None, request: pytest.FixtureRequest
) -> None:
    scooter = make_vehicle()
    client = api(request.getfixturevalue(who) if who else None)
    assert client.get(URL).status_code in {401, 403}
    assert client.post(f"{URL}/{scooter.public_id}/commands", {"kind": "unlock"}).status_code in {
        401,
        403,
    }
    assert not VehicleCommand.objects.exists()


def test_elena_reads_the_city_and_moves_nothing(
    api: Api, make_vehicle: MakeVehicle, elena: User
) -> None:
    scooter = make_vehicle()
    assert len(api(elena).get(URL).json()["results"]) == 1
    answer = api(elena).post(f"{URL}/{scooter.public_id}/commands", {"kind": "lock"})
    assert answer.status_code == 403


def test_the_list_is_filtered(api: Api, make_vehicle: MakeVehicle, marco: User) -> None:
    bike, car = make_vehicle("bicycle", code="BIKE01"), make_vehicle("car", code="CAR001")
    services.block_vehicle(vehicle_id=car.pk, reason="damage", at=clock.now(), by=SYSTEM)

    def codes(query: str) -> list[str]:
        return [row["code"] for row in api(marco).get(f"{URL}?{query}").json()["results"]]

    assert codes("kind=bicycle") == [bike.code]
    assert codes("block=damage") == [car.code]
    assert codes("code=bike") == [bike.code]
    assert codes("life_state=retired") == []
    assert api(marco).get(f"{URL}?kind=rocket").status_code == 400


def test_the_list_costs_the_same_for_many(
    api: Api, make_vehicle: MakeVehicle, marco: User, django_assert_num_queries: Any
) -> None:
    client = api(marco)
    client.get(URL)  # notes when the token was last used
    for count in (1, 5):
        for _ in range(count):
            make_vehicle()
        with django_assert_num_queries(3):  # token, roles, vehicles
            client.get(URL)


def test_sara_locks_a_vehicle_once(api: Api, make_vehicle: MakeVehicle, sara: User) -> None:
    scooter = make_vehicle()
    orders = [
        api(sara).post(
            f"{URL}/{scooter.public_id}/commands", {"kind": "lock"}, HTTP_IDEMPOTENCY_KEY="one"
        )
        for _ in range(2)
    ]
    assert [order.status_code for order in orders] == [201, 201]
    assert orders[0].json()["id"] == orders[1].json()["id"]
    command = VehicleCommand.objects.get()
    assert (command.kind, command.requested_by) == ("lock", sara.principal)


def test_a_key_is_its_senders_own(
    api: Api, make_vehicle: MakeVehicle, sara: User, marco: User
) -> None:
    """Two phones that both count from one are two people."""
    url = f"{URL}/{make_vehicle().public_id}/commands"
    long = "1" * 128
    for person in (sara, marco):
        for key in ("1", long, long[:-1]):
            answer = api(person).post(url, {"kind": "locate"}, HTTP_IDEMPOTENCY_KEY=key)
            assert answer.status_code == 201
    assert VehicleCommand.objects.count() == 6


def test_marco_blocks_and_lifts(api: Api, make_vehicle: MakeVehicle, marco: User) -> None:
    scooter = make_vehicle()
    url = f"{URL}/{scooter.public_id}/blocks"
    body = api(marco).patch(url, {"block": ["damage", "maintenance"]}).json()
    assert (body["blocks"], body["state"]) == (["damage", "maintenance"], "non_operational")
    body = api(marco).patch(url, {"lift": ["damage"], "block": ["maintenance"]}).json()
    assert (body["blocks"], body["rentable"]) == (["maintenance"], False)
    assert VehicleBlock.objects.count() == 2
    assert api(marco).patch(url, {"block": ["mood"]}).status_code == 400


def test_a_rented_vehicle_does_not_go_to_the_workshop(
    api: Api, make_vehicle: MakeVehicle, marco: User
) -> None:
    scooter, at = make_vehicle(), clock.now()
    url = f"{URL}/{scooter.public_id}/life"
    hold = services.hold_vehicle(
        vehicle_id=scooter.pk,
        until=at + datetime.timedelta(minutes=15),
        purpose="ride",
        holder_ref="r:1",
        at=at,
        by=SYSTEM,
    )
    answer = api(marco).post(url, {"to": "workshop"})
    assert (answer.status_code, answer.json()["code"]) == (409, "vehicle_in_use")
    assert api(marco).post(url, {"to": "missing"}).json()["state"] == "missing"
    services.release_hold(hold_id=hold.pk, at=at, by=SYSTEM)
    assert api(marco).post(url, {"to": "draft"}).json()["code"] == "illegal_move"
    assert api(marco).post(url, {"to": "in_service"}).json()["state"] == "available"


def test_the_timeline_tells_cause_and_effect_together(
    api: Api, make_vehicle: MakeVehicle, marco: User
) -> None:
    scooter = make_vehicle()
    start = clock.now()
    hold = services.hold_vehicle(
        vehicle_id=scooter.pk,
        until=start + datetime.timedelta(minutes=15),
        purpose="ride",
        holder_ref="reservation:1",
        at=start,
        by=SYSTEM,
    )
    second = start + datetime.timedelta(seconds=1)
    services.queue_command(
        vehicle_id=scooter.pk,
        kind="unlock",
        idempotency_key="1",
        ttl_s=20,
        purpose_ref="trip:1",
        at=second,
        by=SYSTEM,
    )
    third = start + datetime.timedelta(seconds=2)
    services.mark_trip(hold_id=hold.pk, mark="starting", trip_ref="trip:1", at=third, by=SYSTEM)
    timeline = api(marco).get(f"{URL}/{scooter.public_id}").json()["timeline"]
    assert [entry["what"] for entry in timeline] == ["state", "command", "state", "hold"]
    assert timeline[0]["details"]["trip"] == "trip:1"
    earlier = queries.timeline(vehicle_id=scooter.pk, until=second, limit=1)
    assert [(entry.at, entry.what) for entry in earlier] == [(start, "state"), (start, "hold")]


def test_who_sees_a_vehicle_as_officer_does_not_act_on_it(
    api: Api, make_vehicle: MakeVehicle, rivale: User, comune: Organisation
) -> None:
    """Somebody who runs another fleet and is the city's officer besides."""
    accounts.grant_role(
        user=rivale, organisation=comune, role=Role.CITY_OFFICER, at=clock.now(), by=SYSTEM
    )
    scooter = make_vehicle()
    url = f"{URL}/{scooter.public_id}"
    assert api(rivale).get(url).status_code == 200
    assert api(rivale).post(f"{url}/commands", {"kind": "unlock"}).status_code == 404
    act(desk(rivale), "block_damage", scooter)
    assert not VehicleBlock.objects.exists()


# --- the admin --------------------------------------------------------------------------------------


def desk(user: User) -> Client:
    """Somebody at the desk, who reads English."""
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


LIST = "/admin/fleet/vehicle/"


def act(client: Client, action: str, *vehicles: Vehicle) -> str:
    answer = client.post(
        LIST,
        {"action": action, "_selected_action": [vehicle.pk for vehicle in vehicles]},
        follow=True,
    )
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_desk_shows_own_vehicles_only(
    make_vehicle: MakeVehicle, marco: User, elena: User, rivale: User
) -> None:
    scooter = make_vehicle(code="MIO001")
    for person, sees in ((marco, True), (elena, True), (rivale, False)):
        assert (scooter.code in desk(person).get(LIST).content.decode()) is sees
    page = f"{LIST}{scooter.pk}/change/"
    assert desk(marco).get(page).status_code == 200
    assert desk(rivale).get(page).status_code == 302


def test_marco_acts_on_many_at_once(make_vehicle: MakeVehicle, marco: User) -> None:
    fleet, client = [make_vehicle() for _ in range(3)], desk(marco)
    act(client, "block_damage", *fleet)
    assert VehicleBlock.objects.active().filter(reason="damage").count() == 3
    assert client.get(f"{LIST}?block=damage").context["cl"].result_count == 3
    act(client, "lift_damage", *fleet[:2])
    assert VehicleBlock.objects.active().count() == 1
    act(client, "order_lock", *fleet)
    assert VehicleCommand.objects.filter(kind="lock", requested_by=marco.principal).count() == 3
    act(client, "life_workshop", *fleet)
    assert Vehicle.objects.filter(life_state="workshop").count() == 3


def test_one_refusal_does_not_stop_the_others(make_vehicle: MakeVehicle, marco: User) -> None:
    rented, free = make_vehicle(code="PRESO1", rental_state="on_trip"), make_vehicle()
    page = act(desk(marco), "life_storage", rented, free)
    assert "PRESO1" in page
    free.refresh_from_db()
    rented.refresh_from_db()
    assert (free.life_state, rented.life_state) == ("storage", "in_service")


def test_those_who_only_read_have_no_actions(
    make_vehicle: MakeVehicle, elena: User, sara: User
) -> None:
    scooter = make_vehicle()
    for person in (elena, sara):
        desk(person).post(
            LIST, {"action": "block_damage", "_selected_action": [scooter.pk]}, follow=True
        )
    assert not VehicleBlock.objects.exists()


@pytest.mark.parametrize(
    "page",
    [
        "vehicletype",
        "vehiclecommand",
        "vehiclehold",
        "vehicleevent",
        "vehicledocument",
        "vehiclecase",
        "servicetrip",
        "battery",
        "batteryswap",
        "device",
        "quarantinedpoint",
        "zone",
    ],
)
def test_every_page_of_the_fleet_opens(make_vehicle: MakeVehicle, marco: User, page: str) -> None:
    scooter, at = make_vehicle(), clock.now()
    services.hold_vehicle(
        vehicle_id=scooter.pk,
        until=at + datetime.timedelta(minutes=15),
        purpose="ride",
        holder_ref="r:1",
        at=at,
        by=SYSTEM,
    )
    assert desk(marco).get(f"/admin/fleet/{page}/").status_code == 200


def test_the_history_cannot_be_typed(make_vehicle: MakeVehicle, marco: User) -> None:
    scooter = make_vehicle()
    services.block_vehicle(vehicle_id=scooter.pk, reason="damage", at=clock.now(), by=SYSTEM)
    event = VehicleEvent.objects.get()
    page = desk(marco).post(f"/admin/fleet/vehicleevent/{event.pk}/change/", {"mds_state": "x"})
    assert page.status_code == 403
    form = desk(marco).get(f"{LIST}{scooter.pk}/change/").context["adminform"].form
    assert not {"life_state", "rental_state", "link_state"} & set(form.fields)


# --- tables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "states"),
    [(LIFE_MOVES, LifeState), (RENTAL_MOVES, RentalState), (LINK_MOVES, LinkState)],
)
def test_every_state_has_its_moves(table: dict[str, frozenset[str]], states: Any) -> None:
    assert set(table) == set(states)
    assert all(moves <= set(states) and state not in moves for state, moves in table.items())


def test_what_has_no_way_back_is_not_the_crews_to_say(
    api: Api, make_vehicle: MakeVehicle, marco: User, sara: User
) -> None:
    scooter = make_vehicle()
    url = f"{URL}/{scooter.public_id}/life"
    answer = api(sara).post(url, {"to": "retired"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert api(sara).post(url, {"to": "storage"}).status_code == 200
    assert api(marco).post(url, {"to": "retired"}).json()["life_state"] == "retired"
