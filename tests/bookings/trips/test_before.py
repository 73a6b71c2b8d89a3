"""What Giulia found: photos of a vehicle before she rides it."""

import datetime
import io

import pytest

from bookings.reservations.services import tend_bookings
from bookings.trips import privacy
from bookings.trips.models import StartPhoto, Trip
from fleet.vehicles.models import LatestState
from mobility.core import clock
from mobility.core.files import StoredFile, forget_outlived
from mobility.desk.support import queries as support
from tests.bookings.reservations.conftest import car, car_tariff, driver

__all__ = ["car", "car_tariff", "driver"]
pytestmark = pytest.mark.django_db

RESERVATIONS, BOOKINGS = "/api/v1/reservations", "/api/v1/bookings"


@pytest.fixture
def hold(travel, driver, car):
    """`hold()`: Giulia reserves the car; the answer is where its photos are."""
    return lambda: f"{RESERVATIONS}/{driver.post(RESERVATIONS, {'vehicle': 'CAR1'}).json()['id']}"


@pytest.fixture
def send(driver, picture):
    """`send(address, note="scratch")`: Giulia photographs what she sees."""

    def photograph(address, **told):
        return driver.post(f"{address}/photos", {"photo": picture(), **told}, format="multipart")

    return photograph


@pytest.fixture
def set_off(driver, car, obey):
    """`set_off(reservation="…")`: Giulia unlocks, and the car obeys."""

    def start(**claim):
        driver.post("/api/v1/trips", claim)
        obey(car)
        return Trip.objects.with_story().latest("id")

    return start


@pytest.fixture
def booked(travel, driver, car):
    """A booking of two hours from now on that has begun to wait for Giulia a minute ago."""
    start = clock.now() + datetime.timedelta(hours=2)
    wish = {
        "vehicle": "CAR1",
        "start": start.isoformat(),
        "end": (start + datetime.timedelta(hours=2)).isoformat(),
    }
    made = driver.post(BOOKINGS, wish)
    assert made.status_code == 201, made.content
    return made.json()


def test_a_scratch_is_kept_with_the_ride_that_follows(hold, send, set_off, driver, marco):
    address = hold()
    told = send(address, note="scratch on the left door")

    assert told.status_code == 201, told.content
    assert told.json()["note"] == "scratch on the left door"
    trip = set_off(reservation=address.rsplit("/", 1)[1])
    [photo] = StartPhoto.objects.before(trip)
    assert str(photo.file.public_id) == told.json()["file"]
    assert support.pictures(trip=trip).found == [photo]
    [listed] = driver.get(f"{address}/photos").json()["results"]
    assert (listed["vehicle"], listed["file"]) == ("CAR1", told.json()["file"])


def test_only_giulia_and_who_runs_the_car_see_the_picture(
    hold, send, giulia, piero, marco, sara, api
):
    file = send(hold()).json()["file"]
    seen = {
        name: api(person).get(f"/api/v1/files/{file}").status_code
        for name, person in [("giulia", giulia), ("marco", marco), ("piero", piero), ("sara", sara)]
    }
    assert seen == {"giulia": 200, "marco": 200, "piero": 404, "sara": 404}


def test_nobody_sends_photos_for_somebody_elses_reservation(hold, piero, api, picture):
    address = hold()
    answer = api(piero).post(f"{address}/photos", {"photo": picture()}, format="multipart")
    assert (answer.status_code, StartPhoto.objects.count()) == (404, 0)


def test_what_is_no_picture_is_refused(hold, driver):
    no_picture = {"photo": io.BytesIO(b"GIF89a and so on")}
    answer = driver.post(f"{hold()}/photos", no_picture, format="multipart")
    assert answer.status_code == 415
    assert not StoredFile.objects.exists()


def test_what_is_inside_can_be_shown_until_ten_minutes_after_unlocking(hold, send, set_off, travel):
    address = hold()
    set_off(reservation=address.rsplit("/", 1)[1])
    travel.shift(datetime.timedelta(minutes=10))
    assert send(address).status_code == 201
    travel.shift(datetime.timedelta(seconds=1))
    late = send(address)
    assert (late.status_code, late.json()["code"]) == (409, "start_photo_not_wanted")


def test_a_reservation_that_has_ended_takes_none(hold, send, driver):
    address = hold()
    driver.post(f"{address}/cancel")
    assert send(address).json()["code"] == "start_photo_not_wanted"


def test_eight_are_enough(hold, send, monkeypatch):
    monkeypatch.setattr("bookings.trips.services.before.MOST_START_PHOTOS", 2)
    address = hold()
    assert [send(address).status_code for _ in range(3)] == [201, 201, 409]


def test_a_booked_car_is_photographed_once_it_waits_and_not_before(
    booked, send, set_off, travel, driver
):
    address = f"{BOOKINGS}/{booked['id']}"
    assert send(address).json()["code"] == "start_photo_not_wanted"

    travel.move_to(datetime.datetime.fromisoformat(booked["opens_at"]))
    LatestState.objects.update(at=clock.now(), received_at=clock.now())
    tend_bookings(at=clock.now())
    assert send(address, note="dent").status_code == 201
    trip = set_off(booking=booked["id"])

    assert [one.note for one in StartPhoto.objects.before(trip)] == ["dent"]
    # The inside, by the reservation that the unlocking made.
    assert send(f"{RESERVATIONS}/{trip.reservation.public_id}", note="stain").status_code == 201
    assert StartPhoto.objects.before(trip).count() == 2


def test_photos_of_a_car_that_was_exchanged_stay_with_that_car(
    booked, send, travel, set_off, make_vehicle, marco
):
    travel.move_to(datetime.datetime.fromisoformat(booked["opens_at"]))
    LatestState.objects.update(at=clock.now(), received_at=clock.now())
    tend_bookings(at=clock.now())
    send(f"{BOOKINGS}/{booked['id']}")
    photo = StartPhoto.objects.get()
    other = make_vehicle("car", code="CAR2", battery_pct=80)
    trip = set_off(booking=booked["id"])

    assert StartPhoto.objects.before(trip).count() == 1
    StartPhoto.objects.filter(pk=photo.pk).update(vehicle=other)
    assert StartPhoto.objects.before(trip).count() == 0


def test_photos_go_after_the_days_of_the_operator(hold, send, policy, travel):
    policy(kind="car", photo_keep_days=30)
    send(hold())
    travel.shift(datetime.timedelta(days=30, seconds=1))
    forget_outlived(at=clock.now())
    assert StartPhoto.objects.select_related("file").get().file.removed_at == clock.now()


def test_giulia_gets_her_photos_with_her_data_and_leaves_no_word_behind(hold, send, giulia, piero):
    send(hold(), note="it was like that")
    [told] = privacy.export(user=giulia)["photos_before_rides"]
    assert (told["vehicle__code"], told["note"]) == ("CAR1", "it was like that")

    privacy.erase(user=giulia, nobody=piero, at=clock.now(), by=giulia.principal)
    photo = StartPhoto.objects.get()
    assert (photo.user, photo.note) == (piero, "")
