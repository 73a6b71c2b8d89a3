"""Residents, crews and alarms say that something is wrong; what is dangerous stops at once."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from fleet.maintenance.models import FaultReport, WorkOrder
from fleet.maintenance.services import report_fault
from fleet.maintenance.states import FaultSource
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import block_vehicle
from fleet.vehicles.states import BlockReason
from mobility.accounts.models import User
from mobility.core import clock
from tests.fleet.maintenance.conftest import blocks_of

pytestmark = pytest.mark.django_db

Api = Callable[[User | None], APIClient]
Make = Callable[..., Vehicle]


def tell(client: APIClient, vehicle: Vehicle, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/api/v1/vehicles/{vehicle.code}/faults", {"category": "tyre", **body})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def test_giulia_reports_a_flat_tyre_and_gets_a_case_number(
    make_vehicle: Make, api: Api, giulia: User
) -> None:
    vehicle = make_vehicle()
    case = tell(api(giulia), vehicle, text="The rear one is flat", lat=45.46, lon=9.2)
    assert len(case["case_number"]) == 8
    assert case["state"] == "open"
    report = FaultReport.objects.get(case_number=case["case_number"])
    assert (report.source, report.lon, report.lat) == ("resident", 9.2, 45.46)
    assert report.trip_ref == ""


def test_a_report_without_a_place_stands_where_the_vehicle_is(
    make_vehicle: Make, api: Api, giulia: User
) -> None:
    case = tell(api(giulia), make_vehicle(lon=9.21, lat=45.45))
    report = FaultReport.objects.get(case_number=case["case_number"])
    assert (report.lon, report.lat) == (pytest.approx(9.21), pytest.approx(45.45))


def test_telling_it_twice_within_half_an_hour_is_telling_it_once(
    make_vehicle: Make, api: Api, giulia: User, piero: User
) -> None:
    vehicle = make_vehicle()
    first = tell(api(giulia), vehicle)
    again = tell(api(giulia), vehicle, text="And it hisses")
    assert again["case_number"] == first["case_number"]
    assert again["text"] == "And it hisses"
    assert tell(api(giulia), vehicle, category="lights")["case_number"] != first["case_number"]
    assert tell(api(piero), vehicle)["case_number"] != first["case_number"]


def test_after_half_an_hour_it_is_a_new_report(make_vehicle: Make, giulia: User) -> None:
    vehicle, at = make_vehicle(), clock.now()

    def report(at: datetime.datetime) -> FaultReport:
        return report_fault(
            vehicle_id=vehicle.pk,
            source=FaultSource.RESIDENT,
            category="tyre",
            at=at,
            by=giulia.principal,
        )

    first = report(at)
    assert report(at + datetime.timedelta(minutes=29)) == first
    assert report(at + datetime.timedelta(minutes=31)) != first


@pytest.mark.parametrize("category", ["brakes", "damage"])
def test_what_is_dangerous_takes_the_vehicle_off_the_street_at_once(
    category: str, make_vehicle: Make, api: Api, giulia: User
) -> None:
    vehicle = make_vehicle()
    case = tell(api(giulia), vehicle, category=category)
    assert blocks_of(vehicle) == {BlockReason.DAMAGE}
    order = WorkOrder.objects.get(vehicle=vehicle)
    assert (order.reason, order.priority, order.state) == (category, 1, "open")
    assert case["state"] == "accepted"
    assert not Vehicle.objects.rentable().filter(pk=vehicle.pk).exists()


def test_a_dirty_saddle_stops_nobody(make_vehicle: Make, api: Api, giulia: User) -> None:
    vehicle = make_vehicle()
    tell(api(giulia), vehicle, category="dirty")
    assert blocks_of(vehicle) == set()
    assert not WorkOrder.objects.exists()


def test_giulia_sees_what_became_of_her_report_and_piero_does_not(
    make_vehicle: Make, api: Api, giulia: User, piero: User, marco: User
) -> None:
    case = tell(api(giulia), make_vehicle())
    assert api(marco).post(f"/api/v1/fleet/faults/{case['id']}/accept").status_code == 200
    (mine,) = api(giulia).get("/api/v1/faults").json()["results"]
    assert (mine["case_number"], mine["state"]) == (case["case_number"], "accepted")
    assert api(piero).get("/api/v1/faults").json()["results"] == []
    assert api(None).get("/api/v1/faults").status_code == 401


def test_strangers_do_not_report_and_nobody_floods(
    make_vehicle: Make, api: Api, giulia: User
) -> None:
    vehicle = make_vehicle()
    address = f"/api/v1/vehicles/{vehicle.code}/faults"
    assert api(None).post(address, {"category": "tyre"}).status_code == 401
    client = api(giulia)
    statuses = [client.post(address, {"category": "tyre"}).status_code for _ in range(21)]
    assert statuses[:20] == [201] * 20
    assert statuses[20] == 429


@pytest.mark.parametrize(
    "body",
    [
        {"category": "haunted"},
        {},
        {"category": "tyre", "text": "x" * 1001},
        {"category": "tyre", "lat": 91, "lon": 9},
        {"category": "tyre", "lat": "NaN", "lon": 9},
    ],
)
def test_a_report_that_says_nothing_possible_is_refused(
    body: dict[str, Any], make_vehicle: Make, api: Api, giulia: User
) -> None:
    answer = api(giulia).post(f"/api/v1/vehicles/{make_vehicle().code}/faults", body)
    assert answer.status_code in {400, 422}
    assert not FaultReport.objects.exists()


def test_a_vehicle_that_does_not_exist_has_no_faults(api: Api, giulia: User) -> None:
    answer = api(giulia).post("/api/v1/vehicles/NOPE99/faults", {"category": "tyre"})
    assert answer.status_code == 404


def test_sara_reports_what_she_finds_on_her_own_fleet_only(
    make_vehicle: Make, api: Api, sara: User, rivale: User
) -> None:
    vehicle = make_vehicle()
    body = {"vehicle": vehicle.code.lower(), "category": "lights", "text": "front"}
    answer = api(sara).post("/api/v1/fleet/faults", body)
    assert answer.status_code == 201
    assert answer.json()["source"] == "crew"
    assert api(rivale).post("/api/v1/fleet/faults", body).status_code == 404
    assert api(rivale).get("/api/v1/fleet/faults").json()["results"] == []


def test_reports_of_one_category_become_one_order(
    make_vehicle: Make, api: Api, giulia: User, piero: User, marco: User
) -> None:
    vehicle = make_vehicle()
    cases = [tell(api(person), vehicle) for person in (giulia, piero)]
    orders = {
        api(marco).post(f"/api/v1/fleet/faults/{case['id']}/accept").json()["order"]
        for case in cases
    }
    assert len(orders) == 1
    assert WorkOrder.objects.get().faults.count() == 2


def test_dismissing_the_only_dangerous_report_offers_the_vehicle_again(
    make_vehicle: Make, api: Api, giulia: User, marco: User
) -> None:
    vehicle = make_vehicle()
    case = tell(api(giulia), vehicle, category="damage")
    answer = api(marco).post(f"/api/v1/fleet/faults/{case['id']}/dismiss", {"reason": "a sticker"})
    assert answer.json()["state"] == "dismissed"
    assert blocks_of(vehicle) == set()
    assert WorkOrder.objects.get().state == "cancelled"


def test_one_dangerous_report_of_two_keeps_the_vehicle_blocked(
    make_vehicle: Make, api: Api, giulia: User, marco: User
) -> None:
    vehicle = make_vehicle()
    brakes = tell(api(giulia), vehicle, category="brakes")
    tell(api(giulia), vehicle, category="damage")
    api(marco).post(f"/api/v1/fleet/faults/{brakes['id']}/dismiss")
    assert blocks_of(vehicle) == {BlockReason.DAMAGE}


def test_a_block_that_staff_placed_by_hand_stays_theirs_to_lift(
    make_vehicle: Make, api: Api, giulia: User, marco: User
) -> None:
    vehicle = make_vehicle()
    block_vehicle(
        vehicle_id=vehicle.pk, reason=BlockReason.DAMAGE, at=clock.now(), by=marco.principal
    )
    case = tell(api(giulia), vehicle, category="damage")
    api(marco).post(f"/api/v1/fleet/faults/{case['id']}/dismiss")
    assert blocks_of(vehicle) == {BlockReason.DAMAGE}
