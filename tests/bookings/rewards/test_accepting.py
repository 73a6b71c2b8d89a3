"""Giulia accepts an offer in the very moment in which her ride begins or ends."""

import threading
from dataclasses import replace

import pytest
from django.db import connection, transaction

from bookings.pricing.rules import PerkKind, rewards_in
from bookings.reservations.models import Reservation
from bookings.reservations.queries import with_vehicle
from bookings.reservations.services import claim
from bookings.rewards.models import RewardClaim
from bookings.trips.models import Trip
from bookings.trips.services import end
from bookings.trips.services.rewards import OfferUnfit, accept_offer
from mobility.core import clock
from mobility.core.prepared import prepared
from mobility.core.principals import SYSTEM
from tests.bookings.rewards.conftest import AWAY

at_the_same_time = pytest.mark.django_db(transaction=True)
PATIENCE_S = 1.0


class OnAnotherConnection(threading.Thread):
    """Giulia's other hand: accepts, and keeps what it was answered."""

    def __init__(self, offer, reservation):
        super().__init__()
        self.offer, self.reservation, self.answer = offer, reservation, None

    def run(self):
        try:
            self.answer = accept_offer(
                offer=self.offer, reservation=self.reservation, at=clock.now(), by=SYSTEM
            )
        except OfferUnfit as problem:
            self.answer = problem
        finally:
            connection.close()


@pytest.fixture
def held(travel, rider, scooter):
    answer = rider.post("/api/v1/reservations", {"vehicle": scooter.code})
    assert answer.status_code == 201, answer.content
    return Reservation.objects.get()


@pytest.fixture
def start_while_accepting(held, offer, giulia, monkeypatch):
    """The ride begins; between its first look and its last word the other hand accepts."""
    hand = OnAnotherConnection(offer(), held)
    perks_of = claim._perks

    def meanwhile(*args, **kwargs):
        hand.start()
        hand.join(timeout=PATIENCE_S)
        return perks_of(*args, **kwargs)

    monkeypatch.setattr(claim, "_perks", meanwhile)

    def start():
        with transaction.atomic():
            claim.claim_for_ride(
                user=giulia, reservation_id=held.public_id, at=clock.now(), by=SYSTEM
            )
        hand.join()
        held.refresh_from_db()
        return hand.answer, rewards_in(held.perks)

    return start


@at_the_same_time
def test_without_the_lock_a_promised_reward_gets_lost(start_while_accepting, monkeypatch):
    """What the lock prevents: the reward is promised, and its ride knows nothing of it."""

    @prepared
    def unlocked(*, user_id, public_id, today):
        mine = Reservation.objects.filter(user=user_id, public_id=public_id)
        return claim._judged(with_vehicle(mine), today=today)

    monkeypatch.setattr(claim, "_own", unlocked)
    answer, rewards = start_while_accepting()
    assert isinstance(answer, RewardClaim)
    assert rewards == []


@at_the_same_time
def test_what_is_accepted_while_the_ride_begins_is_carried_or_refused(start_while_accepting):
    answer, rewards = start_while_accepting()
    assert isinstance(answer, OfferUnfit)
    assert rewards == []
    assert not RewardClaim.objects.exists()


@at_the_same_time
def test_what_was_accepted_a_moment_before_is_carried(held, offer, giulia):
    accept_offer(offer=offer(), reservation=held, at=clock.now(), by=SYSTEM)
    with transaction.atomic():
        ride = claim.claim_for_ride(
            user=giulia, reservation_id=held.public_id, at=clock.now(), by=SYSTEM
        )
    assert [perk["ref"] for perk in rewards_in(ride.perks)] == [
        str(RewardClaim.objects.get().public_id)
    ]


@pytest.fixture
def ended_from_an_older_look(ride, drive, accept, offer):
    """Her end was looked up first, then she accepted, then the end goes on."""

    def run():
        address = ride()
        older = Trip.objects.with_story().get()
        assert accept(offer(), address).status_code == 201
        drive(minutes=5, lon=AWAY[0], lat=AWAY[1])
        older.vehicle.refresh_from_db()
        assert end.end_trip(trip=older, phone=None, at=clock.now(), by=SYSTEM) == ()
        return RewardClaim.objects.get().state

    return run


@pytest.mark.django_db
def test_an_end_that_trusts_its_first_look_forgets_the_reward(
    ended_from_an_older_look, monkeypatch
):
    terms_now = end.end_terms
    monkeypatch.setattr(
        end,
        "end_terms",
        lambda *, trip, at: replace(terms_now(trip=trip, at=at), perks=trip.reservation.perks),
    )
    assert ended_from_an_older_look() == "promised"


@pytest.mark.django_db
def test_an_end_earns_what_was_accepted_since_it_was_looked_up(ended_from_an_older_look):
    assert ended_from_an_older_look() == "earned"


@pytest.mark.django_db
def test_choosing_again_and_again_leaves_one_reward_on_the_ride(ride, rider, accept, offer):
    wanted, address = offer(), ride()
    for _again in range(4):
        kept = accept(wanted, address)
        assert kept.status_code == 201, kept.content
        rider.post(f"/api/v1/rewards/{kept.json()['id']}/drop")
    last = accept(wanted, address).json()
    perks = Reservation.objects.get().perks
    assert [perk["ref"] for perk in perks if perk["kind"] == PerkKind.REWARD] == [last["id"]]
