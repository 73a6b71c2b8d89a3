"""Sara's night: she claims, picks up, swaps, drops off; the world may move on meanwhile."""

import datetime
import threading

import pytest
from django.db import connections

from fleet.rebalancing import services
from fleet.rebalancing.models import RebalancingTask
from fleet.rebalancing.states import DropReason, PlanState, TaskKind, TaskState
from fleet.vehicles import services as vehicles
from fleet.vehicles.models import Battery, Vehicle, VehicleEvent, VehicleHold, VehicleType
from mobility.core.principals import SYSTEM
from mobility.core.transitions import IllegalMove, LostRace
from tests.conftest import person
from tests.fleet.rebalancing.conftest import AWAY, NIGHT

HOUR = datetime.timedelta(hours=1)


def first(plan, kind):
    return plan.tasks.filter(kind=kind).first()


def ride(vehicle):
    return vehicles.hold_vehicle(
        vehicle_id=vehicle.pk, until=NIGHT + HOUR, purpose="ride", holder_ref="reservation:1",
        at=NIGHT, by=SYSTEM,
    )  # fmt: skip


def complete(task, crew, **given):
    return services.complete_task(task_id=task.pk, at=NIGHT, by=crew.principal, **given)


def state_of(vehicle):
    return Vehicle.objects.values_list("life_state", "rental_state").get(pk=vehicle.pk)


def words_of(vehicle):
    """What the public history says since the night began."""
    rows = VehicleEvent.objects.filter(vehicle=vehicle, at__gte=NIGHT).order_by("id")
    return [(row.mds_state, row.mds_events) for row in rows]


def test_a_claimed_scooter_cannot_be_rented(published, sara, claim):
    task = claim(first(published, TaskKind.MOVE_PICKUP), sara)
    published.refresh_from_db()
    assert (task.state, task.assignee) == (TaskState.CLAIMED, sara)
    assert published.state == PlanState.RUNNING
    with pytest.raises(vehicles.VehicleTaken):
        ride(task.vehicle)


def test_a_rented_scooter_cannot_be_claimed(published, sara, claim):
    task = first(published, TaskKind.MOVE_PICKUP)
    ride(task.vehicle)
    late = claim(task, sara)
    assert (late.state, late.drop_reason) == (TaskState.DROPPED, DropReason.RENTED)
    assert state_of(task.vehicle) == ("in_service", "held")


def test_a_scooter_that_left_is_not_looked_for(published, sara, claim):
    task = first(published, TaskKind.MOVE_PICKUP)
    task.vehicle.latest.lon_e7, task.vehicle.latest.lat_e7 = (round(x * 1e7) for x in AWAY)
    task.vehicle.latest.save()
    late = claim(task, sara)
    assert (late.state, late.drop_reason) == (TaskState.DROPPED, DropReason.MOVED)
    assert not VehicleHold.objects.exists()


def test_a_scooter_pushed_round_the_corner_is_still_the_one(published, sara, claim):
    task = first(published, TaskKind.MOVE_PICKUP)
    latest = task.vehicle.latest
    latest.lat_e7 += 3_000  # 33 m
    latest.save()
    taken = claim(task, sara)
    assert taken.state == TaskState.CLAIMED
    assert taken.lat == pytest.approx(latest.lat)


def test_from_the_quiet_place_to_the_busy_one(published, sara, claim):
    pickups = list(published.tasks.filter(kind=TaskKind.MOVE_PICKUP))
    for task in pickups:
        complete(claim(task, sara), sara)
    assert {state_of(task.vehicle) for task in pickups} == {("storage", "staff")}
    assert published.tasks.aboard().count() == len(pickups)
    for task in published.tasks.filter(kind=TaskKind.MOVE_DROPOFF):
        done = complete(claim(task, sara), sara)
        assert done.done_quantity == done.quantity
    assert {state_of(task.vehicle) for task in pickups} == {("in_service", "free")}
    assert published.tasks.aboard().count() == 0
    assert not VehicleHold.objects.active().exists()
    states = [state for state, _words in words_of(pickups[0].vehicle)]
    assert states[-1] == "available"
    assert "removed" in states
    words = [word for _state, row in words_of(pickups[0].vehicle) for word in row]
    assert "rebalance_pick_up" in words
    assert "provider_drop_off" in words


def test_a_battery_swap_gives_the_scooter_back(published, sara, claim):
    task = claim(first(published, TaskKind.SWAP_BATTERY), sara)
    assert state_of(task.vehicle) == ("in_service", "staff")
    complete(task, sara)
    assert state_of(task.vehicle) == ("in_service", "free")


def test_sara_names_the_battery_that_she_put_in(published, sara, claim, api):
    task = claim(first(published, TaskKind.SWAP_BATTERY), sara)
    VehicleType.objects.filter(vehicles=task.vehicle).update(swappable=True)
    battery = Battery.objects.create(
        organisation=task.vehicle.organisation, serial="BAT-7", capacity_wh=550
    )
    url = f"/api/v1/fleet/tasks/{task.public_id}/complete"
    answer = api(sara).post(url, {"batteries": ["BAT-7"]})
    assert answer.status_code == 200, answer.json()
    battery.refresh_from_db()
    assert (battery.state, battery.placements.get().vehicle) == ("in_vehicle", task.vehicle)


def test_a_battery_nobody_knows_keeps_the_task_open(published, sara, claim):
    task = claim(first(published, TaskKind.SWAP_BATTERY), sara)
    VehicleType.objects.filter(vehicles=task.vehicle).update(swappable=True)
    with pytest.raises(vehicles.BatteryNotFound):
        complete(task, sara, battery_serials=["NOWHERE"])
    assert state_of(task.vehicle) == ("in_service", "staff")


def test_named_vehicles_are_put_down_and_no_others(published, sara, claim):
    pickups = list(published.tasks.filter(kind=TaskKind.MOVE_PICKUP))[:3]
    for task in pickups:
        complete(claim(task, sara), sara)
    dropoff = claim(first(published, TaskKind.MOVE_DROPOFF), sara)
    with pytest.raises(services.WrongVehicles):
        complete(dropoff, sara, vehicle_codes=["NOTMINE"])
    done = complete(dropoff, sara, vehicle_codes=[pickups[2].vehicle.code])
    assert done.done_quantity == 1
    assert state_of(pickups[2].vehicle) == ("in_service", "free")
    assert state_of(pickups[0].vehicle) == ("storage", "staff")


def test_nothing_aboard_nothing_to_put_down(published, sara, claim):
    dropoff = claim(first(published, TaskKind.MOVE_DROPOFF), sara)
    with pytest.raises(services.NothingAboard):
        complete(dropoff, sara)
    dropped = services.drop_task(
        task_id=dropoff.pk, reason=DropReason.NOTHING_ABOARD, at=NIGHT, by=sara.principal
    )
    assert dropped.state == TaskState.DROPPED


def test_a_task_given_up_frees_its_scooter(published, sara, claim):
    task = claim(first(published, TaskKind.MOVE_PICKUP), sara)
    services.drop_task(task_id=task.pk, reason=DropReason.NOT_FOUND, at=NIGHT, by=sara.principal)
    assert state_of(task.vehicle) == ("in_service", "free")
    with pytest.raises(IllegalMove):
        claim(task, sara)


def test_another_crew_keeps_its_hands_off(published, sara, marco, ruote, claim):
    tullio = person("tullio@demo.example", ruote, "crew")
    task = claim(first(published, TaskKind.MOVE_PICKUP), sara)
    with pytest.raises(services.NotYourTask):
        complete(task, tullio)
    drop = {"task_id": task.pk, "reason": DropReason.NOT_NEEDED, "at": NIGHT}
    with pytest.raises(services.NotYourTask):
        services.drop_task(**drop, by=tullio.principal)
    assert services.drop_task(**drop, by=marco.principal, of_any_crew=True)


def test_a_draft_is_not_to_be_worked_on(draft, sara, claim):
    with pytest.raises(services.PlanNotWorkable):
        claim(draft.tasks.first(), sara)
    with pytest.raises(services.TaskNotFound):
        claim(RebalancingTask(pk=0), sara)


def test_closing_leaves_a_crew_what_it_has_in_hand(published, sara, claim):
    task = claim(first(published, TaskKind.MOVE_PICKUP), sara)
    services.close_plan(plan_id=published.pk, at=NIGHT, by=SYSTEM)
    task.refresh_from_db()
    assert task.state == TaskState.CLAIMED
    complete(task, sara)
    assert state_of(task.vehicle) == ("storage", "staff")


def test_vehicles_aboard_when_a_plan_was_closed_early_are_cleared_too(published, sara, claim):
    aboard = first(published, TaskKind.MOVE_PICKUP)
    complete(claim(aboard, sara), sara)
    services.close_plan(plan_id=published.pk, at=NIGHT, by=SYSTEM)
    assert services.close_overdue_plans(at=NIGHT + 24 * HOUR, by=SYSTEM) == 1
    assert services.close_overdue_plans(at=NIGHT + 25 * HOUR, by=SYSTEM) == 0
    assert state_of(aboard.vehicle) == ("storage", "free")


def test_what_was_left_lying_is_cleared_the_next_night(published, sara, claim):
    aboard, claimed = list(published.tasks.filter(kind=TaskKind.MOVE_PICKUP))[:2]
    complete(claim(aboard, sara), sara)
    claim(claimed, sara)
    assert services.close_overdue_plans(at=NIGHT + HOUR, by=SYSTEM) == 0
    assert services.close_overdue_plans(at=NIGHT + 24 * HOUR, by=SYSTEM) == 1
    assert services.close_overdue_plans(at=NIGHT + 25 * HOUR, by=SYSTEM) == 0
    published.refresh_from_db()
    assert published.state == PlanState.CLOSED
    assert not VehicleHold.objects.active().exists()
    assert state_of(aboard.vehicle) == ("storage", "free")
    assert state_of(claimed.vehicle) == ("in_service", "free")


@pytest.mark.django_db(transaction=True)
def test_two_crews_and_three_riders_at_once_give_one_winner(published, sara, marco, claim):
    """All reach for the same scooter in the same moment; one gets it."""
    task = first(published, TaskKind.MOVE_PICKUP)
    together = threading.Barrier(5)
    outcomes = []

    def run(act):
        try:
            together.wait(timeout=20)
            outcomes.append(act())
        except (LostRace, IllegalMove, vehicles.VehicleTaken) as lost:
            outcomes.append(lost)
        finally:
            connections.close_all()

    acts = [lambda crew=crew: claim(task, crew) for crew in (sara, marco)]
    acts += [lambda: ride(task.vehicle)] * 3
    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    task.refresh_from_db()
    won = [row for row in outcomes if isinstance(row, VehicleHold)]
    won += [row for row in outcomes if getattr(row, "state", "") == TaskState.CLAIMED]
    assert len(outcomes) == 5
    assert len(won) == 1
    assert VehicleHold.objects.active().count() == 1
    assert task.state == (
        TaskState.DROPPED if isinstance(won[0], VehicleHold) else TaskState.CLAIMED
    )
