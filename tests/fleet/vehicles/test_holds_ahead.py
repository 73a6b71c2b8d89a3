"""Holds for later: beside who has the vehicle now, begun in their time, moved to another vehicle."""

import datetime
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from fleet.vehicles import services
from fleet.vehicles.models import Vehicle, VehicleEvent, VehicleHold
from fleet.vehicles.states import RentalState
from mobility.core import clock
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle

pytestmark = pytest.mark.django_db

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def car(make_vehicle: MakeVehicle) -> Vehicle:
    return make_vehicle("car")


def ahead(vehicle: Vehicle, *, start: float, end: float, ref: str = "booking:1") -> VehicleHold:
    """Held for later, hours from now."""
    at = clock.now()
    return services.hold_ahead(
        vehicle_id=vehicle.pk,
        during=DateTimeTZRange(at + start * HOUR, at + end * HOUR),
        purpose="booking",
        holder_ref=ref,
        at=at,
        by=SYSTEM,
    )


def hold_now(vehicle: Vehicle, *, hours: float, **more: Any) -> VehicleHold:
    at = clock.now()
    return services.hold_vehicle(
        vehicle_id=vehicle.pk,
        until=at + hours * HOUR,
        purpose=more.pop("purpose", "ride"),
        holder_ref="reservation:1",
        at=at,
        by=SYSTEM,
        **more,
    )


def rental(vehicle: Vehicle) -> str:
    vehicle.refresh_from_db()
    return vehicle.rental_state


def test_a_hold_for_later_leaves_the_vehicle_to_who_takes_it_now(car: Vehicle) -> None:
    later = ahead(car, start=3, end=5)
    assert rental(car) == RentalState.FREE
    assert services.free_from(vehicle_id=car.pk, at=clock.now()) == later.during.lower
    now = hold_now(car, hours=1)
    services.release_hold(hold_id=later.pk, at=clock.now(), by=SYSTEM)
    assert rental(car) == RentalState.HELD
    assert VehicleHold.objects.active().get() == now
    assert services.free_from(vehicle_id=car.pk, at=clock.now()) is None


def test_holds_for_later_never_overlap_and_may_touch(car: Vehicle) -> None:
    at = clock.now()
    first = DateTimeTZRange(at + HOUR, at + 2 * HOUR)
    hold: Any = {"vehicle_id": car.pk, "purpose": "booking", "at": at, "by": SYSTEM}
    services.hold_ahead(during=first, holder_ref="booking:1", **hold)
    with pytest.raises(services.VehicleTaken):
        ahead(car, start=1.5, end=3)
    touching = DateTimeTZRange(at + 2 * HOUR, at + 3 * HOUR)
    services.hold_ahead(during=touching, holder_ref="booking:2", **hold)


def test_a_hold_from_now_ends_where_the_next_begins_if_that_is_far_enough(car: Vehicle) -> None:
    later = ahead(car, start=1, end=2)
    with pytest.raises(services.VehicleBooked) as refused:
        hold_now(car, hours=3, shortest=2 * HOUR)
    assert refused.value.extra["available_until"] == later.during.lower.isoformat()
    assert rental(car) == RentalState.FREE
    capped = hold_now(car, hours=3, shortest=HOUR / 2)
    assert capped.until == later.during.lower


def test_staff_may_use_the_time_before_a_booking(car: Vehicle) -> None:
    later = ahead(car, start=1, end=2)
    assert hold_now(car, hours=12, purpose="service").until == later.during.lower


def test_a_ride_reaches_as_far_as_the_next_hold_and_never_back(car: Vehicle) -> None:
    later = ahead(car, start=2, end=3)
    hold = hold_now(car, hours=0.5)
    at, by = clock.now(), SYSTEM
    mark: Any = {"hold_id": hold.pk, "trip_ref": "trip:1", "at": at, "by": by}
    marked = services.mark_trip(mark="starting", until=at + 5 * HOUR, **mark)
    assert marked.until == later.during.lower
    nearer = services.extend_as_far(hold_id=hold.pk, until=at + HOUR, at=at, by=by)
    assert nearer == later.during.lower
    services.release_hold(hold_id=later.pk, at=at, by=by)
    farther = services.extend_as_far(hold_id=hold.pk, until=at + 4 * HOUR, at=at, by=by)
    assert farther == at + 4 * HOUR


def test_a_hold_begins_when_its_vehicle_is_free_and_once(car: Vehicle) -> None:
    hold = ahead(car, start=1, end=2)
    soon = clock.now() + HOUR - datetime.timedelta(minutes=10)
    for _twice in range(2):
        begun = services.begin_hold(hold_id=hold.pk, at=soon, by=SYSTEM)
    assert (begun.ahead, rental(car)) == (False, RentalState.HELD)
    assert VehicleHold.objects.get().during.lower == soon
    assert VehicleEvent.objects.filter(vehicle=car, rental_state="held").count() == 1
    services.release_hold(hold_id=hold.pk, at=soon, by=SYSTEM)
    assert rental(car) == RentalState.FREE


def test_a_hold_does_not_begin_while_somebody_has_the_vehicle_or_it_is_blocked(
    car: Vehicle,
) -> None:
    later = ahead(car, start=1, end=2)
    now = hold_now(car, hours=1, shortest=HOUR / 4)
    with pytest.raises(services.VehicleTaken):
        services.begin_hold(hold_id=later.pk, at=later.during.lower, by=SYSTEM)
    services.release_hold(hold_id=now.pk, at=clock.now(), by=SYSTEM)
    services.block_vehicle(vehicle_id=car.pk, reason="damage", at=clock.now(), by=SYSTEM)
    with pytest.raises(services.VehicleNotRentable):
        services.begin_hold(hold_id=later.pk, at=later.during.lower, by=SYSTEM)
    assert VehicleHold.objects.get(pk=later.pk).ahead is True


def test_a_hold_moves_to_another_vehicle_or_stays_where_it_is(
    car: Vehicle, make_vehicle: MakeVehicle
) -> None:
    other, taken = make_vehicle("car"), make_vehicle("car")
    ahead(taken, start=0.5, end=3, ref="booking:2")
    hold = ahead(car, start=1, end=2)
    services.begin_hold(hold_id=hold.pk, at=clock.now() + HOUR, by=SYSTEM)
    with pytest.raises(services.VehicleTaken):
        services.swap_hold(hold_id=hold.pk, vehicle_id=taken.pk, at=clock.now(), by=SYSTEM)
    assert rental(car) == RentalState.HELD
    moved = services.swap_hold(hold_id=hold.pk, vehicle_id=other.pk, at=clock.now(), by=SYSTEM)
    assert (moved.vehicle_id, moved.holder_ref, moved.ahead) == (other.pk, "booking:1", True)
    assert (rental(car), rental(other)) == (RentalState.FREE, RentalState.FREE)
    with pytest.raises(services.HoldOver):
        services.swap_hold(hold_id=hold.pk, vehicle_id=taken.pk, at=clock.now(), by=SYSTEM)


def test_the_workshop_takes_the_next_days_holds_and_a_theft_all(car: Vehicle) -> None:
    tomorrow, next_week = ahead(car, start=20, end=22), ahead(car, start=200, end=202)
    services.set_life_state(vehicle_id=car.pk, to="workshop", at=clock.now(), by=SYSTEM)
    told = OutboxEvent.objects.filter(name="fleet.hold_displaced.v1").order_by("pk")
    assert [one.payload["hold_id"] for one in told] == [tomorrow.pk]
    services.set_life_state(vehicle_id=car.pk, to="stolen", at=clock.now(), by=SYSTEM)
    assert [one.payload["hold_id"] for one in told.all()] == [tomorrow.pk, next_week.pk]
    assert not VehicleHold.objects.active().exists()


def test_a_booked_vehicle_retires_and_its_bookings_are_told(car: Vehicle) -> None:
    ahead(car, start=200, end=202)
    services.decommission_vehicle(vehicle_id=car.pk, at=clock.now(), by=SYSTEM)
    assert OutboxEvent.objects.filter(name="fleet.hold_displaced.v1").count() == 1


def test_next_holds_by_vehicle_in_one_question(
    car: Vehicle, make_vehicle: MakeVehicle, django_assert_num_queries: Any
) -> None:
    other = make_vehicle("car")
    later = ahead(car, start=5, end=6)
    first = ahead(car, start=2, end=3)
    with django_assert_num_queries(1):
        found = services.next_holds(vehicle_ids=[car.pk, other.pk], at=clock.now())
    assert found == {car.pk: first.during.lower}
    assert later.during.lower > first.during.lower
