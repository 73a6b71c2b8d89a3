"""Marco's desk for what belongs to a vehicle: papers, batteries, drives, cases."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fleet.vehicles import services
from fleet.vehicles.models import Battery, ServiceTrip, Vehicle, VehicleCase, VehicleDocument
from fleet.vehicles.services.holds import VehicleInUse
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.vehicles.acting import NOW, blocks_of, change_type, hold
from tests.fleet.vehicles.test_bulk import chosen, lines
from tests.fleet.vehicles.test_staff import LIST, desk

DAY = datetime.timedelta(days=1)


def address(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:fleet_{model}_{page}", args=args)


def paper_form(vehicle: Vehicle, **fields: str) -> dict[str, Any]:
    usual = {"kind": "targhino", "number": "T1", "valid_from": "2026-01-01", "expires_on": ""}
    return {"vehicle": vehicle.pk, **usual, **fields}


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    vehicle = make_vehicle("scooter", code="DESK1")
    change_type(vehicle, required_documents=["targhino"], swappable=True)
    services.refresh_document_blocks(at=clock.now())
    return vehicle


def test_a_paper_typed_at_the_desk_counts_at_once(scooter: Vehicle, marco: User) -> None:
    client = desk(marco)
    assert blocks_of(scooter) == {"document_expired"}
    added = client.post(address("vehicledocument", "add"), paper_form(scooter))
    assert added.status_code == 302, added.context["errors"]
    assert blocks_of(scooter) == set()
    paper = VehicleDocument.objects.get()
    over = paper_form(scooter, expires_on="2026-02-01")
    client.post(address("vehicledocument", "change", paper.pk), over)
    assert blocks_of(scooter) == {"document_expired"}
    client.post(address("vehicledocument", "change", paper.pk), paper_form(scooter))
    client.post(address("vehicledocument", "delete", paper.pk), {"post": "yes"})
    assert blocks_of(scooter) == {"document_expired"}


def test_a_paper_of_anothers_vehicle_is_not_typed_here(scooter: Vehicle, rivale: User) -> None:
    answer = desk(rivale).post(address("vehicledocument", "add"), paper_form(scooter))
    assert answer.status_code == 200
    assert "vehicle" in answer.context["adminform"].form.errors
    assert not VehicleDocument.objects.exists()


@pytest.mark.parametrize(
    ("due", "numbers"), [("over", {"P-1"}), ("7", {"P6"}), ("30", {"P6", "P29"})]
)
def test_what_runs_out_is_found_by_how_soon(
    scooter: Vehicle, marco: User, due: str, numbers: set[str]
) -> None:
    today = clock.service_day(clock.now())
    kinds = {-1: "targhino", 6: "insurance", 29: "inspection", 90: "registration"}
    for days, kind in kinds.items():
        VehicleDocument.objects.create(
            vehicle=scooter,
            kind=kind,
            number=f"P{days}",
            valid_from=today - 300 * DAY,
            expires_on=today + days * DAY,
        )
    found = desk(marco).get(f"{address('vehicledocument', 'changelist')}?due={due}")
    assert {paper.number for paper in found.context["cl"].result_list} == numbers


def test_a_paper_that_another_follows_does_not_run_out(scooter: Vehicle, marco: User) -> None:
    """Renewed in time, renewed late, and renewed too late: only the last one is listed."""
    today = clock.service_day(clock.now())
    papers = (
        ("insurance", "in time", -300, 5),
        ("insurance", "its renewal", 6, None),
        ("inspection", "late", -300, -9),
        ("inspection", "from yesterday", -1, 300),
        ("registration", "too late", -300, 3),
        ("registration", "after a gap", 9, 300),
    )
    for kind, number, first, last in papers:
        VehicleDocument.objects.create(
            vehicle=scooter,
            kind=kind,
            number=number,
            valid_from=today + first * DAY,
            expires_on=None if last is None else today + last * DAY,
        )
    client, listed = desk(marco), set()
    for due in ("over", "7", "30"):
        page = client.get(f"{address('vehicledocument', 'changelist')}?due={due}")
        listed |= {paper.number for paper in page.context["cl"].result_list}
    assert listed == {"too late"}


def test_a_type_is_everybodys_and_no_operator_changes_it(scooter: Vehicle, marco: User) -> None:
    client = desk(marco)
    page = client.get(address("vehicletype", "change", scooter.type_id))
    assert (page.status_code, page.context["has_change_permission"]) == (200, False)
    form = {"code": "theirs", "kind": "scooter", "required_documents": ["inspection"]}
    assert client.post(address("vehicletype", "change", scooter.type_id), form).status_code == 403
    assert client.post(address("vehicletype", "add"), form).status_code == 403


def test_a_type_that_asks_for_papers_asks_every_vehicle(scooter: Vehicle, marco: User) -> None:
    change_type(scooter, required_documents=[])
    services.refresh_document_blocks(at=clock.now())
    User.objects.filter(pk=marco.pk).update(is_superuser=True)
    client = desk(marco)
    page = client.get(address("vehicletype", "change", scooter.type_id))
    fields = page.context["adminform"].form.initial
    form = {name: value for name, value in fields.items() if value not in (None, "")}
    form |= {"name_it": "S", "required_documents": ["insurance", "targhino"]}
    saved = client.post(address("vehicletype", "change", scooter.type_id), form)
    assert saved.status_code == 302, saved.context["errors"]
    assert blocks_of(scooter) == {"document_expired"}
    scooter.type.refresh_from_db()
    assert scooter.type.required_documents == ["insurance", "targhino"]
    assert "unlock" in scooter.type.commands


def test_marco_takes_vehicles_for_a_drive_and_ends_it(
    scooter: Vehicle, make_vehicle: MakeVehicle, marco: User
) -> None:
    rented, client = make_vehicle(code="RENT1"), desk(marco)
    hold(rented)
    wish = {"apply": "1", "chosen": chosen(scooter, rented), "reason": "test"}
    told = lines(client.post(f"{LIST}bulk-service/", wish))
    assert told["DESK1"] == (True, "")
    assert told["RENT1"] == (False, VehicleInUse.message)
    trip = ServiceTrip.objects.get()
    end(client, trip)
    trip.refresh_from_db()
    scooter.refresh_from_db()
    assert (trip.ended_by, scooter.rental_state) == (marco.principal, "free")


def test_nobody_else_ends_a_drive(scooter: Vehicle, rivale: User, elena: User) -> None:
    trip = services.start_service_trip(vehicle_id=scooter.pk, reason="test", **NOW)
    for person in (rivale, elena):
        end(desk(person), trip)
    trip.refresh_from_db()
    assert trip.ended_at is None


def end(client: Client, trip: ServiceTrip) -> None:
    client.post(
        address("servicetrip", "changelist"), {"action": "end", "_selected_action": [trip.pk]}
    )


def test_marco_adds_charges_and_retires_batteries(
    marco: User, ruote: Organisation, rivale: User
) -> None:
    client = desk(marco)
    inline = {f"placements-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
    form = {"organisation": ruote.pk, "serial": "B1", "capacity_wh": "550", **inline}
    added = client.post(address("battery", "add"), form)
    assert added.status_code == 302, added.context["errors"]
    battery = Battery.objects.get()
    for action, state in (("charge", "charging"), ("store", "storage"), ("retire", "retired")):
        wish = {"action": action, "_selected_action": [battery.pk]}
        desk(rivale).post(address("battery", "changelist"), wish)
        client.post(address("battery", "changelist"), wish)
        battery.refresh_from_db()
        assert battery.state == state
    page = client.post(
        address("battery", "changelist"),
        {"action": "charge", "_selected_action": [battery.pk]},
        follow=True,
    )
    assert page.status_code == 200


def test_marco_writes_down_the_police_report(scooter: Vehicle, marco: User, rivale: User) -> None:
    case = services.open_case(vehicle_id=scooter.pk, kind="stolen", **NOW)
    page = address("vehiclecase", "change", case.pk)
    form = {"reference": "CC 12/26", "notes": "Seen near the canal", "kind": "impounded"}
    assert desk(marco).post(page, form).status_code == 302
    desk(rivale).post(page, {**form, "reference": "mine"})
    case = VehicleCase.objects.get()
    assert (case.reference, case.kind) == ("CC 12/26", "stolen")


def test_the_page_of_a_vehicle_writes_no_state(scooter: Vehicle, marco: User) -> None:
    client, page = desk(marco), address("vehicle", "change", scooter.pk)
    shown = client.get(page).context
    form = shown["adminform"].form
    typed = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    for inline in shown["inline_admin_formsets"]:
        prefix = inline.formset.prefix
        typed |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    with CaptureQueriesContext(connection) as asked:
        answer = client.post(page, {**typed, "plate": "AB12345"}, follow=False)
    written = [q["sql"] for q in asked if 'UPDATE "fleet_vehicle"' in q["sql"]]
    assert answer.status_code == 302, answer.context["errors"]
    assert len(written) == 1
    assert "plate" in written[0]
    assert "_state" not in written[0]
    assert "command_sequence" not in written[0]
    scooter.refresh_from_db()
    assert scooter.plate == "AB12345"
