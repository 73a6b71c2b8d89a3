"""The ledger of commands: one order given once, ended by an answer or by its time."""

import datetime
from typing import Any

import msgspec
import pytest
import redis
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from fleet.vehicles import mailbox, services
from fleet.vehicles.models import Vehicle, VehicleCommand
from fleet.vehicles.states import COMMAND_MOVES, CommandState
from mobility.core.idempotency import KeyReused
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.vehicles.acting import AT, NOW, change_type
from tests.fleet.vehicles.test_holds import race


def order(
    vehicle: Vehicle, kind: str = "unlock", *, key: str = "trip:1:unlock", ttl_s: int = 20
) -> VehicleCommand:
    return services.queue_command(
        vehicle_id=vehicle.pk,
        kind=kind,
        idempotency_key=key,
        ttl_s=ttl_s,
        purpose_ref="trip:1",
        at=AT,
        by=SYSTEM,
    )


def answer(
    command: VehicleCommand, result: str, *, after_s: float = 1, vehicle_id: int | None = None
) -> VehicleCommand:
    return services.record_acknowledgement(
        command_public_id=command.public_id,
        device_vehicle_id=vehicle_id or command.vehicle_id,
        result=result,
        at=AT + datetime.timedelta(seconds=after_s),
        by=SYSTEM,
    )


def sweep(after_s: float) -> list[VehicleCommand]:
    return services.expire_commands(at=AT + datetime.timedelta(seconds=after_s))


def told() -> list[tuple[str, str, bool]]:
    events = OutboxEvent.objects.filter(name="fleet.command_finished.v1").order_by("id")
    return [
        (event.payload["kind"], event.payload["result"], event.payload["late"]) for event in events
    ]


def send(command: VehicleCommand) -> None:
    services.mark_commands_sent(public_ids=[str(command.public_id)], at=AT, by=SYSTEM)


def test_orders_are_numbered_per_vehicle(make_vehicle: MakeVehicle) -> None:
    first, second = make_vehicle(), make_vehicle()
    numbers = [
        order(vehicle, key=key).sequence
        for vehicle, key in ((first, "a"), (first, "b"), (second, "a"), (first, "c"))
    ]
    assert numbers == [1, 2, 1, 3]


def test_the_same_key_is_the_same_order(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    assert order(scooter) == order(scooter)
    assert VehicleCommand.objects.count() == 1


def test_a_key_names_one_order(make_vehicle: MakeVehicle) -> None:
    scooter, other = make_vehicle(), make_vehicle()
    given: dict[str, Any] = {"idempotency_key": "1", "ttl_s": 20, "purpose_ref": "staff", **NOW}
    slow, fast = ({"kind": "set_speed_limit", "parameters": {"max_kmh": n}} for n in (6, 20))
    services.queue_command(vehicle_id=scooter.pk, **slow, **given)
    for another in (fast, {"kind": "lock"}):
        with pytest.raises(KeyReused), transaction.atomic():
            services.queue_commands(vehicle_ids=[other.pk, scooter.pk], **another, **given)
    assert VehicleCommand.objects.count() == 1


def test_a_newer_lock_takes_back_a_waiting_unlock(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    unlock, ring = order(scooter), order(scooter, "locate", key="ring")
    order(scooter, "lock", key="trip:1:lock")
    unlock.refresh_from_db()
    ring.refresh_from_db()
    assert (unlock.state, ring.state) == ("superseded", "queued")
    assert told() == [("unlock", "superseded", False)]
    assert services.mark_commands_sent(public_ids=[str(unlock.public_id)], at=AT, by=SYSTEM) == []


def test_an_unlock_that_left_and_is_overruled_travels_no_more(make_vehicle: MakeVehicle) -> None:
    """Its number alone would not do: not every unit compares numbers."""
    scooter = make_vehicle()
    unlock = order(scooter)
    send(unlock)
    lock = order(scooter, "lock", key="trip:1:lock")
    unlock.refresh_from_db()
    assert unlock.state == "superseded"
    assert lock.sequence > unlock.sequence
    both = [str(unlock.public_id), str(lock.public_id)]
    travelling = services.mark_commands_sent(public_ids=both, at=AT, by=SYSTEM)
    assert [command.kind for command in travelling] == ["lock"]


def boxed(vehicle: Vehicle) -> list[mailbox.PendingCommand]:
    """What the box of a vehicle says by now."""
    return mailbox.read_table([vehicle.pk])[vehicle.pk]


def test_a_waiting_command_leaves_by_one_statement(
    make_vehicle: MakeVehicle, django_assert_num_queries: Any
) -> None:
    unlock = order(make_vehicle())
    waiting = boxed(unlock.vehicle)
    with django_assert_num_queries(1):
        assert services.let_travel(waiting=waiting, at=AT, by=SYSTEM) == waiting
    unlock.refresh_from_db()
    assert (unlock.state, unlock.sent_at) == ("sent", AT)
    # Its reply may be lost: it travels again, and that asks nobody.
    sent = boxed(unlock.vehicle)
    with django_assert_num_queries(0):
        assert services.let_travel(waiting=sent, at=AT, by=SYSTEM) == sent


def test_a_box_that_is_behind_lets_travel_only_what_the_table_allows(
    make_vehicle: MakeVehicle,
) -> None:
    scooter = make_vehicle()
    unlock, ring = order(scooter), order(scooter, "locate", key="ring")
    behind = boxed(scooter)
    send(ring)
    order(scooter, "lock", key="trip:1:lock")
    travelling = services.let_travel(waiting=behind, at=AT, by=SYSTEM)
    assert [one.id for one in travelling] == [str(ring.public_id)]
    unlock.refresh_from_db()
    assert unlock.state == "superseded"


def test_a_box_of_before_knows_no_rows_and_is_looked_up(make_vehicle: MakeVehicle) -> None:
    unlock = order(make_vehicle())
    (waiting,) = boxed(unlock.vehicle)
    older = msgspec.structs.replace(waiting, pk=0)
    assert services.let_travel(waiting=[older], at=AT, by=SYSTEM) == [older]
    unlock.refresh_from_db()
    assert unlock.state == "sent"


def test_a_command_out_of_time_does_not_travel(make_vehicle: MakeVehicle) -> None:
    unlock = order(make_vehicle())
    late = AT + datetime.timedelta(seconds=20)
    assert services.let_travel(waiting=boxed(unlock.vehicle), at=late, by=SYSTEM) == []


def test_an_unlock_the_vehicle_heard_ends_by_itself(make_vehicle: MakeVehicle) -> None:
    unlock = order(make_vehicle())
    send(unlock)
    answer(unlock, "accepted")
    order(unlock.vehicle, "lock", key="trip:1:lock")
    unlock.refresh_from_db()
    assert unlock.state == "accepted"


def test_accepted_is_not_done(make_vehicle: MakeVehicle) -> None:
    unlock = order(make_vehicle())
    send(unlock)
    answer(unlock, "accepted")
    assert told() == []
    answer(unlock, "confirmed")
    assert told() == [("unlock", "confirmed", False)]


@pytest.mark.parametrize("result", ["confirmed", "rejected"])
def test_answers_may_be_repeated(make_vehicle: MakeVehicle, result: str) -> None:
    unlock = order(make_vehicle())
    for _ in range(3):
        answer(unlock, result)
    answer(unlock, "accepted")
    unlock.refresh_from_db()
    assert unlock.state == result
    assert told() == [("unlock", result, False)]


def test_never_delivered_expires_and_cannot_happen(make_vehicle: MakeVehicle) -> None:
    unlock = order(make_vehicle())
    assert sweep(19) == []
    assert sweep(20) == [unlock]
    assert told() == [("unlock", "expired", False)]
    answer(unlock, "confirmed", after_s=30)
    assert len(told()) == 1


def test_delivered_without_an_answer_is_unknown_until_it_is_not(make_vehicle: MakeVehicle) -> None:
    unlock = order(make_vehicle())
    send(unlock)
    sweep(21)
    assert told() == [("unlock", "unknown", False)]
    answer(unlock, "accepted", after_s=24)
    answer(unlock, "confirmed", after_s=25)
    assert told() == [("unlock", "unknown", False), ("unlock", "confirmed", True)]


def test_only_the_vehicle_itself_answers(make_vehicle: MakeVehicle) -> None:
    unlock, other = order(make_vehicle()), make_vehicle()
    with pytest.raises(services.CommandNotFound):
        answer(unlock, "confirmed", vehicle_id=other.pk)


def test_an_unknown_vehicle_takes_no_orders(db: None) -> None:
    with pytest.raises(services.VehicleNotFound):
        order(Vehicle(pk=404))


def test_the_sweep_costs_the_same_for_many(
    make_vehicle: MakeVehicle, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        command = order(make_vehicle())
        if number % 2:
            send(command)
    with django_assert_max_num_queries(16):
        assert len(sweep(60)) == 6
    with django_assert_max_num_queries(4):
        assert sweep(61) == []


MOVES = {
    "queued": {"sent", "accepted", "confirmed", "rejected", "expired", "superseded"},
    "sent": {"accepted", "confirmed", "rejected", "unknown", "superseded"},
    "accepted": {"confirmed", "rejected", "unknown"},
    "unknown": {"confirmed", "rejected"},
    "confirmed": set(),
    "rejected": set(),
    "expired": set(),
    "superseded": set(),
}


def test_the_table_of_states_is_the_whole_table() -> None:
    assert MOVES.keys() == set(CommandState)
    assert MOVES == COMMAND_MOVES


def bring_to(command: VehicleCommand, state: str) -> VehicleCommand:
    """The command in this state, by the ways that lead there."""
    if state in {"sent", "unknown", "superseded"}:
        send(command)
    if state in {"accepted", "confirmed", "rejected"}:
        answer(command, state)
    if state == "superseded":
        order(command.vehicle, "lock", key="newer")
    if state in {"expired", "unknown"}:
        sweep(30)
    command.refresh_from_db()
    assert command.state == state
    return command


@pytest.mark.parametrize("state", sorted(MOVES))
@pytest.mark.parametrize("result", ["accepted", "confirmed", "rejected"])
def test_every_answer_in_every_state(make_vehicle: MakeVehicle, state: str, result: str) -> None:
    """An answer moves the command where the table allows it, and is no error anywhere."""
    command = bring_to(order(make_vehicle()), state)
    answer(command, result, after_s=31)
    command.refresh_from_db()
    assert command.state == (result if result in MOVES[state] else state)


# --- parameters and what a type can do --------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "parameters", "fits"),
    [
        ("set_speed_limit", {"max_kmh": 6}, True),
        ("set_speed_limit", {"max_kmh": None}, True),
        ("set_speed_limit", {}, False),
        ("set_speed_limit", {"max_kmh": 0}, False),
        ("set_speed_limit", {"max_kmh": "6"}, False),
        ("set_speed_limit", {"max_kmh": True}, False),
        ("set_speed_limit", {"max_kmh": 6, "now": 1}, False),
        ("refresh", {}, True),
        ("open_hatch", {"max_kmh": 6}, False),
    ],
)
def test_parameters_must_fit_the_command(
    make_vehicle: MakeVehicle, kind: str, parameters: dict[str, Any], fits: bool
) -> None:
    scooter = make_vehicle()
    given = {"vehicle_id": scooter.pk, "kind": kind, "parameters": parameters, "ttl_s": 60}
    if fits:
        command = services.queue_command(**given, idempotency_key="1", purpose_ref="", **NOW)
        assert VehicleCommand.objects.get().parameters == command.parameters == parameters
    else:
        with pytest.raises(services.CommandParametersInvalid):
            services.queue_command(**given, idempotency_key="1", purpose_ref="", **NOW)


def test_a_newer_limit_of_speed_takes_the_place_of_the_older(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    commands = [
        services.queue_command(
            vehicle_id=scooter.pk,
            kind="set_speed_limit",
            parameters={"max_kmh": limit},
            idempotency_key=str(limit),
            ttl_s=60,
            purpose_ref="zone:1",
            **NOW,
        )
        for limit in (6, None)
    ]
    states = VehicleCommand.objects.order_by("sequence").values_list("state", flat=True)
    assert list(states) == ["superseded", "queued"]
    assert commands[1].parameters == {"max_kmh": None}


def test_what_a_type_cannot_do_is_not_ordered(make_vehicle: MakeVehicle) -> None:
    bike = make_vehicle("bicycle")
    change_type(bike, commands=["locate"])
    with pytest.raises(services.CommandUnsupported):
        order(bike)
    assert not VehicleCommand.objects.exists()
    bike.refresh_from_db()
    assert bike.command_sequence == 0


# --- many at once -----------------------------------------------------------------------------------


def order_all(vehicle_ids: list[int], kind: str = "lock", *, key: str = "bulk:1") -> Any:
    return services.queue_commands(
        vehicle_ids=vehicle_ids,
        kind=kind,
        idempotency_key=key,
        ttl_s=60,
        purpose_ref="staff",
        **NOW,
    )


def test_one_that_cannot_does_not_stop_the_others(make_vehicle: MakeVehicle) -> None:
    fleet, bike = [make_vehicle() for _ in range(3)], make_vehicle("bicycle")
    change_type(bike, commands=["locate"])
    open_one = order(fleet[0])
    report = order_all([*(vehicle.pk for vehicle in fleet), bike.pk, 404])
    assert {command.vehicle_id for command in report.ordered} == {one.pk for one in fleet}
    assert (report.unsupported, report.unknown) == ([bike.pk], [404])
    open_one.refresh_from_db()
    assert open_one.state == "superseded"
    again = order_all([vehicle.pk for vehicle in fleet])
    assert {one.pk for one in again.ordered} == {one.pk for one in report.ordered}
    assert VehicleCommand.objects.filter(kind="lock").count() == 3


def test_ordering_many_costs_the_same_as_ordering_one(
    make_vehicle: MakeVehicle, django_assert_max_num_queries: Any
) -> None:
    fleet = [make_vehicle().pk for _ in range(6)]
    for count in (1, 6):
        with django_assert_max_num_queries(5):
            order_all(fleet[:count], key=str(count))


def test_more_than_the_cap_is_refused_whole(db: None) -> None:
    with pytest.raises(services.TooManyVehicles):
        order_all(list(range(services.BULK_CAP + 1)))


@pytest.mark.django_db(transaction=True)
def test_bulk_orders_across_each_other_do_not_lock_up(make_vehicle: MakeVehicle) -> None:
    fleet = [make_vehicle().pk for _ in range(6)]

    def run(number: int) -> int:
        ids = fleet if number % 2 else fleet[::-1]
        return len(order_all(ids, "locate", key=str(number)).ordered)

    assert race(6, run) == [6] * 6
    for vehicle in Vehicle.objects.all():
        assert vehicle.command_sequence == 6


@pytest.mark.django_db(transaction=True)
def test_many_orders_at_once_get_different_numbers(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    outcomes = race(8, lambda n: order(scooter, "locate", key=f"ring:{n}"))
    assert sorted(command.sequence for command in outcomes) == list(range(1, 9))


@pytest.mark.django_db(transaction=True)
def test_one_key_at_once_is_one_order(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    outcomes = race(8, lambda _n: order(scooter))
    assert len({command.pk for command in outcomes}) == 1
    assert VehicleCommand.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_answer_and_the_expiry_meet_and_one_wins(make_vehicle: MakeVehicle) -> None:
    unlock = order(make_vehicle())
    send(unlock)

    def run(number: int) -> object:
        return answer(unlock, "confirmed") if number % 2 else sweep(21)

    race(6, run)
    unlock.refresh_from_db()
    assert unlock.state == "confirmed"
    results = [result for _kind, result, _late in told()]
    assert results.count("confirmed") == 1
    assert results.count("unknown") <= 1


def test_without_redis_an_order_is_still_given(
    make_vehicle: MakeVehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    scooter = make_vehicle()
    monkeypatch.setattr(transaction, "on_commit", lambda callback, **_: callback())
    away = redis.Redis(unix_socket_path="/nowhere.sock", retry=Retry(NoBackoff(), 0))
    with monkeypatch.context() as broken:
        broken.setattr(mailbox, "client", lambda: away)
        unlock = order(scooter)
    assert VehicleCommand.objects.get() == unlock
    sweep(1)
    box = mailbox.client().get(mailbox.box_key(scooter.pk))
    assert [command.id for command in mailbox.read_box(box, at=AT)] == [str(unlock.public_id)]
    mailbox.client().delete(mailbox.box_key(scooter.pk))
