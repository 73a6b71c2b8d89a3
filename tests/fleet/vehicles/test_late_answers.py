"""Answers that come too late, and orders as a unit meets them at the door."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client
from rest_framework.test import APIClient

from fleet.vehicles import mailbox, services
from fleet.vehicles.models import Vehicle, VehicleCommand
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.vehicles.acting import AT, commit_at_once, ride
from tests.fleet.vehicles.test_commands import answer, bring_to, order

# --- answers that come too late ---------------------------------------------------------------------


def undone(vehicle: Vehicle) -> list[VehicleCommand]:
    rows = VehicleCommand.objects.filter(vehicle=vehicle, purpose_ref__startswith="undo:")
    return list(rows.order_by("sequence"))


@pytest.mark.parametrize("given_up", ["unknown", "expired"])
def test_a_late_unlock_of_a_ride_that_is_over_is_locked_again(
    make_vehicle: MakeVehicle, given_up: str
) -> None:
    scooter = make_vehicle()
    unlock = bring_to(order(scooter), given_up)
    for after_s in (40, 41):
        answer(unlock, "confirmed", after_s=after_s)
    (lock,) = undone(scooter)
    assert (lock.kind, lock.state) == ("lock", "queued")
    assert lock.sequence > unlock.sequence


def test_a_late_unlock_stays_open_for_whoever_rides_by_now(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    unlock = bring_to(order(scooter), "unknown")
    ride(scooter)
    answer(unlock, "confirmed", after_s=40)
    assert undone(scooter) == []


def test_a_late_unlock_needs_no_second_lock_while_one_is_on_its_way(
    make_vehicle: MakeVehicle,
) -> None:
    scooter = make_vehicle()
    unlock = bring_to(order(scooter), "superseded")
    answer(unlock, "confirmed", after_s=5)
    assert undone(scooter) == []
    lock = VehicleCommand.objects.get(kind="lock")
    answer(lock, "confirmed", after_s=6)
    answer(unlock, "confirmed", after_s=7)
    assert len(undone(scooter)) == 1


def test_an_unlock_in_time_and_a_late_lock_need_no_undoing(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    answer(order(scooter), "confirmed")
    lock = bring_to(order(scooter, "lock", key="2"), "unknown")
    answer(lock, "confirmed", after_s=40)
    assert undone(scooter) == []


@pytest.mark.django_db(transaction=True)
def test_who_starts_to_ride_at_that_moment_is_not_locked_out(make_vehicle: MakeVehicle) -> None:
    """The late answer waits for the rider who is taking the vehicle, and then orders nothing."""
    scooter = make_vehicle()
    unlock = bring_to(order(scooter), "unknown")
    with ThreadPoolExecutor(max_workers=1) as other:
        with transaction.atomic():
            ride(scooter)
            late = other.submit(in_a_thread, lambda: answer(unlock, "confirmed", after_s=40))
            with pytest.raises(TimeoutError):
                late.result(timeout=0.5)
        late.result(timeout=5)
    assert undone(scooter) == []


def in_a_thread(deed: Callable[[], object]) -> object:
    try:
        return deed()
    finally:
        connections.close_all()


# --- through the door -------------------------------------------------------------------------------


class Unit:
    """The unit of a vehicle as it should be: it obeys only numbers above the last one obeyed."""

    def __init__(self, vehicle: Vehicle) -> None:
        self.vehicle = vehicle
        self.obeyed = 0
        self.locked = True

    def report(self, *acks: dict[str, str]) -> list[dict[str, Any]]:
        answer_ = Client(headers={"Authorization": f"Bearer {self.vehicle.device_secret}"}).post(
            "/api/v1/telemetry",
            {"points": [], "acks": list(acks)},
            content_type="application/json",
        )
        assert answer_.status_code == 202
        commands: list[dict[str, Any]] = answer_.json()["commands"]
        return commands

    def obey(self, command: dict[str, Any]) -> dict[str, str]:
        if command["sequence"] <= self.obeyed:
            return {"command": command["id"], "result": "rejected"}
        self.obeyed, self.locked = command["sequence"], command["kind"] == "lock"
        return {"command": command["id"], "result": "confirmed"}


def test_an_old_unlock_that_arrives_after_a_newer_lock_is_refused(
    make_vehicle: MakeVehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_at_once(monkeypatch)
    scooter, at = make_vehicle(), clock.now()
    unit = Unit(scooter)

    def give(kind: str) -> VehicleCommand:
        return services.queue_command(
            vehicle_id=scooter.pk,
            kind=kind,
            idempotency_key=kind,
            ttl_s=60,
            purpose_ref="x",
            at=at,
            by=SYSTEM,
        )

    unlock = give("unlock")
    (stuck,) = unit.report()  # on its way, and slow
    lock = give("lock")
    (newer,) = unit.report()
    assert newer["id"] == str(lock.public_id)
    unit.report(unit.obey(newer))
    unit.report(unit.obey(stuck))
    assert unit.locked
    unlock.refresh_from_db()
    lock.refresh_from_db()
    assert (unlock.state, lock.state) == ("superseded", "confirmed")


def test_who_keeps_a_line_open_is_told_which_vehicle_has_something_waiting(
    make_vehicle: MakeVehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_at_once(monkeypatch)
    scooter = make_vehicle()
    listener: Any = mailbox.client().pubsub(ignore_subscribe_messages=True)
    listener.subscribe(mailbox.CHANNEL)
    listener.get_message(timeout=1)
    order(scooter)
    heard = None
    for _ in range(10):
        heard = heard or listener.get_message(timeout=0.2)
    assert heard["data"] == str(scooter.pk).encode()
    listener.close()
    box = mailbox.read_box(mailbox.client().get(mailbox.box_key(scooter.pk)), at=AT)
    assert [(one.kind, one.parameters) for one in box] == [("unlock", {})]


def test_marco_orders_many_through_the_api(
    api: Callable[[User | None], APIClient], make_vehicle: MakeVehicle, marco: User, rivale: User
) -> None:
    mine = make_vehicle(code="MIO1")
    make_vehicle(code="SUO1", organisation=rivale.memberships.get().organisation)
    body = {"kind": "set_speed_limit", "parameters": {"max_kmh": 6}, "vehicles": ["MIO1", "SUO1"]}
    answer_ = api(marco).post("/api/v1/fleet/vehicles/commands", body)
    assert answer_.status_code == 201, answer_.json()
    assert answer_.json() == {"ordered": ["MIO1"], "unsupported": [], "unknown": ["SUO1"]}
    assert VehicleCommand.objects.get().vehicle == mine
    wrong = api(marco).post("/api/v1/fleet/vehicles/commands", {**body, "parameters": {}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "command_parameters_invalid")
