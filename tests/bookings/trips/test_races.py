"""What crosses an end, each first without its guard: the conditional move decides, not the order."""

import datetime
from collections import Counter

import pytest

from bookings.trips.models import Trip
from bookings.trips.rules import Care, Deed
from bookings.trips.services import end_trip, force_end, pause, stop
from bookings.trips.services.care import take_care
from bookings.trips.states import EndReason
from fleet.vehicles.models import LatestState, VehicleCommand
from mobility.core import clock
from mobility.core.transitions import LostRace
from tests.bookings.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def riding(rider, scooter, obey):
    """Giulia is on her way, on a vehicle that reports."""
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    obey(scooter)
    LatestState.objects.update(at=clock.now(), received_at=clock.now())
    return trip


def loaded():
    """The trip as one request has read it."""
    return Trip.objects.with_story().get()


def careless(row, *, to, at, by, field="state", reason="", **changes):
    """A move without its condition: what a plain save would do."""
    type(row).objects.filter(pk=row.pk).update(state=to, **changes)
    for name, value in {"state": to, **changes}.items():
        setattr(row, name, value)
    return row


def test_two_phones_end_at_once(riding, giulia, monkeypatch):
    first, second = loaded(), loaded()
    at, later = clock.now(), clock.now() + datetime.timedelta(minutes=1)
    with monkeypatch.context() as off:
        off.setattr(stop, "move", careless)
        end_trip(trip=first, phone=None, at=at, by=giulia.principal)
        end_trip(trip=second, phone=None, at=later, by=giulia.principal)
    assert Trip.objects.get().end_requested_at == later, "the race: the meter ran on"


def test_of_eight_phones_one_ends_and_all_are_told_so(riding, api, giulia):
    phones = [api(giulia) for _phone in range(8)]
    answers = at_once([lambda p=p: p.post(f"/api/v1/trips/{riding}/end") for p in phones])
    assert Counter(answer.status_code for answer in answers) == {200: 8}
    assert {answer.json()["state"] for answer in answers} == {"ending"}
    assert len({answer.json()["end_requested_at"] for answer in answers}) == 1
    locks = VehicleCommand.objects.filter(kind="lock")
    assert locks.count() == 1, "one end, one lock"


def test_a_pause_that_crosses_an_end(riding, giulia, monkeypatch):
    pauses, again = loaded(), loaded()
    end_trip(trip=loaded(), phone=None, at=clock.now(), by=giulia.principal)
    with pytest.raises(LostRace):
        pause.pause_trip(trip=pauses, at=clock.now(), by=giulia.principal)
    assert Trip.objects.get().state == "ending"
    monkeypatch.setattr(pause, "move", careless)
    pause.pause_trip(trip=again, at=clock.now(), by=giulia.principal)
    assert Trip.objects.get().state == "paused", "the race: an ended ride goes on, and costs"


def test_an_end_that_loses_to_a_pause_ends_all_the_same(riding, giulia):
    ends, pauses = loaded(), loaded()
    at = clock.now() + datetime.timedelta(minutes=2)
    pause.pause_trip(trip=pauses, at=at, by=giulia.principal)
    later = at + datetime.timedelta(seconds=30)
    end_trip(trip=ends, phone=None, at=later, by=giulia.principal)
    trip = Trip.objects.get()
    assert (trip.state, [row["kind"] for row in trip.stretches]) == (
        "ending",
        ["running", "paused"],
    )


def test_pauses_and_ends_at_once_leave_one_sound_end(riding, api, giulia):
    phones = [api(giulia) for _phone in range(8)]
    deeds = [
        lambda p=p, n=n: p.post(f"/api/v1/trips/{riding}/{'pause' if n % 2 else 'end'}")
        for n, p in enumerate(phones)
    ]
    answers = at_once(deeds)
    assert {answer.status_code for answer in answers[::2]} == {200}
    trip = loaded()
    assert trip.state == "ending"
    assert all(row["end"] for row in trip.stretches)
    trip.vehicle.refresh_from_db()
    assert trip.vehicle.rental_state == "ending"


def test_the_rider_staff_and_the_keeper_end_at_once(riding, api, giulia, marco):
    trips = [loaded() for _one in range(3)]
    at = clock.now()
    care = Care(deed=Deed.END, reason=EndReason.IDLE, meter_at=at)

    def keep():
        from django.db import transaction

        with transaction.atomic():
            take_care(trips[2], care, at=at)

    answers = at_once(
        [
            lambda: end_trip(trip=trips[0], phone=None, at=at, by=giulia.principal),
            lambda: force_end(trip=trips[1], reason="call", at=at, by=marco.principal),
            keep,
        ]
    )
    assert all(
        answer is None or not isinstance(answer, Exception) or isinstance(answer, LostRace)
        for answer in answers
    )
    trip = Trip.objects.get()
    assert trip.state == "ending"
    assert trip.end_reason in {"rider", "staff", "idle"}
    assert VehicleCommand.objects.filter(kind="lock").count() == 1


def test_a_confirmed_unlock_that_crosses_calling_off(rider, scooter, giulia, obey, relay):
    """The rider calls off while the vehicle unlocks: one of both holds, and nobody rides unseen."""
    rider.post("/api/v1/trips", {"vehicle": "SC1"})
    calls_off = loaded()
    obey(scooter)
    assert Trip.objects.get().state == "running"
    end_trip(trip=calls_off, phone=None, at=clock.now(), by=giulia.principal)
    assert Trip.objects.get().state == "ending", "it ends as a ride, at the price of its seconds"
