"""Taking a vehicle: one gets it, whoever else tries."""

import datetime
import threading
import time
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from fleet.vehicles import history, services
from fleet.vehicles.models import Vehicle, VehicleEvent, VehicleHold
from fleet.vehicles.services import holds
from fleet.vehicles.states import RentalState
from mobility.core import clock, transitions
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle

MINUTES_15 = datetime.timedelta(minutes=15)


def hold(vehicle: Vehicle, *, holder: str = "reservation:1", purpose: str = "ride") -> VehicleHold:
    at = clock.now()
    return services.hold_vehicle(
        vehicle_id=vehicle.pk,
        until=at + MINUTES_15,
        purpose=purpose,
        holder_ref=holder,
        at=at,
        by=SYSTEM,
    )


def test_a_rider_takes_a_vehicle_and_gives_it_back(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    taken = hold(scooter)
    scooter.refresh_from_db()
    assert scooter.rental_state == RentalState.HELD
    services.release_hold(hold_id=taken.pk, at=clock.now(), by=SYSTEM)
    services.release_hold(hold_id=taken.pk, at=clock.now(), by=SYSTEM)
    scooter.refresh_from_db()
    assert scooter.rental_state == RentalState.FREE
    history = list(VehicleEvent.objects.order_by("id").values_list("mds_state", "mds_events"))
    assert history == [
        ("reserved", ["reservation_start"]),
        ("available", ["reservation_cancel"]),
    ]


def test_a_held_vehicle_is_taken(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    hold(scooter)
    with pytest.raises(services.VehicleTaken):
        hold(scooter, holder="reservation:2")
    assert VehicleHold.objects.count() == 1


def test_all_reasons_come_together(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle(link_state="lost", life_state="workshop")
    at = clock.now()
    services.block_vehicle(vehicle_id=scooter.pk, reason="damage", at=at, by=SYSTEM)
    with pytest.raises(services.VehicleNotRentable) as refusal:
        hold(scooter)
    assert refusal.value.extra == {"reasons": ["not_in_service", "no_contact", "damage"]}


def test_crew_get_what_residents_are_not_offered(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle(link_state="lost")
    services.block_vehicle(vehicle_id=scooter.pk, reason="low_battery", at=clock.now(), by=SYSTEM)
    hold(scooter, purpose="crew", holder="task:1")
    scooter.refresh_from_db()
    assert scooter.rental_state == RentalState.STAFF


def test_crew_do_not_get_a_rented_vehicle(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    hold(scooter)
    with pytest.raises(services.VehicleTaken) as refusal:
        hold(scooter, purpose="crew", holder="task:1")
    # Staff want this one; "please choose another one" is for riders.
    assert refusal.value.code == "vehicle_taken"
    assert refusal.value.detail != str(services.VehicleTaken.message)


def test_an_extension_stops_at_the_next_hold(make_vehicle: MakeVehicle) -> None:
    car = make_vehicle("car")
    mine = hold(car)
    start = mine.until + MINUTES_15
    VehicleHold.objects.create(
        vehicle=car,
        during=DateTimeTZRange(start, start + MINUTES_15),
        purpose="booking",
        holder_ref="reservation:2",
    )
    at = clock.now()
    longer = services.extend_hold(hold_id=mine.pk, until=start, at=at, by=SYSTEM)
    assert longer.until == start
    with pytest.raises(services.VehicleTaken), transaction.atomic():
        services.extend_hold(hold_id=mine.pk, until=start + MINUTES_15, at=at, by=SYSTEM)
    mine.refresh_from_db()
    assert mine.until == start


def test_a_released_hold_cannot_be_extended(make_vehicle: MakeVehicle) -> None:
    mine = hold(make_vehicle())
    at = clock.now()
    services.release_hold(hold_id=mine.pk, at=at, by=SYSTEM)
    with pytest.raises(services.HoldOver):
        services.extend_hold(hold_id=mine.pk, until=at + MINUTES_15, at=at, by=SYSTEM)


def test_what_does_not_exist_is_not_found(db: None) -> None:
    at = clock.now()
    with pytest.raises(services.HoldNotFound):
        services.release_hold(hold_id=404, at=at, by=SYSTEM)
    with pytest.raises(services.VehicleNotFound):
        hold(Vehicle(pk=404))


def test_a_hold_ends_after_it_begins(make_vehicle: MakeVehicle) -> None:
    scooter, at = make_vehicle(), clock.now()
    with pytest.raises(IntegrityError):
        services.hold_vehicle(
            vehicle_id=scooter.pk, until=at, purpose="ride", holder_ref="r:1", at=at, by=SYSTEM
        )


def test_the_history_cannot_be_rewritten(make_vehicle: MakeVehicle) -> None:
    hold(make_vehicle())
    with pytest.raises(IntegrityError), transaction.atomic():
        VehicleEvent.objects.update(mds_state="available")
    assert VehicleEvent.objects.get().mds_state == "reserved"


# --- races ------------------------------------------------------------------------------------------


def race(riders: int, attempt: Callable[[int], object]) -> list[object]:
    """Run `attempt(n)` in as many threads, all at once; returns results and exceptions."""
    together = threading.Barrier(riders)
    outcomes: list[object] = [None] * riders

    def run(number: int) -> None:
        try:
            together.wait(timeout=20)
            outcomes[number] = attempt(number)
        except Exception as problem:  # noqa: BLE001 - the outcome of a lost race is what the test reads
            outcomes[number] = problem
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(riders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_twenty_riders_at_once_give_one_hold(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    outcomes = race(20, lambda n: hold(scooter, holder=f"reservation:{n}"))
    winners = [outcome for outcome in outcomes if isinstance(outcome, VehicleHold)]
    losers = [outcome for outcome in outcomes if isinstance(outcome, services.VehicleTaken)]
    assert (len(winners), len(losers)) == (1, 19)
    assert VehicleHold.objects.get() == winners[0]


@pytest.mark.django_db(transaction=True)
def test_the_race_is_real_and_the_check_alone_loses_it(
    make_vehicle: MakeVehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every rider passes the check before the first one writes; without the lock, the conditional
    move and the constraint all of them would ride."""
    scooter, riders = make_vehicle(), 6
    everybody_checked = threading.Barrier(riders)
    checked = holds.refuse_hopeless

    def check_then_wait(vehicle: Vehicle, *, purpose: str) -> None:
        checked(vehicle, purpose=purpose)
        everybody_checked.wait(timeout=20)

    def move_without_condition(vehicle: Vehicle, **_: object) -> Vehicle:
        return vehicle

    monkeypatch.setattr(history, "lock_subjects", history.load_subjects)
    monkeypatch.setattr(holds, "refuse_hopeless", check_then_wait)
    monkeypatch.setattr(history, "move", move_without_condition)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE fleet_vehiclehold DROP CONSTRAINT fleet_one_hold_per_vehicle")
    try:
        outcomes = race(riders, lambda n: hold(scooter, holder=f"reservation:{n}"))
        # Who writes last may see the others' holds already; that two get it is bad enough.
        taken = [outcome for outcome in outcomes if isinstance(outcome, VehicleHold)]
        assert len(taken) >= 2, outcomes
        assert VehicleHold.objects.active().count() == len(taken)
    finally:
        VehicleHold.objects.all().delete()
        constraint = next(
            one for one in VehicleHold._meta.constraints if one.name == "fleet_one_hold_per_vehicle"
        )
        with connection.schema_editor() as editor:
            editor.add_constraint(VehicleHold, constraint)


@pytest.mark.django_db(transaction=True)
def test_the_constraint_decides_when_every_check_is_passed(
    make_vehicle: MakeVehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same race with the constraint in its place, and still nothing else."""
    scooter, riders = make_vehicle(), 2
    everybody_checked = threading.Barrier(riders)
    checked = holds.refuse_hopeless

    def check_then_wait(vehicle: Vehicle, *, purpose: str) -> None:
        checked(vehicle, purpose=purpose)
        everybody_checked.wait(timeout=20)

    monkeypatch.setattr(history, "lock_subjects", history.load_subjects)
    monkeypatch.setattr(holds, "refuse_hopeless", check_then_wait)
    monkeypatch.setattr(history, "move", lambda vehicle, **_: vehicle)
    race(riders, lambda n: hold(scooter, holder=f"reservation:{n}"))
    assert VehicleHold.objects.active().count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_vehicle_that_a_rider_is_taking_goes_to_no_workshop(make_vehicle: MakeVehicle) -> None:
    scooter, outcomes = make_vehicle(), []
    staff = threading.Thread(
        target=lambda: outcomes.extend(race(1, lambda _n: to_workshop(scooter)))
    )
    with transaction.atomic():
        hold(scooter)
        staff.start()
        wait_for_a_waiter()
    staff.join(timeout=20)
    assert [type(outcome) for outcome in outcomes] == [services.LifeChangeRefused]
    scooter.refresh_from_db()
    assert (scooter.life_state, scooter.rental_state) == ("in_service", "held")


def to_workshop(vehicle: Vehicle) -> Vehicle:
    return services.set_life_state(vehicle_id=vehicle.pk, to="workshop", at=clock.now(), by=SYSTEM)


def wait_for_a_waiter() -> None:
    """Until another connection waits for a lock of ours."""
    for _try in range(200):
        with connection.cursor() as cursor:
            # Within a transaction PostgreSQL shows the activity as it was when first asked.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone() != (0,):
                return
        time.sleep(0.05)
    raise AssertionError("nobody waits")


def test_a_mark_that_is_already_true_changes_nothing(make_vehicle: MakeVehicle) -> None:
    mine, at = hold(make_vehicle()), clock.now()
    for mark in ("starting", "starting", "running", "running"):
        services.mark_trip(hold_id=mine.pk, mark=mark, trip_ref="trip:1", at=at, by=SYSTEM)
    assert VehicleEvent.objects.filter(trip_ref="trip:1").count() == 2


def test_a_trip_cannot_run_after_its_hold_is_gone(make_vehicle: MakeVehicle) -> None:
    mine, at = hold(make_vehicle()), clock.now()
    services.release_hold(hold_id=mine.pk, at=at, by=SYSTEM)
    with pytest.raises(services.HoldOver):
        services.mark_trip(hold_id=mine.pk, mark="running", trip_ref="trip:1", at=at, by=SYSTEM)


def test_a_mark_can_stretch_the_hold(make_vehicle: MakeVehicle) -> None:
    mine, at = hold(make_vehicle()), clock.now()
    later = at + 4 * MINUTES_15
    services.mark_trip(
        hold_id=mine.pk, mark="starting", trip_ref="trip:1", until=later, at=at, by=SYSTEM
    )
    mine.refresh_from_db()
    assert mine.until == later


def test_marks_follow_the_declared_moves(make_vehicle: MakeVehicle) -> None:
    mine, at = hold(make_vehicle()), clock.now()
    with pytest.raises(transitions.IllegalMove):
        services.mark_trip(hold_id=mine.pk, mark="paused", trip_ref="trip:1", at=at, by=SYSTEM)
