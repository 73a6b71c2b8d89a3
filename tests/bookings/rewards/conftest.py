"""What Ruote asks of riders, and what it may cost."""

import datetime

import pytest

from bookings.rewards.models import RewardBudget
from fleet.incentives.models import IncentiveOffer, IncentivePolicy
from fleet.rebalancing.cells import cell_at
from mobility.core import clock
from tests.bookings.trips.conftest import drive, finish, report, ride, the_trip

__all__ = ["drive", "finish", "report", "ride", "the_trip"]

HOME = (9.2050, 45.4510)
AWAY = (9.2300, 45.4400)


@pytest.fixture
def budget(ruote):
    """Five euros a day, two rewards a person."""
    IncentivePolicy.objects.create(organisation=ruote, enabled=True)
    return RewardBudget.objects.create(organisation=ruote, day_cents=500)


@pytest.fixture
def offer(ruote, milan, budget):
    """`offer(AWAY, reward_cents=80)`: what a look at the city found worth asking for."""

    def make(place=AWAY, **terms):
        at = clock.now()
        usual = {
            "organisation": ruote,
            "city": milan,
            "vehicle_kind": "scooter",
            "direction": "end",
            "need": "stock",
            "cell": cell_at(lon=place[0], lat=place[1]),
            "lon": place[0],
            "lat": place[1],
            "reward_cents": 80,
            "value_cents": 200,
            "van_cents": 400,
            "trips": 0.7,
            "places": 1,
            "made_at": at,
            "valid_until": at + datetime.timedelta(minutes=60),
        }
        return IncentiveOffer.objects.create(**{**usual, **terms})

    return make


@pytest.fixture
def accept(rider):
    """`accept(offer, address)`: Giulia has the reward kept for her trip; the answer."""

    def say(offer, address):
        trip = address.rsplit("/", 1)[-1]
        return rider.post(f"/api/v1/offers/{offer.public_id}/accept", {"trip": trip})

    return say
