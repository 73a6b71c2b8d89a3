"""Sara's phone: she is there, something is wrong, a picture, her van; and what it says late."""

import datetime

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from fleet.maintenance.models import FaultReport
from fleet.rebalancing import privacy, queries, services
from fleet.rebalancing.models import RebalancingTask, VanCrew
from fleet.rebalancing.services import Told
from fleet.rebalancing.states import DropReason, Reason, TaskKind, TaskState
from fleet.vehicles.models import Vehicle
from mobility.accounts.states import Role
from mobility.core.models import AuditEntry
from mobility.core.principals import SYSTEM
from mobility.core.transitions import IllegalMove
from tests.conftest import person
from tests.core.files.test_images import picture
from tests.fleet.rebalancing.conftest import NIGHT

MINUTE = datetime.timedelta(minutes=1)
PLANS = "/api/v1/fleet/plans"
TASKS = "/api/v1/fleet/tasks"


@pytest.fixture(autouse=True)
def _private_folder(settings, tmp_path):
    settings.FILES_DIR = tmp_path / "files"


def first(plan, kind):
    return plan.tasks.filter(kind=kind, state=TaskState.OPEN).order_by("sequence").first()


def take(task, crew, *, at, **told):
    return services.claim_task(
        task_id=task.pk, assignee_id=crew.pk, told=Told(**told), at=at, by=crew.principal
    )


def finish(task, crew, *, at, **told):
    return services.complete_task(task_id=task.pk, told=Told(**told), at=at, by=crew.principal)


def test_what_a_phone_kept_counts_when_it_was_done(published, sara):
    """She claimed, drove and loaded without a network; all of it comes half an hour later."""
    task = first(published, TaskKind.MOVE_PICKUP)
    late = NIGHT + 40 * MINUTE
    take(task, sara, at=late, happened_at=NIGHT + 5 * MINUTE)
    services.arrive_at_task(
        task_id=task.pk,
        told=Told(happened_at=NIGHT + 12 * MINUTE, driven_m=2_400, walked_m=30),
        at=late,
        by=sara.principal,
    )
    done = finish(task, sara, at=late, happened_at=NIGHT + 15 * MINUTE, walked_m=50)
    done.refresh_from_db()
    assert done.claimed_at == NIGHT + 5 * MINUTE
    assert done.arrived_at == NIGHT + 12 * MINUTE
    assert done.finished_at == NIGHT + 15 * MINUTE
    assert (done.driven_m, done.walked_m) == (2_400, 80)
    assert queries.figures_of(published)["crew"] == {
        "planned_minutes": published.summary["crew_minutes"],
        "minutes": 10.0,
        "stop_minutes": 3.0,
        "km": 2.4,
        "walked_km": 0.1,
        "measured_pct": 100.0,
        "cost_cents": round(10 * 3_200 / 60),
    }


def test_a_phone_with_a_wrong_clock_cannot_turn_time_around(published, sara):
    task = first(published, TaskKind.MOVE_PICKUP)
    take(task, sara, at=NIGHT + MINUTE, happened_at=NIGHT + 9 * 60 * MINUTE)
    task.refresh_from_db()
    assert task.claimed_at == NIGHT + MINUTE
    done = finish(task, sara, at=NIGHT + 3 * MINUTE, happened_at=NIGHT - 60 * MINUTE)
    assert done.finished_at == NIGHT + MINUTE


def test_nobody_measured_is_not_zero(published, sara, claim):
    done = finish(claim(first(published, TaskKind.MOVE_PICKUP), sara), sara, at=NIGHT + MINUTE)
    assert (done.driven_m, done.walked_m) == (None, None)


def test_sara_arrives_once_and_only_with_the_task_in_hand(published, sara, ruote, claim):
    task = first(published, TaskKind.MOVE_PICKUP)
    with pytest.raises(services.TaskNotInHand):
        services.arrive_at_task(task_id=task.pk, told=Told(), at=NIGHT, by=sara.principal)
    claim(task, sara)
    other = person("ugo@demo.example", ruote, Role.CREW)
    with pytest.raises(services.NotYourTask):
        services.arrive_at_task(task_id=task.pk, told=Told(), at=NIGHT, by=other.principal)
    for minutes in (4, 9):
        told = Told(driven_m=100)
        at = NIGHT + minutes * MINUTE
        services.arrive_at_task(task_id=task.pk, told=told, at=at, by=sara.principal)
    task.refresh_from_db()
    assert (task.arrived_at, task.driven_m) == (NIGHT + 4 * MINUTE, 100)


def test_a_problem_becomes_a_fault_and_may_end_the_task(live, sara, api):
    task = first(live, TaskKind.MOVE_PICKUP)
    browser = api(sara)
    browser.post(f"{TASKS}/{task.public_id}/claim")
    told = browser.post(
        f"{TASKS}/{task.public_id}/problem",
        {"category": "brakes", "text": "The lever is gone.", "give_up": True},
        HTTP_IDEMPOTENCY_KEY="one",
    )
    again = browser.post(
        f"{TASKS}/{task.public_id}/problem",
        {"category": "brakes", "text": "The lever is gone.", "give_up": True},
        HTTP_IDEMPOTENCY_KEY="one",
    )
    assert told.status_code == 201, told.content
    assert again.json() == told.json()
    fault = FaultReport.objects.get()
    assert told.json()["case_number"] == fault.case_number
    assert (fault.vehicle, fault.source, fault.category) == (task.vehicle, "crew", "brakes")
    assert fault.evidence == {"task": str(task.public_id)}
    task.refresh_from_db()
    assert (task.state, task.drop_reason) == (TaskState.DROPPED, DropReason.BROKEN)
    assert Vehicle.objects.get(pk=task.vehicle_id).rental_state == "free"


def test_a_problem_alone_leaves_the_task_in_hand(published, sara, claim):
    task = claim(first(published, TaskKind.MOVE_PICKUP), sara)
    _fault, left = services.report_problem(
        task_id=task.pk, category="dirty", at=NIGHT, by=sara.principal
    )
    assert left.state == TaskState.CLAIMED


def test_at_a_drop_off_the_vehicle_has_to_be_named(published, sara):
    task = first(published, TaskKind.MOVE_DROPOFF)
    with pytest.raises(services.WhichVehicle):
        services.report_problem(task_id=task.pk, category="dirty", at=NIGHT, by=sara.principal)
    fault, _left = services.report_problem(
        task_id=task.pk, category="dirty", vehicle_code="surplus3", at=NIGHT, by=sara.principal
    )
    assert fault.vehicle.code == "SURPLUS3"


def test_three_pictures_prove_how_the_place_was_left(live, sara, rivale, api):
    task = first(live, TaskKind.MOVE_PICKUP)
    browser, address = api(sara), f"{TASKS}/{task.public_id}/photos"

    def send():
        upload = SimpleUploadedFile("street.jpg", picture(), content_type="image/jpeg")
        return browser.post(address, {"photo": upload}, format="multipart")

    assert send().json()["code"] == "task_not_in_hand"
    browser.post(f"{TASKS}/{task.public_id}/claim")
    sent = [send() for _ in range(4)]
    assert [answer.status_code for answer in sent] == [201, 201, 201, 409]
    assert sent[3].json()["code"] == "too_many_photos"
    file = f"/api/v1/files/{sent[0].json()['file']}"
    assert browser.get(file).status_code == 200
    assert api(rivale).get(file).status_code == 404
    assert len(browser.get(address).json()["results"]) == 3


def test_marco_gives_vans_and_sara_takes_what_is_free(draft, sara, marco, ruote, api):
    ugo = person("ugo@demo.example", ruote, Role.CREW)
    address = f"{PLANS}/{draft.public_id}/vans"
    browser = api(sara)
    taken = browser.post(address, {"van": 0, "crew": str(sara.public_id)})
    assert taken.json()["vans"][0]["crew"] == str(sara.public_id)
    assert browser.post(address, {"van": 0, "crew": str(ugo.public_id)}).status_code == 403
    late = api(ugo).post(address, {"van": 0, "crew": str(ugo.public_id)})
    assert late.json()["code"] == "van_taken"
    assert api(ugo).post(address, {"van": 0, "crew": None}).json()["code"] == "van_taken"
    given = api(marco).post(address, {"van": 0, "crew": str(ugo.public_id)})
    assert given.json()["vans"][0]["crew_name"] == "Ugo"
    assert {one["name"] for one in given.json()["crews"]} >= {"Ugo"}
    assert api(marco).post(address, {"van": 7, "crew": None}).status_code == 404
    assert api(ugo).post(address, {"van": 0, "crew": None}).json()["vans"][0]["crew"] is None
    assert not VanCrew.objects.exists()
    told = api(marco).get(f"{PLANS}/{draft.public_id}/decisions").json()["results"]
    assert [one["action"] for one in told][:2] == ["assign_van", "assign_van"]
    assert told[0]["by"] == "Ugo"


def test_the_load_sheet_counts_batteries_by_model_and_vehicles_by_kind(published, sara):
    (tour,) = queries.tours_of(published)
    swaps = published.tasks.filter(kind=TaskKind.SWAP_BATTERY)
    model = swaps.first().vehicle.type
    assert [(load.model, load.packs) for load in tour.load] == [
        (model.code, swaps.count() * model.battery_slots)
    ]
    pickups = published.tasks.filter(kind=TaskKind.MOVE_PICKUP)
    assert tour.to_bring == {"scooter": pickups.count()}
    assert (tour.done, tour.aboard) == (0, {})
    take(pickups.first(), sara, at=NIGHT)
    finish(pickups.first(), sara, at=NIGHT + MINUTE)
    (tour,) = queries.tours_of(published)
    assert (tour.done, tour.aboard) == (1, {"scooter": 1})


def test_a_broken_scooter_leaves_the_van_at_the_workshop_only(published, sara, claim):
    broken, sound = published.tasks.filter(kind=TaskKind.MOVE_PICKUP)[:2]
    RebalancingTask.objects.filter(pk=broken.pk).update(reason=Reason.MAINTENANCE)
    for task in (broken, sound):
        finish(claim(task, sara), sara, at=NIGHT + MINUTE)
    down = claim(first(published, TaskKind.MOVE_DROPOFF), sara)
    assert finish(down, sara, at=NIGHT + 2 * MINUTE).done_quantity == 1
    broken.refresh_from_db()
    assert broken.delivered_by_id is None
    bench = RebalancingTask.objects.create(
        plan=published, van=0, sequence=999, kind=TaskKind.UNLOAD, vehicle_kind="scooter",
        cell=broken.cell, lon=broken.lon, lat=broken.lat, value_cents=0, cost_cents=0,
        reason=Reason.MAINTENANCE,
    )  # fmt: skip
    assert finish(claim(bench, sara), sara, at=NIGHT + 3 * MINUTE).done_quantity == 1
    states = Vehicle.objects.in_bulk([broken.vehicle_id, sound.vehicle_id])
    assert states[broken.vehicle_id].life_state == "workshop"
    assert states[sound.vehicle_id].life_state == "in_service"


def test_a_repeated_completion_from_the_queue_acts_once(live, sara, api):
    browser, task = api(sara), first(live, TaskKind.MOVE_PICKUP)
    browser.post(f"{TASKS}/{task.public_id}/claim", HTTP_IDEMPOTENCY_KEY="a")
    body = {"happened_at": "2026-05-05T01:40:00Z", "driven_m": 900}
    answers = [
        browser.post(f"{TASKS}/{task.public_id}/complete", body, HTTP_IDEMPOTENCY_KEY="b")
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    task.refresh_from_db()
    assert task.driven_m == 900
    moves = AuditEntry.objects.filter(row=f"fleet.rebalancingtask:{task.pk}", action="state:done")
    assert moves.count() == 1
    with pytest.raises(IllegalMove):
        finish(task, sara, at=NIGHT + 9 * MINUTE)


@pytest.fixture
def live(published):
    """The doors' clock shows the night of the plan."""
    with time_machine.travel(NIGHT + 10 * MINUTE, tick=False):
        yield published


def test_figures_are_for_the_own_fleet_only(published, rivale, marco, api):
    address = f"{PLANS}/{published.public_id}"
    for part in ("figures", "decisions", "vans"):
        assert api(rivale).get(f"{address}/{part}").status_code == 404
        assert api(marco).get(f"{address}/{part}").status_code == 200
    services.close_plan(plan_id=published.pk, at=NIGHT, by=SYSTEM)
    figures = api(marco).get(f"{address}/figures").json()
    assert figures["dropped"] == figures["tasks"] > 0


def test_what_sara_walked_is_hers_and_goes_with_her(published, sara, giulia, claim):
    told = {"happened_at": NIGHT + MINUTE, "driven_m": 700, "walked_m": 40}
    task = finish(claim(first(published, TaskKind.MOVE_PICKUP), sara), sara, at=NIGHT, **told)
    services.assign_van(plan_id=published.pk, van=0, crew_id=sara.pk, at=NIGHT, by=sara.principal)
    (row,) = privacy.export(user=sara)
    assert (row["vehicle__code"], row["driven_m"]) == (task.vehicle.code, 700)
    privacy.erase(user=sara, nobody=giulia, at=NIGHT, by=SYSTEM)
    task.refresh_from_db()
    assert (task.assignee, task.driven_m, task.walked_m) == (giulia, None, None)
    assert not VanCrew.objects.exists()
