"""What rides take of passes and of a person's day."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.passes.models import DiscountStatus, Pass, PerkUse, PromoCode, PromoRedemption
from bookings.passes.queries import perks_of
from bookings.passes.services import reprice_with_perks, restore_perks, use_perks, verify_discount
from bookings.pricing.models import TariffVersion
from bookings.pricing.rules import Perk, PerkKind
from mobility.core import clock
from mobility.core.money import PriceLine, total_cents
from mobility.core.principals import SYSTEM
from tests.bookings.passes.test_codes import TWENTY, ride_of
from tests.bookings.pricing.golden import fare
from tests.bookings.pricing.rides import ride

pytestmark = pytest.mark.django_db

HOUR = datetime.timedelta(hours=1)


def test_a_bundle_is_used_up_and_the_rest_is_paid(travel, rider, giulia, ruote, week, buy):
    buy(rider, week)
    assert ride_of(giulia, ruote, "trip:1", 70 * 60) == 0
    assert ride_of(giulia, ruote, "trip:2", 45 * 60) == 15 * 20
    assert ride_of(giulia, ruote, "trip:3", 60) == 20
    (pass_row,) = Pass.objects.all()
    assert (pass_row.minutes_left, pass_row.uses) == (0, 2)
    rides = pass_row.rides.order_by("id").values_list("perk_use__ref", "minutes")
    assert list(rides) == [("trip:1", 70), ("trip:2", 30)]


def test_a_shorter_corrected_ride_gives_minutes_back_and_a_longer_one_takes_none(
    travel, rider, giulia, ruote, week, buy
):
    buy(rider, week)
    start = clock.now()
    ride_of(giulia, ruote, "trip:1", 60 * 60)

    def corrected(minutes):
        terms = {"fare": TWENTY, "segments": ride(minutes * 60, start=start)}
        return total_cents(reprice_with_perks(ref="trip:1", **terms, at=start))

    assert corrected(90) == 30 * 20
    assert Pass.objects.get().minutes_left == 40
    assert corrected(25) == 0
    assert Pass.objects.get().minutes_left == 75
    reprice_with_perks(ref="trip:1", fare=TWENTY, segments=(), at=start)
    bought = Pass.objects.get()
    assert (bought.minutes_left, bought.uses) == (100, 0)


@pytest.fixture
def given_back(travel, rider, giulia, ruote, week, buy):
    """An hour on a bundle of a hundred minutes, given back whole; and its price before that."""
    buy(rider, week)
    ride_of(giulia, ruote, "trip:1", 60 * 60)
    lines = [PriceLine.from_json(line) for line in PerkUse.objects.get().lines]
    reprice_with_perks(ref="trip:1", fare=TWENTY, segments=(), at=clock.now())
    return lines


def test_minutes_of_a_withdrawn_correction_are_off_the_pass_again(given_back):
    restore_perks(ref="trip:1", lines=given_back, at=clock.now())
    bought = Pass.objects.get()
    assert (bought.minutes_left, bought.uses, bought.rides.get().minutes) == (40, 1, 60)
    restore_perks(ref="trip:1", lines=given_back, at=clock.now())
    assert Pass.objects.get().minutes_left == 40


def test_minutes_that_another_ride_used_meanwhile_stay_with_it(given_back, giulia, ruote):
    assert ride_of(giulia, ruote, "trip:2", 70 * 60) == 0
    restore_perks(ref="trip:1", lines=given_back, at=clock.now())
    bought = Pass.objects.get()
    assert (bought.minutes_left, bought.uses) == (0, 2)
    assert list(bought.rides.order_by("minutes").values_list("minutes", flat=True)) == [30, 70]
    # Its price says sixty; what goes back is what it took.
    reprice_with_perks(ref="trip:1", fare=TWENTY, segments=(), at=clock.now())
    assert Pass.objects.get().minutes_left == 30


def test_a_code_of_a_withdrawn_correction_is_used_again(travel, rider, giulia, ruote, promo):
    promo("WELCOME", cents=500)
    rider.post("/api/v1/promo-codes/redeem", {"code": "WELCOME"})
    ride_of(giulia, ruote, "trip:1", 30 * 60)
    lines = [PriceLine.from_json(line) for line in PerkUse.objects.get().lines]
    redemption = PromoRedemption.objects.get()
    assert (redemption.state, redemption.saved_cents) == ("used", 500)
    reprice_with_perks(ref="trip:1", fare=TWENTY, segments=(), at=clock.now())
    redemption.refresh_from_db()
    assert redemption.state == "redeemed"
    restore_perks(ref="trip:1", lines=lines, at=clock.now())
    redemption.refresh_from_db()
    assert (redemption.state, redemption.saved_cents) == ("used", 500)
    assert PromoCode.objects.get().spent_cents == 500


def test_a_pass_that_went_back_during_the_ride_covers_nothing(
    travel, rider, giulia, ruote, week, buy
):
    bought = buy(rider, week)
    at = clock.now()
    perks = perks_of(user_id=giulia.pk, organisation_id=ruote.pk, kind="scooter", at=at)
    assert rider.post(f"/api/v1/passes/{bought['id']}/return").status_code == 200
    lines = use_perks(
        user_id=giulia.pk,
        organisation_id=ruote.pk,
        ref="trip:1",
        fare=TWENTY,
        segments=ride(600, start=at),
        perks=perks,
        at=at,
    )
    assert total_cents(lines) == 200


def test_a_pass_that_ended_during_the_ride_still_covers_it(travel, rider, giulia, ruote, week, buy):
    buy(rider, week)
    at = clock.now()
    perks = perks_of(user_id=giulia.pk, organisation_id=ruote.pk, kind="scooter", at=at)
    travel.shift(datetime.timedelta(days=8))
    assert (
        perks_of(user_id=giulia.pk, organisation_id=ruote.pk, kind="scooter", at=clock.now()) == ()
    )
    lines = use_perks(
        user_id=giulia.pk,
        organisation_id=ruote.pk,
        ref="trip:1",
        fare=TWENTY,
        segments=ride(600, start=at),
        perks=perks,
        at=clock.now(),
    )
    assert total_cents(lines) == 0


def test_whatever_a_person_has_is_one_question_and_nothing_is_free_of_charge(
    rider, giulia, ruote, week, promo, buy
):
    def asked(deed):
        with CaptureQueriesContext(connection) as captured:
            deed()
        return len(captured)

    terms = {"user_id": giulia.pk, "organisation_id": ruote.pk, "kind": "scooter"}
    assert asked(lambda: perks_of(**terms, at=clock.now())) == 1
    assert asked(lambda: ride_of(giulia, ruote, "trip:1", 600)) == 1
    assert not PerkUse.objects.exists()
    buy(rider, week)
    promo("MANY", percent=5)
    rider.post("/api/v1/promo-codes/redeem", {"code": "MANY"})
    found = []
    assert asked(lambda: found.extend(perks_of(**terms, at=clock.now()))) == 1
    assert [perk.kind for perk in found] == [PerkKind.PASS, PerkKind.PROMO]


def test_rides_of_one_day_together_never_cost_more_than_the_day(travel, giulia, ruote, tariff):
    terms = fare(minute_cents=20, person_day_cap_cents=1000, tariff_id=tariff.tariff_id)
    prices = []
    for number in range(4):
        prices.append(ride_of(giulia, ruote, f"trip:{number}", 20 * 60, terms=terms))
        travel.shift(HOUR)
    assert prices == [400, 400, 200, 0]
    travel.shift(20.5 * HOUR)
    # The first ride of yesterday is more than a day ago.
    assert ride_of(giulia, ruote, "trip:next", 40 * 60, terms=terms) == 400


def test_a_verified_person_pays_less_and_the_citys_word_counts_with_everybody(
    travel, giulia, ruote, comune, tariff
):
    terms = fare(minute_cents=20, discount_pct=50)
    tomorrow = clock.now() + datetime.timedelta(days=1)
    assert ride_of(giulia, ruote, "trip:1", 600, terms=terms) == 200
    verify_discount(
        user_id=giulia.pk, organisation_id=comune.pk, until=tomorrow, at=clock.now(), by=SYSTEM
    )
    assert ride_of(giulia, ruote, "trip:2", 600, terms=terms) == 100
    travel.shift(25 * HOUR)
    assert ride_of(giulia, ruote, "trip:3", 600, terms=terms) == 200


def test_another_operators_word_does_not_count(giulia, ruote, rivale):
    (other,) = rivale.organisations_as("fleet_operator")
    tomorrow = clock.now() + datetime.timedelta(days=1)
    verify_discount(
        user_id=giulia.pk, organisation_id=other, until=tomorrow, at=clock.now(), by=SYSTEM
    )
    assert (
        perks_of(user_id=giulia.pk, organisation_id=ruote.pk, kind="scooter", at=clock.now()) == ()
    )


def test_nothing_is_kept_of_why_somebody_is_verified():
    kept = {field.name for field in DiscountStatus._meta.get_fields()}
    assert kept == {"id", "user", "organisation", "verified_until"}


def test_a_fare_that_was_frozen_before_perks_existed_is_still_priced(tariff):
    """What stood in the first reservations: no field that came later."""
    frozen = {
        "version": "v",
        "currency": "EUR",
        "vat_rate": "0.22",
        "unlock_cents": 100,
        "minute_cents": 25,
        "pause_minute_cents": 10,
        "hold_free_minutes": 10,
        "hold_minute_cents": 0,
        "hold_max_minutes": 10,
        "km_cents": 0,
        "free_km": 0,
        "blocks": [{"minutes": 60, "cents": 900}],
        "day_cap_cents": 2500,
        "trip_cap_cents": None,
        "preauth_cents": 500,
        "grace_s": 0,
    }
    terms = type(TWENTY).from_json(frozen)
    assert total_cents(_priced(terms)) == 100 + 900
    assert TariffVersion.objects.get(pk=tariff.pk).fare().day_cap_cents == 2500


def _priced(terms):
    return use_perks(
        user_id=0,
        organisation_id=0,
        ref="x",
        fare=terms,
        segments=ride(3600),
        perks=(),
        at=clock.now(),
    )


def test_a_perk_of_somebody_elses_pass_is_not_there(giulia, ruote):
    stranger = Perk(kind=PerkKind.PASS, ref="0195a0a0-0000-7000-8000-000000000000", minutes=30)
    lines = use_perks(
        user_id=giulia.pk,
        organisation_id=ruote.pk,
        ref="trip:1",
        fare=TWENTY,
        segments=ride(600),
        perks=[stranger],
        at=clock.now(),
    )
    assert total_cents(lines) == 200
