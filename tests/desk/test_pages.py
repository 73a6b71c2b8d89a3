"""The desk's pages: open for the right people, about their own rows, at a constant price."""

import datetime
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from charging.stations.models import ChargingStation
from fleet.maintenance.services import open_order, report_fault
from fleet.telematics.models import Alarm
from fleet.telematics.states import SEVERITIES
from fleet.vehicles.models import Vehicle, VehicleDocument, VehicleType
from fleet.vehicles.services import block_vehicle
from fleet.vehicles.states import BlockReason, LifeState, LinkState
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.principals import SYSTEM
from mobility.desk.queries import concerns

pytestmark = pytest.mark.django_db

PAGES = {
    "/admin/": {"marco", "sara", "luca", "elena"},
    "/admin/map/": {"marco", "sara", "luca", "elena"},
    "/admin/alarms/": {"marco", "sara"},
    "/admin/work-orders/": {"marco", "sara"},
    "/admin/tasks/": {"marco", "sara"},
    "/admin/chargers/": {"luca"},
}


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def as_person(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def counts(user: User) -> dict[str, int]:
    return {str(one.title): one.count for one in concerns(user=user, at=clock.now())}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("person", ["giulia", "marco", "sara", "luca", "elena"])
def test_pages_open_for_their_people(
    page: str, person: str, request: pytest.FixtureRequest
) -> None:
    answer = as_person(request.getfixturevalue(person)).get(page)
    assert answer.status_code == (200 if person in PAGES[page] else 403)


@pytest.mark.parametrize("page", PAGES)
def test_strangers_log_in_and_come_back(page: str, client: Client) -> None:
    answer = client.get(page)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=%2Fadmin%2F")


def test_pages_bring_no_inline_script_or_style(marco: User) -> None:
    for page in (
        "/admin/",
        "/admin/map/",
        "/admin/tasks/",
        "/admin/alarms/",
        "/admin/work-orders/",
    ):
        body = as_person(marco).get(page).content.decode()
        assert " style=" not in body
        assert "<script>" not in body


def test_what_is_wrong_is_counted_for_those_whose_it_is(
    make_vehicle: Callable[..., Vehicle], marco: User, rivale: User
) -> None:
    make_vehicle(life_state=LifeState.MISSING)
    make_vehicle(link_state=LinkState.LOST)
    block_vehicle(
        vehicle_id=make_vehicle().pk, reason=BlockReason.DAMAGE, at=clock.now(), by=SYSTEM
    )
    mine = counts(marco)
    for title in ("Missing vehicles", "Silent vehicles", "Out of service: Damaged"):
        assert mine[title] == 1, title
    assert set(counts(rivale).values()) == {0}


def test_the_urgent_stands_first(make_vehicle: Callable[..., Vehicle], marco: User) -> None:
    make_vehicle(life_state=LifeState.MISSING)
    assert concerns(user=marco, at=clock.now())[0].title == "Missing vehicles"


def test_chargers_down_are_their_operators_concern(
    make_station: Callable[..., ChargingStation], luca: User, scossa: User
) -> None:
    make_station("CP1")
    assert counts(luca)["Stations without connection"] == 1
    assert counts(scossa)["Stations without connection"] == 0


def test_every_number_leads_to_a_list_of_as_many(
    make_vehicle: Callable[..., Vehicle],
    make_station: Callable[..., ChargingStation],
    marco: User,
    luca: User,
    giulia: User,
) -> None:
    """Where a number leads to a list of the admin, the list has that many rows and no others."""
    at = clock.now()
    make_vehicle(life_state=LifeState.MISSING, link_state=LinkState.LOST)
    make_vehicle(link_state=LinkState.LATE)
    make_vehicle(link_state=LinkState.LOST)
    with_papers = make_vehicle()
    VehicleType.objects.update(required_documents=["insurance", "inspection"])
    for kind, days in (("insurance", 9), ("inspection", 300)):
        VehicleDocument.objects.create(
            vehicle=with_papers,
            kind=kind,
            number=kind,
            valid_from=at.date(),
            expires_on=at.date() + datetime.timedelta(days=days),
        )
    for life in (LifeState.IN_SERVICE, LifeState.WORKSHOP):
        blocked = make_vehicle(life_state=life)
        block_vehicle(vehicle_id=blocked.pk, reason=BlockReason.DAMAGE, at=at, by=SYSTEM)
    for category in ("brakes", "dirty"):
        report_fault(
            vehicle_id=with_papers.pk,
            source="resident",
            category=category,
            at=at,
            by=giulia.principal,
        )
    open_order(vehicle_id=with_papers.pk, reason="tyre", at=at, by=SYSTEM)
    make_station("CP1")
    make_station("CP2", online=True, at=at)
    counted = {}
    for user in (marco, luca):
        client = as_person(user)
        for concern in concerns(user=user, at=at):
            answer = client.get(concern.url)
            assert answer.status_code == 200, concern
            if "cl" in (answer.context or {}):
                assert answer.context["cl"].result_count == concern.count, concern
                counted[str(concern.title)] = concern.count
    assert counted["Silent vehicles"] == 2
    assert counted["Vehicles whose papers are missing or run out within 30 days"] == 6
    assert counted["Work orders due"] == 1
    assert counted["Stations without connection"] == 1


def test_looking_costs_the_same_for_one_vehicle_and_for_many(
    make_vehicle: Callable[..., Vehicle], marco: User
) -> None:
    make_vehicle()
    assert marco.roles_by_organisation
    with CaptureQueriesContext(connection) as one:
        concerns(user=marco, at=clock.now())
    for _ in range(8):
        make_vehicle()
    with CaptureQueriesContext(connection) as many:
        concerns(user=marco, at=clock.now())
    assert len(one) == len(many) == 14


def alarm(vehicle: Vehicle, kind: str, *, hours_ago: int = 0) -> None:
    since = clock.now() - datetime.timedelta(hours=hours_ago)
    Alarm.objects.create(
        vehicle=vehicle, kind=kind, severity=SEVERITIES[kind], opened_at=since, last_seen_at=since
    )


def test_open_alarms_are_counted_by_kind_the_longest_waiting_first(
    make_vehicle: Callable[..., Vehicle], marco: User, rivale: User
) -> None:
    alarm(make_vehicle(), "silence", hours_ago=1)
    alarm(make_vehicle(), "moved_without_trip", hours_ago=3)
    alarm(make_vehicle(), "silence", hours_ago=2)
    shown = [one for one in concerns(user=marco, at=clock.now()) if "Alarm" in str(one.title)]
    assert [(str(one.title), one.count) for one in shown] == [
        ("Alarm: Moved without a trip", 1),
        ("Alarm: Silent", 2),
    ]
    assert shown[1].url == "/admin/alarms/?kind=silence"
    assert not [one for one in concerns(user=rivale, at=clock.now()) if "Alarm" in str(one.title)]


def test_vehicles_out_of_service_stand_by_their_reason(
    make_vehicle: Callable[..., Vehicle], marco: User
) -> None:
    for state in (LifeState.WORKSHOP, LifeState.WORKSHOP, LifeState.STOLEN):
        make_vehicle(life_state=state)
    mine = counts(marco)
    assert (mine["Vehicles in the workshop"], mine["Stolen vehicles"]) == (2, 1)
    assert "Impounded vehicles" not in mine


def test_papers_that_run_out_are_told_in_time(
    make_vehicle: Callable[..., Vehicle], marco: User
) -> None:
    vehicle = make_vehicle()
    VehicleType.objects.filter(pk=vehicle.type_id).update(required_documents=["insurance"])
    today = clock.local(clock.now()).date()
    title = "Vehicles whose papers are missing or run out within 30 days"
    assert counts(marco)[title] == 1
    paper = VehicleDocument.objects.create(
        vehicle=vehicle,
        kind="insurance",
        number="P1",
        valid_from=today,
        expires_on=today + datetime.timedelta(days=31),
    )
    assert counts(marco)[title] == 0
    VehicleDocument.objects.filter(pk=paper.pk).update(
        expires_on=today + datetime.timedelta(days=30)
    )
    assert counts(marco)[title] == 1


def test_work_that_is_due_or_dangerous_is_a_concern(
    make_vehicle: Callable[..., Vehicle], marco: User, giulia: User
) -> None:
    at = clock.now()
    report_fault(
        vehicle_id=make_vehicle().pk,
        source="resident",
        category="brakes",
        at=at,
        by=giulia.principal,
    )
    report_fault(
        vehicle_id=make_vehicle().pk,
        source="resident",
        category="dirty",
        at=at,
        by=giulia.principal,
    )
    mine = counts(marco)
    assert (mine["Work orders due"], mine["Reports that nobody has judged"]) == (1, 1)


def test_a_vehicles_page_opens_for_those_who_may_see_it(
    make_vehicle: Callable[..., Vehicle], marco: User, elena: User, rivale: User, luca: User
) -> None:
    vehicle = make_vehicle(code="PAGE1")
    page = f"/admin/vehicle/{vehicle.public_id}/"
    for person, address in ((marco, page), (elena, "/admin/vehicle/page1/")):
        answer = as_person(person).get(address)
        assert answer.status_code == 200
        assert "PAGE1" in answer.content.decode()
    for code in ("eb 12.a", "EB 12.A", "EB 12/A"):
        make_vehicle(code=code)
        answer = as_person(marco).get(f"/admin/vehicle/{code}/")
        assert answer.context["page"]["code"] == code
    assert as_person(marco).get("/admin/vehicle/nobody/").status_code == 404
    assert as_person(rivale).get(page).status_code == 404
    assert as_person(luca).get(page).status_code == 403
