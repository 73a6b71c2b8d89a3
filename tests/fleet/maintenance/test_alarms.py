"""Alarms that somebody must go and look at come as reports; those that end by themselves go."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from fleet.maintenance.models import FaultReport, WorkOrder
from fleet.maintenance.services import accept_fault
from fleet.telematics.events import AlarmClosed, AlarmOpened
from fleet.telematics.models import Alarm
from fleet.vehicles.models import Vehicle
from fleet.vehicles.queries import timeline
from mobility.core import clock, ids, outbox

pytestmark = pytest.mark.django_db

Relay = Callable[[], int]


def alarm(event: Any, vehicle: Vehicle, *, kind: str, alarm_id: str) -> None:
    at = clock.now()
    with transaction.atomic():
        told = event(
            alarm_id=alarm_id, vehicle_id=vehicle.pk, kind=kind, at=at, details={"since": 1}
        )
        outbox.publish(told, at=at)


@pytest.mark.parametrize(
    ("kind", "category"),
    [("tilt", "misparked"), ("silence", "other"), ("left_service_area", "misparked")],
)
def test_an_alarm_to_look_at_becomes_a_report(
    kind: str, category: str, make_vehicle: Any, relay: Relay
) -> None:
    vehicle, alarm_id = make_vehicle(), str(ids.uuid7())
    alarm(AlarmOpened, vehicle, kind=kind, alarm_id=alarm_id)
    relay()
    report = FaultReport.objects.get()
    assert (report.source, report.category, report.state) == ("alarm", category, "open")
    assert report.evidence == {"alarm": alarm_id, "kind": kind, "since": 1}


def test_a_vehicle_that_ran_dry_under_its_rider_is_urgent_work_at_once(
    make_vehicle: Any, relay: Relay
) -> None:
    """Whoever stands beside it should not stand there long; a parked one can wait for staff."""
    ridden = make_vehicle(battery_pct=1, rental_state="on_trip")
    parked = make_vehicle(battery_pct=1)
    for vehicle in (ridden, parked):
        alarm(AlarmOpened, vehicle, kind="silence", alarm_id=str(ids.uuid7()))
    relay()
    order = WorkOrder.objects.get()
    assert (order.vehicle_id, order.reason, order.priority) == (ridden.pk, "battery", 1)
    assert FaultReport.objects.get(vehicle=parked).state == "open"


@pytest.mark.parametrize("kind", ["low_battery", "moved_without_trip", "speed_violation"])
def test_other_alarms_have_their_own_doors(kind: str, make_vehicle: Any, relay: Relay) -> None:
    alarm(AlarmOpened, make_vehicle(), kind=kind, alarm_id=str(ids.uuid7()))
    relay()
    assert not FaultReport.objects.exists()


def test_the_report_of_an_alarm_that_ends_is_dismissed(make_vehicle: Any, relay: Relay) -> None:
    vehicle, alarm_id = make_vehicle(), str(ids.uuid7())
    for event in (AlarmOpened, AlarmClosed):
        alarm(event, vehicle, kind="tilt", alarm_id=alarm_id)
        relay()
    assert FaultReport.objects.get().state == "dismissed"


def test_work_that_has_begun_goes_on_when_its_alarm_ends(
    make_vehicle: Any, relay: Relay, marco: Any
) -> None:
    vehicle, alarm_id = make_vehicle(), str(ids.uuid7())
    alarm(AlarmOpened, vehicle, kind="tilt", alarm_id=alarm_id)
    relay()
    fault = FaultReport.objects.get()
    accept_fault(fault_id=fault.pk, at=clock.now(), by=marco.principal)
    alarm(AlarmClosed, vehicle, kind="tilt", alarm_id=alarm_id)
    relay()
    assert FaultReport.objects.get().state == "accepted"


def test_faults_and_work_stand_in_the_one_timeline_of_the_vehicle(
    make_vehicle: Any, order_for: Any, crew: Any, api: Any, giulia: Any
) -> None:
    vehicle = make_vehicle()
    api(giulia).post(f"/api/v1/vehicles/{vehicle.code}/faults", {"category": "tyre"})
    order = crew("start", order_for(vehicle))
    crew("finish", order)
    told = [entry.what for entry in timeline(vehicle_id=vehicle.pk)]
    assert {"fault", "work_order", "work_ended", "state", "hold"} <= set(told)
    earlier = clock.now() - datetime.timedelta(days=1)
    assert timeline(vehicle_id=vehicle.pk, until=earlier) == []


def test_an_alarm_that_is_over_before_it_is_told_leaves_no_report(
    make_vehicle: Any, relay: Relay
) -> None:
    """Events may be handled in any order; nothing would ever take the late report back."""
    vehicle, at = make_vehicle(), clock.now()
    over = Alarm.objects.create(
        vehicle=vehicle,
        kind="tilt",
        severity="info",
        state="closed",
        opened_at=at,
        last_seen_at=at,
        closed_at=at,
    )
    for event in (AlarmClosed, AlarmOpened):
        alarm(event, vehicle, kind="tilt", alarm_id=str(over.public_id))
        relay()
    assert not FaultReport.objects.exists()


def test_two_alarms_at_once_are_two_reports_that_end_apart(make_vehicle: Any, relay: Relay) -> None:
    vehicle = make_vehicle()
    names = {kind: str(ids.uuid7()) for kind in ("tilt", "left_service_area")}
    for kind, alarm_id in names.items():
        alarm(AlarmOpened, vehicle, kind=kind, alarm_id=alarm_id)
    alarm(AlarmClosed, vehicle, kind="tilt", alarm_id=names["tilt"])
    relay()
    states = dict(FaultReport.objects.values_list("evidence__kind", "state"))
    assert states == {"tilt": "dismissed", "left_service_area": "open"}
