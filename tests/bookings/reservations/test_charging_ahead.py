"""Giulia's car is charged when her time comes, and she gets another one when it cannot be."""

import datetime

import pytest

from bookings.reservations import tasks
from bookings.reservations.models import Booking
from bookings.reservations.services import assign_cars, relocate
from charging.energy.models import EnergyDemand
from charging.sessions.facts import SessionStart, SessionStop
from charging.sessions.services import ensure_token, start_sessions, stop_sessions
from charging.stations.models import Connector
from fleet.energy.models import ChargeNeed
from fleet.energy.services import sync_demands
from fleet.telematics.models import LatestState
from fleet.vehicles.models import VehicleHold
from fleet.vehicles.services import VehicleTaken
from mobility.core import clock
from mobility.core.principals import SYSTEM

pytestmark = pytest.mark.django_db

# The clock of these tests stands at 10:00 in Milan on Monday 4 May 2026.
TONIGHT = {"start": "2026-05-04T18:00", "end": "2026-05-04T20:00"}
TOMORROW = {"start": "2026-05-05T09:00", "end": "2026-05-05T11:00"}


@pytest.fixture(autouse=True)
def _clock(travel, car):
    """The car has just reported when the test begins."""


@pytest.fixture
def station(make_station):
    station = make_station("CP1", online=True, at=clock.now())
    Connector.objects.update(status="Available")
    return station


@pytest.fixture
def plug_in(station, relay):
    """`plug_in(car)`: the car's own card starts a session."""

    def start(car):
        uid = f"TAG{car.code}"
        ensure_token(
            uid=uid,
            kind="vehicle",
            owner_ref=f"vehicle:{car.public_id}",
            at=clock.now(),
            by=SYSTEM,
        )
        (answer,) = start_sessions(
            starts=[
                SessionStart(
                    station_id=station.pk,
                    evse_number=1,
                    uid=uid,
                    at=clock.now(),
                    meter_start_wh=0,
                )
            ],
            at=clock.now(),
        )
        relay()
        return answer

    return start


def book(phone, wish, **more):
    answer = phone.post("/api/v1/bookings", {"car_class": "ruote:test-car", **wish, **more})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def battery(car, pct):
    LatestState.objects.filter(pk=car.pk).update(battery_pct=pct)


def waiting():
    return [(one.energy_wh, one.ready_by, one.priority) for one in EnergyDemand.objects.waiting()]


def at(text):
    return datetime.datetime.fromisoformat(text)


def test_a_booked_car_at_a_plug_wants_its_range_ten_minutes_before(driver, car, plug_in, relay):
    battery(car, 30)
    book(driver, TOMORROW, range_km=200)
    relay()
    assert ChargeNeed.objects.get().battery_pct == 80
    assert not EnergyDemand.objects.exists()
    plug_in(car)
    # 90 % with the reserve, 60 % of 42 kWh more than it has, a tenth lost on the way.
    assert waiting() == [(28_000, at("2026-05-05T08:50:00+02:00"), 2)]


def test_cancelled_it_wants_no_more_than_every_day(driver, car, plug_in, relay):
    battery(car, 30)
    booked = book(driver, TOMORROW, range_km=200)
    plug_in(car)
    driver.post(f"/api/v1/bookings/{booked['id']}/cancel")
    relay()
    ((energy, _ready, priority),) = waiting()
    assert (energy, priority) == (23_334, 7)


def test_a_longer_booking_wants_more(driver, car, plug_in, relay):
    battery(car, 10)
    booked = book(driver, TOMORROW)
    plug_in(car)
    # Two hours are taken to be 20 km, 8 % of what the car goes.
    ((energy, _ready, priority),) = waiting()
    assert (energy, priority) == (3_734, 2)
    changed = driver.patch(f"/api/v1/bookings/{booked['id']}", {"end": "2026-05-05T19:00"})
    assert changed.status_code == 200, changed.content
    relay()
    ((energy, _ready, _priority),) = waiting()
    assert energy == 18_667


def test_unplugged_it_wants_nothing_there(car, plug_in, station, relay, travel):
    battery(car, 30)
    session = plug_in(car)
    assert len(waiting()) == 1
    travel.shift(datetime.timedelta(minutes=5))
    stop_sessions(
        stops=[
            SessionStop(
                station_id=station.pk,
                transaction_ref=str(session.transaction_ref),
                at=clock.now(),
                meter_stop_wh=1_000,
                reason="EVDisconnected",
            )
        ],
        at=clock.now(),
    )
    relay()
    assert waiting() == []
    assert EnergyDemand.objects.get().state == "withdrawn"


def test_a_round_that_finds_nothing_new_changes_nothing(car, plug_in, travel):
    battery(car, 30)
    plug_in(car)
    before = waiting()
    travel.shift(datetime.timedelta(minutes=1))
    assert sync_demands(at=clock.now())["kept"] == 1
    assert waiting() == before


def test_who_charges_there_already_said_by_when_and_is_left_alone(car, plug_in, station):
    EnergyDemand.objects.create(
        connector=Connector.objects.get(),
        owner_ref="user:1",
        energy_wh=5_000,
        ready_by=clock.now() + datetime.timedelta(hours=1),
        created_at=clock.now(),
    )
    battery(car, 30)
    plug_in(car)
    assert sync_demands(at=clock.now())["occupied"] == 1
    assert EnergyDemand.objects.waiting().get().owner_ref == "user:1"


def test_two_bookings_change_cars_when_each_then_goes_far_enough(
    driver, piero_drives, car, make_vehicle, booking_of, relay
):
    other = make_vehicle("car", code="CAR2", battery_pct=90)
    far = book(driver, TONIGHT, range_km=200)
    near = book(piero_drives, TONIGHT, range_km=20)
    assert (far["vehicle"]["code"], near["vehicle"]["code"]) == ("CAR2", "CAR1")
    # During the day somebody empties one and charges the other.
    battery(other, 20)
    battery(car, 95)
    assert tasks.assign_cars() == 2
    assert booking_of(far).vehicle == car
    assert booking_of(near).vehicle == other
    holds = VehicleHold.objects.active().order_by("vehicle__code")
    assert [(hold.vehicle.code, hold.ahead) for hold in holds] == [("CAR1", True), ("CAR2", True)]
    relay()
    assert set(ChargeNeed.objects.waiting(at=clock.now()).values_list("hold", flat=True)) == {
        hold.pk for hold in holds
    }
    assert tasks.assign_cars() == 0


def test_nobody_is_moved_as_long_as_the_charge_suffices(driver, car, make_vehicle, booking_of):
    make_vehicle("car", code="CAR2", battery_pct=60)
    booked = book(driver, TONIGHT, range_km=100)
    make_vehicle("car", code="CAR3", battery_pct=100)
    assert tasks.assign_cars() == 0
    assert booking_of(booked).moved == 0


def test_a_car_that_will_be_charged_by_then_keeps_its_booking(
    driver, car, make_vehicle, booking_of, plug_in
):
    booked = book(driver, TONIGHT, range_km=150)
    make_vehicle("car", code="CAR2", battery_pct=100)
    battery(car, 20)
    plug_in(car)
    assert tasks.assign_cars() == 0
    Connector.objects.update(max_power_w=500)
    assert tasks.assign_cars() == 1
    assert booking_of(booked).vehicle.code == "CAR2"


def test_a_broken_car_gives_its_booking_away_the_day_before(driver, car, make_vehicle, booking_of):
    booked = book(driver, TOMORROW)
    make_vehicle("car", code="CAR2", battery_pct=60)
    car.blocks.create(reason="damage", since=clock.now(), placed_by=SYSTEM)
    assert tasks.assign_cars() == 1
    assert booking_of(booked).vehicle.code == "CAR2"


def test_this_very_car_is_never_exchanged(driver, car, make_vehicle, booking_of):
    answer = driver.post("/api/v1/bookings", {"vehicle": "CAR1", **TOMORROW}).json()
    make_vehicle("car", code="CAR2", battery_pct=100)
    battery(car, 5)
    assert tasks.assign_cars() == 0
    assert booking_of(answer).vehicle == car


def test_what_is_taken_in_the_same_moment_undoes_all(
    driver, piero_drives, car, make_vehicle, booking_of, monkeypatch
):
    other = make_vehicle("car", code="CAR2", battery_pct=90)
    far = book(driver, TONIGHT, range_km=200)
    near = book(piero_drives, TONIGHT, range_km=20)
    battery(other, 20)
    battery(car, 95)
    first = iter([True])
    hold = relocate._hold

    def second_is_taken(booking, vehicle, *, at, by):
        if next(first, False):
            return hold(booking, vehicle, at=at, by=by)
        raise VehicleTaken

    monkeypatch.setattr(relocate, "_hold", second_is_taken)
    assert assign_cars(at=clock.now()) == 0
    assert booking_of(far).vehicle == other
    assert booking_of(near).vehicle == car
    assert VehicleHold.objects.active().count() == 2
    assert set(Booking.objects.values_list("moved", flat=True)) == {0}
