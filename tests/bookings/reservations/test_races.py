"""One scooter, many riders: the database decides, whatever the application believed."""

import datetime
from collections import Counter

import pytest

from bookings.reservations.models import Reservation
from bookings.reservations.services import consume_reservation, expire_reservations
from bookings.trips.models import Trip
from fleet.vehicles.models import VehicleHold
from fleet.vehicles.services import holds
from mobility.accounts.models import User
from mobility.core import ids
from tests.bookings.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crowd(api):
    """Twenty residents with their phones."""
    return [api(User.objects.create_user(f"rider{number}@demo.example")) for number in range(20)]


def test_of_a_hundred_taps_of_twenty_riders_one_gets_the_scooter(crowd, scooter, monkeypatch):
    """The checks before the constraints only spare work; the constraints decide."""

    def tap(phone):
        return [phone.post("/api/v1/reservations", {"vehicle": "SC1"}) for _tap in range(5)]

    def tap_all():
        taps = at_once([lambda p=phone: tap(p) for phone in crowd])
        answers = [answer for phone in taps for answer in phone]
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 99}
        assert Reservation.objects.count() == VehicleHold.objects.active().count() == 1
        return {answer.json()["code"] for answer in answers if answer.status_code == 409}

    assert tap_all() == {"vehicle_taken", "already_active"}
    Reservation.objects.all().delete()
    VehicleHold.objects.all().delete()
    scooter.rental_state = "free"
    scooter.save(update_fields=["rental_state"])
    monkeypatch.setattr(holds, "refuse_hopeless", lambda *_vehicle, **_purpose: None)
    tap_all()


def test_one_rider_with_many_phones_gets_one_of_many_scooters(api, giulia, make_vehicle, tariff):
    for number in range(12):
        make_vehicle("scooter", code=f"SC{number}")
    phones = [api(giulia) for _phone in range(12)]
    answers = at_once(
        [
            lambda p=phone, n=number: p.post("/api/v1/reservations", {"vehicle": f"SC{n}"})
            for number, phone in enumerate(phones)
        ]
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 11}
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"already_active"}
    assert VehicleHold.objects.active().count() == 1


def test_a_double_tap_with_one_key_is_one_reservation_and_one_answer(api, giulia, scooter):
    key = {"HTTP_IDEMPOTENCY_KEY": str(ids.uuid7())}
    phones = [api(giulia) for _tap in range(4)]
    answers = at_once(
        [lambda p=p: p.post("/api/v1/reservations", {"vehicle": "SC1"}, **key) for p in phones]
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Reservation.objects.count() == 1


def test_a_double_tap_on_unlock_is_one_trip(api, giulia, card, scooter):
    card(giulia)
    key = {"HTTP_IDEMPOTENCY_KEY": str(ids.uuid7())}
    phones = [api(giulia) for _tap in range(3)]
    answers = at_once(
        [lambda p=p: p.post("/api/v1/trips", {"vehicle": "SC1"}, **key) for p in phones]
    )
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    assert Trip.objects.count() == 1
    other = api(giulia).post("/api/v1/trips", {"vehicle": "SC1"})
    assert other.status_code == 409
    assert other.json()["trip"] == answers[0].json()["id"]


def test_a_start_at_the_edge_wins_over_the_expiry(rider, giulia, scooter):
    reserved = rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()
    reservation = Reservation.objects.get()
    edge = reservation.expires_at + datetime.timedelta(milliseconds=50)

    def start():
        return consume_reservation(
            public_id=reservation.public_id,
            user_id=giulia.pk,
            at=edge,
            by=giulia.principal,
        ).state

    answers = at_once([start, lambda: expire_reservations(at=edge), start])
    assert Counter(str(answer) for answer in answers)["consumed"] == 1
    assert answers[1] == 0
    assert Reservation.objects.get(public_id=reserved["id"]).state == "consumed"
    assert VehicleHold.objects.active().count() == 1
