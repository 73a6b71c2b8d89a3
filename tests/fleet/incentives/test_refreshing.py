"""Marco lets riders be asked: scooters lie where nobody rides and are missed elsewhere."""

import datetime

import pytest

from fleet.incentives import queries, services
from fleet.incentives.models import IncentiveOffer, IncentivePolicy
from fleet.incentives.services import OfferGone
from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.services import remembering
from fleet.vehicles.models import Vehicle
from mobility.core.principals import SYSTEM
from tests.fleet.rebalancing.conftest import AWAY, BUSY, NIGHT, QUIET, draft, night, published

pytestmark = pytest.mark.django_db

__all__ = ["draft", "night", "published"]


@pytest.fixture
def policy(ruote):
    return IncentivePolicy.objects.create(organisation=ruote, enabled=True, least_cents=10)


@pytest.fixture
def city(night, make_vehicle):
    """The night, with some scooters where all ride off and plenty where they ride to."""
    for number in range(4):
        make_vehicle("scooter", *BUSY, code=f"BUSY{number}")
    for number in range(25):
        make_vehicle("scooter", *AWAY, code=f"AWAY{number}")
    return night


def look(policy, *, minutes=0):
    return services.refresh_fleet(
        policy=policy, at=NIGHT + datetime.timedelta(minutes=minutes), by=SYSTEM
    )


def standing(direction):
    return list(IncentiveOffer.objects.standing().filter(direction=direction).order_by("pk"))


def test_rides_are_asked_to_end_where_scooters_are_missed_and_to_begin_where_they_lie(city, policy):
    made = look(policy)
    assert made["made"] > 0
    ends = standing("end")
    assert {offer.cell for offer in ends} == {cell_at(lon=BUSY[0], lat=BUSY[1])}
    starts = standing("start")
    assert starts
    in_the_way = {cell_at(lon=lon, lat=lat) for lon, lat in (QUIET, AWAY)}
    assert {offer.cell for offer in starts} <= in_the_way
    assert {offer.vehicle_id for offer in starts} & {vehicle.pk for vehicle in city.surplus}
    for offer in [*ends, *starts]:
        assert 0 < offer.reward_cents < offer.van_cents
        assert offer.reward_cents <= offer.value_cents * policy.share_pct / 100


def test_a_second_look_at_the_same_city_changes_nothing(city, policy):
    first = look(policy)["made"]
    before = {offer.pk: offer.reward_cents for offer in IncentiveOffer.objects.standing()}
    again = look(policy, minutes=5)
    assert (again["made"], again["kept"], again["withdrawn"]) == (0, first, 0)
    after = {offer.pk: offer.reward_cents for offer in IncentiveOffer.objects.standing()}
    assert after == before


def test_what_is_needed_no_more_is_withdrawn_and_what_was_accepted_stays(city, policy):
    look(policy)
    offer = standing("end")[0]
    services.take_offer(offer_id=offer.pk, at=NIGHT, by=SYSTEM)
    Vehicle.objects.update(life_state="decommissioned")
    look(policy, minutes=10)
    offer.refresh_from_db()
    assert (offer.state, offer.close_reason, offer.promised) == ("withdrawn", "not_needed", 1)
    with pytest.raises(OfferGone):
        services.take_offer(offer_id=offer.pk, at=NIGHT, by=SYSTEM)
    services.keep_offer(offer_id=offer.pk, at=NIGHT)
    offer.refresh_from_db()
    assert (offer.promised, offer.kept) == (0, 1)


def test_promised_vehicles_count_as_if_they_stood_there(city, policy):
    look(policy)
    offer = standing("end")[0]
    for _rider in range(offer.places):
        services.take_offer(offer_id=offer.pk, at=NIGHT, by=SYSTEM)
    offer.refresh_from_db()
    promised = offer.places
    assert offer.state == "taken"
    on_the_way = queries.coming(organisation_id=offer.organisation_id, city_id=offer.city_id)
    assert on_the_way == {"scooter": {offer.cell: promised}}
    look(policy, minutes=10)
    offer.refresh_from_db()
    # There is room for more; what was promised is not given away twice.
    assert (offer.state, offer.promised) == ("open", promised)
    assert offer.places > promised


def test_a_place_given_back_can_be_taken_again(city, policy):
    look(policy)
    offer = standing("start")[0]
    services.take_offer(offer_id=offer.pk, at=NIGHT, by=SYSTEM)
    with pytest.raises(OfferGone):
        services.take_offer(offer_id=offer.pk, at=NIGHT, by=SYSTEM)
    services.give_back_offer(offer_id=offer.pk, at=NIGHT, by=SYSTEM)
    assert services.take_offer(offer_id=offer.pk, at=NIGHT, by=SYSTEM).state == "taken"


def test_a_scooter_that_somebody_takes_keeps_its_offer_until_that_is_over(city, policy):
    """Who reserved it because of the offer can still accept it."""
    look(policy)
    offer = standing("start")[0]
    Vehicle.objects.filter(pk=offer.vehicle_id).update(rental_state="held")
    look(policy, minutes=10)
    offer.refresh_from_db()
    assert offer.state == "open"
    look(policy, minutes=policy.valid_minutes + 1)
    offer.refresh_from_db()
    assert (offer.state, offer.close_reason) == ("withdrawn", "vehicle_gone")


def test_weeks_are_read_once_an_hour(city, policy, monkeypatch):
    read = []
    weeks = remembering.queries.load_habit
    monkeypatch.setattr(
        remembering.queries, "load_habit", lambda **what: read.append(what["at"]) or weeks(**what)
    )
    assert look(policy)["made"] > 0
    kept = look(policy, minutes=10)
    assert (kept["made"], kept["withdrawn"], len(read)) == (0, 0, 1)
    look(policy, minutes=40)
    assert len(read) == 2, "another hour"


def test_switched_off_offers_nothing(city, policy):
    look(policy)
    policy.enabled = False
    policy.save()
    look(policy, minutes=10)
    assert not IncentiveOffer.objects.standing().exists()
    assert set(IncentiveOffer.objects.values_list("close_reason", flat=True)) == {"switched_off"}


def test_a_fleet_of_nothing_is_no_error(ruote, policy):
    assert look(policy) == {"made": 0, "kept": 0, "withdrawn": 0}
