"""One car, many bookings; one booking, two fates; one person, many phones: the database decides.

Each race is lost first with its guard taken away, and then cannot be lost any more.
"""

import contextlib
import datetime
import itertools
import threading
import time
from collections import Counter

import pytest
from django.db import OperationalError, connection, transaction

from bookings.payments.models import Payment
from bookings.reservations.models import Booking, Reservation
from bookings.reservations.services import (
    book,
    change,
    claim_for_ride,
    expire_reservations,
    tend_bookings,
)
from bookings.reservations.services.claim import consume_reservation
from fleet.telematics.models import LatestState
from fleet.vehicles.models import VehicleHold
from fleet.vehicles.services import lock_vehicle
from mobility.accounts import rights
from mobility.accounts.models import User
from mobility.core import clock
from tests.bookings.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@contextlib.contextmanager
def without(model, name):
    """The table without this constraint, which is back afterwards; its rows are gone by then."""
    constraint = next(one for one in model._meta.constraints if one.name == name)
    with connection.schema_editor() as editor:
        editor.remove_constraint(model, constraint)
    try:
        yield
    finally:
        for table in (Reservation, Booking, VehicleHold):
            table.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(model, constraint)


@pytest.fixture
def drivers(api, licensed):
    """Eight residents with their phones and licences."""
    phones = []
    for number in range(8):
        person = User.objects.create_user(f"driver{number}@demo.example")
        licensed(person)
        phones.append(api(person))
    return phones


def span(start, minutes):
    """A wish for the car, so many hours from now."""
    begin = clock.now().replace(microsecond=0) + datetime.timedelta(hours=start)
    end = begin + datetime.timedelta(minutes=minutes)
    return {"vehicle": "CAR1", "start": begin.isoformat(), "end": end.isoformat()}


def book_overlapping(drivers):
    """Everybody wants two hours that overlap with everybody else's, some only in the pause."""
    wishes = [span(24 + number * 0.25, 120) for number in range(len(drivers))]
    return at_once(
        [
            lambda p=phone, w=wish: p.post("/api/v1/bookings", w)
            for phone, wish in zip(drivers, wishes, strict=True)
        ]
    )


def test_of_many_overlapping_bookings_one_wins_as_the_constraint_decides(drivers, car):
    with without(VehicleHold, "fleet_one_hold_per_vehicle"):
        answers = book_overlapping(drivers)
        assert Counter(answer.status_code for answer in answers) == {201: len(drivers)}
    answers = book_overlapping(drivers)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: len(drivers) - 1}
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"no_car_free"}
    assert Booking.objects.count() == VehicleHold.objects.active().count() == 1


def test_a_reservation_now_and_a_booking_soon_never_overlap(drivers, car):
    """Whoever is first decides: the reservation ends before the booking, or there is no booking."""
    reserve, book = drivers[:2]
    soon = span(0.05, 60)
    at_once(
        [
            lambda: reserve.post("/api/v1/reservations", {"vehicle": "CAR1"}),
            lambda: book.post("/api/v1/bookings", soon),
        ]
    )
    spans = sorted((hold.during.lower, hold.until) for hold in VehicleHold.objects.active())
    assert 1 <= len(spans) <= 2
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(spans))


def test_one_person_with_many_phones_books_one_car(
    api, giulia, licensed, car, make_vehicle, monkeypatch
):
    licensed(giulia)
    # Without their turn and without the constraint each phone finds no other booking.
    with monkeypatch.context() as off, without(Booking, "one_booking_at_a_time"):
        off.setattr(book, "lock_person", lambda _user: None)
        answers = book_with_many_phones(api, giulia, make_vehicle)
        assert Counter(answer.status_code for answer in answers)[201] > 1
    answers = book_with_many_phones(api, giulia, make_vehicle)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 3}
    assert Booking.objects.count() == VehicleHold.objects.active().count() == 1


def book_with_many_phones(api, person, make_vehicle):
    codes = [make_vehicle("car").code for _car in range(4)]
    wish = span(24, 60)
    phones = [api(person) for _phone in codes]
    return at_once(
        [
            lambda p=phone, c=code: p.post("/api/v1/bookings", {**wish, "vehicle": c})
            for phone, code in zip(phones, codes, strict=True)
        ]
    )


def reserve_with_many_phones(api, person, make_vehicle, how_many):
    codes = [make_vehicle("scooter").code for _one in range(how_many)]
    phones = [api(person) for _phone in codes]
    return at_once(
        [
            lambda p=phone, c=code: p.post("/api/v1/reservations", {"vehicle": c})
            for phone, code in zip(phones, codes, strict=True)
        ]
    )


def test_a_group_of_three_has_three_however_many_phones_try(
    api, giulia, make_vehicle, tariff, policy
):
    policy.group_limit = 3
    policy.save()
    with without(Reservation, "one_active_reservation"):
        answers = reserve_with_many_phones(api, giulia, make_vehicle, 8)
        assert Counter(answer.status_code for answer in answers)[201] > 3
    answers = reserve_with_many_phones(api, giulia, make_vehicle, 8)
    assert Counter(answer.status_code for answer in answers) == {201: 3, 409: 5}
    assert set(Reservation.objects.values_list("slot", flat=True)) == {0, 1, 2}
    assert VehicleHold.objects.active().count() == 3


@pytest.fixture
def waiting(driver, car):
    """Giulia's car waits for her; the grace time ends within a second of now."""
    wish = span(0.02, 60)
    assert driver.post("/api/v1/bookings", wish).status_code == 201
    booking = Booking.objects.get()
    LatestState.objects.update(at=booking.starts_at)
    tend_bookings(at=booking.starts_at)
    booking.refresh_from_db()
    assert booking.state == "window_open"
    return booking


def test_a_start_and_a_no_show_in_the_same_moment_are_one_of_both_and_never_a_fee_for_a_ride(
    waiting, giulia
):
    # What the lock and the conditional move are for: two who read and then write both "win".
    starting, giving_up = (Booking.objects.get() for _reader in range(2))
    assert starting.state == giving_up.state == "window_open"
    for row, state in ((starting, "in_use"), (giving_up, "no_show")):
        Booking.objects.filter(pk=row.pk).update(state=state)
    assert Booking.objects.get().state == "no_show"
    Booking.objects.update(state="window_open")

    in_time = waiting.starts_at + datetime.timedelta(minutes=30, seconds=1)
    sweep = waiting.starts_at + datetime.timedelta(minutes=30, seconds=3)

    def start():
        claimed = claim_for_ride(
            user=giulia, booking_id=waiting.public_id, at=in_time, by=giulia.principal
        )
        return claimed.state

    started, _swept = at_once([start, lambda: tend_bookings(at=sweep)])
    waiting.refresh_from_db()
    if waiting.state == "in_use":
        assert started == "consumed"
        assert VehicleHold.objects.active().exists()
        assert not Payment.objects.exists()
    else:
        assert (waiting.state, getattr(started, "code", "")) == ("no_show", "booking_over")
        assert not VehicleHold.objects.active().exists()
        assert Payment.objects.count() == 1


def test_a_hold_a_start_and_the_expiry_of_the_one_before_end_in_one_owner(
    rider, giulia, piero, card, api, scooter
):
    rider.post("/api/v1/reservations", {"vehicle": "SC1"})
    reservation = Reservation.objects.get()
    # Without the condition in the move, who writes last takes the vehicle from under a ride.
    starting, expiring = (Reservation.objects.get() for _reader in range(2))
    for row, state in ((starting, "consumed"), (expiring, "expired")):
        Reservation.objects.filter(pk=row.pk).update(state=state)
    assert Reservation.objects.get().state == "expired"
    Reservation.objects.update(state="held")

    other = api(piero)
    late = reservation.expires_at + datetime.timedelta(seconds=3)
    edge = reservation.expires_at + datetime.timedelta(seconds=1)

    def start():
        claim = {"public_id": reservation.public_id, "user_id": giulia.pk}
        return consume_reservation(**claim, at=edge, by=giulia.principal).state

    at_once(
        [
            start,
            lambda: expire_reservations(at=late),
            lambda: other.post("/api/v1/reservations", {"vehicle": "SC1"}),
        ]
    )
    owners = Reservation.objects.filter(state__in=("held", "consumed"))
    assert owners.count() == VehicleHold.objects.active().count() <= 1


def test_the_end_of_a_ride_and_a_longer_booking_do_not_wait_for_each_other(
    drivers, car, monkeypatch
):
    """The end has the car first and comes to the booking second; whoever changes it does alike."""
    with monkeypatch.context() as off:
        off.setattr(change, "lock_vehicle", lambda _vehicle: None)
        ended, changed = end_while_it_gets_longer(drivers[0])
        # PostgreSQL chose one of the two and let it fail.
        assert isinstance(ended, OperationalError) or changed.status_code == 500
    Booking.objects.all().delete()
    VehicleHold.objects.all().delete()
    ended, changed = end_while_it_gets_longer(drivers[0])
    assert ended == "ended", ended
    assert changed.status_code == 200, changed.json()


def end_while_it_gets_longer(phone):
    """A booking in use: the locks of an ending in their order, and a change in the midst of it."""
    body = phone.post("/api/v1/bookings", span(1, 60)).json()
    booking = Booking.objects.get(public_id=body["id"])
    Booking.objects.update(state="in_use")
    longer = clock.now() + datetime.timedelta(hours=3)

    def end():
        with transaction.atomic():
            lock_vehicle(booking.vehicle_id)
            time.sleep(0.5)
            Booking.objects.select_for_update().get(pk=booking.pk)
        return "ended"

    def change_it():
        time.sleep(0.2)
        return phone.patch(f"/api/v1/bookings/{body['id']}", {"end": longer.isoformat()})

    return at_once([end, change_it])


def test_an_account_is_not_erased_between_the_gate_and_the_booking(drivers, car, monkeypatch):
    """Asked for in the midst of a booking, the erasure waits for it and is refused."""
    person = User.objects.get(email="driver0@demo.example")
    price, answers = book.fare_for, []
    eraser = threading.Thread(target=lambda: answers.extend(at_once([lambda: erase(person)])))

    def slowly(**asked):
        eraser.start()
        eraser.join(timeout=0.5)
        return price(**asked)

    monkeypatch.setattr(book, "fare_for", slowly)
    assert drivers[0].post("/api/v1/bookings", span(24, 60)).status_code == 201
    eraser.join()
    (refused,) = answers
    assert isinstance(refused, rights.ErasureRefused), refused
    assert [one["code"] for one in refused.extra["reasons"]] == ["booking_open"]


def erase(person):
    """Giving up the account, at this moment."""
    return rights.erase_person(user=person, at=clock.now(), by=person.principal)
