"""Instant reservations: longer for money, longer for who needs it, not again and again; in a group."""

import datetime

import pytest

from bookings.payments.models import Payment
from bookings.reservations import tasks
from bookings.reservations.models import Reservation
from bookings.reservations.services import close
from bookings.riders.models import RiderProfile
from bookings.trips.models import Trip
from fleet.vehicles.models import VehicleHold
from mobility.core import clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(travel, scooter):
    """The vehicles have just reported when the test begins."""


def minutes_until(text):
    return (datetime.datetime.fromisoformat(text) - clock.now()) / datetime.timedelta(minutes=1)


def test_a_car_is_reserved_as_long_as_it_is_free_and_longer_for_money(driver, car, travel):
    held = driver.post("/api/v1/reservations", {"vehicle": "CAR1"}).json()
    assert minutes_until(held["expires_at"]) == minutes_until(held["free_until"]) == 15
    assert minutes_until(held["extendable_until"]) == 45
    address = f"/api/v1/reservations/{held['id']}/extend"
    assert minutes_until(driver.post(address).json()["expires_at"]) == 30
    longest = driver.post(address, {"minutes": 60}).json()
    assert minutes_until(longest["expires_at"]) == 45
    assert longest["extendable_until"] is None
    refused = driver.post(address)
    assert (refused.status_code, refused.json()["code"]) == (409, "extension_refused")
    assert refused.json()["reason"] == "longest"
    travel.shift(datetime.timedelta(minutes=44, seconds=30))
    assert tasks.expire() == 0
    travel.shift(datetime.timedelta(seconds=33))
    assert tasks.expire() == 1
    # 45 minutes, 15 of them free, 10 cents each.
    payment = Payment.objects.get()
    assert (payment.purpose, payment.amount_cents) == ("hold", 300)
    assert VehicleHold.objects.active().count() == 0


def test_whoever_gives_an_extended_reservation_back_pays_the_started_minutes(driver, car, travel):
    held = driver.post("/api/v1/reservations", {"vehicle": "CAR1"}).json()
    driver.post(f"/api/v1/reservations/{held['id']}/extend")
    travel.shift(datetime.timedelta(minutes=17, seconds=20))
    for _twice in range(2):
        assert driver.post(f"/api/v1/reservations/{held['id']}/cancel").status_code == 200
    assert [payment.amount_cents for payment in Payment.objects.all()] == [30]


def test_letting_a_free_reservation_go_costs_nothing(driver, car, travel):
    driver.post("/api/v1/reservations", {"vehicle": "CAR1"})
    travel.shift(datetime.timedelta(minutes=16))
    assert tasks.expire() == 1
    assert not Payment.objects.exists()


def test_what_is_given_back_before_the_sweep_comes_costs_no_more_than_it_lasted(
    driver, car, travel
):
    held = driver.post("/api/v1/reservations", {"vehicle": "CAR1"}).json()
    travel.shift(datetime.timedelta(minutes=16))
    assert driver.post(f"/api/v1/reservations/{held['id']}/cancel").status_code == 200
    assert not Payment.objects.exists()


def test_the_moment_of_grace_after_the_free_minutes_costs_nothing(driver, car, travel, obey):
    held = driver.post("/api/v1/reservations", {"vehicle": "CAR1"}).json()
    travel.shift(datetime.timedelta(minutes=15, seconds=1))
    started = driver.post("/api/v1/trips", {"reservation": held["id"]})
    assert started.status_code == 201, started.json()
    obey(car)
    travel.shift(datetime.timedelta(minutes=2))
    running = driver.get(f"/api/v1/trips/{started.json()['id']}").json()
    # Two minutes at 20 cents, and no reserved minute at 10.
    assert running["cost_so_far_cents"] == 40


def test_one_that_resists_keeps_no_other_vehicle_from_being_free(
    driver, piero_drives, car, make_vehicle, travel, monkeypatch
):
    make_vehicle("car", code="CAR2")
    stuck = driver.post("/api/v1/reservations", {"vehicle": "CAR1"}).json()["id"]
    piero_drives.post("/api/v1/reservations", {"vehicle": "CAR2"})
    charge = close.charge_hold

    def break_down(reservation, **about):
        if str(reservation.public_id) == stuck:
            raise RuntimeError("the books are closed")
        return charge(reservation, **about)

    travel.shift(datetime.timedelta(minutes=16))
    with monkeypatch.context() as broken:
        broken.setattr(close, "charge_hold", break_down)
        assert tasks.expire() == 1
    assert VehicleHold.objects.active().get().vehicle.code == "CAR1"
    assert tasks.expire() == 1


def test_paid_minutes_are_owed_where_the_card_s_provider_serves_no_more(
    driver, car, travel, settings
):
    held = driver.post("/api/v1/reservations", {"vehicle": "CAR1"}).json()
    driver.post(f"/api/v1/reservations/{held['id']}/extend")
    settings.DEMO_PAYMENTS = False
    travel.shift(datetime.timedelta(minutes=31))
    assert tasks.expire() == 1
    assert (Payment.objects.get().purpose, Payment.objects.get().amount_cents) == ("hold", 150)


def test_without_a_card_nobody_extends_and_after_the_end_neither(
    giulia, licensed, card, api, car, travel
):
    licensed(giulia)
    phone = api(giulia)
    held = phone.post("/api/v1/reservations", {"vehicle": "CAR1"}).json()
    address = f"/api/v1/reservations/{held['id']}/extend"
    assert phone.post(address).json()["code"] == "payment_method_required"
    card(giulia)
    travel.shift(datetime.timedelta(minutes=15, seconds=3))
    late = phone.post(address)
    assert (late.status_code, late.json()["code"]) == (410, "reservation_expired")


def test_a_scooter_without_paid_minutes_cannot_be_extended(rider):
    held = rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()
    assert held["extendable_until"] is None
    refused = rider.post(f"/api/v1/reservations/{held['id']}/extend")
    assert (refused.status_code, refused.json()["reason"]) == (409, "longest")


def test_whoever_needs_more_time_has_it_for_nothing(rider, giulia, travel):
    RiderProfile.objects.update_or_create(
        user=giulia, defaults={"reduced_mobility": True, "updated_at": clock.now()}
    )
    held = rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()
    assert minutes_until(held["expires_at"]) == minutes_until(held["free_until"]) == 20


def test_the_same_vehicle_let_go_twice_is_for_others_for_a_while(rider, travel, make_vehicle):
    for _try in range(2):
        held = rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()
        rider.post(f"/api/v1/reservations/{held['id']}/cancel")
    refused = rider.post("/api/v1/reservations", {"vehicle": "SC1"})
    assert (refused.status_code, refused.json()["code"]) == (429, "vehicle_cool_down")
    assert refused.json()["retry_after_s"] == 30 * 60
    make_vehicle("scooter", code="SC2")
    other = rider.post("/api/v1/reservations", {"vehicle": "SC2"})
    assert other.status_code == 201
    rider.post(f"/api/v1/reservations/{other.json()['id']}/cancel")
    travel.shift(datetime.timedelta(minutes=30))
    assert rider.post("/api/v1/reservations", {"vehicle": "SC1"}).status_code == 201


def test_the_operator_says_how_often_is_too_often(rider, policy, make_vehicle):
    policy.unused_per_hour, policy.cool_down_minutes = 1, 0
    policy.save()
    held = rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()
    rider.post(f"/api/v1/reservations/{held['id']}/cancel")
    refused = rider.post("/api/v1/reservations", {"vehicle": "SC1"})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_reservations")
    assert refused.json()["retry_after_s"] == 3600


def test_three_vehicles_for_a_family_and_not_a_fourth(rider, policy, make_vehicle, obey, scooter):
    policy.group_limit = 3
    policy.save()
    for number in (2, 3, 4):
        make_vehicle("scooter", code=f"SC{number}")
    assert rider.post("/api/v1/trips", {"vehicle": "SC1"}).status_code == 201
    obey(scooter)
    assert rider.post("/api/v1/reservations", {"vehicle": "SC2"}).status_code == 201
    assert rider.post("/api/v1/trips", {"vehicle": "SC3"}).status_code == 201
    full = rider.post("/api/v1/reservations", {"vehicle": "SC4"})
    assert (full.status_code, full.json()["code"]) == (409, "already_active")
    slots = Reservation.objects.order_by("pk").values_list("slot", flat=True)
    assert list(slots) == [0, 1, 2]
    assert Trip.objects.count() == 2


def test_what_one_has_for_the_ride_is_frozen_with_its_claim(rider, giulia):
    rider.post("/api/v1/trips", {"vehicle": "SC1"})
    reservation = Reservation.objects.get()
    assert (reservation.state, reservation.perks) == ("consumed", [])
