"""Trips that got stuck heal by themselves; staff can end them; strangers see none of them."""

import datetime

import pytest

from bookings.payments.models import Payment, Receipt
from bookings.payments.providers.local.gateway import LocalProvider
from bookings.payments.queries import ledger_faults
from bookings.trips import rules, tasks
from bookings.trips.models import Trip
from bookings.trips.services import apply_command_result, cover, pause_trip, settle, sweep
from bookings.trips.services.orders import parse_purpose
from fleet.vehicles.models import LatestState, VehicleHold
from fleet.vehicles.states import RentalState
from mobility.core import clock, ids, outbox
from mobility.core.transitions import LostRace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(travel, scooter):
    """The vehicle has just reported when the test begins."""


@pytest.fixture
def starting(rider):
    """Giulia has tapped "unlock"."""
    return rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]


@pytest.fixture
def riding(starting, scooter, obey):
    """Giulia is on her way."""
    obey(scooter)
    return starting


def here_again(seconds, travel):
    """Some time later; the vehicle still stands where it stood, and says so."""
    travel.shift(datetime.timedelta(seconds=seconds))
    LatestState.objects.update(at=clock.now(), received_at=clock.now())


def test_a_start_without_any_word_fails_within_a_minute(starting, rider, scooter, travel):
    travel.shift(datetime.timedelta(seconds=59))
    assert tasks.sweep()["starts_failed"] == 0
    travel.shift(datetime.timedelta(seconds=1))
    assert tasks.sweep()["starts_failed"] == 1
    assert rider.get(f"/api/v1/trips/{starting}").json()["failure"] == "no_answer"
    assert Payment.objects.get().state == "voided"
    scooter.refresh_from_db()
    assert scooter.rental_state == RentalState.FREE
    assert tasks.sweep()["starts_failed"] == 0


def test_an_unlock_confirmed_after_the_trip_failed_changes_nothing(starting, rider, travel):
    travel.shift(datetime.timedelta(seconds=60))
    tasks.sweep()
    apply_command_result(
        purpose_ref=f"trip:{starting}:start:1", result="confirmed", late=True, at=clock.now()
    )
    assert rider.get(f"/api/v1/trips/{starting}").json()["state"] == "start_failed"


def test_an_end_without_any_word_is_over_where_the_meter_stood(riding, rider, scooter, travel):
    here_again(100, travel)
    rider.post(f"/api/v1/trips/{riding}/end")
    travel.shift(datetime.timedelta(seconds=90))
    assert tasks.sweep()["ends_finished"] == 1
    trip = Trip.objects.get()
    assert (trip.state, trip.flags) == ("priced", ["lock_unconfirmed"])
    assert (trip.ended_at - trip.started_at).total_seconds() == 100
    assert scooter.blocks.active().get().reason == "maintenance"


@pytest.fixture
def unpriced(riding, rider, scooter, obey, travel, monkeypatch):
    """Giulia's trip is over, and its price could not be found."""

    def fail(**_terms):
        raise ZeroDivisionError

    here_again(100, travel)
    with monkeypatch.context() as failing:
        failing.setattr(settle, "use_perks", fail)
        rider.post(f"/api/v1/trips/{riding}/end")
        obey(scooter)
    return riding


def test_a_price_that_cannot_be_found_keeps_nobody_on_their_trip(unpriced, rider, scooter):
    trip = Trip.objects.get()
    assert (trip.state, trip.price_cents) == ("ended", None)
    assert not Receipt.objects.exists()
    scooter.refresh_from_db()
    assert scooter.rental_state == RentalState.FREE
    assert rider.post("/api/v1/reservations", {"vehicle": "SC1"}).status_code == 201


def test_a_price_that_could_not_be_found_is_looked_for_again(unpriced, rider, relay, travel):
    travel.shift(datetime.timedelta(seconds=61))
    outbox.release_overdue(at=clock.now())
    relay()
    assert Trip.objects.get().state == "priced"
    assert rider.get(f"/api/v1/trips/{unpriced}/receipt").json()["total_cents"] == 150


def test_an_ended_trip_whose_price_was_lost_is_priced_later(unpriced, rider, travel):
    riding = unpriced
    travel.shift(datetime.timedelta(seconds=60))
    assert tasks.sweep()["priced"] == 1
    assert rider.get(f"/api/v1/trips/{riding}/receipt").json()["total_cents"] == 150
    assert tasks.sweep()["priced"] == 0


def test_a_worker_that_dies_between_the_end_and_the_charge_leaves_one_price_and_one_number(
    riding, rider, scooter, obey, travel, monkeypatch, relay, collect
):
    """It leaves nothing of the end either, and whoever hears next of the locked vehicle does it all."""

    def die(**_terms):
        raise SystemExit

    here_again(100, travel)
    with monkeypatch.context() as dying:
        dying.setattr(settle, "charge_payment", die)
        rider.post(f"/api/v1/trips/{riding}/end")
        with pytest.raises(SystemExit):
            obey(scooter)
    assert Trip.objects.get().state == "ending"
    assert not Receipt.objects.exists()
    travel.shift(datetime.timedelta(seconds=31))
    outbox.release_overdue(at=clock.now())
    relay()
    relay()
    collect()
    assert Trip.objects.get().state == "settled"
    (receipt,) = Receipt.objects.all()
    assert (receipt.number, receipt.total_cents) == ("ruote/R/2026/000001", 150)
    assert not ledger_faults()


def test_a_long_trip_keeps_its_vehicle(riding, travel):
    until = VehicleHold.objects.get().until
    assert until - clock.now() <= rules.HORIZON
    travel.shift(datetime.timedelta(minutes=59))
    assert tasks.sweep()["holds_extended"] == 0
    travel.shift(datetime.timedelta(minutes=2))
    assert tasks.sweep()["holds_extended"] == 1
    assert VehicleHold.objects.get().until == clock.now() + rules.HORIZON
    assert tasks.sweep()["holds_extended"] == 0


def test_what_a_long_ride_may_cost_is_promised_hour_by_hour(riding, travel):
    assert Payment.objects.get().authorised_cents == 500
    travel.shift(datetime.timedelta(minutes=61))
    assert tasks.cover() == 1
    assert Payment.objects.get().authorised_cents == 2500, "the day's cap, not two hours of minutes"
    assert tasks.cover() == 0


def test_a_bank_that_said_no_is_not_asked_every_few_seconds(
    rider, giulia, card, scooter, obey, travel
):
    card(giulia, "demo-increase-fails")
    rider.post("/api/v1/trips", {"vehicle": "SC1"})
    obey(scooter)
    travel.shift(datetime.timedelta(minutes=61))
    for _round in range(3):
        assert tasks.cover() <= 1
    payment = Payment.objects.get()
    assert (payment.authorised_cents, payment.renewals) == (500, 1)


@pytest.mark.parametrize("trouble", [LostRace, ZeroDivisionError])
def test_a_promise_that_cannot_be_raised_does_not_stop_the_round(
    trouble, riding, travel, monkeypatch
):
    def resist(**_terms):
        raise trouble

    travel.shift(datetime.timedelta(minutes=61))
    with monkeypatch.context() as context:
        context.setattr(cover, "raise_promise", resist)
        assert tasks.cover() == 0
    assert tasks.cover() == 1


def test_a_slow_bank_keeps_no_ride_waiting_for_its_end(riding, rider, travel, monkeypatch):
    def silent(**_terms):
        pytest.fail("the round that heals rides asked a bank")

    monkeypatch.setattr(cover, "raise_promise", silent)
    monkeypatch.setattr(LocalProvider, "increase", silent)
    travel.shift(datetime.timedelta(minutes=61))
    assert tasks.sweep()["holds_extended"] == 1


def test_those_that_wait_longest_are_healed_first(
    starting, api, piero, card, make_vehicle, travel, monkeypatch
):
    make_vehicle("scooter", code="SC2")
    card(piero)
    travel.shift(datetime.timedelta(seconds=5))
    api(piero).post("/api/v1/trips", {"vehicle": "SC2"})
    # Whatever order the table gives them in.
    Trip.objects.filter(public_id=starting).update(failure="")
    monkeypatch.setattr(sweep, "LIMIT", 1)
    travel.shift(datetime.timedelta(seconds=60))
    assert tasks.sweep()["starts_failed"] == 1
    assert Trip.objects.get(public_id=starting).state == "start_failed"


@pytest.mark.parametrize("trouble", [LostRace, ZeroDivisionError])
def test_one_trip_that_resists_does_not_keep_the_others_waiting(
    trouble, starting, api, piero, card, make_vehicle, travel, monkeypatch
):
    make_vehicle("scooter", code="SC2")
    card(piero)
    other = api(piero).post("/api/v1/trips", {"vehicle": "SC2"}).json()["id"]
    heal = sweep.fail_start

    def resist(*, trip, **details):
        if str(trip.public_id) == starting:
            raise trouble
        heal(trip=trip, **details)

    monkeypatch.setattr(sweep, "fail_start", resist)
    travel.shift(datetime.timedelta(seconds=60))
    assert tasks.sweep()["starts_failed"] == 1
    assert Trip.objects.get(public_id=other).state == "start_failed"


def test_marco_ends_a_trip_anywhere_and_rivals_cannot(
    riding, rider, api, marco, rivale, sara, giulia, obey, scooter, travel
):
    address = f"/api/v1/trips/{riding}/force-end"
    LatestState.objects.update(lon_e7=94_000_000)
    for person, status in ((rivale, 404), (sara, 403), (giulia, 403)):
        assert api(person).post(address, {"reason": "x"}).status_code == status
    assert api(marco).post(address, {}).status_code == 400
    travel.shift(datetime.timedelta(seconds=30))
    ended = api(marco).post(address, {"reason": "rider called"})
    assert (ended.json()["state"], ended.json()["flags"]) == ("ending", ["ended_by_staff"])
    assert api(marco).post(address, {"reason": "again"}).status_code == 200
    obey(scooter)
    assert rider.get(f"/api/v1/trips/{riding}").json()["price_cents"] == 125


def test_marco_does_not_end_his_own_ride_where_it_may_not_stand(
    api, marco, card, scooter, obey, travel
):
    card(marco)
    phone = api(marco)
    trip = phone.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    obey(scooter)
    LatestState.objects.update(lon_e7=94_000_000)
    assert phone.post(f"/api/v1/trips/{trip}/end").status_code == 409
    assert phone.post(f"/api/v1/trips/{trip}/force-end", {"reason": "late"}).status_code == 403
    assert Trip.objects.get().state == "running"


def test_trips_are_their_riders_business(riding, api, giulia, piero, marco, rivale, elena, luca):
    address = f"/api/v1/trips/{riding}"
    for stranger in (piero, rivale, elena, luca):
        phone = api(stranger)
        assert phone.get(address).status_code == 404
        for deed in ("pause", "resume", "end"):
            assert phone.post(f"{address}/{deed}").status_code == 404
        assert phone.get(f"{address}/receipt").status_code == 404
        assert phone.get("/api/v1/trips").json()["results"] == []
    assert api(marco).get(address).status_code == 200
    assert api(marco).post(f"{address}/pause").status_code == 404
    assert api(None).get(address).status_code == 401
    assert Trip.objects.get().state == "running"


def test_lists_are_filtered_by_state(riding, rider):
    def states(wanted):
        rows = rider.get("/api/v1/trips", {"state": wanted}).json()["results"]
        return [row["state"] for row in rows]

    assert states("active") == states("running") == ["running"]
    assert states("settled") == []
    unknown = rider.get("/api/v1/trips", {"state": "flying"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "invalid_fields")


def test_two_taps_that_cross_leave_one_pause(riding, giulia):
    first = Trip.objects.with_story().get()
    second = Trip.objects.with_story().get()
    pause_trip(trip=first, at=clock.now(), by=giulia.principal)
    with pytest.raises(LostRace):
        pause_trip(trip=second, at=clock.now(), by=giulia.principal)
    assert len(Trip.objects.get().stretches) == 2


def test_what_cannot_be_done_in_a_state_is_said(starting, rider, scooter, obey):
    paused = rider.post(f"/api/v1/trips/{starting}/pause")
    assert (paused.status_code, paused.json()["code"]) == (409, "trip_not_pausable")
    assert "unlocking" in paused.json()["detail"]
    assert rider.get(f"/api/v1/trips/{starting}/receipt").json()["code"] == "receipt_not_ready"
    obey(scooter, "rejected")
    ended = rider.post(f"/api/v1/trips/{starting}/end")
    assert (ended.status_code, ended.json()["code"]) == (409, "trip_not_started")


@pytest.mark.parametrize("body", [{}, {"vehicle": "SC1", "reservation": str(ids.uuid7())}])
def test_a_start_names_one_thing(body, rider):
    refused = rider.post("/api/v1/trips", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_fields")


def test_a_second_ride_is_refused_with_the_way_to_the_first(riding, rider, make_vehicle):
    make_vehicle("scooter", code="SC2")
    refused = rider.post("/api/v1/trips", {"vehicle": "SC2"})
    assert (refused.status_code, refused.json()["code"]) == (409, "trip_underway")
    assert refused.json()["trip"] == riding


@pytest.mark.parametrize("ref", ["", "crew:1", "trip:x", "session:1:2:3"])
def test_commands_of_others_are_not_ours(ref):
    assert parse_purpose(ref) is None
    apply_command_result(purpose_ref=ref, result="confirmed", late=False, at=clock.now())
