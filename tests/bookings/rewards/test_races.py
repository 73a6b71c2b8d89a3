"""The last cents of a day: shown to be overspent without the guard, then held by it."""

import datetime

import pytest

from bookings.rewards.models import RewardBudget, RewardClaim, RewardDay
from bookings.rewards.services import NoRewards, RewardPromised, promise, promise_reward
from fleet.incentives.models import IncentiveOffer
from fleet.incentives.services import OfferGone
from fleet.rebalancing.cells import cell_at
from mobility.accounts.models import User
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.bookings.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 12
AWAY = (9.2300, 45.4400)


@pytest.fixture
def crowd(db):
    return User.objects.bulk_create(
        [User(email=f"rider{number}@demo.example") for number in range(CROWD)]
    )


@pytest.fixture
def offer(ruote, milan):
    RewardBudget.objects.create(organisation=ruote, day_cents=400)
    at = clock.now()
    return IncentiveOffer.objects.create(
        organisation=ruote,
        city=milan,
        vehicle_kind="scooter",
        direction="end",
        need="stock",
        cell=cell_at(lon=AWAY[0], lat=AWAY[1]),
        lon=AWAY[0],
        lat=AWAY[1],
        reward_cents=100,
        value_cents=300,
        van_cents=400,
        trips=1.0,
        places=CROWD,
        made_at=at,
        valid_until=at + datetime.timedelta(hours=1),
    )


def everybody_accepts(crowd, offer, vehicle, ride=None):
    at = clock.now()
    return at_once(
        [
            lambda person=person: promise_reward(
                user_id=person.pk,
                offer=offer,
                ride=ride or ids.uuid7(),
                vehicle_id=vehicle.pk,
                from_cell=None,
                at=at,
                by=SYSTEM,
            )
            for person in crowd
        ]
    )


def test_a_budget_for_four_pays_four_of_twelve(crowd, offer, scooter):
    answers = everybody_accepts(crowd, offer, scooter)
    assert sum(isinstance(answer, RewardClaim) for answer in answers) == 4
    assert sum(isinstance(answer, NoRewards) for answer in answers) == CROWD - 4
    day = RewardDay.objects.get()
    assert (day.promised_cents, day.spent_cents) == (400, 0)
    offer.refresh_from_db()
    assert offer.promised == 4


def test_without_the_condition_the_database_still_refuses(crowd, offer, scooter, monkeypatch):
    """The UPDATE looks first; the check of the table has the last word."""

    def carelessly(budget, *, cents, at):
        day, _new = RewardDay.objects.get_or_create(
            organisation_id=budget.organisation_id,
            on=clock.service_day(at),
            defaults={"budget_cents": budget.day_cents},
        )
        RewardDay.objects.filter(pk=day.pk).update(
            promised_cents=promise.F("promised_cents") + cents
        )
        return day

    monkeypatch.setattr(promise, "_set_aside", carelessly)
    answers = everybody_accepts(crowd, offer, scooter)
    assert sum(isinstance(answer, RewardClaim) for answer in answers) == 4
    assert RewardDay.objects.get().promised_cents == 400


def test_the_last_place_goes_to_one(crowd, offer, scooter):
    IncentiveOffer.objects.update(places=1)
    answers = everybody_accepts(crowd, offer, scooter)
    assert sum(isinstance(answer, RewardClaim) for answer in answers) == 1
    assert sum(isinstance(answer, OfferGone | NoRewards) for answer in answers) == CROWD - 1
    assert RewardDay.objects.get().promised_cents == 100


def test_a_ride_that_is_accepted_for_twice_carries_one(crowd, offer, scooter):
    answers = everybody_accepts(crowd[:4], offer, scooter, ride=ids.uuid7())
    assert sum(isinstance(answer, RewardClaim) for answer in answers) == 1
    assert sum(isinstance(answer, RewardPromised) for answer in answers) == 3
    assert RewardDay.objects.get().promised_cents == 100
