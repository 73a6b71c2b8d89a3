"""Everybody locks the vehicle first and judges it then: no two wait in a circle, none tells old news."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction

from fleet.maintenance import services as maintenance
from fleet.vehicles import services
from fleet.vehicles.models import Vehicle, VehicleBlock, VehicleCase, VehicleEvent, VehicleHold
from mobility.accounts.models import User
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.vehicles.acting import AT, NOW, after, blocks_of, hold, last_event, ride
from tests.fleet.vehicles.test_holds import race, wait_for_a_waiter

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def meeting(first: Callable[[], object], second: Callable[[], object]) -> Iterator[list[object]]:
    """`first` has begun and not committed when `second` runs into it; the body still belongs to the
    first one. The list holds what became of the second one once both are over."""
    outcomes: list[object] = []
    rival = threading.Thread(target=lambda: outcomes.extend(race(1, lambda _n: second())))
    with transaction.atomic():
        first()
        rival.start()
        wait_for_a_waiter()
        yield outcomes
    rival.join(timeout=30)


def damage(vehicle: Vehicle) -> None:
    services.block_vehicle(vehicle_id=vehicle.pk, reason="damage", **NOW)


def gone(vehicle: Vehicle) -> Vehicle:
    return services.set_life_state(vehicle_id=vehicle.pk, to="missing", **after(minutes=1))


def release(taken: VehicleHold) -> VehicleHold:
    return services.release_hold(hold_id=taken.pk, **after(minutes=1))


def mark(taken: VehicleHold, what: str) -> VehicleHold:
    return services.mark_trip(hold_id=taken.pk, mark=what, trip_ref="trip:1", **after(minutes=1))


# --- vehicle and hold -------------------------------------------------------------------------------


def test_the_end_of_a_service_trip_meets_a_report_that_the_vehicle_is_gone(
    make_vehicle: MakeVehicle,
) -> None:
    scooter = make_vehicle()
    trip = services.start_service_trip(vehicle_id=scooter.pk, reason="test", **NOW)
    with meeting(lambda: damage(scooter), lambda: gone(scooter)) as outcomes:
        services.end_service_trip(service_trip_id=trip.pk, **after(minutes=1))
    assert isinstance(outcomes[0], Vehicle), outcomes
    assert VehicleHold.objects.active().count() == 0


def test_the_end_of_repairs_meets_a_report_that_the_vehicle_is_gone(
    make_vehicle: MakeVehicle, marco: User
) -> None:
    scooter = make_vehicle()
    order = maintenance.open_order(vehicle_id=scooter.pk, reason="damage", **NOW)
    maintenance.start_order(order_id=order.pk, worker=marco, **NOW)
    with meeting(lambda: damage(scooter), lambda: gone(scooter)) as outcomes:
        maintenance.cancel_order(order_id=order.pk, **after(minutes=1))
    assert isinstance(outcomes[0], Vehicle), outcomes
    assert VehicleHold.objects.active().count() == 0


def test_the_withdrawal_of_a_moved_vehicle_meets_a_rider_who_gives_it_back(
    make_vehicle: MakeVehicle,
) -> None:
    scooter = make_vehicle()
    taken = hold(scooter)
    with meeting(lambda: damage(scooter), lambda: release(taken)) as outcomes:
        services.displace_waiting(vehicle_id=scooter.pk, reason="moved_without_trip", **NOW)
    assert isinstance(outcomes[0], VehicleHold), outcomes
    assert VehicleHold.objects.get().released_at == AT


@pytest.mark.parametrize("rival", [gone, lambda vehicle: mark(vehicle.holds.get(), "paused")])
def test_a_ride_that_ends_without_its_locks_word_meets_somebody(
    make_vehicle: MakeVehicle, rival: Callable[[Vehicle], object]
) -> None:
    """The end of a trip blocks the vehicle first, and marks the hold then."""
    scooter = make_vehicle()
    taken = ride(scooter)
    with meeting(lambda: damage(scooter), lambda: rival(scooter)) as outcomes:
        mark(taken, "ended")
    assert isinstance(outcomes[0], Vehicle | services.HoldOver), outcomes
    assert VehicleHold.objects.active().count() == 0


def test_a_case_that_is_closed_meets_a_vehicle_that_moves_on(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    case = services.open_case(vehicle_id=scooter.pk, kind="missing", **NOW)
    close = lambda: services.close_case(  # noqa: E731 - a deed of two lines
        case_id=case.pk, to="workshop", notes="Found", **after(minutes=2)
    )
    with meeting(lambda: damage(scooter), close) as outcomes:
        services.set_life_state(vehicle_id=scooter.pk, to="storage", **after(minutes=1))
    assert isinstance(outcomes[0], services.CaseClosed), outcomes
    assert VehicleCase.objects.get().notes == ""


# --- what is judged and told is how the vehicle is --------------------------------------------------


def test_a_vehicle_that_is_found_damaged_meanwhile_goes_to_no_rider(
    make_vehicle: MakeVehicle,
) -> None:
    scooter = make_vehicle()
    with meeting(lambda: damage(scooter), lambda: hold(scooter)) as outcomes:
        pass
    (refusal,) = outcomes
    assert isinstance(refusal, services.VehicleNotRentable), refusal
    assert refusal.extra == {"reasons": ["damage"]}
    assert VehicleHold.objects.count() == 0


def test_a_vehicle_sent_to_the_workshop_while_a_rider_takes_it_stays_there(
    make_vehicle: MakeVehicle,
) -> None:
    scooter = make_vehicle()
    away = lambda: services.set_life_state(vehicle_id=scooter.pk, to="workshop", **NOW)  # noqa: E731
    with meeting(away, lambda: hold(scooter)) as outcomes:
        pass
    assert isinstance(outcomes[0], services.VehicleNotRentable), outcomes
    scooter.refresh_from_db()
    assert (scooter.life_state, scooter.rental_state) == ("workshop", "free")


@pytest.mark.parametrize("change", ["silence", "release"])
def test_the_history_tells_a_change_with_the_blocks_of_that_moment(
    make_vehicle: MakeVehicle, change: str
) -> None:
    scooter = make_vehicle()
    taken = hold(scooter)

    def deed() -> object:
        if change == "release":
            return release(taken)
        return services.set_link_state(vehicle_ids=[scooter.pk], to="lost", **after(minutes=1))

    with meeting(lambda: damage(scooter), deed) as outcomes:
        pass
    assert not isinstance(outcomes[0], Exception), outcomes
    assert last_event(scooter).blocks == ["damage"]
    assert VehicleEvent.objects.filter(vehicle=scooter).count() == 3


def test_a_block_lifted_by_a_slower_clock_ends_when_it_began(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    services.block_vehicle(vehicle_id=scooter.pk, reason="damage", **after(seconds=1))
    services.lift_block(vehicle_id=scooter.pk, reason="damage", **NOW)
    assert blocks_of(scooter) == set()
    block = VehicleBlock.objects.get()
    assert block.until == block.since
