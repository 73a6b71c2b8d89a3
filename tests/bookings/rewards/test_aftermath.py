"""What becomes of rewards after the ride: corrections, changed budgets, forgotten people."""

import datetime

import pytest
from django.urls import reverse

from bookings.passes.models import PerkUse
from bookings.passes.services import reprice_with_perks
from bookings.payments.models import PaymentPolicy, Refund
from bookings.rewards.models import RewardBudget, RewardClaim, RewardDay
from bookings.rewards.privacy import erase, export
from bookings.trips.rules import segments
from bookings.trips.services.corrections import (
    apply_correction,
    note_new_distance,
    propose_correction,
)
from bookings.trips.services.settle import _final_lines, perks_ref
from bookings.trips.states import Waiver
from mobility.accounts.models import Membership, User
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.bookings.rewards.conftest import AWAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def rewarded(offer, ride, drive, finish, accept):
    """Giulia has ridden for ten minutes and was given 0.80 EUR."""
    wanted = offer()
    address = ride()
    accept(wanted, address)
    drive(minutes=9.5, lon=AWAY[0], lat=AWAY[1])
    finish(address)
    return RewardClaim.objects.get()


def again(trip, **terms):
    return reprice_with_perks(
        ref=perks_ref(trip), fare=trip.reservation.fare, at=clock.now(), **terms
    )


def test_a_corrected_ride_keeps_its_reward_and_one_given_back_whole_does_not(rewarded, the_trip):
    trip = the_trip()
    lines = again(trip, segments=segments(trip.stretches, at=trip.ended_at))
    assert [(line.kind, line.cents) for line in lines][-1] == ("reward", -80)
    assert RewardDay.objects.get().spent_cents == 80
    assert again(trip, segments=()) == ()
    rewarded.refresh_from_db()
    assert (rewarded.state, rewarded.granted_cents) == ("granted", 0)
    assert RewardDay.objects.get().spent_cents == 0


def test_a_way_told_later_is_priced_with_the_reward(rewarded, the_trip):
    trip = the_trip()
    note_new_distance(trip_id=trip.public_id, distance_m=777, at=clock.now())
    assert the_trip().distance_m == 777
    assert not trip.versions.exists(), "the price is the same, there is nothing to correct"


def test_staff_see_what_a_correction_will_come_to(rewarded, the_trip):
    trip = the_trip()
    earlier = trip.started_at + datetime.timedelta(minutes=4)
    proposed = propose_correction(
        trip=trip, reason="shorter", ended_at=earlier, at=clock.now(), by=SYSTEM
    )
    shown = proposed.total_cents
    assert proposed.lines[-1]["kind"] == "reward"
    applied = apply_correction(version=proposed, at=clock.now(), by=SYSTEM)
    assert (applied.total_cents, the_trip().price_cents) == (shown, shown)
    assert RewardDay.objects.get().spent_cents == 80


def test_a_reward_comes_back_to_its_ride_though_others_have_the_budget(rewarded, the_trip):
    trip = the_trip()
    again(trip, segments=())
    RewardDay.objects.update(spent_cents=500)
    again(trip, segments=segments(trip.stretches, at=trip.ended_at))
    rewarded.refresh_from_db()
    day = RewardDay.objects.get()
    assert (rewarded.granted_cents, day.spent_cents, day.budget_cents) == (80, 580, 580)


def test_what_a_second_person_refuses_to_give_back_leaves_the_reward_spent(
    rewarded, the_trip, ruote, api, marco, sara, collect, relay
):
    collect()
    Membership.objects.create(user=sara, organisation=ruote, role=Role.FLEET_OPERATOR)
    PaymentPolicy.objects.create(organisation=ruote, refund_limit_cents=100)
    gift = propose_correction(
        trip=the_trip(), reason="gift", waiver=Waiver.ALL, at=clock.now(), by=SYSTEM
    )
    apply_correction(version=gift, at=clock.now(), by=marco.principal)
    assert RewardDay.objects.get().spent_cents == 0
    refund = Refund.objects.get(state="proposed")
    address = f"/api/v1/money/refunds/{refund.public_id}/reject"
    second = type(sara).objects.get(pk=sara.pk)
    assert api(second).post(address, {"reason": "rode it all"}).status_code == 200
    relay()
    rewarded.refresh_from_db()
    assert (rewarded.granted_cents, RewardDay.objects.get().spent_cents) == (80, 80)
    lines = PerkUse.objects.get().lines
    assert [(line["kind"], line["cents"]) for line in lines][-1] == ("reward", -80)


def test_pricing_twice_grants_once(rewarded, the_trip):
    trip = the_trip()
    lines = _final_lines(trip, at=clock.now(), distance_m=trip.distance_m)
    assert [(line.kind, line.cents) for line in lines][-1] == ("reward", -80)
    assert RewardDay.objects.get().spent_cents == 80


def test_a_smaller_budget_holds_at_once_and_never_below_what_is_gone(
    rewarded, budget, marco, client
):
    client.force_login(marco)
    page = reverse("admin:bookings_rewardbudget_change", args=[budget.pk])
    form = {
        "organisation": budget.organisation_id,
        "day_cents": 50,
        "per_person_day": 2,
        "claim_minutes": 60,
    }
    assert client.post(page, form).status_code == 302
    assert RewardBudget.objects.get().day_cents == 50
    assert RewardDay.objects.get().budget_cents == 80
    days = client.get(reverse("admin:bookings_rewardday_changelist"))
    assert "0.80" in days.content.decode() or "0,80" in days.content.decode()


def test_who_is_forgotten_leaves_sums_and_no_name(rewarded, giulia):
    assert export(user=giulia)["rewards"][0]["granted_cents"] == 80
    nobody = User.objects.create(email="nobody@erased.invalid")
    erase(user=giulia, nobody=nobody, at=clock.now(), by=SYSTEM)
    assert export(user=giulia)["rewards"] == []
    assert RewardDay.objects.get().spent_cents == 80
