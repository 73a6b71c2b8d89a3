"""Whole rides through the doors: what is shown, priced, and on the receipt."""

import datetime

import pytest

from bookings.passes.models import PerkUse, PromoRedemption
from bookings.pricing.services import draft_version, publish_version
from bookings.trips.models import Trip
from fleet.vehicles.models import LatestState
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.bookings.conftest import NUMBERS

pytestmark = pytest.mark.django_db

AROUND = (9.200, 45.447, 9.210, 45.455)


@pytest.fixture
def terms(tariff):
    """`terms(zone_fees=[…])`: Ruote's tariff from now on."""

    def publish(**numbers):
        version = draft_version(
            tariff=tariff.tariff, valid_from=clock.now(), **{**NUMBERS, **numbers}
        )
        return publish_version(version_id=version.pk, at=clock.now(), by=SYSTEM)

    return publish


@pytest.fixture
def ride(travel, rider, scooter, obey, collect):
    """`ride(minutes=10)`: Giulia rides and pays; the lines of her receipt."""

    def go(*, minutes):
        trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
        obey(scooter)
        travel.shift(datetime.timedelta(minutes=minutes))
        LatestState.objects.update(at=clock.now(), received_at=clock.now())
        ended = rider.post(f"/api/v1/trips/{trip}/end")
        assert ended.status_code == 200, ended.json()
        obey(scooter)
        collect()
        travel.shift(datetime.timedelta(minutes=10))
        receipt = rider.get(f"/api/v1/trips/{trip}/receipt").json()
        assert receipt["total_cents"] == sum(line["cents"] for line in receipt["lines"])
        return [(line["kind"], line["cents"]) for line in receipt["lines"]]

    return go


def test_a_code_is_on_the_receipt_of_the_next_ride_and_of_no_other(travel, rider, ride, promo):
    promo("WELCOME", cents=200)
    rider.post("/api/v1/promo-codes/redeem", {"code": "WELCOME"})
    assert ride(minutes=10) == [("unlock", 100), ("ride", 250), ("promo", -200)]
    assert ride(minutes=10) == [("unlock", 100), ("ride", 250)]
    assert PromoRedemption.objects.get().used_ref == PerkUse.objects.get().ref


def test_a_code_worth_more_than_the_ride_leaves_nothing_to_pay(travel, rider, ride, promo):
    promo("GIFT", cents=2000)
    rider.post("/api/v1/promo-codes/redeem", {"code": "GIFT"})
    assert ride(minutes=10) == [("unlock", 100), ("ride", 250), ("promo", -350)]
    assert Trip.objects.get().state == "settled"


def test_rides_of_a_day_stop_at_the_persons_cap(travel, rider, ride, terms):
    terms(person_day_cap_cents=800)
    travel.shift(datetime.timedelta(seconds=1))
    assert ride(minutes=16) == [("unlock", 100), ("ride", 400)]
    assert ride(minutes=16) == [("unlock", 100), ("ride", 400), ("cap", -200)]
    assert ride(minutes=4) == [("unlock", 100), ("ride", 100), ("cap", -200)]
    travel.shift(datetime.timedelta(hours=24))
    assert ride(minutes=4) == [("unlock", 100), ("ride", 100)]


def test_parking_in_a_bay_is_rewarded_as_the_quote_said(travel, rider, ride, terms, make_zone):
    make_zone("bay", AROUND, code="bay-7")
    make_zone("operating", (9.18, 45.44, 9.22, 45.46))
    terms(zone_fees=[{"when": "end", "kind": "bay", "cents": -50}])
    travel.shift(datetime.timedelta(seconds=1))
    told = rider.get("/api/v1/quotes", {"vehicle": "SC1"}).json()["surcharges"]
    assert [(row["when"], row["zone_kind"], row["cents"]) for row in told] == [("end", "bay", -50)]
    assert ride(minutes=10) == [("unlock", 100), ("ride", 250), ("zone", -50)]


def test_an_evening_ride_costs_what_evenings_cost(travel, rider, ride, terms):
    # It is ten in the morning in Milan; the dear hour begins at a quarter past.
    terms(windows=[{"start": "10:15", "end": "11:15", "minute_cents": 40}])
    travel.shift(datetime.timedelta(minutes=10))
    assert ride(minutes=10) == [("unlock", 100), ("ride", 5 * 25), ("ride", 5 * 40)]
