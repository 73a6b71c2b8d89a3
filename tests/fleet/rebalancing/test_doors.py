"""The API and the admin of plans: who may do what, and what they read."""

import pytest
from django.test import Client
from django.urls import reverse

from fleet.rebalancing import tasks
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.states import PlanState, TaskKind, TaskState
from fleet.vehicles import services as vehicles
from mobility.accounts import services as accounts
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.fleet.rebalancing.conftest import NIGHT

PLANS = "/api/v1/fleet/plans"
TASKS = "/api/v1/fleet/tasks"
# Computed at the hour the tests run: long enough to reach back to the night of the fixtures.
WISH = {"seconds": 0.3, "parameters": {"vans": 1, "van_capacity": 8}}


@pytest.fixture
def live(night, published):
    """Claims through the door happen now, not in the night of the plan."""
    return published


def names(response):
    return [row["id"] for row in response.json()["results"]]


def test_marco_asks_for_a_plan_publishes_and_closes_it(night, marco, api):
    browser = api(marco)
    asked = browser.post(PLANS, WISH, format="json", HTTP_IDEMPOTENCY_KEY="tonight")
    again = browser.post(PLANS, WISH, format="json", HTTP_IDEMPOTENCY_KEY="tonight")
    assert asked.status_code == 201, asked.content
    assert again.json() == asked.json()
    body = asked.json()
    assert (body["state"], body["organisation"], body["city"]) == ("computing", "ruote", "milano")
    assert RebalancingPlan.objects.count() == 1
    tasks.compute(plan_id=RebalancingPlan.objects.get().pk, seconds=0.3)
    address = f"{PLANS}/{body['id']}"
    assert browser.get(address).json()["state"] == "draft"
    assert browser.post(f"{address}/publish").json()["state"] == "published"
    assert browser.post(f"{address}/publish").json()["code"] == "illegal_move"
    assert browser.post(f"{address}/close").json()["state"] == "closed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"parameters": {"vans": 0}},
        {"parameters": {"margin_cents": {"scooter": "much"}}},
        {"seconds": 9_999},
        {"organisation": "nobody's"},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(night, marco, api, wrong):
    response = api(marco).post(PLANS, wrong, format="json")
    assert response.status_code in (400, 422), response.content
    assert not RebalancingPlan.objects.exists()


def test_who_runs_two_fleets_says_which(night, marco, rivale, api):
    own = rivale.memberships.get().organisation
    accounts.grant_role(user=marco, organisation=own, role="fleet_operator", at=NIGHT, by=SYSTEM)
    assert api(marco).post(PLANS, WISH, format="json").status_code == 400
    chosen = api(marco).post(PLANS, {**WISH, "organisation": "ruote"}, format="json")
    assert (chosen.status_code, chosen.json()["organisation"]) == (201, "ruote")


def test_sara_walks_through_her_tasks(live, sara, api):
    browser = api(sara)
    rows = browser.get(TASKS).json()["results"]
    assert [row["sequence"] for row in rows] == sorted(row["sequence"] for row in rows)
    assert rows[0]["reason_text"] == "10 stand here, 0 are enough."
    pickup = next(row for row in rows if row["kind"] == TaskKind.MOVE_PICKUP)
    dropoff = next(row for row in rows if row["kind"] == TaskKind.MOVE_DROPOFF)
    claimed = browser.post(f"{TASKS}/{pickup['id']}/claim")
    assert (claimed.status_code, claimed.json()["state"]) == (200, "claimed")
    assert names(browser.get(TASKS, {"mine": "1"})) == [pickup["id"]]
    assert browser.post(f"{TASKS}/{pickup['id']}/complete").json()["state"] == "done"
    browser.post(f"{TASKS}/{dropoff['id']}/claim")
    done = browser.post(
        f"{TASKS}/{dropoff['id']}/complete", {"vehicles": [pickup["vehicle"]]}, format="json"
    )
    assert (done.json()["state"], done.json()["done_quantity"]) == ("done", 1)
    left = browser.get(TASKS, {"plan": live.public_id, "state": "done"})
    assert set(names(left)) == {pickup["id"], dropoff["id"]}
    assert browser.get(TASKS, {"plan": "nonsense"}).status_code == 400


def test_nobody_puts_down_more_than_any_van_carries(live, sara, api):
    task = api(sara).get(TASKS).json()["results"][0]["id"]
    codes = [f"SC{number}" for number in range(101)]
    answer = api(sara).post(f"{TASKS}/{task}/complete", {"vehicles": codes}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["vehicles"])


def test_a_claim_that_comes_too_late_is_kept_as_dropped(live, sara, api):
    task = live.tasks.filter(kind=TaskKind.MOVE_PICKUP).first()
    vehicles.block_vehicle(vehicle_id=task.vehicle_id, reason="damage", at=clock.now(), by=SYSTEM)
    vehicles.set_life_state(vehicle_id=task.vehicle_id, to="retired", at=clock.now(), by=SYSTEM)
    refused = api(sara).post(f"{TASKS}/{task.public_id}/claim", HTTP_ACCEPT_LANGUAGE="en")
    body = refused.json()
    assert (refused.status_code, body["code"]) == (409, "task_dropped")
    assert body["detail"] == "This task is no longer possible: Somebody is riding it."
    assert body["task"]["state"] == "dropped"
    task.refresh_from_db()
    assert task.state == TaskState.DROPPED


def test_sara_gives_a_task_up_with_a_reason(live, sara, api):
    task = live.tasks.first()
    address = f"{TASKS}/{task.public_id}/drop"
    assert api(sara).post(address, {"reason": "bored"}, format="json").status_code == 400
    dropped = api(sara).post(address, {"reason": "unreachable"}, format="json").json()
    assert (dropped["state"], dropped["drop_text"]) == ("dropped", "The place could not be reached")


def test_a_rival_sees_and_touches_nothing(live, rivale, api):
    task = live.tasks.first()
    browser = api(rivale)
    assert names(browser.get(PLANS)) == names(browser.get(TASKS)) == []
    for address in (f"{PLANS}/{live.public_id}/close", f"{TASKS}/{task.public_id}/claim"):
        assert browser.post(address).status_code == 404
    assert browser.post(PLANS, {"organisation": "ruote"}, format="json").status_code == 403


def test_crews_do_not_decide_about_plans(live, sara, api):
    assert names(api(sara).get(PLANS)) == [str(live.public_id)]
    assert api(sara).post(f"{PLANS}/{live.public_id}/close").status_code == 403
    assert api(sara).post(PLANS, WISH, format="json").status_code == 403


@pytest.mark.parametrize("who", ["giulia", "luca", "elena", None])
def test_outsiders_have_no_door(live, who, request, api):
    """The city's officer is one: how an operator works is its own business."""
    user = request.getfixturevalue(who) if who else None
    for address in (PLANS, TASKS, f"{PLANS}/{live.public_id}"):
        assert api(user).get(address).status_code in (401, 403)


def test_a_list_costs_the_same_whatever_its_length(live, sara, api, django_assert_max_num_queries):
    browser = api(sara)
    assert live.tasks.count() > 5
    with django_assert_max_num_queries(5):
        browser.get(TASKS)
    with django_assert_max_num_queries(4):
        browser.get(PLANS)


# --- the admin --------------------------------------------------------------------------------------


def desk(user):
    browser = Client(HTTP_ACCEPT_LANGUAGE="en")
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def act(browser, model, action, rows):
    address = reverse(f"admin:fleet_{model}_changelist")
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return browser.post(address, chosen, follow=True)


def test_marco_reads_why_and_publishes_at_his_desk(draft, marco):
    browser = desk(marco)
    page = browser.get(reverse("admin:fleet_rebalancingplan_change", args=[draft.pk]))
    assert page.status_code == 200
    assert "10 stand here, 0 are enough." in page.content.decode()
    assert act(browser, "rebalancingplan", "publish", [draft]).status_code == 200
    draft.refresh_from_db()
    assert draft.state == PlanState.PUBLISHED
    assert "draft" not in draft.get_state_display().lower()


def test_marco_drops_tasks_and_closes_the_plan(live, marco):
    browser = desk(marco)
    task = live.tasks.first()
    act(browser, "rebalancingtask", "drop", [task])
    task.refresh_from_db()
    assert (task.state, task.drop_reason) == (TaskState.DROPPED, "not_needed")
    refused = act(browser, "rebalancingtask", "drop", [task])
    assert refused.status_code == 200
    act(browser, "rebalancingplan", "close", [live])
    live.refresh_from_db()
    assert live.state == PlanState.CLOSED
    assert not RebalancingTask.objects.filter(state=TaskState.OPEN).exists()


def test_the_desk_is_scoped(live, sara, rivale):
    for name, row in (("rebalancingplan", live), ("rebalancingtask", live.tasks.first())):
        changelist = reverse(f"admin:fleet_{name}_changelist")
        page = reverse(f"admin:fleet_{name}_change", args=[row.pk])
        assert desk(sara).get(changelist).status_code == 200
        assert desk(rivale).get(page).status_code == 302
    # Crews read; publishing and closing are the operator's.
    act(desk(sara), "rebalancingplan", "close", [live])
    live.refresh_from_db()
    assert live.state == PlanState.PUBLISHED
