"""From the open window to the return: cars made ready, late, broken, not fetched, brought back late."""

import datetime

import pytest
from django.core import mail

from bookings.payments.models import Payment, PaymentMethod
from bookings.reservations import tasks
from bookings.reservations.models import Booking
from bookings.reservations.services import change
from bookings.trips import tasks as trips
from bookings.trips.models import Trip
from fleet.telematics.models import LatestState
from fleet.vehicles.models import VehicleHold
from fleet.vehicles.services import block_vehicle, set_life_state
from fleet.vehicles.states import RentalState
from mobility.core import clock
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM

pytestmark = pytest.mark.django_db

# The clock of these tests stands at 10:00 in Milan on Monday 4 May 2026.
NOON = {"start": "2026-05-04T12:00", "end": "2026-05-04T14:00"}


@pytest.fixture(autouse=True)
def _clock(travel, car):
    """The car has just reported when the test begins."""


@pytest.fixture
def booked(driver):
    """Giulia has CAR1 from noon to two."""
    answer = driver.post("/api/v1/bookings", {"vehicle": "CAR1", **NOON})
    assert answer.status_code == 201, answer.json()
    return answer.json()


@pytest.fixture
def clock_at(travel):
    """`clock_at("12:30")` moves the clock to that time in Milan, on the same day."""

    def move_to(time):
        travel.move_to(datetime.datetime.fromisoformat(f"2026-05-04T{time}:00+02:00"))

    return move_to


def told(name):
    """How many events of this name were published."""
    return OutboxEvent.objects.filter(name=f"bookings.{name}.v1").count()


def ride(phone, obey, car, **what):
    """Start on a booking or a car, and the car unlocks."""
    started = phone.post("/api/v1/trips", what)
    assert started.status_code == 201, started.json()
    obey(car)
    return started.json()["id"]


def bring_back(phone, obey, car, trip):
    """End the ride where the car stands."""
    LatestState.objects.update(at=clock.now(), received_at=clock.now())
    ended = phone.post(f"/api/v1/trips/{trip}/end")
    assert ended.status_code == 200, ended.json()
    obey(car)


def test_the_car_waits_from_early_access_on_and_is_shown_then(
    driver, booked, clock_at, tend, car, api
):
    clock_at("11:49")
    assert tend()["prepared"] == 0
    too_early = driver.post("/api/v1/trips", {"booking": booked["id"]})
    assert (too_early.status_code, too_early.json()["code"]) == (409, "booking_too_early")
    clock_at("11:50")
    assert tend()["prepared"] == 1
    assert tend()["prepared"] == 0
    body = driver.get(f"/api/v1/bookings/{booked['id']}").json()
    assert (body["state"], body["vehicle"]["lat"]) == ("window_open", 45.451)
    car.refresh_from_db()
    assert car.rental_state == RentalState.HELD
    assert told("booking_window_opened") == 1
    assert api(None).get("/api/v1/vehicles", {"lat": 45.45, "lon": 9.2}).json()["results"] == []


def test_a_booking_is_ridden_brought_back_in_time_and_costs_its_ride_alone(
    driver, booked, clock_at, tend, obey, car
):
    clock_at("11:55")
    tend()
    trip = ride(driver, obey, car, booking=booked["id"])
    assert Booking.objects.get().state == "in_use"
    # The pause after it stays kept while it is ridden.
    assert VehicleHold.objects.active().get().until >= clock.now() + datetime.timedelta(hours=2)
    clock_at("13:55")
    tend()
    assert told("booking_reminder") == 1
    bring_back(driver, obey, car, trip)
    booking = Booking.objects.get()
    assert (booking.state, booking.fee_cents) == ("completed", 0)
    assert Trip.objects.get().price_cents == 120 * 20
    assert [payment.purpose for payment in Payment.objects.all()] == ["trip"]


def test_tapping_the_booked_car_itself_means_the_booking(driver, booked, clock_at, obey, car):
    clock_at("11:56")
    # Nobody has opened the window yet: the start does.
    ride(driver, obey, car, vehicle="CAR1")
    assert Booking.objects.get().state == "in_use"
    assert VehicleHold.objects.active().count() == 1


def test_whoever_comes_back_late_pays_one_fee_beside_the_ride(
    driver, booked, clock_at, tend, obey, car
):
    clock_at("12:00")
    tend()
    trip = ride(driver, obey, car, booking=booked["id"])
    clock_at("14:30")
    bring_back(driver, obey, car, trip)
    booking = Booking.objects.get()
    assert (booking.state, booking.fee_cents) == ("completed", 900)
    fees = Payment.objects.filter(purpose="booking")
    assert [fee.amount_cents for fee in fees] == [900]
    assert Trip.objects.get().price_cents == 150 * 20


def test_a_lock_that_answers_late_makes_no_late_return(driver, booked, clock_at, tend, obey, car):
    clock_at("12:00")
    tend()
    trip = ride(driver, obey, car, booking=booked["id"])
    clock_at("14:09")
    LatestState.objects.update(at=clock.now(), received_at=clock.now())
    assert driver.post(f"/api/v1/trips/{trip}/end").status_code == 200
    clock_at("14:11")
    obey(car)
    assert (Booking.objects.get().state, Booking.objects.get().fee_cents) == ("completed", 0)


def test_who_came_and_whose_car_did_not_start_pays_nothing_for_not_coming_again(
    driver, booked, clock_at, tend, obey, car, relay, django_capture_on_commit_callbacks
):
    clock_at("12:00")
    tend()
    assert driver.post("/api/v1/trips", {"booking": booked["id"]}).status_code == 201
    obey(car, "rejected")
    tend()
    clock_at("12:31")
    with django_capture_on_commit_callbacks(execute=True):
        tend()
        relay()
    booking = Booking.objects.get()
    assert (booking.state, booking.fee_cents) == ("no_show", 0)
    (letter,) = [one for one in mail.outbox if "Nobody came" in one.body]
    assert "It costs nothing." in letter.body
    assert "0.00" not in letter.body


def test_a_reservation_before_a_booking_is_no_late_return(
    driver, piero_drives, clock_at, tend, car, make_vehicle
):
    driver.post("/api/v1/bookings", {"vehicle": "CAR1", **NOON})
    make_vehicle("car", code="CAR2")
    clock_at("11:38")
    LatestState.objects.update(at=clock.now())
    assert piero_drives.post("/api/v1/reservations", {"vehicle": "CAR1"}).status_code == 201
    clock_at("11:52")
    tend()
    booking = Booking.objects.get()
    assert (booking.state, booking.vehicle.code, booking.at_risk_since) == (
        "confirmed",
        "CAR1",
        None,
    )
    clock_at("11:54")
    tasks.expire()
    tend()
    assert Booking.objects.get().state == "window_open"


def test_whoever_does_not_come_pays_once_and_the_car_is_free_again(
    driver, booked, clock_at, tend, car
):
    clock_at("12:00")
    tend()
    clock_at("12:30")
    assert tend()["no_shows"] == 0
    clock_at("12:31")
    assert tend()["no_shows"] == 1
    assert tend()["no_shows"] == 0
    booking = Booking.objects.get()
    assert (booking.state, booking.fee_cents) == ("no_show", 1500)
    car.refresh_from_db()
    assert car.rental_state == RentalState.FREE
    # A fee for cancelling late never comes on top.
    refused = driver.post(f"/api/v1/bookings/{booked['id']}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "booking_closed")
    assert [payment.amount_cents for payment in Payment.objects.all()] == [1500]
    over = driver.post("/api/v1/trips", {"booking": booked["id"]})
    assert (over.status_code, over.json()["code"]) == (410, "booking_over")


def test_at_the_edge_of_the_grace_time_the_start_wins(driver, booked, clock_at, tend, travel):
    clock_at("12:00")
    tend()
    clock_at("12:30")
    travel.shift(datetime.timedelta(seconds=1))
    assert tend()["no_shows"] == 0
    assert driver.post("/api/v1/trips", {"booking": booked["id"]}).status_code == 201
    travel.shift(datetime.timedelta(seconds=5))
    assert tend()["no_shows"] == 0
    assert not Payment.objects.filter(purpose="booking").exists()


def test_a_late_return_gives_the_next_one_an_equal_car_at_the_same_price(
    driver, piero_drives, booked, clock_at, tend, obey, car, make_vehicle
):
    clock_at("12:00")
    tend()
    ride(driver, obey, car, booking=booked["id"])
    after = {"start": "2026-05-04T14:15", "end": "2026-05-04T16:00"}
    later = piero_drives.post("/api/v1/bookings", {"vehicle": "CAR1", **after}).json()
    make_vehicle("car", code="CAR2", battery_pct=60)
    clock_at("13:50")
    tend()
    assert piero_drives.get(f"/api/v1/bookings/{later['id']}").json()["moved"] == 0
    # The first one should be back and is not: the next one hears of it before setting out.
    clock_at("14:01")
    tend()
    moved = piero_drives.get(f"/api/v1/bookings/{later['id']}").json()
    assert (moved["vehicle"]["code"], moved["moved"]) == ("CAR2", 1)
    assert moved["total_cents"] == later["total_cents"]
    assert told("booking_moved") == 1
    clock_at("14:06")
    tend()
    assert piero_drives.post("/api/v1/trips", {"booking": later["id"]}).status_code == 201


def test_without_another_car_the_next_one_is_told_waits_a_little_and_pays_nothing(
    driver, piero_drives, booked, clock_at, tend, obey, car
):
    clock_at("12:00")
    tend()
    ride(driver, obey, car, booking=booked["id"])
    after = {"start": "2026-05-04T14:15", "end": "2026-05-04T16:00"}
    later = piero_drives.post("/api/v1/bookings", {"vehicle": "CAR1", **after}).json()
    address = f"/api/v1/bookings/{later['id']}"
    clock_at("14:02")
    tend()
    tend()
    assert piero_drives.get(address).json()["at_risk"] is True
    assert told("booking_at_risk") == 1
    clock_at("14:16")
    missing = piero_drives.post("/api/v1/trips", {"booking": later["id"]})
    assert (missing.status_code, missing.json()["code"]) == (409, "booked_car_missing")
    clock_at("14:30")
    tend()
    body = piero_drives.get(address).json()
    assert (body["state"], body["fee_cents"]) == ("displaced", None)
    assert told("booking_displaced") == 1
    assert not Payment.objects.filter(purpose="booking").exists()


def test_riders_are_told_by_mail_in_their_language(
    driver, giulia, booked, clock_at, tend, car, make_vehicle, django_capture_on_commit_callbacks
):
    make_vehicle("car", code="CAR2")
    giulia.language = "it"
    giulia.save()
    block_vehicle(vehicle_id=car.pk, reason="damage", at=clock.now(), by=SYSTEM)
    with django_capture_on_commit_callbacks(execute=True):
        clock_at("11:40")
        tend()
        clock_at("12:00")
        tend()
        clock_at("12:31")
        tend()
    assert {letter.to[0] for letter in mail.outbox} == {"giulia@demo.example"}
    # Those about her licence and about money itself are not ours.
    _licence, confirmed, moved, *_money, fee = (letter.body for letter in mail.outbox)
    assert "CAR1" in confirmed
    assert "CAR2" in moved
    assert "15,00" in fee


def test_a_booking_at_risk_is_cancelled_free(
    driver, piero_drives, booked, clock_at, tend, obey, car
):
    clock_at("12:00")
    tend()
    ride(driver, obey, car, booking=booked["id"])
    after = {"start": "2026-05-04T14:15", "end": "2026-05-04T16:00"}
    later = piero_drives.post("/api/v1/bookings", {"vehicle": "CAR1", **after}).json()
    clock_at("14:02")
    tend()
    cancelled = piero_drives.post(f"/api/v1/bookings/{later['id']}/cancel").json()
    assert (cancelled["state"], cancelled["fee_cents"]) == ("cancelled_free", 0)


def test_an_instant_ride_that_meets_a_booking_goes_on_and_the_booking_moves(
    driver, piero_drives, clock_at, tend, obey, car, make_vehicle
):
    """The rolling hold of a ride ends where the booking begins, until that has another car."""
    piero_drives.post("/api/v1/bookings", {"vehicle": "CAR1", **NOON})
    clock_at("11:00")
    LatestState.objects.update(at=clock.now())
    ride(driver, obey, car, vehicle="CAR1")
    hold = VehicleHold.objects.active().get(ahead=False)
    assert clock.local(hold.until).hour == 12
    make_vehicle("car", code="CAR2", at=clock.now())
    clock_at("11:31")
    tend()
    assert Booking.objects.get().vehicle.code == "CAR2"
    assert Booking.objects.get().state == "confirmed"


def test_the_rolling_hold_of_a_ride_makes_room_for_itself(
    driver, piero_drives, clock_at, obey, car, make_vehicle
):
    piero_drives.post("/api/v1/bookings", {"vehicle": "CAR1", **NOON})
    clock_at("11:00")
    LatestState.objects.update(at=clock.now())
    ride(driver, obey, car, vehicle="CAR1")
    clock_at("11:20")
    LatestState.objects.update(at=clock.now())
    trips.sweep()
    # Still forty minutes to the booking: nothing has to move yet.
    assert Booking.objects.get().moved == 0
    clock_at("11:31")
    make_vehicle("car", code="CAR2", at=clock.now())
    trips.sweep()
    assert Booking.objects.get().vehicle.code == "CAR2"
    riding = VehicleHold.objects.active().get(ahead=False)
    assert riding.until == clock.now() + datetime.timedelta(hours=2)


@pytest.mark.parametrize("trouble", ["blocked", "silent", "workshop", "stolen", "retired"])
def test_a_car_that_will_not_be_there_is_exchanged(
    trouble, driver, booked, clock_at, tend, car, make_vehicle, relay
):
    clock_at("11:35")
    make_vehicle("car", code="CAR2", at=clock.now())
    if trouble == "blocked":
        block_vehicle(vehicle_id=car.pk, reason="damage", at=clock.now(), by=SYSTEM)
    elif trouble == "silent":
        car.link_state = "lost"
        car.save(update_fields=["link_state"])
    else:
        set_life_state(vehicle_id=car.pk, to=trouble, at=clock.now(), by=SYSTEM)
        relay()
    tend()
    body = driver.get(f"/api/v1/bookings/{booked['id']}").json()
    assert (body["vehicle"]["code"], body["state"]) == ("CAR2", "confirmed")
    clock_at("11:50")
    tend()
    assert driver.get(f"/api/v1/bookings/{booked['id']}").json()["state"] == "window_open"


def test_next_weeks_booking_outlives_a_day_in_the_workshop_and_not_the_end_of_the_car(
    driver, car, relay
):
    span = {"start": "2026-05-11T12:00", "end": "2026-05-11T14:00"}
    body = driver.post("/api/v1/bookings", {"vehicle": "CAR1", **span}).json()
    set_life_state(vehicle_id=car.pk, to="workshop", at=clock.now(), by=SYSTEM)
    relay()
    assert driver.get(f"/api/v1/bookings/{body['id']}").json()["state"] == "confirmed"
    set_life_state(vehicle_id=car.pk, to="retired", at=clock.now(), by=SYSTEM)
    relay()
    assert driver.get(f"/api/v1/bookings/{body['id']}").json()["state"] == "displaced"
    assert not VehicleHold.objects.active().exists()


def test_a_car_that_does_not_start_is_exchanged_and_nothing_is_paid(
    driver, booked, clock_at, tend, obey, car, make_vehicle
):
    clock_at("12:00")
    tend()
    make_vehicle("car", code="CAR2", at=clock.now())
    assert driver.post("/api/v1/trips", {"booking": booked["id"]}).status_code == 201
    obey(car, "rejected")
    body = driver.get(f"/api/v1/bookings/{booked['id']}").json()
    assert (body["state"], body["vehicle"]["code"]) == ("confirmed", "CAR2")
    tend()
    assert driver.post("/api/v1/trips", {"booking": booked["id"]}).status_code == 201
    assert Booking.objects.get().state == "in_use"


def test_a_card_that_refuses_leaves_the_booking_its_car(
    driver, giulia, card, booked, clock_at, tend, car, make_vehicle
):
    clock_at("12:00")
    tend()
    make_vehicle("car", code="CAR2", at=clock.now())
    PaymentMethod.objects.all().delete()
    card(giulia, "demo-declined")
    refused = driver.post("/api/v1/trips", {"booking": booked["id"]})
    assert refused.status_code == 402, refused.json()
    body = driver.get(f"/api/v1/bookings/{booked['id']}").json()
    assert (body["state"], body["vehicle"]["code"], body["moved"]) == ("confirmed", "CAR1", 0)
    card(giulia)
    again = driver.post("/api/v1/trips", {"booking": booked["id"]})
    assert again.status_code == 201, again.json()


def test_a_car_too_empty_for_the_way_is_exchanged(driver, clock_at, tend, car, make_vehicle):
    body = driver.post("/api/v1/bookings", {"vehicle": "CAR1", **NOON, "range_km": 120}).json()
    clock_at("11:40")
    LatestState.objects.filter(vehicle=car).update(battery_pct=20)
    make_vehicle("car", code="CAR2", battery_pct=80, at=clock.now())
    tend()
    assert driver.get(f"/api/v1/bookings/{body['id']}").json()["vehicle"]["code"] == "CAR2"


@pytest.mark.parametrize(
    ("answer", "state", "fee"), [(None, "cancelled_late", 1000), ("rejected", "cancelled_free", 0)]
)
def test_a_start_called_off_excuses_nobody_and_a_car_that_does_not_start_does(
    answer, state, fee, driver, booked, clock_at, tend, obey, car
):
    clock_at("12:00")
    tend()
    trip = driver.post("/api/v1/trips", {"booking": booked["id"]}).json()["id"]
    if answer:
        obey(car, answer)
    else:
        assert driver.post(f"/api/v1/trips/{trip}/end").status_code == 200
    cancelled = driver.post(f"/api/v1/bookings/{booked['id']}/cancel").json()
    assert (cancelled["state"], cancelled["fee_cents"]) == (state, fee)


def test_a_card_that_refuses_does_not_excuse_from_coming(
    driver, giulia, card, booked, clock_at, tend, car
):
    clock_at("12:00")
    tend()
    PaymentMethod.objects.all().delete()
    card(giulia, "demo-declined")
    assert driver.post("/api/v1/trips", {"booking": booked["id"]}).status_code == 402
    tend()
    clock_at("12:31")
    assert tend()["no_shows"] == 1
    assert driver.get(f"/api/v1/bookings/{booked['id']}").json()["fee_cents"] == 1500


def test_a_late_fee_does_not_go_away_by_booking_longer_after_the_end(
    driver, booked, clock_at, tend, obey, car
):
    clock_at("12:00")
    tend()
    trip = ride(driver, obey, car, booking=booked["id"])
    clock_at("14:40")
    longer = driver.patch(f"/api/v1/bookings/{booked['id']}", {"end": "2026-05-04T16:00"})
    assert (longer.status_code, longer.json()["code"]) == (409, "extension_too_late")
    bring_back(driver, obey, car, trip)
    booking = Booking.objects.get()
    assert (booking.state, booking.fee_cents) == ("completed", 900)


def test_a_ride_is_made_longer_up_to_the_minutes_that_the_operator_tolerates(
    driver, booked, clock_at, tend, obey, car
):
    clock_at("12:00")
    tend()
    ride(driver, obey, car, booking=booked["id"])
    clock_at("14:01")
    longer = driver.patch(f"/api/v1/bookings/{booked['id']}", {"end": "2026-05-04T16:00"})
    assert longer.status_code == 200, longer.json()


def test_a_ride_that_begins_while_its_booking_is_made_longer_comes_first(
    driver, booked, clock_at, monkeypatch
):
    clock_at("12:00")

    def meanwhile(_user):
        Booking.objects.update(state="in_use")

    # Else the change would hold the booking and wait for the car, and the ride's end the other way round.
    with monkeypatch.context() as crossing:
        crossing.setattr(change, "lock_person", meanwhile)
        crossed = driver.patch(f"/api/v1/bookings/{booked['id']}", {"end": "2026-05-04T15:00"})
    assert (crossed.status_code, crossed.json()["code"]) == (409, "lost_race")
