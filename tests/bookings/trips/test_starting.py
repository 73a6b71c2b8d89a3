"""From the tap on "unlock" to the vehicle's word: money first, outside of any transaction."""

import datetime
from urllib.parse import urlsplit

import pytest

from bookings.payments.models import Payment
from bookings.trips import tasks
from bookings.trips.models import Trip
from bookings.trips.services import StartGivenUp, start
from fleet.vehicles.models import VehicleCommand, VehicleHold
from fleet.vehicles.services import mark_commands_sent, record_acknowledgement
from fleet.vehicles.states import RentalState
from mobility.core import clock
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(travel, scooter):
    """The vehicle has just reported when the test begins."""


def is_free(vehicle):
    vehicle.refresh_from_db()
    free = vehicle.rental_state == RentalState.FREE
    return free and not VehicleHold.objects.active().filter(vehicle=vehicle).exists()


def test_a_refused_card_fails_the_start_and_leaves_the_vehicle_alone(api, giulia, card, scooter):
    card(giulia, "demo-declined")
    refused = api(giulia).post("/api/v1/trips", {"vehicle": "SC1"})
    assert (refused.status_code, refused.json()["code"]) == (402, "payment_declined")
    trip = Trip.objects.get()
    assert refused.json()["trip"] == str(trip.public_id)
    assert (trip.state, trip.failure) == ("start_failed", "payment_declined")
    assert is_free(scooter)
    assert not VehicleCommand.objects.exists(), "it was never told to unlock, nor to lock again"
    told = OutboxEvent.objects.get(name="bookings.trip_start_failed.v1").payload
    assert told["failure"] == "payment_declined"


def test_whom_the_bank_asks_goes_on_after_confirming(
    api, giulia, card, scooter, client, obey, travel
):
    card(giulia, "demo-asks")
    phone = api(giulia)
    asked = phone.post("/api/v1/trips", {"vehicle": "SC1"})
    assert (asked.status_code, asked.json()["code"]) == (402, "payment_action_required")
    trip = f"/api/v1/trips/{asked.json()['trip']}"
    travel.shift(datetime.timedelta(minutes=3))
    assert tasks.sweep()["starts_failed"] == 0, "people at their bank get more time than vehicles"
    assert phone.post(f"{trip}/confirm-payment").json()["code"] == "payment_action_required"
    page = urlsplit(asked.json()["action"]["url"]).path
    assert client.post(page, {"answer": "approve"}).status_code in {200, 302}
    started = phone.post(f"{trip}/confirm-payment")
    assert (started.status_code, started.json()["state"]) == (200, "starting"), started.content
    assert phone.post(f"{trip}/confirm-payment").status_code == 200
    assert VehicleCommand.objects.filter(kind="unlock").count() == 1
    obey(scooter)
    assert phone.get(trip).json()["state"] == "running"
    again = phone.post(f"{trip}/confirm-payment")
    assert again.json()["code"] == "no_payment_to_confirm"


def test_who_never_confirms_loses_the_vehicle_after_five_minutes(
    api, giulia, card, scooter, travel
):
    card(giulia, "demo-asks")
    api(giulia).post("/api/v1/trips", {"vehicle": "SC1"})
    travel.shift(datetime.timedelta(minutes=5))
    assert tasks.sweep()["starts_failed"] == 1
    assert is_free(scooter)
    assert Payment.objects.get().state == "voided"


def test_a_crash_after_the_claim_is_healed_within_a_minute(rider, scooter, travel, monkeypatch):
    def crash(**_terms):
        raise SystemExit

    monkeypatch.setattr(start, "authorise_opened", crash)
    with pytest.raises(SystemExit):
        rider.post("/api/v1/trips", {"vehicle": "SC1"})
    assert Trip.objects.get().state == "starting"
    travel.shift(datetime.timedelta(seconds=60))
    tasks.sweep()
    assert (Trip.objects.get().state, Payment.objects.get().state) == ("start_failed", "voided")
    assert is_free(scooter)
    monkeypatch.undo()
    assert rider.post("/api/v1/trips", {"vehicle": "SC1"}).status_code == 201


def test_the_same_key_after_a_crash_says_what_became_of_the_first_start(
    rider, scooter, monkeypatch
):
    key = {"HTTP_IDEMPOTENCY_KEY": "tap-1"}
    first = rider.post("/api/v1/trips", {"vehicle": "SC1"}, **key)
    again = rider.post("/api/v1/trips", {"vehicle": "SC1"}, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    other = rider.post("/api/v1/trips", {"vehicle": "SC1"}, HTTP_IDEMPOTENCY_KEY="tap-2")
    assert (other.status_code, other.json()["code"]) == (409, "trip_underway")
    assert other.json()["trip"] == first.json()["id"]
    assert Trip.objects.count() == 1


def test_a_start_called_off_while_the_bank_thinks_unlocks_nothing(
    rider, giulia, scooter, monkeypatch
):
    """Guard off: the unlock goes out to a vehicle that anybody may have by now. On: it does not."""
    ask = start.authorise_opened

    def think(**terms):
        trip = Trip.objects.with_story().get()
        start.fail_start(trip=trip, failure="called_off", at=clock.now(), by=giulia.principal)
        return ask(**terms)

    monkeypatch.setattr(start, "authorise_opened", think)
    refused = rider.post("/api/v1/trips", {"vehicle": "SC1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "start_given_up")
    assert not VehicleCommand.objects.exists()
    assert is_free(scooter)
    assert Payment.objects.get().state == "voided"

    trip = Trip.objects.with_story().get()
    with pytest.raises(StartGivenUp):
        start._unlock(trip, at=clock.now())
    start.order(trip, "start", number=1, ttl_s=20, at=clock.now(), by=SYSTEM)
    scooter.refresh_from_db()
    unlock = VehicleCommand.objects.open().get()
    assert (unlock.kind, scooter.rental_state) == ("unlock", "free"), "the race, without the guard"


def test_after_a_failed_start_the_nearest_vehicle_of_the_kind_is_offered(
    rider, scooter, make_vehicle, travel, silence
):
    make_vehicle("bicycle", code="BK1", lon=9.2051)
    make_vehicle("scooter", code="FAR", lon=9.2130)
    make_vehicle("scooter", code="NEAR", lon=9.2070)
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    travel.shift(datetime.timedelta(seconds=21))
    silence()
    told = rider.get(f"/api/v1/trips/{trip}").json()
    assert (told["state"], told["price_cents"]) == ("start_failed", None)
    assert told["alternative"]["code"] == "NEAR"
    assert 100 < told["alternative"]["distance_m"] < 200
    lock = VehicleCommand.objects.latest("sequence")
    assert (lock.kind, lock.sequence) == ("lock", 2)


@pytest.fixture
def unlocked_late(rider, scooter, travel, silence):
    """The vehicle says "unlocked" three seconds after everybody had given up."""
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    unlock = VehicleCommand.objects.open().get()
    mark_commands_sent(public_ids=[str(unlock.public_id)], at=clock.now(), by=SYSTEM)
    travel.shift(datetime.timedelta(seconds=21))
    silence()
    assert Trip.objects.get().state == "start_failed"
    travel.shift(datetime.timedelta(seconds=3))
    record_acknowledgement(
        command_public_id=unlock.public_id,
        device_vehicle_id=scooter.pk,
        result="confirmed",
        at=clock.now(),
        by=SYSTEM,
    )
    silence()
    return trip


def test_who_rides_off_on_a_late_unlock_rides_from_that_moment_and_is_told(
    unlocked_late, rider, scooter, travel, drive, obey, collect
):
    since = clock.now()
    drive(minutes=1)
    assert tasks.sweep()["opened_late"] == 0, "it stands where it stood"
    drive(minutes=1, lon=9.2065, speed_kmh=15)
    assert tasks.sweep()["opened_late"] == 1
    late = Trip.objects.latest("id")
    told = rider.get(f"/api/v1/trips/{late.public_id}").json()
    assert (told["state"], told["flags"]) == ("running", ["unlocked_late"])
    assert late.started_at == since
    event = OutboxEvent.objects.filter(name="bookings.trip_started.v1").latest("id").payload
    assert event["late"] is True
    assert rider.get(f"/api/v1/trips/{unlocked_late}").json()["state"] == "start_failed"
    drive(minutes=1)
    rider.post(f"/api/v1/trips/{late.public_id}/end")
    obey(scooter)
    collect()
    settled = rider.get(f"/api/v1/trips/{late.public_id}").json()
    assert (settled["state"], settled["price_cents"]) == ("settled", 100 + 3 * 25)
    assert Payment.objects.get(state="captured").amount_cents == 175


def test_who_did_not_ride_pays_for_nobody_elses_ride(
    unlocked_late, api, piero, card, scooter, drive, obey, collect
):
    obey(scooter)
    card(piero)
    phone = api(piero)
    trip = phone.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    obey(scooter)
    drive(minutes=2, lon=9.2065, speed_kmh=15)
    assert tasks.sweep()["opened_late"] == 0
    drive(minutes=1, lon=9.2070)
    phone.post(f"/api/v1/trips/{trip}/end")
    obey(scooter)
    drive(minutes=1, lon=9.2070)
    assert tasks.sweep()["opened_late"] == 0, "it stands where Piero has left it"
    assert Trip.objects.count() == 2


def test_a_late_unlock_that_nobody_uses_is_forgotten(unlocked_late, scooter, travel):
    assert VehicleCommand.objects.latest("sequence").kind == "lock"
    travel.shift(datetime.timedelta(minutes=11))
    assert tasks.sweep()["opened_late"] == 0
    assert Trip.objects.get().unlocked_late_at is None


def test_an_answer_given_in_time_and_heard_after_the_start_was_given_up_is_a_late_one(
    rider, scooter, travel, drive, obey, relay
):
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    unlock = VehicleCommand.objects.open().get()
    travel.shift(datetime.timedelta(seconds=10))
    record_acknowledgement(
        command_public_id=unlock.public_id, device_vehicle_id=scooter.pk, result="confirmed",
        at=clock.now(), by=SYSTEM,
    )  # fmt: skip
    # The relay was away for a minute: the sweep comes before the fact.
    travel.shift(datetime.timedelta(seconds=60))
    assert tasks.sweep()["starts_failed"] == 1
    relay()
    assert rider.get(f"/api/v1/trips/{trip}").json()["state"] == "start_failed"
    lock = VehicleCommand.objects.latest("sequence")
    assert (lock.kind, lock.sequence > unlock.sequence) == ("lock", True)
    drive(minutes=1, lon=9.2065, speed_kmh=15)
    assert tasks.sweep()["opened_late"] == 1
    late = Trip.objects.latest("id")
    assert (late.state, late.flags) == ("running", ["unlocked_late"])


def test_an_answer_after_the_time_and_before_anybody_gave_up_starts_the_ride(
    rider, scooter, travel, relay
):
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    unlock = VehicleCommand.objects.open().get()
    mark_commands_sent(public_ids=[str(unlock.public_id)], at=clock.now(), by=SYSTEM)
    travel.shift(datetime.timedelta(seconds=25))
    heard = clock.now()
    record_acknowledgement(
        command_public_id=unlock.public_id, device_vehicle_id=scooter.pk, result="confirmed",
        at=heard, by=SYSTEM,
    )  # fmt: skip
    relay()
    body = rider.get(f"/api/v1/trips/{trip}").json()
    assert (body["state"], Trip.objects.get().started_at) == ("running", heard)


def test_a_vehicle_that_cannot_be_unlocked_keeps_no_promise_and_no_ride(rider, scooter, collect):
    """The promise is booked together with the order to unlock, or not at all."""
    scooter.type.commands = []
    scooter.type.save()
    refused = rider.post("/api/v1/trips", {"vehicle": "SC1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "command_unsupported")
    assert (Trip.objects.get().state, Payment.objects.get().state) == ("start_failed", "voided")
    assert is_free(scooter)
    collect()
    released = Payment.objects.get()
    assert (released.state, released.next_attempt_at) == ("voided", None)
    assert released.provider_ref
