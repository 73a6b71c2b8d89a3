"""Swappable batteries: each in one place at a time, each exchange counted once."""

import threading
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from rest_framework.test import APIClient

from fleet.vehicles import services
from fleet.vehicles.models import Battery, BatteryPlacement, BatterySwap, Vehicle
from fleet.vehicles.states import BATTERY_MOVES, BatteryState
from mobility.accounts.models import Organisation, User
from mobility.core.idempotency import KeyReused
from mobility.core.transitions import IllegalMove
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.vehicles.acting import AT, NOW, after, change_type
from tests.fleet.vehicles.test_holds import race, wait_for_a_waiter


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    vehicle = make_vehicle("scooter")
    change_type(vehicle, swappable=True, battery_slots=2)
    return vehicle


@pytest.fixture
def battery(ruote: Organisation) -> Callable[[str], Battery]:
    def make(serial: str) -> Battery:
        return Battery.objects.create(organisation=ruote, serial=serial, capacity_wh=550)

    return make


def swap(vehicle: Vehicle, serial: str, *, key: str = "task:1", minutes: int = 1) -> BatterySwap:
    return services.swap_battery(
        vehicle_id=vehicle.pk, serial=serial, idempotency_key=key, **after(minutes=minutes)
    )


def places(serial: str) -> list[int | None]:
    rows = BatteryPlacement.objects.filter(battery__serial=serial).order_by("id")
    return list(rows.values_list("vehicle", flat=True))


def test_sara_swaps_a_battery_and_both_know_where_they_are(
    scooter: Vehicle, battery: Callable[[str], Battery]
) -> None:
    empty, full = battery("A"), battery("B")
    services.place_battery(battery_id=empty.pk, vehicle_id=scooter.pk, **NOW)
    done = swap(scooter, "B")
    assert (done.removed, done.inserted) == (empty, full)
    empty.refresh_from_db()
    full.refresh_from_db()
    assert (empty.state, full.state, full.cycles) == ("storage", "in_vehicle", 1)
    assert places("A") == [scooter.pk, None]
    assert places("B") == [scooter.pk]


def test_a_repeated_report_is_one_swap(scooter: Vehicle, battery: Callable[[str], Battery]) -> None:
    battery("A")
    assert swap(scooter, "A") == swap(scooter, "A", minutes=2)
    assert (BatterySwap.objects.count(), Battery.objects.get().cycles) == (1, 1)


def test_a_battery_is_in_one_place_whoever_writes(
    scooter: Vehicle, make_vehicle: MakeVehicle, battery: Callable[[str], Battery]
) -> None:
    one, other = battery("A"), battery("B")
    services.place_battery(battery_id=one.pk, vehicle_id=scooter.pk, **NOW)
    forever = DateTimeTZRange(AT, None)
    for wrong, constraint in (
        ({"battery": one, "vehicle": make_vehicle()}, "fleet_battery_in_one_place"),
        ({"battery": other, "vehicle": scooter}, "fleet_one_battery_per_slot"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            BatteryPlacement.objects.create(during=forever, placed_by="x", **wrong)


@pytest.mark.django_db(transaction=True)
def test_two_crews_swap_at_once_and_the_slot_holds_one(
    scooter: Vehicle, battery: Callable[[str], Battery]
) -> None:
    for serial in "ABCD":
        battery(serial)
    race(4, lambda number: swap(scooter, "ABCD"[number], key=str(number), minutes=number + 1))
    inside = BatteryPlacement.objects.current().filter(vehicle=scooter)
    assert inside.count() == 1
    assert Battery.objects.filter(state="in_vehicle").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_battery_carried_off_meanwhile_is_not_the_one_taken_out(
    scooter: Vehicle, battery: Callable[[str], Battery]
) -> None:
    """Somebody takes A out of Sara's scooter and puts it into another hand while she swaps it."""
    carried, full = battery("A"), battery("B")
    services.place_battery(battery_id=carried.pk, vehicle_id=scooter.pk, **NOW)
    outcomes: list[object] = []
    sara = threading.Thread(
        target=lambda: outcomes.extend(race(1, lambda _n: swap(scooter, "B", minutes=2)))
    )
    with transaction.atomic():
        services.place_battery(battery_id=carried.pk, charging=True, **after(minutes=1))
        sara.start()
        wait_for_a_waiter()
    sara.join(timeout=20)
    (done,) = outcomes
    assert isinstance(done, BatterySwap), done
    assert (done.removed, done.inserted) == (None, full)
    carried.refresh_from_db()
    assert carried.state == "charging"
    assert places("A") == [scooter.pk, None]


@pytest.mark.django_db(transaction=True)
def test_two_scooters_exchange_their_batteries_without_a_circle(
    scooter: Vehicle, make_vehicle: MakeVehicle, battery: Callable[[str], Battery]
) -> None:
    """The last of the locks is what each of the two waits for, the other one's battery."""
    other = make_vehicle("scooter")
    for vehicle, serial in ((scooter, "A"), (other, "B")):
        services.place_battery(battery_id=battery(serial).pk, vehicle_id=vehicle.pk, **NOW)
    pairs = [(scooter, "B"), (other, "A")]
    outcomes = race(2, lambda n: swap(*pairs[n], key=str(n)))
    assert [type(outcome) for outcome in outcomes] == [services.BatteryInVehicle] * 2
    assert BatteryPlacement.objects.current().filter(vehicle__isnull=False).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_vehicle_that_retires_leaves_a_battery_where_it_was_carried_meanwhile(
    scooter: Vehicle, battery: Callable[[str], Battery]
) -> None:
    carried = battery("A")
    services.place_battery(battery_id=carried.pk, vehicle_id=scooter.pk, **NOW)
    outcomes: list[object] = []
    retire = threading.Thread(
        target=lambda: outcomes.extend(
            race(
                1,
                lambda _n: services.decommission_vehicle(vehicle_id=scooter.pk, **after(minutes=2)),
            )
        )
    )
    with transaction.atomic():
        services.place_battery(battery_id=carried.pk, charging=True, **after(minutes=1))
        retire.start()
        wait_for_a_waiter()
    retire.join(timeout=20)
    assert isinstance(outcomes[0], Vehicle), outcomes
    carried.refresh_from_db()
    assert carried.state == "charging"
    assert places("A") == [scooter.pk, None]


def test_a_key_names_one_swap(scooter: Vehicle, battery: Callable[[str], Battery]) -> None:
    battery("A")
    battery("B")
    swap(scooter, "A")
    with pytest.raises(KeyReused):
        swap(scooter, "B", minutes=2)
    assert places("B") == []


def test_what_cannot_be_is_refused(
    scooter: Vehicle,
    make_vehicle: MakeVehicle,
    battery: Callable[[str], Battery],
    rivale: User,
) -> None:
    one, other = battery("A"), battery("B")
    place = services.place_battery
    place(battery_id=one.pk, vehicle_id=scooter.pk, **NOW)
    with pytest.raises(services.SlotTaken) as taken:
        place(battery_id=other.pk, vehicle_id=scooter.pk, **NOW)
    assert taken.value.extra == {"serial": "A"}
    with pytest.raises(services.NoSuchSlot):
        place(battery_id=other.pk, vehicle_id=scooter.pk, slot=3, **NOW)
    with pytest.raises(services.NoSuchSlot):
        place(battery_id=other.pk, vehicle_id=make_vehicle("car").pk, **NOW)
    with pytest.raises(services.BatteryMovedSince):
        place(battery_id=one.pk, **after(hours=-1))
    with pytest.raises(services.BatteryNotFound):
        swap(scooter, "nowhere")
    with pytest.raises(services.BatteryInVehicle):
        swap(make_vehicle("scooter"), "A")
    with pytest.raises(services.BatteryInVehicle):
        services.retire_battery(battery_id=one.pk, **NOW)
    foreign = make_vehicle("scooter", organisation=rivale.memberships.get().organisation)
    with pytest.raises(services.BatteryNotFound):
        swap(foreign, "B")


def test_a_retired_battery_goes_nowhere_any_more(
    scooter: Vehicle, battery: Callable[[str], Battery]
) -> None:
    old = battery("A")
    services.retire_battery(battery_id=old.pk, **NOW)
    with pytest.raises(IllegalMove):
        swap(scooter, "A")
    assert Battery.objects.get().state == "retired"


def test_a_battery_charges_and_comes_back(
    scooter: Vehicle, battery: Callable[[str], Battery]
) -> None:
    one = battery("A")
    states = []
    for minute, where in enumerate([{"charging": True}, {"vehicle_id": scooter.pk}, {}]):
        services.place_battery(battery_id=one.pk, **where, **after(minutes=minute))
        one.refresh_from_db()
        states.append(one.state)
    assert states == ["charging", "in_vehicle", "storage"]


def test_sara_reports_a_swap_through_the_api(
    api: Callable[[User | None], APIClient],
    scooter: Vehicle,
    battery: Callable[[str], Battery],
    sara: User,
) -> None:
    battery("A")
    url = f"/api/v1/fleet/vehicles/{scooter.public_id}/battery-swaps"
    for _ in range(2):
        answer = api(sara).post(url, {"serial": "A", "slot": 2}, HTTP_IDEMPOTENCY_KEY="k")
        assert answer.status_code == 201, answer.json()
    assert (answer.json()["inserted"], answer.json()["removed"]) == ("A", None)
    assert BatterySwap.objects.get().slot == 2
    assert api(sara).post(url, {"serial": "Z"}).json()["code"] == "battery_not_found"


def test_every_state_has_its_moves() -> None:
    assert set(BATTERY_MOVES) == set(BatteryState)
    assert not BATTERY_MOVES[BatteryState.RETIRED]
