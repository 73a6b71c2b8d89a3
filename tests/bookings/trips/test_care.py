"""Rides that nobody looks after: the keeper pauses, tells and ends them, and says why."""

import datetime

import pytest

from bookings.trips import tasks
from bookings.trips.models import Trip
from fleet.maintenance.models import FaultReport, WorkOrder
from mobility.core.models import AuditEntry, OutboxEvent

pytestmark = pytest.mark.django_db


def notices():
    rows = OutboxEvent.objects.filter(name="bookings.trip_prompted.v1").order_by("id")
    return [row.payload["notice"] for row in rows]


@pytest.fixture
def stand(drive):
    """`stand(5)`: the vehicle stands locked so many minutes; the keeper looks after one and the last."""

    def still(minutes, **said):
        for spell in (1, minutes - 1):
            drive(minutes=spell, **{"locked": True, **said})
            tasks.sweep()

    return still


def test_a_scooter_that_stands_locked_is_paused_told_of_and_ended(
    ride, rider, stand, obey, scooter
):
    trip = ride()
    stand(6)
    paused = rider.get(trip).json()
    assert (paused["state"], paused["flags"]) == ("paused", ["auto_paused"])
    obey(scooter)
    stand(6)
    assert notices() == ["idle_first"]
    stand(10)
    assert notices() == ["idle_first", "idle_last"]
    assert rider.get(trip).json()["notices"] == ["idle_first", "idle_last"]
    stand(9)
    obey(scooter)
    ended = rider.get(trip).json()
    assert (ended["end_reason"], ended["state"]) == ("idle", "priced")
    assert set(ended["flags"]) == {"auto_paused", "auto_ended"}
    # Six minutes ridden, twenty-five paused: far below what standing for half an hour cost before.
    assert ended["price_cents"] == 100 + 6 * 25 + 25 * 10


def test_it_ends_wherever_it_stands_and_staff_see_where_it_may_not(ride, rider, stand, policy):
    policy(auto_pause_min=None, first_prompt_min=1, last_prompt_min=2, auto_end_min=3)
    trip = ride()
    stand(5, lon=9.40)
    ended = rider.get(trip).json()
    assert (ended["state"], ended["flags"]) == ("ending", ["auto_ended", "misplaced"])


def test_who_rides_on_is_left_alone(ride, rider, stand, drive):
    trip = ride()
    stand(4)
    drive(minutes=1, locked=False, speed_kmh=15)
    tasks.sweep()
    stand(4)
    assert rider.get(trip).json()["state"] == "running"
    assert Trip.objects.get().idle_since is not None


def test_a_silent_vehicle_does_not_stand_as_far_as_we_know(ride, rider, travel):
    trip = ride()
    for _look in range(4):
        travel.shift(datetime.timedelta(minutes=10))
        tasks.sweep()
    assert rider.get(trip).json()["state"] == "running"


def test_a_pause_the_rider_asked_for_lasts_as_long_as_allowed(
    ride, rider, stand, obey, scooter, policy
):
    policy(max_pause_min=15)
    trip = ride()
    rider.post(f"{trip}/pause")
    obey(scooter)
    stand(6)
    assert (rider.get(trip).json()["state"], notices()) == ("paused", ["pause_ends"])
    stand(9)
    obey(scooter)
    ended = rider.get(trip).json()
    assert (ended["end_reason"], ended["price_cents"]) == ("pause_over", 100 + 15 * 10)


def test_a_word_from_before_the_resuming_does_not_end_the_ride(
    ride, rider, drive, obey, scooter, travel, policy
):
    policy(lock_ends_after_s=30, auto_pause_min=None)
    trip = ride()
    rider.post(f"{trip}/pause")
    obey(scooter)
    drive(minutes=3, locked=True)
    travel.shift(datetime.timedelta(seconds=5))
    rider.post(f"{trip}/resume")
    obey(scooter)
    for _round in range(4):
        travel.shift(datetime.timedelta(seconds=10))
        tasks.sweep()
    assert rider.get(trip).json()["state"] == "running"


def test_resuming_begins_anew(ride, rider, stand, obey, scooter):
    trip = ride()
    stand(7)
    obey(scooter)
    stand(4)
    assert notices() == ["idle_first"]
    rider.post(f"{trip}/resume")
    told = rider.get(trip).json()
    assert (told["state"], told["notices"]) == ("running", [])
    assert Trip.objects.get().idle_since is None


def test_a_dead_battery_stops_the_fare_at_the_last_word_and_calls_staff_urgently(
    ride, rider, scooter, drive, travel, silence
):
    trip = ride()
    drive(minutes=4, battery_pct=14)
    tasks.sweep()
    drive(minutes=3, battery_pct=2)
    tasks.sweep()
    assert notices() == ["low_battery"]
    assert rider.get(trip).json()["state"] == "running"
    travel.shift(datetime.timedelta(minutes=6))
    assert tasks.sweep()["cared_for"] == 1
    for _attempt in range(2):
        travel.shift(datetime.timedelta(seconds=21))
        silence()
    ended = rider.get(trip).json()
    assert (ended["end_reason"], ended["waived"]) == ("battery_dead", "unlock")
    assert ended["price_cents"] == 7 * 25
    fault = FaultReport.objects.get(category="battery")
    assert (fault.state, fault.trip_ref) == ("accepted", ended["id"])
    assert WorkOrder.objects.get(pk=fault.order_id).priority == 1


def test_what_no_policy_means_costs_the_sweep_no_statement_per_ride(
    ride, django_assert_max_num_queries
):
    ride()
    with django_assert_max_num_queries(12):
        tasks.sweep()


def test_who_changes_a_policy_leaves_a_trail(policy):
    row = policy(auto_end_min=40)
    policy(auto_end_min=50)
    trail = AuditEntry.objects.filter(row=f"bookings.trippolicy:{row.pk}").order_by("id")
    assert [entry.changes.get("auto_end_min", entry.changes) for entry in trail][-1]
    assert trail.count() == 2
