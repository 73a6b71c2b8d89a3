"""Riders and vans do not do the same work twice."""

import datetime

import numpy as np
import pytest

from fleet.incentives.models import IncentiveOffer
from fleet.incentives.queries import acceptance, expected_of_riders
from fleet.rebalancing import services
from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.rules.riders import RiderWork, left_to_riders
from fleet.rebalancing.rules.situation import Situation, VehicleAt
from fleet.rebalancing.states import TaskKind
from mobility.core.principals import SYSTEM
from tests.fleet.rebalancing.conftest import BUSY, NIGHT, QUIET, make_draft, night

__all__ = ["night"]

THERE, LYING = (cell_at(lon=spot[0], lat=spot[1]) for spot in (BUSY, QUIET))


@pytest.fixture
def offer(ruote, milan):
    """`offer(promised=2)`: Ruote asks for rides that end where scooters are missed."""

    def make(*, made_at=NIGHT, **terms):
        spot = QUIET if "vehicle" in terms else BUSY
        usual = {
            "organisation": ruote, "city": milan, "vehicle_kind": "scooter", "need": "stock",
            "direction": "start" if "vehicle" in terms else "end",
            "cell": cell_at(lon=spot[0], lat=spot[1]), "lon": spot[0], "lat": spot[1],
            "reward_cents": 80, "value_cents": 200, "van_cents": 400, "trips": 0.7, "places": 5,
            "made_at": made_at, "valid_until": made_at + datetime.timedelta(hours=4),
        }  # fmt: skip
        return IncentiveOffer.objects.create(**{**usual, **terms})

    return make


def brought(plan):
    drops = plan.tasks.filter(kind=TaskKind.MOVE_DROPOFF, cell=THERE)
    return sum(drops.values_list("quantity", flat=True))


def notes(plan):
    return [note for note in plan.summary["notes"] if note["code"] == "left_to_riders"]


def expected(ruote, milan, at=NIGHT):
    return expected_of_riders(organisation_id=ruote.pk, city_id=milan.pk, at=at)


@pytest.mark.django_db
def test_a_van_brings_nothing_to_where_riders_have_promised_enough(night, ruote, offer):
    assert brought(make_draft(ruote)) > 2
    # Each of a hundred would find a rider there in the course of the day.
    offer(promised=200, places=200, state="taken")
    plan = make_draft(ruote)
    assert brought(plan) == 0
    assert notes(plan) == [{"code": "left_to_riders", "cell": THERE}]


@pytest.mark.django_db
def test_what_is_promised_after_the_plan_was_made_counts_when_it_is_revised(night, ruote, offer):
    plan = make_draft(ruote)
    assert brought(plan) > 2
    offer(promised=200, places=200, state="taken")
    plan = services.revise_plan(plan_id=plan.pk, rounds=800, at=NIGHT, by=SYSTEM)
    left = plan.tasks.filter(kind=TaskKind.MOVE_DROPOFF, cell=THERE, state="open")
    assert sum(left.values_list("quantity", flat=True)) == 0
    assert len(notes(plan)) == 1


@pytest.mark.django_db
def test_what_is_only_offered_counts_by_how_much_of_it_is_taken(ruote, milan, offer):
    offer()
    few = expected(ruote, milan).bringing["scooter"][THERE]
    assert few == pytest.approx(5 * 0.1), "nothing is known: a tenth"
    day = NIGHT - datetime.timedelta(days=3)
    offer(made_at=day, places=100, kept=80, state="withdrawn", closed_at=day)
    share = acceptance(organisation_id=ruote.pk, at=NIGHT)
    assert share == {"end": pytest.approx(82 / 120), "start": pytest.approx(0.1)}
    assert expected(ruote, milan).bringing["scooter"][THERE] == pytest.approx(5 * 82 / 120)
    late = NIGHT + datetime.timedelta(hours=5)
    assert not expected(ruote, milan, at=late).bringing, "over, and nobody has promised"


@pytest.mark.django_db
def test_no_van_fetches_what_riders_are_sure_to_take(night, ruote, milan, offer):
    taken = night.surplus[0]
    for number in range(20):
        day = NIGHT - datetime.timedelta(days=1 + number)
        offer(vehicle=taken, made_at=day, kept=40, places=40, state="withdrawn", closed_at=day)
    offer(vehicle=taken, places=1)
    assert expected(ruote, milan).taking == {taken.pk: pytest.approx(802 / 820)}
    plan = make_draft(ruote, van_capacity=20)
    fetched = plan.tasks.filter(kind=TaskKind.MOVE_PICKUP)
    assert fetched.exists()
    assert not fetched.filter(vehicle=taken).exists()
    assert [note["cell"] for note in notes(plan)] == [LYING]


def standing(vehicle_id, place):
    return VehicleAt(
        vehicle_id=vehicle_id, kind="scooter", place=place, lon=0.0, lat=0.0, battery_pct=80,
        usable=True, movable=True,
    )  # fmt: skip


def test_expectations_become_whole_vehicles_place_by_place():
    city = Situation(
        cells=np.array([7, 8, 9]), lon=np.zeros(3), lat=np.zeros(3), demand={},
        vehicles=(standing(1, 1), standing(2, 1), standing(3, 2)), depot_lon=0.0, depot_lat=0.0,
        promised={"scooter": np.array([1, 0, 0])},
    )  # fmt: skip
    work = RiderWork(
        bringing={"scooter": {7: 1.6, 9: 0.4, 555: 3.0}}, taking={1: 0.3, 2: 0.4, 3: 0.4}
    )
    left, told = left_to_riders(situation=city, work=work)
    assert left.promised["scooter"].tolist() == [3, -1, 0]
    assert [each.vehicle_id for each in left.vehicles if not each.movable] == [2]
    assert [note["cell"] for note in told] == [7, 8]
    assert left.stock(kind="scooter").tolist() == [3, 1, 1]
    unchanged, nothing = left_to_riders(situation=city, work=RiderWork())
    assert (unchanged.vehicles, nothing) == (city.vehicles, [])
