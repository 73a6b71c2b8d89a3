"""A past day lived again: what a plan saved, and that it is no chance."""

import datetime
import io

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.rebalancing import services, tasks
from fleet.rebalancing.models import DayReplay
from fleet.rebalancing.rules.replay import (
    CHARGE,
    PUT,
    TAKE,
    Deed,
    Standing,
    Unseen,
    Wish,
    compare_days,
    draw_wishes,
    relive,
)
from fleet.rebalancing.solver.search import Effort
from fleet.rebalancing.states import TaskKind, TaskState
from fleet.vehicles.models import VehicleEvent
from mobility.core.principals import SYSTEM
from tests.fleet.rebalancing.conftest import AWAY, BUSY, NIGHT, event

HERE, THERE = 1, 2
HOUR = datetime.timedelta(hours=1)


def wish(at, cell=HERE, to=THERE, **given):
    return Wish(
        **{
            "at": at,
            "kind": "scooter",
            "cell": cell,
            "to": to,
            "hours": 0.5,
            "use_pct": 10.0,
            **given,
        }
    )


def scooter(number, cell=HERE, pct=80.0):
    return Standing(vehicle_id=number, kind="scooter", cell=cell, battery_pct=pct)


def deed(at, what, cell, **given):
    return Deed(at=at, what=what, kind="scooter", cell=cell, **given)


def lived(fleet, wishes, deeds=()):
    day = relive(fleet=fleet, wishes=wishes, deeds=deeds, low_pct=20.0)
    return day.rides.get("scooter", 0), day.lost_in_all, day.idle_deeds


def test_who_finds_nothing_is_lost_until_a_ride_ends_there():
    wishes = [wish(0.0), wish(0.1), wish(0.2, cell=THERE, to=HERE), wish(0.6, cell=THERE, to=HERE)]
    assert lived([scooter(1)], wishes) == (2, 2, 0)


def test_an_empty_scooter_waits_for_a_battery():
    wishes = [wish(1.0), wish(3.0)]
    assert lived([scooter(1, pct=6.0)], wishes) == (0, 2, 0)
    assert lived([scooter(1, pct=6.0)], wishes, [deed(2.0, CHARGE, HERE, vehicle_id=1)]) == (
        1,
        1,
        0,
    )


def test_a_van_takes_another_one_when_its_own_is_gone_and_nothing_from_nothing():
    move = [deed(1.0, TAKE, HERE, vehicle_id=1), deed(1.5, PUT, THERE)]
    wishes = [wish(2.0, cell=THERE)]
    assert lived([scooter(1), scooter(2)], [wish(0.9), *wishes], move) == (2, 0, 0)
    assert lived([], wishes, move) == (0, 1, 2)


@settings(max_examples=40, deadline=None)
@given(
    cells=st.lists(st.sampled_from([1, 2, 3]), max_size=6),
    trips=st.lists(
        st.tuples(st.floats(0, 10), st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 3])),
        max_size=25,
    ),
    moves=st.lists(
        st.tuples(st.floats(0, 10), st.sampled_from([TAKE, PUT]), st.sampled_from([1, 2, 3])),
        max_size=8,
    ),
)
def test_every_wish_is_a_ride_or_lost_and_no_vehicle_is_in_two_places(cells, trips, moves):
    fleet = [scooter(number, cell=cell) for number, cell in enumerate(cells, start=1)]
    wishes = [wish(at, cell=cell, to=to, use_pct=0.0) for at, cell, to in trips]
    deeds = [deed(at, what, cell) for at, what, cell in moves]
    rides, lost, _idle = lived(fleet, wishes, deeds)
    assert rides + lost == len(wishes)
    if not fleet:
        assert rides == 0


def unseen(rate):
    return Unseen(
        cells=np.array([HERE, THERE]),
        expected=np.array([[0.0] * 8, [rate] * 8]),
        arrivals=np.ones((2, 8)),
        hours=np.array([0.25]),
        use_pct=np.array([3.0]),
    )


def test_one_seed_is_one_day_and_both_days_meet_it():
    first, again, other = (
        draw_wishes(seen=[wish(0.5)], unseen={"scooter": unseen(2.0)}, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert sum(each.seen for each in first) == 1


def test_a_move_to_where_people_wait_saves_trips_and_the_interval_says_how_surely():
    kept = {
        "fleet": [scooter(number) for number in range(1, 6)],
        "seen": [wish(4.0)],
        "unseen": {"scooter": unseen(1.0)},
        "low_pct": 20.0,
        "seeds": 30,
        "margin_cents": {"scooter": 300},
        "cost_cents": 500,
    }
    moved = [deed(0.0, TAKE, HERE, vehicle_id=n) for n in (1, 2, 3)]
    moved.append(deed(0.0, PUT, THERE, quantity=3))
    nothing = compare_days(deeds=[], **kept)
    result = compare_days(deeds=moved, **kept)
    assert nothing["saved_trips"] == {"mean": 0.0, "low": 0.0, "high": 0.0, "mean_error": 0.0}
    assert nothing["net_cents"]["mean"] == -500
    saved = result["saved_trips"]
    assert 1.0 < saved["low"] <= saved["mean"] <= saved["high"]
    assert result["net_cents"]["mean"] == pytest.approx(300 * saved["mean"] - 500, abs=1.0)
    # The same wishes in both days: their difference varies less than the two by themselves would.
    lost = [arm["lost"]["high"] - arm["lost"]["low"] for arm in (result["with"], result["without"])]
    assert saved["high"] - saved["low"] < sum(lost)
    assert result == compare_days(deeds=moved, **kept)


@pytest.fixture
def day_after(published, night, sara, claim):
    """Sara has charged both; on the day after people rode them."""
    for task in published.tasks.filter(kind=TaskKind.SWAP_BATTERY):
        services.complete_task(task_id=claim(task, sara).pk, at=NIGHT + HOUR / 2, by=sara.principal)
    standing = [
        event(one, NIGHT - 3 * HOUR, BUSY, "non_operational", ["battery_low"]) for one in night.flat
    ]
    for row in standing:
        row.blocks, row.battery_pct = ["low_battery"], 6
    rides = []
    for one in night.flat:
        rides += [
            event(one, NIGHT + 5 * HOUR, BUSY, "on_trip", ["trip_start"]),
            event(one, NIGHT + 5.5 * HOUR, AWAY, "available", ["trip_end"]),
        ]
    VehicleEvent.objects.bulk_create([*standing, *rides])
    return published


def test_what_sara_did_is_lived_again_with_and_without(day_after, marco):
    swaps = day_after.tasks.filter(kind=TaskKind.SWAP_BATTERY, state=TaskState.DONE).count()
    row = services.replay_plan(plan_id=day_after.pk, at=NIGHT + 30 * HOUR, by=SYSTEM, seeds=8)
    result = row.result
    assert (result["plan_is"], result["seen"], result["deeds"]) == ("walked", swaps, swaps)
    assert result["saved_trips"]["mean"] >= swaps
    assert result["with"]["lost"]["mean"] < result["without"]["lost"]["mean"]
    again = services.replay_plan(plan_id=day_after.pk, at=NIGHT + 31 * HOUR, by=SYSTEM, seeds=8)
    assert (again.pk, again.result) == (row.pk, result)
    browser = Client()
    browser.force_login(marco)
    page = reverse("admin:fleet_rebalancingplan_change", args=[day_after.pk])
    shown = browser.get(page, headers={"accept-language": "en"}).content.decode()
    assert "without the plan" in shown
    assert "Lost trips" in shown
    lists = browser.get(reverse("admin:fleet_dayreplay_changelist"))
    assert str(result["saved_trips"]["mean"]) in lists.content.decode()


def test_yesterday_is_scored_and_lived_again_by_itself(day_after, monkeypatch):
    monkeypatch.setattr(tasks.clock, "now", lambda: NIGHT + 30 * HOUR)
    asked = []
    monkeypatch.setattr(tasks.replay, "delay", lambda **given: asked.append(given))
    assert tasks.score_yesterday() == 1
    assert asked == [{"plan_id": day_after.pk}]
    tasks.replay(plan_id=day_after.pk)
    assert DayReplay.objects.get().plan == day_after


def test_a_day_without_a_plan_is_lived_with_one_that_is_drafted_for_it(day_after, night, ruote):
    before = day_after.tasks.count()
    row = services.replay_day(
        organisation_id=ruote.pk,
        day=NIGHT.date(),
        parameters={"vans": 1, "history_days": 7},
        seeds=6,
        effort=Effort(rounds=400),
        at=NIGHT + 40 * HOUR,
        by=SYSTEM,
    )
    assert row.plan is None
    assert row.result["plan_is"] == "drafted"
    assert row.result["vehicles"] == len(night.surplus) + len(night.flat)
    assert row.result["crew"]["km"] > 0
    assert row.result["saved_trips"]["mean"] > 0
    assert day_after.tasks.count() == before


def test_marco_replays_days_from_the_command_line(day_after):
    out = io.StringIO()
    call_command(
        "replay_days", "ruote", "--from", "2026-05-05", "--to", "2026-05-06", "--seeds", "3",
        "--rounds", "200", "--drafted", "--vans", "1", stdout=out,
    )  # fmt: skip
    said = out.getvalue()
    assert "plan drafted, 3 seeds" in said
    assert "Lost trips" in said
    assert "2 days:" in said


def test_a_day_before_everything_is_refused(ruote, night):
    with pytest.raises(services.NothingToReplay):
        services.replay_day(
            organisation_id=ruote.pk, day=datetime.date(2024, 1, 1), at=NIGHT, by=SYSTEM
        )
