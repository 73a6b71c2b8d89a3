"""When an operator's vehicles cannot be heard, nobody pays for not being able to end."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.payments.models import GoodwillRule
from bookings.trips import tasks
from bookings.trips.models import Incident, Trip
from bookings.trips.rules import Silence, is_outage, outage_since
from fleet.vehicles.models import LatestState, Vehicle
from mobility.core import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def declare(api, marco):
    """`declare(since=…)`: Marco says that nothing is heard."""

    def say(**terms):
        answer = api(marco).post(
            "/api/v1/trip-incidents", {"organisation": "ruote", "reason": "network down", **terms}
        )
        assert answer.status_code == 201, answer.content
        return answer.json()

    return say


def test_in_an_outage_every_attempt_ends_the_trip_and_the_unlock_is_given_back(
    ride, rider, scooter, drive, declare, silence, travel, picture
):
    trip = ride()
    drive(minutes=4, lon=9.40, speed_kmh=12)
    declare()
    ended = rider.post(f"{trip}/end").json()
    assert (ended["state"], ended["end_reason"], ended["waived"]) == ("ending", "outage", "unlock")
    assert ended["flags"] == ["outage", "photo_asked"]
    for _attempt in range(2):
        travel.shift(datetime.timedelta(seconds=21))
        silence()
    over = rider.get(trip).json()
    assert (over["state"], over["price_cents"]) == ("priced", 4 * 25)
    assert scooter.blocks.active().count() == 0, "the outage explains the silence of the lock"
    sent = rider.post(f"{trip}/photo", {"photo": picture()}, format="multipart")
    assert sent.status_code == 201


def test_who_tried_before_it_was_declared_gets_their_first_attempt(
    ride, rider, scooter, drive, declare, travel
):
    trip = ride()
    drive(minutes=3, lon=9.40)
    first = clock.now()
    assert rider.post(f"{trip}/end").status_code == 409
    travel.shift(datetime.timedelta(minutes=25))
    assert rider.get(trip).json()["cost_so_far_cents"] == 100 + 28 * 25
    declare(since=(first - datetime.timedelta(minutes=1)).isoformat())
    ended = rider.get(trip).json()
    assert (ended["state"], ended["end_reason"]) == ("ending", "outage")
    assert ended["cost_so_far_cents"] == 3 * 25


def test_who_has_paid_for_longer_gets_the_difference_back_by_itself(
    ride, rider, scooter, drive, declare, finish, collect
):
    trip = ride()
    drive(minutes=3, lon=9.40)
    first = clock.now()
    assert rider.post(f"{trip}/end").status_code == 409
    drive(minutes=20)
    assert finish(trip)["price_cents"] == 100 + 23 * 25
    collect()
    declare(since=(first - datetime.timedelta(minutes=1)).isoformat())
    collect()
    corrected = rider.get(trip).json()
    assert (corrected["price_cents"], corrected["version"]) == (3 * 25, 2)
    assert Trip.objects.get().payment.refunded_cents == 100 + 20 * 25
    assert Trip.objects.get().incident == Incident.objects.get()


def test_an_outage_is_noticed_by_the_share_of_silent_vehicles_and_ends_by_itself(
    travel, make_vehicle, scooter, ruote
):
    fleet = [make_vehicle("scooter") for _more in range(9)]
    silent = [vehicle.pk for vehicle in fleet[:4]]
    Vehicle.objects.filter(pk__in=silent).update(link_state="lost")
    assert tasks.watch()["opened"] == 0
    Vehicle.objects.filter(pk=fleet[5].pk).update(link_state="late")
    assert tasks.watch()["opened"] == 1
    incident = Incident.objects.get()
    assert (incident.organisation, incident.automatic) == (ruote, True)
    assert tasks.watch() == {
        "opened": 0,
        "closed": 0,
        "reminded": 0,
        "rewards_released": 0,
    }
    Vehicle.objects.filter(pk__in=silent[:2]).update(link_state="online")
    assert tasks.watch()["closed"] == 0, "not at its edge"
    Vehicle.objects.filter(pk__in=silent[2:3]).update(link_state="online")
    Vehicle.objects.filter(pk=fleet[5].pk).update(link_state="online")
    assert tasks.watch()["closed"] == 1
    incident.refresh_from_db()
    assert incident.until == clock.now()


def test_what_staff_declared_staff_end(travel, declare, api, marco, scooter):
    incident = declare()
    assert tasks.watch()["closed"] == 0
    closed = api(marco).post(f"/api/v1/trip-incidents/{incident['id']}/close").json()
    assert closed["until"] is not None
    assert api(marco).get("/api/v1/trip-incidents").json()["results"] == [closed]


def test_there_is_one_outage_at_a_time_and_only_one_s_own(
    travel, declare, api, marco, rivale, sara
):
    declare()
    body = {"organisation": "ruote", "reason": "again"}
    assert api(marco).post("/api/v1/trip-incidents", body).json()["code"] == "incident_open_already"
    assert api(rivale).post("/api/v1/trip-incidents", body).status_code == 404
    assert api(sara).post("/api/v1/trip-incidents", body).status_code == 403
    assert api(rivale).get("/api/v1/trip-incidents").json()["results"] == []


def test_after_the_outage_ends_are_judged_again(ride, rider, scooter, drive, declare, api, marco):
    trip = ride()
    incident = declare()
    api(marco).post(f"/api/v1/trip-incidents/{incident['id']}/close")
    drive(minutes=1, lon=9.40)
    assert rider.post(f"{trip}/end").status_code == 409


def test_what_the_operator_gives_for_the_trouble_goes_back_by_itself(
    ride, rider, scooter, drive, declare, obey, collect, ruote
):
    GoodwillRule.objects.create(
        organisation=ruote, situation="outage", percent=50, max_cents=1000, active=True
    )
    trip = ride()
    drive(minutes=4)
    declare()
    rider.post(f"{trip}/end")
    obey(scooter)
    for _round in range(3):
        collect()
    assert rider.get(trip).json()["price_cents"] == 100
    payment = Trip.objects.get().payment
    assert payment.captured_cents - payment.refunded_cents == 50


@pytest.fixture
def falling_silent(make_vehicle, ruote):
    """`falling_silent(clock.now())`: five of Ruote's ten scooters were heard last at that moment."""
    others = [make_vehicle("scooter") for _more in range(9)]

    def fall(at):
        mute = [vehicle.pk for vehicle in others[:5]]
        LatestState.objects.filter(pk__in=mute).update(at=at, received_at=at)
        Vehicle.objects.filter(pk__in=mute).update(link_state="late")

    return fall


def test_an_outage_noticed_late_begins_with_the_last_word_of_those_who_fell_silent(
    ride, rider, scooter, drive, travel, falling_silent
):
    trip = ride()
    drive(minutes=2, lon=9.40)
    fell_silent = clock.now()
    travel.shift(datetime.timedelta(minutes=1))
    assert rider.post(f"{trip}/end").status_code == 409
    travel.shift(datetime.timedelta(minutes=4))
    falling_silent(fell_silent)
    assert tasks.watch()["opened"] == 1
    assert Incident.objects.get().since == fell_silent
    ended = rider.get(trip).json()
    assert (ended["state"], ended["end_reason"]) == ("ending", "outage")
    assert ended["cost_so_far_cents"] == 3 * 25


def test_who_was_refused_rightly_before_it_gets_the_first_attempt_within_it(
    ride, rider, scooter, drive, travel, falling_silent
):
    trip = ride()
    drive(minutes=2, lon=9.40)
    assert rider.post(f"{trip}/end").status_code == 409
    drive(minutes=10, lon=9.40)
    fell_silent = clock.now()
    travel.shift(datetime.timedelta(minutes=1))
    assert rider.post(f"{trip}/end").status_code == 409
    travel.shift(datetime.timedelta(seconds=30))
    assert rider.post(f"{trip}/end").status_code == 409
    falling_silent(fell_silent)
    tasks.watch()
    ended = rider.get(trip).json()
    assert (ended["end_reason"], ended["cost_so_far_cents"]) == ("outage", 13 * 25)


def test_who_was_just_ending_when_it_was_noticed_is_found_a_minute_later(
    ride, rider, scooter, drive, declare, obey, collect, travel
):
    trip = ride()
    drive(minutes=3, lon=9.40)
    first = clock.now()
    assert rider.post(f"{trip}/end").status_code == 409
    drive(minutes=10)
    assert rider.post(f"{trip}/end").status_code == 200
    declare(since=(first - datetime.timedelta(minutes=1)).isoformat())
    assert rider.get(trip).json()["state"] == "ending"
    obey(scooter)
    collect()
    assert rider.get(trip).json()["price_cents"] == 100 + 13 * 25
    tasks.watch()
    collect()
    assert rider.get(trip).json()["price_cents"] == 3 * 25
    tasks.watch()
    assert rider.get(trip).json()["version"] == 2, "once"


def test_who_declares_an_outage_gets_nothing_by_it(
    travel, api, marco, card, scooter, obey, drive, declare
):
    card(marco)
    phone = api(marco)
    trip = phone.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    obey(scooter)
    drive(minutes=5, lon=9.40)
    first = clock.now()
    assert phone.post(f"/api/v1/trips/{trip}/end").status_code == 409
    drive(minutes=30, lon=9.40)
    incident = declare(since=first.isoformat())
    assert phone.get(f"/api/v1/trips/{trip}").json()["state"] == "running"
    assert phone.post(f"/api/v1/trips/{trip}/end").status_code == 409
    drive(minutes=1)
    ended = phone.post(f"/api/v1/trips/{trip}/end").json()
    assert (ended["end_reason"], ended["waived"]) == ("rider", "")
    obey(scooter)
    tasks.watch()
    assert phone.get(f"/api/v1/trips/{trip}").json()["price_cents"] == 100 + 36 * 25
    assert incident["until"] is None


def test_what_was_days_ago_is_for_disputes(travel, api, marco, scooter):
    body = {
        "organisation": "ruote",
        "reason": "last week",
        "since": (clock.now() - datetime.timedelta(hours=25)).isoformat(),
    }
    refused = api(marco).post("/api/v1/trip-incidents", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "incident_too_long_ago")
    assert not Incident.objects.exists()


@given(
    words=st.lists(st.integers(0, 3600), max_size=12),
    more=st.integers(0, 20),
    mute=st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_an_outage_begins_when_its_share_was_reached(words, more, mute):
    at = datetime.datetime(2026, 5, 4, 10, tzinfo=datetime.UTC)
    last_words = [at - datetime.timedelta(seconds=second) for second in words]
    fleet = Silence(silent=len(words) + mute, vehicles=len(words) + mute + more, share_pct=50)
    since = outage_since(fleet, last_words, at=at)
    assert since <= at
    if is_outage(fleet) and since < at:
        heard_no_more = mute + sum(moment <= since for moment in last_words)
        before = mute + sum(moment < since for moment in last_words)
        assert before * 2 < fleet.vehicles <= heard_no_more * 2
