"""Giulia is asked to end her ride where a scooter is missed."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from bookings.rewards import services
from bookings.rewards.models import RewardClaim, RewardDay
from bookings.trips.models import Trip
from bookings.trips.services.rewards import release_unridden
from bookings.trips.tasks import watch
from bookings.trips.wire.offers import offer_text
from fleet.incentives.models import IncentiveOffer
from fleet.rebalancing.cells import cell_at
from fleet.vehicles.models import VehicleEvent
from mobility.core import clock
from mobility.core.ids import uuid7
from mobility.core.principals import SYSTEM
from tests.bookings.rewards.conftest import AWAY, HOME

pytestmark = pytest.mark.django_db


def lines(rider, address, collect, travel):
    collect()
    travel.shift(datetime.timedelta(minutes=1))
    receipt = rider.get(f"{address}/receipt").json()
    assert receipt["total_cents"] == sum(line["cents"] for line in receipt["lines"])
    assert receipt["total_cents"] == sum(
        part["net_cents"] + part["vat_cents"] for part in receipt["vat"]
    )
    return [(line["kind"], line["cents"]) for line in receipt["lines"]]


def test_a_ride_that_ends_where_it_was_asked_to_is_cheaper(
    offer, ride, drive, finish, rider, accept, collect, travel
):
    wanted = offer()
    address = ride()
    shown = rider.get(f"{address}/offers").json()["results"]
    assert [row["id"] for row in shown] == [str(wanted.public_id)]
    assert "€0.80" in shown[0]["text"] or "0,80" in shown[0]["text"]
    kept = accept(wanted, address)
    assert kept.status_code == 201, kept.content
    assert rider.get(f"{address}/offers").json()["results"] == []
    day = RewardDay.objects.get()
    assert (day.promised_cents, day.spent_cents) == (80, 0)
    drive(minutes=9.5, lon=AWAY[0], lat=AWAY[1])
    assert rider.get(address).json()["cost_so_far_cents"] == 350
    done = finish(address)
    assert done["price_cents"] == 270
    assert lines(rider, address, collect, travel) == [
        ("unlock", 100),
        ("ride", 250),
        ("reward", -80),
    ]
    day.refresh_from_db()
    wanted.refresh_from_db()
    assert (day.promised_cents, day.spent_cents) == (0, 80)
    assert (wanted.promised, wanted.kept) == (0, 1)
    reward = rider.get(f"{address}/reward").json()
    assert (reward["state"], reward["granted_cents"]) == ("granted", 80)


def test_a_ride_that_ends_elsewhere_costs_what_it_costs_and_the_money_is_free_again(
    offer, ride, drive, finish, rider, accept
):
    wanted = offer()
    address = ride()
    accept(wanted, address)
    drive(minutes=9.5, lon=9.2150, lat=45.4600)
    assert finish(address)["price_cents"] == 350
    claim, day = RewardClaim.objects.get(), RewardDay.objects.get()
    assert (claim.state, claim.release_reason) == ("released", "elsewhere")
    assert (day.promised_cents, day.spent_cents) == (0, 0)
    assert IncentiveOffer.objects.get().state == "open"


def test_a_place_that_nobody_needs_any_more_is_still_paid_to_whom_it_was_promised(
    offer, ride, drive, finish, accept
):
    wanted = offer()
    address = ride()
    accept(wanted, address)
    IncentiveOffer.objects.update(state="withdrawn", close_reason="not_needed")
    drive(minutes=9.5, lon=AWAY[0], lat=AWAY[1])
    assert finish(address)["price_cents"] == 270


def test_a_reward_is_never_more_than_the_ride(offer, ride, drive, finish, accept, rider):
    wanted = offer(reward_cents=300)
    address = ride()
    accept(wanted, address)
    drive(minutes=3.5, lon=AWAY[0], lat=AWAY[1])
    assert finish(address)["price_cents"] == 0
    claim, day = RewardClaim.objects.get(), RewardDay.objects.get()
    assert (claim.granted_cents, day.spent_cents, day.promised_cents) == (200, 200, 0)
    assert Trip.objects.get().state == "settled"


def test_a_ride_that_begins_and_ends_in_the_same_place_earns_nothing(offer, ride, accept, rider):
    wanted = offer(HOME)
    address = ride()
    assert rider.get(f"{address}/offers").json()["results"] == []
    refused = accept(wanted, address)
    assert (refused.status_code, refused.json()["code"]) == (409, "offer_unfit")
    assert refused.json()["reason"] == "same_place"


def test_bringing_back_what_stood_there_this_morning_earns_nothing(
    offer, ride, accept, scooter, ruote
):
    wanted = offer()
    VehicleEvent.objects.create(
        vehicle=scooter,
        at=clock.now() - datetime.timedelta(hours=2),
        mds_state="available",
        mds_events=["trip_end"],
        life_state="in_service",
        rental_state="free",
        link_state="online",
        lon=AWAY[0],
        lat=AWAY[1],
        by=SYSTEM,
    )
    refused = accept(wanted, ride())
    assert refused.json()["reason"] == "brought_back"


def test_nor_does_bringing_another_one_where_one_took_one_away(
    offer, ride, drive, finish, accept, travel, scooter, make_vehicle, rider, obey, report
):
    wanted = offer(HOME)
    first = ride()
    drive(minutes=5, lon=AWAY[0], lat=AWAY[1])
    finish(first)
    other = make_vehicle("scooter", *AWAY, code="SC2")
    second = ride("SC2", vehicle=other)
    assert accept(wanted, second).json()["reason"] == "brought_back"


def test_a_scooter_that_is_in_the_way_is_taken_for_less(
    offer, rider, travel, scooter, obey, drive, finish
):
    wanted = offer(HOME, direction="start", vehicle=scooter)
    shown = rider.get("/api/v1/offers", {"lat": 45.451, "lon": 9.205, "vehicle": "SC1"}).json()
    assert [row["vehicle"] for row in shown["results"]] == [str(scooter.public_id)]
    held = rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()["id"]
    kept = rider.post(f"/api/v1/offers/{wanted.public_id}/accept", {"reservation": held})
    assert kept.status_code == 201, kept.content
    trip = rider.post("/api/v1/trips", {"reservation": held}).json()["id"]
    obey(scooter)
    drive(minutes=9.5, lon=AWAY[0], lat=AWAY[1])
    assert finish(f"/api/v1/trips/{trip}")["price_cents"] == 270


def test_around_the_block_is_not_away(offer, rider, travel, scooter, obey, drive, finish):
    wanted = offer(HOME, direction="start", vehicle=scooter)
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    obey(scooter)
    kept = rider.post(f"/api/v1/offers/{wanted.public_id}/accept", {"trip": trip})
    assert kept.status_code == 201, kept.content
    drive(minutes=9.5)
    assert finish(f"/api/v1/trips/{trip}")["price_cents"] == 350


def test_one_ride_carries_one_reward_and_a_dropped_one_makes_room(offer, ride, accept, rider):
    first, second = offer(), offer((9.2400, 45.4600))
    address = ride()
    kept = accept(first, address).json()
    again = accept(second, address)
    assert (again.status_code, again.json()["code"]) == (409, "reward_promised")
    dropped = rider.post(f"/api/v1/rewards/{kept['id']}/drop").json()
    assert (dropped["state"], dropped["reason"]) == ("released", "dropped")
    assert accept(second, address).status_code == 201
    assert RewardDay.objects.get().promised_cents == 80


def test_a_person_has_so_many_a_day(offer, budget, ride, drive, finish, accept, travel, scooter):
    budget.per_person_day = 1
    budget.save()
    first, second = offer(), offer((9.2600, 45.4700))
    address = ride()
    accept(first, address)
    drive(minutes=5, lon=AWAY[0], lat=AWAY[1])
    finish(address)
    refused = accept(second, ride())
    assert (refused.status_code, refused.json()["code"]) == (409, "reward_limit")
    assert RewardDay.objects.get().promised_cents == 0


def test_a_spent_budget_shows_and_promises_nothing(offer, budget, ride, accept, rider):
    budget.day_cents = 79
    budget.save()
    wanted = offer()
    address = ride()
    assert rider.get(f"{address}/offers").json()["results"] == []
    refused = accept(wanted, address)
    assert (refused.status_code, refused.json()["code"]) == (409, "rewards_spent")
    wanted.refresh_from_db()
    assert wanted.promised == 0


def test_a_weak_battery_is_asked_to_a_charging_hub_and_a_full_one_is_not(
    offer, ride, rider, report, scooter, milan
):
    from_hub = offer(need="charge", below_pct=30)
    address = ride()
    report(scooter, battery_pct=80)
    assert rider.get(f"{address}/offers").json()["results"] == []
    report(scooter, battery_pct=20)
    shown = rider.get(f"{address}/offers").json()["results"]
    assert [row["id"] for row in shown] == [str(from_hub.public_id)]


def test_a_promise_that_nobody_keeps_goes_back_into_the_budget(
    offer, ride, accept, drive, finish, travel, report, scooter
):
    wanted = offer()
    address = ride()
    accept(wanted, address)
    drive(minutes=61, lon=9.2150, lat=45.4600)
    assert services.sweep_rewards(at=clock.now()) == 1
    claim = RewardClaim.objects.get()
    assert (claim.state, claim.release_reason) == ("released", "expired")
    assert RewardDay.objects.get().promised_cents == 0
    drive(minutes=1, lon=AWAY[0], lat=AWAY[1])
    assert finish(address)["price_cents"] == 100 + 62 * 25


def test_a_reservation_that_is_given_back_gives_back_its_reward(
    offer, rider, travel, scooter, obey, drive
):
    wanted = offer(HOME, direction="start", vehicle=scooter)
    held = rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()["id"]
    rider.post(f"/api/v1/offers/{wanted.public_id}/accept", {"reservation": held})
    told = rider.get(f"/api/v1/reservations/{held}").json()
    assert told["quote"]["perks"] == [], "what is not earned yet is not in the estimate"
    drive(minutes=3)
    assert release_unridden(at=clock.now()) == 0
    rider.post(f"/api/v1/reservations/{held}/cancel")
    drive(minutes=3)
    assert watch()["rewards_released"] == 1
    wanted.refresh_from_db()
    claim = RewardClaim.objects.get()
    assert (claim.state, wanted.promised, RewardDay.objects.get().promised_cents) == (
        "released", 0, 0,
    )  # fmt: skip


def test_the_day_after_says_what_it_brought(
    offer, ride, drive, finish, accept, travel, scooter, rider
):
    wanted = offer()
    address = ride()
    accept(wanted, address)
    drive(minutes=5, lon=AWAY[0], lat=AWAY[1])
    finish(address)
    assert services.score_rewards(at=clock.now()) == []
    travel.shift(datetime.timedelta(days=2))
    (day,) = services.score_rewards(at=clock.now())
    assert day.score == {
        "offers": 1,
        "places": 1,
        "accepted": 1,
        "granted": 1,
        "spent_cents": 80,
        "trips_expected": 0.7,
        "rides_after": 0,
        "value_cents": 200,
        "van_cents": 400,
        "saved_cents": 320,
    }
    assert services.score_rewards(at=clock.now()) == []


def test_a_day_of_many_rewards_is_scored_in_as_many_queries(
    offer, ride, drive, finish, accept, travel
):
    address = ride()
    accept(offer(), address)
    drive(minutes=5, lon=AWAY[0], lat=AWAY[1])
    finish(address)
    travel.shift(datetime.timedelta(days=2))

    def scored():
        RewardDay.objects.update(score=None)
        with CaptureQueriesContext(connection) as asked:
            (day,) = services.score_rewards(at=clock.now())
        return len(asked), day.score["granted"], day.score["rides_after"]

    one, *outcome = scored()
    assert outcome == [1, 0]
    claim = RewardClaim.objects.get()
    for number in range(2, 6):
        claim.pk, claim.number, claim.public_id, claim.ride = None, number, uuid7(), uuid7()
        claim.save(force_insert=True)
    VehicleEvent.objects.create(
        vehicle_id=claim.vehicle_id,
        at=claim.earned_at + datetime.timedelta(hours=3),
        mds_state="on_trip",
        mds_events=["trip_start"],
        life_state="in_service",
        rental_state="on_trip",
        link_state="online",
        lon=AWAY[0],
        lat=AWAY[1],
        by=SYSTEM,
    )
    assert scored() == (one, 5, 5)


def test_a_trip_without_an_offer_asks_nothing_more(
    ride, drive, finish, budget, offer, django_assert_num_queries, monkeypatch
):
    """The hooks of an end stay out of everybody else's way."""
    asked = []
    monkeypatch.setattr("bookings.trips.services.end.earn_rewards", lambda **_ride: asked.append(1))
    offer()
    address = ride()
    drive(minutes=5, lon=AWAY[0], lat=AWAY[1])
    assert finish(address)["price_cents"] == 100 + 5 * 25
    assert asked == []


def test_the_sentence_is_in_the_readers_language(offer):
    with translation.override("en"):
        assert offer_text(offer()) == "End your ride in this area: €0.80 off."


def test_an_offer_knows_its_cell(offer):
    assert offer().cell == cell_at(lon=AWAY[0], lat=AWAY[1])
