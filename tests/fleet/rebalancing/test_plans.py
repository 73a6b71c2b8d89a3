"""From the fleet's history to a plan that is worth its cost, published and closed."""

import datetime
from collections import Counter

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from fleet.rebalancing import queries, services, tasks
from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.models import DemandCount, RebalancingPlan
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.states import DropReason, PlanState, TaskKind, TaskState
from fleet.vehicles.models import VehicleEvent
from mobility.core import geo
from mobility.core.errors import Conflict
from mobility.core.principals import SYSTEM
from mobility.geography.models import Hub
from tests.fleet.rebalancing.conftest import BUSY, NIGHT, PARAMETERS, QUIET, event, make_draft

HOUR = datetime.timedelta(hours=1)


def cell(place):
    return cell_at(lon=place[0], lat=place[1])


def test_scooters_go_from_where_nobody_asks_to_where_everybody_does(draft, night):
    kinds = Counter(task.kind for task in draft.tasks.all())
    pickups = draft.tasks.filter(kind=TaskKind.MOVE_PICKUP)
    dropoffs = draft.tasks.filter(kind=TaskKind.MOVE_DROPOFF)
    assert draft.state == PlanState.DRAFT
    assert draft.summary["method"] == "sisr"
    assert {task.cell for task in pickups} == {cell(QUIET)}
    assert {task.cell for task in dropoffs} == {cell(BUSY)}
    assert sum(task.quantity for task in dropoffs) == kinds[TaskKind.MOVE_PICKUP] > 0
    assert {task.vehicle for task in pickups} <= set(night.surplus)
    assert {task.vehicle for task in draft.tasks.filter(kind=TaskKind.SWAP_BATTERY)} <= set(
        night.flat
    )


def test_every_task_is_worth_its_cost_and_says_why(draft):
    for task in draft.tasks.all():
        assert task.value_cents > task.cost_cents > 0
        assert queries.reason_text(task)
    assert draft.summary["value_cents"] == sum(task.value_cents for task in draft.tasks.all())
    assert draft.summary["extra_trips"] > 0
    pickup = draft.tasks.filter(kind=TaskKind.MOVE_PICKUP).first()
    with translation.override("en"):
        assert queries.reason_text(pickup) == "10 stand here, 0 are enough."


def test_when_crews_cost_more_than_trips_bring_the_vans_stay_at_home(night, ruote):
    plan = make_draft(ruote, crew_cents_per_hour=20_000)
    assert plan.tasks.count() == 0
    assert plan.summary["value_cents"] == plan.summary["cost_cents"] == 0


def test_a_rented_or_broken_scooter_is_not_planned_for(night, ruote):
    for vehicle in night.surplus[:2]:
        vehicle.blocks.create(reason="damage", since=NIGHT, placed_by=SYSTEM)
    type(night.surplus[2]).objects.filter(pk=night.surplus[2].pk).update(rental_state="on_trip")
    plan = make_draft(ruote)
    planned = {task.vehicle for task in plan.tasks.filter(kind=TaskKind.MOVE_PICKUP)}
    assert planned
    assert planned <= set(night.surplus[3:])


def test_vehicles_are_put_down_only_where_parking_is_allowed(night, ruote, milan, make_zone):
    """The busy place lies in a no-parking zone of 300 m: the crew is sent to its edge."""
    west, south, east, north = BUSY[0] - 0.002, BUSY[1] - 0.0014, BUSY[0] + 0.002, BUSY[1] + 0.0014
    make_zone(
        "no_park",
        (west, south, east, north),
        organisation=milan.organisation,
        start=NIGHT - HOUR,
    )
    plan = make_draft(ruote)
    for task in plan.tasks.filter(kind=TaskKind.MOVE_DROPOFF):
        inside = west < task.lon < east and south < task.lat < north
        assert not inside
        assert abs(task.lon - BUSY[0]) < 0.004


def test_the_situation_is_read_in_a_fixed_number_of_queries(night, ruote, milan):
    def load():
        return queries.load_situation(
            organisation_id=ruote.pk,
            city_id=milan.pk,
            parameters=Parameters(history_days=7),
            horizon_start=NIGHT + 2 * HOUR,
            at=NIGHT,
        )

    with CaptureQueriesContext(
        connection,
    ) as seen:
        situation = load()
    assert len(seen) == 11
    busy = list(situation.cells).index(cell(BUSY))
    quiet = list(situation.cells).index(cell(QUIET))
    wanted = situation.demand["scooter"].departures.sum(axis=1)
    assert wanted[busy] > 20 * wanted[quiet]
    assert situation.stock(kind="scooter")[quiet] == 10
    assert situation.stock(kind="scooter")[busy] == 0
    assert len(situation.flat(kind="scooter", low_battery_pct=20)) == 2


def test_people_who_look_in_vain_pull_scooters(night, ruote):
    """Nobody ever parked there, but all week people looked at eight in the morning."""
    station = (9.1900, 45.4850)
    for day in range(1, 8):
        looked = NIGHT - datetime.timedelta(days=day) + 5 * HOUR
        services.count_searches(searches=[(*station, "scooter", False)] * 60, at=looked)
    plan = make_draft(ruote)
    expected = plan.expected["scooter"]
    assert expected[str(cell(station))] > 5 * expected[str(cell(QUIET))]


def test_at_a_hub_vehicles_are_put_down_at_the_hub(night, ruote, milan, sara, api):
    lon, lat = BUSY[0] + 0.0005, BUSY[1]
    Hub.objects.create(city=milan, code="H1", name={"it": "Lodi"}, location=geo.point(lon, lat))
    plan = make_draft(ruote)
    dropoffs = plan.tasks.filter(kind=TaskKind.MOVE_DROPOFF)
    assert {(task.lon, task.lat) for task in dropoffs} == {(lon, lat)}
    rows = api(sara).get("/api/v1/fleet/tasks", {"plan": plan.public_id}).json()["results"]
    assert {row["place"] for row in rows if row["kind"] == TaskKind.MOVE_DROPOFF} == {"Lodi"}
    assert {row["place"] for row in rows if row["kind"] == TaskKind.MOVE_PICKUP} == {""}


def test_a_plan_is_made_at_once_and_computed_only_once(night, ruote):
    plan = services.make_plan(
        organisation_id=ruote.pk, seconds=0.2, parameters=PARAMETERS, at=NIGHT, by=SYSTEM
    )
    tasks_before = plan.tasks.count()
    again = services.compute_plan(plan_id=plan.pk, seconds=0.2, at=NIGHT, by=SYSTEM)
    assert (again.state, again.tasks.count()) == (PlanState.DRAFT, tasks_before)
    services.fail_plan(plan_id=plan.pk, at=NIGHT, by=SYSTEM)
    plan.refresh_from_db()
    assert plan.state == PlanState.DRAFT


def test_an_operator_without_vehicles_gets_no_plan(ruote, milan):
    with pytest.raises(services.NoFleet):
        services.make_plan(organisation_id=ruote.pk, at=NIGHT, by=SYSTEM)


def test_only_one_plan_is_followed_at_a_time(published, ruote):
    second = make_draft(ruote)
    services.publish_plan(plan_id=second.pk, at=NIGHT + HOUR, by=SYSTEM)
    published.refresh_from_db()
    assert published.state == PlanState.CLOSED
    assert set(published.tasks.values_list("state", "drop_reason")) == {
        (TaskState.DROPPED, DropReason.PLAN_CLOSED)
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        RebalancingPlan.objects.filter(pk=published.pk).update(state=PlanState.RUNNING)


def test_a_closed_plan_cannot_be_published(published):
    services.close_plan(plan_id=published.pk, at=NIGHT, by=SYSTEM)
    services.close_plan(plan_id=published.pk, at=NIGHT, by=SYSTEM)
    with pytest.raises(Conflict):
        services.publish_plan(plan_id=published.pk, at=NIGHT, by=SYSTEM)


def test_yesterdays_plan_is_scored_against_what_happened(published, night):
    scored = services.score_plans(at=NIGHT + 12 * HOUR)
    assert scored == []  # the horizon is not over
    ridden = [
        event(night.flat[0], NIGHT + hour * HOUR, BUSY, "on_trip", ["trip_start"])
        for hour in (1, 5, 9)
    ]
    VehicleEvent.objects.bulk_create(ridden)
    score = services.score_plans(at=NIGHT + 24 * HOUR)[0].score
    assert score["kinds"]["scooter"]["expected_trips"] > 10
    assert score["kinds"]["scooter"]["realised_trips"] == 2  # one rode too early
    assert (score["tasks"], score["tasks_done"]) == (published.tasks.count(), 0)
    assert services.score_plans(at=NIGHT + 25 * HOUR) == []


def test_a_broken_computation_ends_closed(night, ruote, monkeypatch):
    plan = services.request_plan(organisation_id=ruote.pk, at=NIGHT, by=SYSTEM)

    def breaks(**_given):
        raise ZeroDivisionError

    monkeypatch.setattr("fleet.rebalancing.services.planning.draft_plan", breaks)
    with pytest.raises(ZeroDivisionError):
        tasks.compute(plan_id=plan.pk, seconds=0.1)
    plan.refresh_from_db()
    assert plan.state == PlanState.CLOSED


def test_every_operator_gets_a_plan_at_night(night, ruote, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as later:
        assert tasks.plan_night() == 1
    plan = RebalancingPlan.objects.get()
    assert (plan.state, plan.organisation) == (PlanState.COMPUTING, ruote)
    assert len(later) == 1
    tasks.compute(plan_id=plan.pk, seconds=0.2)
    plan.refresh_from_db()
    assert plan.state == PlanState.DRAFT


def test_the_horizon_of_the_nightly_plan_is_the_day(draft):
    assert draft.horizon_start == datetime.datetime(2026, 5, 5, 4, 0, tzinfo=datetime.UTC)
    assert draft.horizon_end - draft.horizon_start == 18 * HOUR


def test_searches_are_counted_by_cell_kind_and_hour(db):
    at = NIGHT
    services.count_searches(
        searches=[(*BUSY, "scooter", True), (*BUSY, "scooter", False), (*QUIET, None, False)], at=at
    )
    services.count_searches(searches=[(*BUSY, "scooter", False)], at=at + 20 * HOUR / 60)
    services.count_searches(searches=[(*BUSY, "scooter", False)], at=at + HOUR)
    assert services.count_searches(searches=[], at=at) == 0
    rows = DemandCount.objects.order_by("hour", "-kind").values_list(
        "cell", "kind", "searched", "found"
    )
    assert list(rows) == [
        (cell(BUSY), "scooter", 3, 1),
        (cell(QUIET), "", 1, 0),
        (cell(BUSY), "scooter", 1, 0),
    ]
