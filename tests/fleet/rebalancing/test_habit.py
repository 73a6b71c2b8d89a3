"""The weeks before are read once for a plan: its revisions see the present, and the same past."""

import dataclasses
import datetime

import numpy as np
import pytest
import redis
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from fleet.rebalancing import queries, services
from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.models import DemandCount
from fleet.rebalancing.rules.habit import HabitUnreadable, pack, unpack
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.services import remembering
from fleet.rebalancing.services.remembering import habit_for, habit_key
from fleet.vehicles.models import VehicleEvent
from mobility.core.principals import SYSTEM
from tests.fleet.rebalancing.conftest import AWAY, NIGHT, QUIET, event

HOUR = datetime.timedelta(hours=1)
LATER = NIGHT + 5 * HOUR


def parameters_of(plan):
    return Parameters.from_json(plan.parameters)


def situation(plan, *, at=LATER, habit=None):
    return queries.load_situation(
        organisation_id=plan.organisation_id,
        city_id=plan.city_id,
        parameters=parameters_of(plan),
        horizon_start=LATER,
        at=at,
        habit=habit,
    )


def same(one, other):
    """Equal to the last bit."""
    assert one.cells.tolist() == other.cells.tolist()
    assert (one.lon.tolist(), one.lat.tolist()) == (other.lon.tolist(), other.lat.tolist())
    assert one.demand.keys() == other.demand.keys()
    for kind, mine in one.demand.items():
        theirs = other.demand[kind]
        for name in ("departures", "arrivals", "usual"):
            assert np.array_equal(getattr(mine, name), getattr(theirs, name)), (kind, name)
        assert (mine.spread, mine.seen) == (theirs.spread, theirs.seen)


def rows(plan):
    return sorted(
        plan.tasks.values_list("pk", "state", "van", "planned_at", "value_cents", "quantity")
    )


@pytest.fixture
def morning(night):
    """The night's history, and a morning at which somebody rode after all."""
    for vehicle, hours in zip(night.surplus, (3.2, 3.5, 3.8, 4.1, 4.4, 4.9), strict=False):
        event(vehicle, NIGHT + hours * HOUR, QUIET, "on_trip", ["trip_start"]).save()
        event(vehicle, NIGHT + (hours + 0.1) * HOUR, AWAY, "available", ["trip_end"]).save()
    services.count_searches(
        searches=[(*QUIET, "scooter", False), (9.15, 45.49, None, False)], at=NIGHT - 3 * HOUR
    )
    return night


def test_what_is_kept_is_what_would_be_read(morning, draft):
    kept = habit_for(draft, parameters=parameters_of(draft))
    cache.delete(habit_key(draft))
    read = habit_for(draft, parameters=parameters_of(draft))
    assert kept.basis == read.basis
    same(situation(draft, habit=kept), situation(draft, habit=read))


def test_a_plan_made_now_sees_the_same_with_and_without(morning, draft):
    same(
        situation(draft, at=NIGHT),
        situation(draft, at=NIGHT, habit=habit_for(draft, parameters=parameters_of(draft))),
    )


def test_a_revision_with_what_is_kept_is_the_one_without(morning, published):
    """The same plan, revised twice from the same state: once with an emptied cache."""
    outcomes = []
    for forget in (False, True):
        if forget:
            cache.delete(habit_key(published))
        with pytest.raises(Undo), transaction.atomic():
            services.revise_plan(plan_id=published.pk, rounds=400, at=LATER, by=SYSTEM)
            published.refresh_from_db()
            outcomes.append((without_ids(rows(published)), published.summary["value_cents"]))
            raise Undo
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0]


class Undo(Exception):
    """Ends a transaction that nobody wants to keep."""


def without_ids(tasks):
    """Rows that come anew have new numbers."""
    return sorted(str(task[1:]) for task in tasks)


def test_a_revision_reads_two_hours_and_no_weeks(morning, published):
    with CaptureQueriesContext(connection) as seen:
        services.revise_plan(plan_id=published.pk, rounds=50, at=LATER, by=SYSTEM)
    history = [q["sql"] for q in seen if VehicleEvent._meta.db_table in q["sql"]]
    assert len(history) == 2
    assert all("2026-05-05" in sql for sql in history)
    assert not [q for q in seen if "fleet_demandcount" in q["sql"]]


def test_today_is_seen_anew(morning, draft):
    """Six rode off in a quiet morning: whatever comes is expected to be more."""
    habit = habit_for(draft, parameters=parameters_of(draft))
    as_planned = situation(draft, at=NIGHT, habit=habit).demand["scooter"].departures
    now = situation(draft, habit=habit).demand["scooter"].departures
    assert now.sum() > 1.05 * as_planned.sum()


def test_a_vehicle_where_nobody_ever_was_has_a_place(morning, draft, make_vehicle):
    habit = habit_for(draft, parameters=parameters_of(draft))
    make_vehicle("scooter", 9.1, 45.5, battery_pct=90, code="STRAY")
    seen = situation(draft, habit=habit)
    stray = next(each for each in seen.vehicles if each.lon == pytest.approx(9.1))
    assert seen.cells[stray.place] not in habit.cells
    wanted = seen.demand["scooter"].departures
    busy = int(wanted.sum(axis=1).argmax())
    assert 0 < wanted[stray.place].sum() < wanted[busy].sum()


def test_another_past_is_read_where_the_parameters_ask_for_one(morning, draft):
    parameters = dataclasses.replace(parameters_of(draft), history_days=3)
    short = habit_for(draft, parameters=parameters)
    assert short.hours.sum() == 3 * 24
    assert habit_for(draft, parameters=parameters_of(draft)).hours.sum() == 7 * 24


@pytest.mark.parametrize("broken", [b"", b"PK\x03\x04 cut off", "text", 7])
def test_nonsense_in_the_cache_is_read_over(broken, morning, draft):
    kept = habit_for(draft, parameters=parameters_of(draft))
    cache.set(habit_key(draft), broken)
    again = habit_for(draft, parameters=parameters_of(draft))
    assert pack(again) == pack(kept)


def test_a_cache_that_is_down_costs_time_only(morning, draft, monkeypatch):
    kept = habit_for(draft, parameters=parameters_of(draft))

    class Down:
        def get(self, key):
            raise redis.ConnectionError

        def set(self, key, value, timeout):
            raise redis.ConnectionError

    monkeypatch.setattr(remembering, "cache", Down())
    assert pack(habit_for(draft, parameters=parameters_of(draft))) == pack(kept)


def test_what_is_packed_comes_out_the_same(morning, draft):
    habit = habit_for(draft, parameters=parameters_of(draft))
    assert pack(unpack(pack(habit))) == pack(habit)
    assert np.isnan(habit.lon).sum() == 1  # where somebody only looked
    with pytest.raises(HabitUnreadable):
        unpack(pack(habit)[:-40])


def test_a_city_without_a_past_has_an_empty_one(ruote, milan):
    habit = queries.load_habit(
        organisation_id=ruote.pk, city_id=milan.pk, parameters=Parameters(), at=NIGHT
    )
    assert (habit.cells.size, habit.kinds["scooter"].seen) == (0, False)
    assert unpack(pack(habit)).cells.size == 0


def test_where_people_looked_in_vain_is_a_place_with_demand(morning, ruote, milan):
    parameters = Parameters.from_json({"history_days": 7})
    nowhere = cell_at(lon=9.1700, lat=45.4900)
    hour = NIGHT.replace(minute=0) - 3 * HOUR
    for number, (kind, found) in enumerate((("scooter", 0), ("", 0), ("bicycle", 6))):
        DemandCount.objects.create(
            cell=nowhere, kind=kind, hour=hour + number * HOUR, searched=6, found=found
        )
    beyond = cell_at(lon=9.1600, lat=45.5000)
    DemandCount.objects.create(
        cell=beyond, kind="", hour=hour - 30 * 24 * HOUR, searched=6, found=0
    )
    habit = queries.load_habit(
        organisation_id=ruote.pk, city_id=milan.pk, parameters=parameters, at=NIGHT
    )
    place = habit.cells.tolist().index(nowhere)
    assert beyond not in habit.cells
    asked = {kind: mine.departures.trips[place] for kind, mine in habit.kinds.items()}
    hours = {kind: mine.departures.hours[place].sum() for kind, mine in habit.kinds.items()}
    # A search for anything counts for each kind in part; one that found something is no unmet one.
    assert asked["scooter"].sum() == pytest.approx(6 + 3)
    # Six who found a bicycle and no trip: three in sixteen searches become one.
    assert asked["bicycle"].sum() == pytest.approx(3 * 3 / 16)
    assert hours == {"scooter": 2.0, "bicycle": 1.0}
