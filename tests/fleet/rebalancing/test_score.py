"""Yesterday's plan beside what happened: for Marco to see whether it was worth the night."""

import datetime

from django.test import Client
from django.urls import reverse

from fleet.rebalancing import services
from fleet.rebalancing.rules.forecast import Spread
from fleet.rebalancing.rules.score import Outcome, Ride, Tariff, score
from fleet.rebalancing.states import TaskKind
from fleet.vehicles.models import VehicleEvent
from mobility.core.principals import SYSTEM
from tests.fleet.rebalancing.conftest import AWAY, BUSY, NIGHT, event

MINUTE = datetime.timedelta(minutes=1)
HOUR = 60 * MINUTE
HERE, THERE = 1, 2


def brought(vehicles, *, at, cell=HERE, trips=2.0, van=0):
    return Outcome(
        value_cents=600, done=True, van=van, cell=cell, lon=9.0, lat=45.0, trips=trips,
        vehicles=vehicles, claimed_at=at - 10 * MINUTE, finished_at=at,
    )  # fmt: skip


def test_a_ride_counts_where_and_after_its_scooter_was_put():
    outcomes = [brought((7, 8), at=NIGHT), brought((9,), at=NIGHT + HOUR, trips=0.5)]
    rides = [
        Ride(vehicle_id=7, cell=HERE, at=NIGHT + HOUR),
        Ride(vehicle_id=7, cell=THERE, at=NIGHT + 2 * HOUR),
        Ride(vehicle_id=9, cell=HERE, at=NIGHT + 30 * MINUTE),
        Ride(vehicle_id=5, cell=HERE, at=NIGHT + HOUR),
    ]
    scored = score(expected={}, realised={}, outcomes=outcomes, rides=rides)
    assert scored["rides"] == {"promised": 2.5, "realised": 1}


def test_minutes_are_those_from_the_first_claim_to_the_last_stop_of_each_van():
    outcomes = [
        brought((1,), at=NIGHT),
        brought((2,), at=NIGHT + HOUR),
        brought((3,), at=NIGHT + HOUR, van=1),
        Outcome(value_cents=900, done=False),
    ]
    tariff = Tariff(cost_cents_per_minute=50.0, margin_cents=300.0, planned_minutes=90.0)
    scored = score(
        expected={},
        realised={},
        outcomes=outcomes,
        rides=[Ride(vehicle_id=1, cell=HERE, at=NIGHT + HOUR)],
        tariff=tariff,
    )
    assert scored["crew"] == {
        "planned_minutes": 90.0,
        "minutes": 80.0,
        "stop_minutes": 0.0,
        "km": 0.0,
        "walked_km": 0.0,
        "measured_pct": 0.0,
        "cost_cents": 4000,
    }
    assert scored["earned_cents"] == 300 - 4000
    assert (scored["tasks"], scored["tasks_done"], scored["value_done_cents"]) == (4, 3, 1800)


def test_a_day_outside_of_the_interval_is_seen():
    expected = {"scooter": {str(cell): 20.0 for cell in range(10)}}
    realised = {"scooter": {cell: 20.0 if cell < 6 else 60.0 for cell in range(10)}}
    scored = score(
        expected=expected,
        realised=realised,
        outcomes=[],
        spread={"scooter": Spread(noise=1.0, common=0.1)},
    )["kinds"]["scooter"]
    assert scored["inside_pct"] == 60.0
    assert scored["at_least"] < scored["expected_trips"] == 200.0 < scored["at_most"] < 360.0
    assert scored["mean_absolute_error"] == 16.0


def test_marco_reads_promise_and_outcome_side_by_side(published, night, sara, marco, claim):
    for kind in (TaskKind.MOVE_PICKUP, TaskKind.MOVE_DROPOFF):
        task = claim(published.tasks.filter(kind=kind).first(), sara)
        services.complete_task(task_id=task.pk, at=NIGHT + 20 * MINUTE, by=sara.principal)
    moved = published.tasks.get(delivered_by=task).vehicle
    VehicleEvent.objects.bulk_create(
        [
            event(moved, NIGHT + 5 * HOUR, BUSY, "on_trip", ["trip_start"]),
            event(moved, NIGHT + 7 * HOUR, AWAY, "on_trip", ["trip_start"]),
        ]
    )
    browser = Client()
    browser.force_login(marco)
    page = reverse("admin:fleet_rebalancingplan_change", args=[published.pk])
    assert b"Scored when" in browser.get(page, headers={"accept-language": "en"}).content
    scored = services.score_plans(at=NIGHT + 30 * HOUR)[0].score
    assert scored["rides"]["realised"] == 1
    assert scored["rides"]["promised"] > 0
    assert scored["crew"]["minutes"] == 20.0
    shown = browser.get(page, headers={"accept-language": "en"}).content.decode()
    assert "Rides with vehicles brought or charged" in shown
    assert f"<td>{scored['crew']['minutes']:g}</td>" in shown
    lists = browser.get(reverse("admin:fleet_rebalancingplan_changelist")).content.decode()
    assert f"1 / {scored['rides']['promised']}" in lists


def test_marco_locks_a_task_and_asks_for_a_new_version_at_the_desk(published, marco):
    task = published.tasks.first()
    browser = Client()
    browser.force_login(marco)
    chosen = {"_selected_action": [task.pk], "action": "lock"}
    browser.post(reverse("admin:fleet_rebalancingtask_changelist"), chosen)
    task.refresh_from_db()
    assert task.locked
    browser.post(reverse("admin:fleet_rebalancingtask_changelist"), {**chosen, "action": "unlock"})
    task.refresh_from_db()
    assert not task.locked
    services.close_plan(plan_id=published.pk, at=NIGHT, by=SYSTEM)
    again = {"_selected_action": [published.pk], "action": "revise"}
    answer = browser.post(
        reverse("admin:fleet_rebalancingplan_changelist"),
        again,
        follow=True,
        headers={"accept-language": "en"},
    )
    assert "closed: nothing in it can be changed" in answer.content.decode()
