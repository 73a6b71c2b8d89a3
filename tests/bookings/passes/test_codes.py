"""Codes: redeemed once, spent on the next ride, never beyond their budget."""

import datetime

import pytest
from django.db import IntegrityError, transaction

from bookings.passes.models import PromoCode, PromoRedemption
from bookings.passes.queries import perks_of
from bookings.passes.services import reprice_with_perks, use_perks
from bookings.passes.tasks import sweep
from bookings.pricing.rules import Fare
from mobility.core import clock
from mobility.core.money import total_cents
from tests.bookings.pricing.golden import fare
from tests.bookings.pricing.rides import ride

pytestmark = pytest.mark.django_db

TWENTY = fare(minute_cents=20)


def redeem(phone, code):
    return phone.post("/api/v1/promo-codes/redeem", {"code": code})


def ride_of(user, organisation, ref, *lengths_s, terms: Fare = TWENTY, **more):
    """Claimed, ridden and priced in one go; what it costs."""
    at = clock.now()
    perks = perks_of(user_id=user.pk, organisation_id=organisation.pk, kind="scooter", at=at)
    lines = use_perks(
        user_id=user.pk,
        organisation_id=organisation.pk,
        ref=ref,
        fare=terms,
        segments=ride(*lengths_s, start=at),
        perks=perks,
        at=at,
        **more,
    )
    return total_cents(lines)


def test_a_code_is_typed_in_any_case_and_makes_the_next_ride_cheaper(api, giulia, ruote, promo):
    promo("WELCOME", cents=500)
    phone = api(giulia)
    answer = redeem(phone, " welcome ")
    assert (answer.status_code, answer.json()["code"]) == (201, "WELCOME")
    assert ride_of(giulia, ruote, "trip:1", 3600) == 1200 - 500
    assert ride_of(giulia, ruote, "trip:2", 3600) == 1200
    (row,) = phone.get("/api/v1/promo-codes").json()["results"]
    assert (row["state"], row["saved_cents"]) == ("used", 500)


def test_refusals_say_what_is_wrong_with_the_code(api, giulia, piero, promo):
    promo("ONCE", minutes=10, redemptions_max=1)
    at = clock.now()
    promo("LATER", percent=10, valid=(at + datetime.timedelta(days=1), None))
    phone = api(giulia)
    assert redeem(phone, "ONCE").status_code == 201
    answers = [redeem(phone, "NONE"), redeem(phone, "ONCE"), redeem(phone, "LATER")]
    answers.append(redeem(api(piero), "ONCE"))
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (404, "promo_code_unknown"),
        (409, "promo_code_redeemed"),
        (410, "promo_code_over"),
        (410, "promo_code_exhausted"),
    ]


def test_a_budget_is_promised_spent_and_freed(travel, api, giulia, piero, ruote, promo):
    promo("HALF", percent=50, most_cents=400, budget_cents=700)
    assert redeem(api(giulia), "HALF").status_code == 201
    assert redeem(api(piero), "HALF").status_code == 410
    assert ride_of(giulia, ruote, "trip:1", 600) == 100
    code = PromoCode.objects.get()
    assert (code.promised_cents, code.spent_cents) == (0, 100)
    assert redeem(api(piero), "HALF").status_code == 201
    travel.shift(datetime.timedelta(days=33))
    assert sweep()["lapsed"] == 1
    code.refresh_from_db()
    assert (code.promised_cents, code.spent_cents) == (0, 100)
    assert PromoRedemption.objects.get(user=piero).state == "lapsed"


@pytest.mark.parametrize(
    "terms",
    [
        {"percent": 10, "cents": 5},
        {},
        {"percent": 101},
        {"minutes": 10, "budget_cents": 100},
        {"percent": 10, "budget_cents": 100},
    ],
)
def test_the_database_refuses_codes_that_nobody_could_keep(terms, promo):
    with pytest.raises(IntegrityError), transaction.atomic():
        promo("ODD", **terms)


def test_a_code_for_scooters_is_kept_for_one(api, giulia, ruote, promo):
    promo("SCOOT", percent=10)
    redeem(api(giulia), "SCOOT")
    terms = {"user_id": giulia.pk, "organisation_id": ruote.pk, "at": clock.now()}
    assert perks_of(**terms, kind="car") == ()
    assert len(perks_of(**terms, kind="scooter")) == 1


def test_pricing_a_ride_twice_spends_once_and_answers_the_same(api, giulia, ruote, promo):
    promo("AGAIN", cents=100, per_person_max=2)
    redeem(api(giulia), "AGAIN")
    redeem(api(giulia), "AGAIN")
    assert [ride_of(giulia, ruote, "trip:1", 3600) for _time in range(2)] == [1100, 1100]
    assert PromoRedemption.objects.filter(state="used").count() == 1


def test_a_ride_given_back_whole_gives_the_code_back(api, giulia, ruote, promo):
    promo("BACK", cents=100, budget_cents=100)
    redeem(api(giulia), "BACK")
    ride_of(giulia, ruote, "trip:1", 3600)
    reprice_with_perks(ref="trip:1", fare=TWENTY, segments=(), at=clock.now())
    assert PromoRedemption.objects.get().state == "redeemed"
    code = PromoCode.objects.get()
    assert (code.promised_cents, code.spent_cents) == (100, 0)
    assert ride_of(giulia, ruote, "trip:2", 3600) == 1100


def test_a_code_given_back_after_its_budget_went_to_others_lapses(api, giulia, piero, ruote, promo):
    promo("TIGHT", cents=500, budget_cents=700)
    redeem(api(giulia), "TIGHT")
    # Ten minutes at twenty cents: only 200 of the 500 are spent, and the rest is free again.
    assert ride_of(giulia, ruote, "trip:1", 600) == 0
    assert redeem(api(piero), "TIGHT").status_code == 201
    reprice_with_perks(ref="trip:1", fare=TWENTY, segments=(), at=clock.now())
    assert PromoRedemption.objects.get(user=giulia).state == "lapsed"
    code = PromoCode.objects.get()
    assert (code.promised_cents, code.spent_cents) == (500, 0)
    assert ride_of(piero, ruote, "trip:2", 3600) == 700
