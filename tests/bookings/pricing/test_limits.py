"""The city bounds what operators may ask, at any hour and in any zone."""

import datetime

import pytest
from django.test import Client

from bookings.pricing.models import PriceLimit
from bookings.pricing.rules import Block, Step, Window, ZoneFee, ZoneWhen
from bookings.pricing.rules.limits import Limit, beyond
from bookings.pricing.services import PriceAboveLimit, draft_version, publish_version
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.bookings.conftest import NUMBERS
from tests.bookings.pricing.golden import fare


def test_the_dearest_hour_and_all_zones_count():
    terms = fare(
        unlock_cents=100,
        minute_cents=20,
        windows=(Window(start="07:00", end="09:00", minute_cents=40, unlock_cents=150),),
        blocks=(Block(minutes=60, cents=1500),),
        zone_fees=(
            ZoneFee(when=ZoneWhen.START, code="a", cents=100),
            ZoneFee(when=ZoneWhen.END, code="b", cents=200),
            ZoneFee(when=ZoneWhen.END, kind="bay", cents=-500),
        ),
    )
    exactly = Limit(unlock_cents=150, minute_cents=40, hour_cents=1650, zone_cents=300)
    assert beyond(fare=terms, limit=exactly) == {}
    assert beyond(fare=terms, limit=Limit()) == {}
    less = Limit(unlock_cents=149, minute_cents=39, hour_cents=1649, zone_cents=299)
    assert beyond(fare=terms, limit=less) == {
        "unlock_cents": 150,
        "minute_cents": 40,
        "hour_cents": 1650,
        "zone_cents": 300,
    }


def test_steps_are_bounded_by_the_hour():
    terms = fare(minute_cents=99, steps=(Step(until=None, minutes=30, cents=200),))
    assert beyond(fare=terms, limit=Limit(minute_cents=1)) == {}
    assert beyond(fare=terms, limit=Limit(hour_cents=399)) == {"hour_cents": 400}


@pytest.fixture
def at_most(comune):
    """`at_most(minute_cents=30)`: the city's limit for scooters from now on."""

    def bound(**most):
        return PriceLimit.objects.create(
            organisation=comune, vehicle_kinds=["scooter"], valid=(clock.now(), None), **most
        )

    return bound


@pytest.mark.django_db
def test_a_version_beyond_the_limit_is_not_published_and_those_in_force_stay(
    tariff, at_most, make_vehicle
):
    make_vehicle("scooter")
    at_most(minute_cents=24)
    later = clock.now() + datetime.timedelta(days=1)
    dear = draft_version(tariff=tariff.tariff, valid_from=later, **NUMBERS)
    with pytest.raises(PriceAboveLimit) as refused:
        publish_version(version_id=dear.pk, at=clock.now(), by=SYSTEM)
    assert refused.value.extra == {"above": {"minute_cents": 25}}
    tariff.refresh_from_db()
    assert (tariff.state, tariff.valid.upper) == ("published", None)
    fair = draft_version(tariff=tariff.tariff, valid_from=later, **{**NUMBERS, "minute_cents": 24})
    assert publish_version(version_id=fair.pk, at=clock.now(), by=SYSTEM).state == "published"


@pytest.mark.django_db
def test_limits_for_other_kinds_other_times_and_other_cities_do_not_bind(
    tariff, at_most, make_vehicle, rivale
):
    make_vehicle("scooter")
    day = datetime.timedelta(days=1)
    limit = at_most(minute_cents=1)
    (other,) = rivale.organisations_as("fleet_operator")
    for change in (
        {"vehicle_kinds": ["van"]},
        {"vehicle_kinds": ["scooter"], "valid": (clock.now() - 9 * day, clock.now() - 8 * day)},
        {"valid": (clock.now(), None), "organisation_id": other},
    ):
        PriceLimit.objects.filter(pk=limit.pk).update(**change)
        day += datetime.timedelta(days=1)
        version = draft_version(tariff=tariff.tariff, valid_from=clock.now() + day, **NUMBERS)
        assert publish_version(version_id=version.pk, at=clock.now(), by=SYSTEM)


@pytest.mark.django_db
def test_elena_writes_the_limit_and_marco_reads_it(elena, marco, at_most, comune):
    limit = at_most(hour_cents=1200)
    page = f"/admin/bookings/pricelimit/{limit.pk}/change/"
    form = {
        "organisation": comune.pk,
        "vehicle_kinds": ["scooter"],
        "valid_0": "2026-01-01 00:00:00",
        "valid_1": "",
        "hour_cents": 1000,
    }
    desks = {}
    for person in (elena, marco):
        desks[person] = Client()
        desks[person].force_login(person)
        assert desks[person].get(page).status_code == 200
    assert desks[marco].post(page, form).status_code == 403
    assert desks[elena].post(page, form).status_code == 302
    limit.refresh_from_db()
    assert limit.hour_cents == 1000
