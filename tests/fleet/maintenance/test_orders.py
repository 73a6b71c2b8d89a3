"""Work orders: one for each reason, taken, done with parts and cost, or given up."""

import datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from fleet.maintenance.models import FaultReport, WorkOrder
from fleet.maintenance.queries import costs
from fleet.maintenance.services import open_order, start_order
from fleet.vehicles.models import VehicleHold
from fleet.vehicles.services import hold_vehicle, set_life_state
from fleet.vehicles.states import BlockReason
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.fleet.maintenance.conftest import blocks_of, life_of

pytestmark = pytest.mark.django_db


def test_a_second_wish_for_the_same_reason_is_the_first_one(
    make_vehicle: Any, order_for: Any
) -> None:
    vehicle = make_vehicle()
    first = order_for(vehicle, "tyre")
    urgent = order_for(vehicle, "tyre", priority=1)
    assert urgent["id"] == first["id"]
    assert urgent["priority"] == 1
    assert order_for(vehicle, "lights")["id"] != first["id"]


def test_two_open_orders_for_one_reason_are_impossible(make_vehicle: Any) -> None:
    vehicle, at = make_vehicle(), clock.now()
    fields = {"vehicle": vehicle, "reason": "tyre", "opened_at": at, "opened_by": SYSTEM}
    WorkOrder.objects.create(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkOrder.objects.create(**fields)


def test_sara_takes_the_work_begins_and_the_vehicle_is_hers(
    make_vehicle: Any, order_for: Any, crew: Any, sara: Any
) -> None:
    vehicle = make_vehicle()
    order = crew("assign", order_for(vehicle))
    assert (order["state"], order["assigned_name"]) == ("assigned", "Sara")
    order = crew("start", order)
    assert order["state"] == "in_progress"
    assert life_of(vehicle) == ("in_service", "staff")
    done = crew("finish", order, labour_minutes=20, notes="new tube")
    assert done["state"] == "done"
    assert life_of(vehicle) == ("in_service", "free")
    assert not VehicleHold.objects.active().exists()


def test_work_waits_while_a_rider_has_the_vehicle(
    make_vehicle: Any, order_for: Any, crew: Any
) -> None:
    vehicle, at = make_vehicle(), clock.now()
    hold_vehicle(
        vehicle_id=vehicle.pk,
        until=at + datetime.timedelta(minutes=15),
        purpose="ride",
        holder_ref="reservation:1",
        at=at,
        by=SYSTEM,
    )
    order = order_for(vehicle)
    assert crew("start", order, expect=409)["code"] == "vehicle_taken"
    assert life_of(vehicle) == ("in_service", "held")


def test_work_is_given_only_to_people_of_the_fleet(
    make_vehicle: Any, order_for: Any, crew: Any, giulia: Any, rivale: Any, marco: Any
) -> None:
    order = order_for(make_vehicle())
    for stranger in (giulia, rivale):
        refused = crew("assign", order, expect=422, to=str(stranger.public_id))
        assert refused["code"] == "not_on_this_fleet"
    assert crew("assign", order, to=str(marco.public_id))["assigned_name"] == "Marco"
    assert crew("assign", order)["assigned_name"] == "Sara"


def test_two_orders_at_once_share_the_vehicle_and_the_last_one_releases_it(
    make_vehicle: Any, order_for: Any, crew: Any
) -> None:
    vehicle = make_vehicle()
    tyre, lights = order_for(vehicle, "tyre"), order_for(vehicle, "lights")
    crew("start", tyre)
    crew("start", lights)
    crew("finish", tyre)
    assert life_of(vehicle) == ("in_service", "staff")
    crew("finish", lights)
    assert life_of(vehicle) == ("in_service", "free")


def test_finishing_resolves_the_reports_and_lifts_the_block(
    make_vehicle: Any, api: Any, crew: Any, giulia: Any
) -> None:
    vehicle = make_vehicle()
    api(giulia).post(f"/api/v1/vehicles/{vehicle.code}/faults", {"category": "brakes"})
    order = {"id": str(WorkOrder.objects.get().public_id)}
    crew("start", order)
    crew("finish", order)
    assert FaultReport.objects.get().state == "resolved"
    assert blocks_of(vehicle) == set()


def test_giving_work_up_opens_its_reports_again(
    make_vehicle: Any, api: Any, crew: Any, giulia: Any
) -> None:
    vehicle = make_vehicle()
    api(giulia).post(f"/api/v1/vehicles/{vehicle.code}/faults", {"category": "brakes"})
    order = {"id": str(WorkOrder.objects.get().public_id)}
    crew("start", order)
    crew("cancel", order, reason="no part")
    report = FaultReport.objects.get()
    assert (report.state, report.order) == ("open", None)
    assert blocks_of(vehicle) == {BlockReason.DAMAGE}
    assert life_of(vehicle) == ("in_service", "free")


def test_work_that_was_not_begun_cannot_be_finished(
    make_vehicle: Any, order_for: Any, crew: Any
) -> None:
    order = order_for(make_vehicle())
    assert crew("finish", order, expect=409)["code"] == "work_order_not_in_progress"
    assert crew("cancel", order)["state"] == "cancelled"
    assert crew("start", order, expect=409)["code"] == "illegal_move"


def test_parts_labour_and_time_away_add_up(
    make_vehicle: Any, order_for: Any, crew: Any, api: Any, marco: Any, ruote: Any
) -> None:
    vehicle = make_vehicle()
    order = order_for(vehicle)
    crew("start", order)
    WorkOrder.objects.update(withdrawn_at=clock.now() - datetime.timedelta(hours=2))
    parts = [
        {"name": "Inner tube", "quantity": 2, "unit_cost_cents": 450},
        {"name": "Tyre", "unit_cost_cents": 1900},
    ]
    done = crew("finish", order, labour_minutes=35, cost_cents=1500, parts=parts)
    assert (done["parts_cents"], done["total_cents"]) == (2800, 4300)
    assert done["downtime_s"] == pytest.approx(7200, abs=30)
    at = clock.now()
    period = {"start": at - datetime.timedelta(days=1), "end": at}
    for by, name in (("vehicle", vehicle.code), ("type", "")):
        answer = api(marco).get(
            "/api/v1/fleet/maintenance-costs",
            {name: at.isoformat() for name, at in period.items()} | {"by": by},
        )
        (line,) = answer.json()["results"]
        assert line["vehicle"] == name
        assert (line["orders"], line["labour_minutes"], line["total_cents"]) == (1, 35, 4300)
        assert line["downtime_hours"] == pytest.approx(2, abs=0.02)
    assert costs(organisation_ids=[ruote.pk + 1000], by="type", **period) == []


def test_two_orders_at_once_keep_a_vehicle_away_only_once(make_vehicle: Any, sara: Any) -> None:
    vehicle, now = make_vehicle(), clock.now()
    start = now - datetime.timedelta(hours=5)
    for reason, after_h in (("tyre", 0), ("lights", 1)):
        at = start + datetime.timedelta(hours=after_h)
        order = open_order(vehicle_id=vehicle.pk, reason=reason, at=at, by=SYSTEM)
        start_order(order_id=order.pk, worker=sara, at=at, by=SYSTEM)
    (line,) = costs(organisation_ids=[vehicle.organisation_id], start=start, end=now, by="type")
    assert line.downtime_hours == pytest.approx(5)
    assert line.orders == 0


def test_a_workshop_vehicle_that_staff_parked_there_gets_its_work_too(
    make_vehicle: Any, order_for: Any, crew: Any
) -> None:
    vehicle = make_vehicle()
    set_life_state(vehicle_id=vehicle.pk, to="workshop", at=clock.now(), by=SYSTEM)
    order = crew("start", order_for(vehicle), place="workshop")
    assert order["state"] == "in_progress"
    assert life_of(vehicle) == ("workshop", "staff")


def test_the_list_costs_the_same_for_one_order_and_for_many(
    make_vehicle: Any, order_for: Any, api: Any, sara: Any
) -> None:
    client = api(sara)
    order_for(make_vehicle())
    with CaptureQueriesContext(connection) as one:
        assert len(client.get("/api/v1/fleet/work-orders").json()["results"]) == 1
    for _ in range(6):
        order_for(make_vehicle())
    with CaptureQueriesContext(connection) as many:
        assert len(client.get("/api/v1/fleet/work-orders").json()["results"]) == 7
    assert len(one) == len(many)


def test_the_urgent_stands_first_and_what_is_done_stands_no_more(
    make_vehicle: Any, order_for: Any, crew: Any, api: Any, sara: Any
) -> None:
    late = order_for(make_vehicle(), "dirty", priority=4)
    soon = order_for(make_vehicle(), "brakes", priority=1)
    gone = order_for(make_vehicle(), "lock", priority=1)
    crew("cancel", gone)
    listed = api(sara).get("/api/v1/fleet/work-orders").json()["results"]
    assert [one["id"] for one in listed] == [soon["id"], late["id"]]


def test_the_export_runs_nothing_in_a_spreadsheet(
    make_vehicle: Any, order_for: Any, client: Any, marco: Any
) -> None:
    order_for(make_vehicle(), title="=HYPERLINK(1)")
    client.force_login(marco)
    answer = client.post(
        "/admin/fleet/workorder/",
        {"action": "export_csv", "_selected_action": [WorkOrder.objects.get().pk]},
    )
    assert answer["Content-Type"].startswith("text/csv")
    assert "'=HYPERLINK(1)" in answer.content.decode()


def test_a_vehicle_that_leaves_for_good_takes_its_work_with_it(
    make_vehicle: Any, order_for: Any, api: Any, giulia: Any, relay: Any
) -> None:
    vehicle = make_vehicle()
    for category in ("brakes", "dirty"):
        api(giulia).post(f"/api/v1/vehicles/{vehicle.code}/faults", {"category": category})
    order_for(vehicle, "lights")
    set_life_state(vehicle_id=vehicle.pk, to="retired", at=clock.now(), by=SYSTEM)
    relay()
    assert set(WorkOrder.objects.values_list("state", flat=True)) == {"cancelled"}
    assert set(FaultReport.objects.values_list("state", flat=True)) == {"dismissed"}
    assert blocks_of(vehicle) == set()


def test_a_thousand_dear_parts_do_not_break_the_sum(
    make_vehicle: Any, order_for: Any, crew: Any
) -> None:
    order = order_for(make_vehicle())
    crew("start", order)
    parts = [{"name": "Motor", "quantity": 1000, "unit_cost_cents": 10_000_000}]
    assert crew("finish", order, parts=parts)["parts_cents"] == 10_000_000_000


def test_a_cost_report_of_a_period_that_runs_backwards_is_refused(api: Any, marco: Any) -> None:
    at = clock.now().isoformat()
    answer = api(marco).get("/api/v1/fleet/maintenance-costs", {"start": at, "end": at})
    assert answer.status_code == 400
