"""Rewards for rides as Giulia meets them: before she takes a scooter, on her way, and afterwards."""

import datetime
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from bookings.rewards.models import RewardClaim, RewardDay
from bookings.trips.services import rewards as service
from fleet.incentives.models import IncentiveOffer
from fleet.vehicles.models import Vehicle
from mobility.resident.texts import TEXTS
from tests.bookings.rewards.conftest import AWAY, HOME, accept, budget, offer

__all__ = ["accept", "budget", "offer"]

pytestmark = pytest.mark.django_db

REWARDS = "/wallet/rewards/"
AROUND = {"lon": HOME[0], "lat": HOME[1]}
Made = Callable[..., IncentiveOffer]
Accept = Callable[..., Any]


def words(browser: Client, address: str = REWARDS) -> str:
    return browser.get(address).content.decode()


def to_take(offer: Made, vehicle: Vehicle, **terms: Any) -> IncentiveOffer:
    return offer(HOME, direction="start", vehicle=vehicle, **terms)


def test_the_list_hears_of_every_vehicle_to_take_at_once(
    offer: Made,
    make_vehicle: Callable[..., Vehicle],
    scooter: Vehicle,
    api: Callable[..., APIClient],
    django_assert_max_num_queries: Any,
) -> None:
    to_take(offer, scooter)
    offer(AWAY)
    asked = {**AROUND, "direction": "start", "radius_m": 5000}
    with django_assert_max_num_queries(3):
        [only] = api().get("/api/v1/offers", asked).json()["results"]
    assert (only["vehicle"], only["reward_cents"]) == (str(scooter.public_id), 80)

    for number in range(6):
        to_take(offer, make_vehicle("scooter", code=f"T{number}"))

    with django_assert_max_num_queries(3):
        shown = api().get("/api/v1/offers", asked).json()["results"]
    assert len(shown) == 7


def test_a_reward_goes_with_the_reservation_and_then_with_the_ride(
    travel: object, offer: Made, scooter: Vehicle, rider: APIClient, obey: Callable[..., str]
) -> None:
    wanted = to_take(offer, scooter)
    held = rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()

    kept = rider.post(f"/api/v1/offers/{wanted.public_id}/accept", {"reservation": held["id"]})

    assert kept.status_code == 201, kept.content
    [mine] = rider.get("/api/v1/rewards").json()["results"]
    assert (mine["reservation"], mine["state"]) == (held["id"], "promised")
    trip = rider.post("/api/v1/trips", {"reservation": held["id"]}).json()
    obey(scooter)
    carried = rider.get(f"/api/v1/trips/{trip['id']}/offers").json()
    assert (carried["results"], carried["reward"]["id"]) == ([], mine["id"])


def test_who_unlocks_at_once_has_the_reward_while_the_lock_still_opens(
    travel: object, offer: Made, scooter: Vehicle, rider: APIClient
) -> None:
    wanted = to_take(offer, scooter)
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()
    assert trip["state"] == "starting"

    kept = rider.post(f"/api/v1/offers/{wanted.public_id}/accept", {"trip": trip["id"]})

    assert kept.status_code == 201, kept.content


def test_the_ride_knows_its_promise_until_the_time_is_over(
    offer: Made,
    ride: Callable[..., str],
    rider: APIClient,
    accept: Accept,
    travel: Any,
    django_assert_max_num_queries: Any,
) -> None:
    wanted = offer()
    address = ride()
    free = rider.get(f"{address}/offers").json()
    assert ([one["id"] for one in free["results"]], free["reward"]) == (
        [str(wanted.public_id)],
        None,
    )

    accept(wanted, address)

    with django_assert_max_num_queries(8):
        kept = rider.get(f"{address}/offers").json()
    assert (kept["results"], kept["reward"]["state"]) == ([], "promised")
    # Nobody has swept it up yet, and still it is not shown as if it stood.
    travel.shift(datetime.timedelta(minutes=61))
    over = rider.get(f"{address}/offers").json()
    assert (over["results"], over["reward"]) == ([], None)


def test_a_reward_that_was_let_go_makes_room_for_another(
    offer: Made, ride: Callable[..., str], rider: APIClient, accept: Accept
) -> None:
    wanted = offer()
    address = ride()
    reward = accept(wanted, address).json()

    rider.post(f"/api/v1/rewards/{reward['id']}/drop")

    again = rider.get(f"{address}/offers").json()
    assert [one["id"] for one in again["results"]] == [str(wanted.public_id)]
    assert again["reward"] is None


def test_the_page_of_rewards_lists_what_is_promised_given_and_lost(
    offer: Made,
    ride: Callable[..., str],
    drive: Callable[..., None],
    finish: Callable[..., Any],
    accept: Accept,
    browser: Client,
) -> None:
    assert "None yet." in words(browser)
    address = ride()
    accept(offer(), address)

    page = words(browser)
    assert "€0.80" in page
    assert "Promised" in page
    assert "Do without the reward" in page
    assert f"/trip/{address.rsplit('/', 1)[-1]}/" in page

    drive(minutes=9.5, lon=AWAY[0], lat=AWAY[1])
    finish(address)
    page = words(browser)
    assert "Granted" in page
    assert "Do without the reward" not in page
    assert f"/rides/{address.rsplit('/', 1)[-1]}/" in page


def test_a_reward_that_nobody_swept_up_yet_reads_as_lost(
    offer: Made, ride: Callable[..., str], accept: Accept, browser: Client, travel: Any
) -> None:
    accept(offer(), ride())
    travel.shift(datetime.timedelta(minutes=61))

    page = words(browser)

    assert "it was not used in time" in page
    assert "Do without the reward" not in page


def test_the_page_lets_a_reward_go_and_says_so(
    offer: Made, ride: Callable[..., str], accept: Accept, browser: Client
) -> None:
    reward = accept(offer(), ride()).json()

    answer = browser.post(f"{REWARDS}{reward['id']}/", follow=True)

    assert answer.redirect_chain == [(REWARDS, 303)]
    assert "free for others again" in answer.content.decode()
    assert RewardClaim.objects.get().release_reason == "dropped"
    assert RewardDay.objects.get().promised_cents == 0


def test_what_is_decided_cannot_be_let_go(
    offer: Made,
    ride: Callable[..., str],
    drive: Callable[..., None],
    finish: Callable[..., Any],
    accept: Accept,
    browser: Client,
) -> None:
    address = ride()
    reward = accept(offer(), address).json()
    drive(minutes=9.5, lon=AWAY[0], lat=AWAY[1])
    finish(address)

    answer = browser.post(f"{REWARDS}{reward['id']}/", follow=True)

    assert "This reward is decided already." in answer.content.decode()
    assert RewardClaim.objects.get().state == "granted"


def test_somebody_elses_reward_is_neither_seen_nor_let_go(
    offer: Made, ride: Callable[..., str], accept: Accept, stranger: Client
) -> None:
    reward = accept(offer(), ride()).json()

    answer = stranger.post(f"{REWARDS}{reward['id']}/", follow=True)

    assert "We could not find this reward." in answer.content.decode()
    assert "€0.80" not in words(stranger)
    assert RewardClaim.objects.get().state == "promised"


def test_many_rewards_cost_no_more_queries_than_one(
    offer: Made,
    ride: Callable[..., str],
    accept: Accept,
    browser: Client,
    django_assert_max_num_queries: Any,
) -> None:
    accept(offer(), ride())
    one = RewardClaim.objects.get()
    for number in range(2, 30):
        RewardClaim.objects.create(
            **{
                name: getattr(one, name)
                for name in (
                    "user", "organisation", "day", "offer", "vehicle", "ride", "reward_cents",
                    "promised_at", "expires_at",
                )
            },
            number=number,
            state="released",
            release_reason="dropped",
        )  # fmt: skip

    # Session, person, rewards, their rides, and what every page asks.
    with django_assert_max_num_queries(6):
        page = words(browser)
    assert page.count("given back by the rider") == 25
    older = re.search(r"\?before=\d+", page)
    assert older
    assert words(browser, REWARDS + older[0]).count('class="standing"') == 4


def test_the_pages_bring_the_places_that_their_scripts_fill(
    browser: Client, ride: Callable[..., str]
) -> None:
    trip = words(browser, f"/trip/{ride().rsplit('/', 1)[-1]}/")
    assert 'data-f="promise_ends"' in trip
    assert '<template id="ride-offer">' in trip
    assert {'data-do="accept"', 'data-do="drop"', 'data-do="showOffer"'} <= set(
        re.findall(r'data-do="\w+"', trip)
    )
    city = words(browser, "/")
    assert city.count('data-f="reward"') == 2
    assert 'data-f="promise"' in city


def test_the_receipt_has_a_name_for_the_line(browser: Client, ride: Callable[..., str]) -> None:
    receipt = words(browser, f"/receipt/{ride().rsplit('/', 1)[-1]}/")

    assert '"line_reward": "Reward for helping the fleet"' in receipt


def test_every_reason_for_which_a_ride_is_unfit_has_words() -> None:
    told = set(
        re.findall(r'"(\w+)"(?= if| else)|return "(\w+)"', Path(service.__file__).read_text())
    )
    reasons = {next(filter(None, one)) for one in told} | {"not_riding", "other_vehicle"}

    assert {"same_place", "brought_back"} <= reasons
    assert {f"unfit_{reason}" for reason in reasons} == {
        key for key in TEXTS if key.startswith("unfit_")
    }
