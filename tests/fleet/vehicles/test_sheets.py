"""Vehicles out of a file and into one: looked through first, told row by row."""

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.vehicles import services, sheets
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from mobility.core.models import AuditEntry
from mobility.core.principals import SYSTEM
from mobility.geography.models import City
from tests.fleet.fixtures import MakeVehicle, vehicle_type
from tests.fleet.vehicles.acting import blocks_of
from tests.fleet.vehicles.test_staff import LIST, desk

PAGE = f"{LIST}import/"
VIN = "WVWZZZ1JZXW000001"


@pytest.fixture
def types(db: None) -> None:
    for kind in ("scooter", "car"):
        vehicle_type(kind)


def upload(client: Client, text: str | bytes, owner: Organisation, city: City) -> Any:
    content = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile("vehicles.csv", content, content_type="text/csv")
    return client.post(PAGE, {"organisation": owner.pk, "city": city.pk, "file": file})


def confirm(client: Client, looked: Any) -> Any:
    """Send the page that came back, as the button on it does."""
    form = looked.context["form"]
    fields = {name: form[name].value() for name in ("organisation", "city", "text", "seen")}
    return client.post(PAGE, {**fields, "apply": "1"})


def told(answer: Any) -> list[tuple[int, str, str]]:
    assert answer.context["verdicts"] is not None, answer.context["form"].errors
    return [(verdict.line, verdict.code, verdict.what) for verdict in answer.context["verdicts"]]


def problems(answer: Any) -> list[tuple[int, str, str]]:
    return [
        (verdict.line, column, str(reason))
        for verdict in answer.context["verdicts"]
        for column, reason in verdict.problems
    ]


@pytest.mark.usefixtures("types")
def test_marco_looks_first_and_writes_then(
    make_vehicle: MakeVehicle, marco: User, ruote: Organisation, milan: City
) -> None:
    known = make_vehicle("scooter", code="S001")
    make_vehicle("scooter", code="S002")
    client = desk(marco)
    looked = upload(
        client,
        "\ufeffcode;type;plate;equipment\r\n"
        "s001;test-scooter;X9Y8Z7;helmet_box|phone_holder\r\n"
        "S002;test-scooter;;\r\n"
        "\r\n"
        "N001;test-car;GX123KM;\r\n",
        ruote,
        milan,
    )
    assert told(looked) == [(2, "S001", "update"), (3, "S002", "same"), (5, "N001", "create")]
    assert not looked.context["written"]
    assert Vehicle.objects.count() == 2
    written = confirm(client, looked)
    assert written.context["written"]
    assert written.context["counts"] == {"create": 1, "update": 1, "same": 1, "refused": 0}
    known.refresh_from_db()
    assert (known.plate, known.equipment) == ("X9Y8Z7", ["helmet_box", "phone_holder"])
    new = Vehicle.objects.get(code="N001")
    assert (new.organisation, new.life_state, new.type.code) == (ruote, "draft", "test-car")
    actions = AuditEntry.objects.filter(by=marco.principal, action__startswith="import:")
    assert sorted(actions.values_list("action", flat=True)) == ["import:create", "import:update"]
    assert told(confirm(client, looked))[2] == (5, "N001", "same")


@pytest.mark.usefixtures("types")
def test_every_fault_is_named_by_line_and_column_and_the_good_rows_go(
    make_vehicle: MakeVehicle, marco: User, rivale: User, ruote: Organisation, milan: City
) -> None:
    make_vehicle("car", code="C001", plate="AA111AA", vin=VIN)
    make_vehicle("car", code="ALTRO", organisation=rivale.memberships.get().organisation)
    client = desk(marco)
    rows = (
        "code,type,plate,vin,home_hub,equipment",
        f"C002,test-car,AA111AA,{VIN},,",
        "C003,rocket,A!,SHORT,nowhere,sword|helmet_box",
        "C004,,,,,",
        "ALTRO,test-car,,,,",
        "C005,test-car,BB222BB,,,",
        "C005,test-car,,,,",
        "C006,test-car,BB222BB,,,",
        "è,test-car,,,,",
    )
    looked = upload(client, "\n".join(rows), ruote, milan)
    assert problems(looked) == [
        (2, "plate", "another vehicle has it"),
        (2, "vin", "another vehicle has it"),
        (3, "type", "there is no such type"),
        (3, "plate", "Give the plate in capital letters and digits."),
        (3, "vin", "A VIN has 17 characters, without I, O and Q."),
        (3, "home_hub", "there is no such hub in this city"),
        (3, "equipment", "nobody knows sword"),
        (4, "type", "there is no such type"),
        (5, "code", "is taken"),
        (7, "code", "stands in line 6 already"),
        (8, "plate", "stands in line 6 already"),
        (9, "code", "2 to 16 letters, digits and hyphens"),
    ]
    assert confirm(client, looked).context["counts"]["create"] == 1
    assert set(Vehicle.objects.filter(organisation=ruote).values_list("code", flat=True)) == {
        "C001",
        "C005",
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n", "no column"),
        (b"type;plate\nx;y\n", "no column"),
        (b"code;colour\nA1;red\n", "nobody knows the column"),
        (b"code;code\nA1;A2\n", "stands there twice"),
        (b"code\n\xff\xfe\n", "not UTF-8"),
        (b"code\nA\x001\n", "no text"),
        (b"code\nA1;B2\n", ""),
        (b"code;type\nA1;B2;C3\n", "more cells"),
        (b'code\n"A1\n', "no CSV"),
        (b"code\n" + b"A\n" * 2_001, "more than 2,000 rows"),
        (b"code\n" + b"A" * 1_000_001, "larger than 1 MB"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_reason(
    marco: User, ruote: Organisation, milan: City, content: bytes, reason: str
) -> None:
    answer = upload(desk(marco), content, ruote, milan)
    assert answer.status_code == 200
    if reason:
        assert reason in str(answer.context["form"].errors), answer.context["form"].errors
        assert answer.context["verdicts"] is None
    else:  # divided by something else than the first line: one cell, refused by itself
        assert told(answer) == [(2, "A1;B2", "refused")]


@pytest.mark.usefixtures("types")
def test_what_was_not_looked_at_is_not_written(
    marco: User, ruote: Organisation, milan: City
) -> None:
    file = SimpleUploadedFile("v.csv", b"code;type\nNEW1;test-scooter\n")
    answer = desk(marco).post(
        PAGE, {"organisation": ruote.pk, "city": milan.pk, "file": file, "apply": "1"}
    )
    assert "no column" in str(answer.context["form"].errors)
    assert not Vehicle.objects.exists()


def test_only_an_operator_imports_and_only_for_their_own(
    marco: User, sara: User, elena: User, rivale: User, ruote: Organisation, milan: City
) -> None:
    for person in (sara, elena):
        assert desk(person).get(PAGE).status_code == 403
    answer = upload(desk(rivale), "code;type\nR1;test-scooter\n", ruote, milan)
    assert "organisation" in answer.context["form"].errors
    assert desk(marco).get(PAGE).status_code == 200


@pytest.mark.usefixtures("types")
def test_an_import_costs_the_same_for_many_rows(
    ruote: Organisation, milan: City, django_assert_max_num_queries: Any
) -> None:
    for count in (1, 200):
        text = "code;type\n" + "".join(f"V{count}-{n};test-scooter\n" for n in range(count))
        rows = sheets.read(text.encode())
        # One locks the vehicles of the file, one those whose papers are looked at.
        with django_assert_max_num_queries(12):
            services.import_sheet(
                rows=rows,
                organisation_id=ruote.pk,
                city_id=milan.pk,
                at=clock.now(),
                by=SYSTEM,
            )
    assert Vehicle.objects.count() == 201


@pytest.mark.usefixtures("types")
def test_imported_vehicles_wait_for_their_papers(ruote: Organisation, milan: City) -> None:
    kind = vehicle_type("scooter")
    kind.required_documents = ["targhino"]
    kind.save()
    services.import_sheet(
        rows=sheets.read(b"code;type\nP1;test-scooter\n"),
        organisation_id=ruote.pk,
        city_id=milan.pk,
        at=clock.now(),
        by=SYSTEM,
    )
    assert blocks_of(Vehicle.objects.get()) == {"document_expired"}


def test_a_plate_of_unusual_form_is_a_hint_and_no_obstacle(
    ruote: Organisation, milan: City, types: None
) -> None:
    rows = sheets.read(b"code;type;plate\nC1;test-car;EV001MI\nC2;test-car;GX123KM\n")
    odd, usual = services.check_sheet(rows=rows, organisation_id=ruote.pk, city_id=milan.pk)
    assert (odd.what, [column for column, _reason in odd.hints]) == ("create", ["plate"])
    assert usual.hints == ()


# --- the file out -----------------------------------------------------------------------------------


def exported(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def test_the_list_goes_out_as_it_is_filtered_and_comes_in_unchanged(
    make_vehicle: MakeVehicle, marco: User, rivale: User, ruote: Organisation, milan: City
) -> None:
    make_vehicle("scooter", code="S1", equipment=["helmet_box"])
    make_vehicle("car", code="C1", plate="GX123KM", vin=VIN, battery_pct=55)
    make_vehicle("car", code="X1", organisation=rivale.memberships.get().organisation)
    client = desk(marco)
    rows = exported(client.get(f"{LIST}export/?type__kind__exact=car"))
    assert [(row["code"], row["plate"], row["battery_pct"]) for row in rows] == [
        ("C1", "GX123KM", "55")
    ]
    answer = client.get(f"{LIST}export/")
    assert answer["Content-Disposition"].startswith("attachment")
    content = b"".join(answer.streaming_content)
    back = services.check_sheet(
        rows=sheets.read(content), organisation_id=ruote.pk, city_id=milan.pk
    )
    assert [(verdict.code, verdict.what) for verdict in back] == [("C1", "same"), ("S1", "same")]


def test_the_file_out_costs_the_same_for_many(
    make_vehicle: MakeVehicle, marco: User, django_assert_max_num_queries: Any
) -> None:
    client = desk(marco)
    for count in (1, 8):
        for _ in range(count):
            make_vehicle()
        with django_assert_max_num_queries(8):
            exported(client.get(f"{LIST}export/"))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    (line,) = list(sheets.write([[f"{start}HYPERLINK(1)", -5]]))[1:]
    (cells,) = csv.reader(io.StringIO(line, newline=""), delimiter=";")
    assert cells[0] == f"'{start}HYPERLINK(1)"
    assert cells[1] == "-5"


cells_ = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), max_size=12)


@settings(max_examples=60)
@given(values=st.lists(cells_, min_size=5, max_size=5))
def test_what_is_written_is_read_again(values: list[str]) -> None:
    text = "".join(sheets.write([["CODE1", *values, *([""] * len(sheets.TOLD))]]))
    (row,) = sheets.read(text.encode())
    expected = dict(zip(sheets.WRITABLE, ["CODE1", *values], strict=True))
    assert row.values == {name: value.strip() for name, value in expected.items()}


def test_the_list_costs_the_same_for_many(make_vehicle: MakeVehicle, marco: User) -> None:
    client, counts = desk(marco), []
    client.get(LIST)
    for count in (2, 12):
        for _ in range(count):
            make_vehicle()
        with CaptureQueriesContext(connection) as seen:
            client.get(LIST)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 9


@pytest.mark.usefixtures("types")
def test_a_plate_and_a_vin_with_spaces_are_those_that_others_have(
    make_vehicle: MakeVehicle, ruote: Organisation, milan: City, marco: User
) -> None:
    make_vehicle("car", code="OLD1", plate="GA123BC", vin=VIN)
    car = vehicle_type("car").code
    spaced = f"{VIN[:3]} {VIN[3:]}"
    text = f"code;type;plate;vin\nNEW1;{car};GA 123 BC;\nNEW2;{car};;{spaced}\n"
    looked = upload(desk(marco), text, ruote, milan)
    told_of = [(line, column) for line, column, _reason in problems(looked)]
    assert told_of == [(2, "plate"), (3, "vin")]


@pytest.mark.usefixtures("types")
def test_what_others_changed_since_the_file_was_shown_is_not_overwritten(
    make_vehicle: MakeVehicle, ruote: Organisation, milan: City, marco: User
) -> None:
    scooter = make_vehicle(code="OLD1", plate="AAAA1")
    client = desk(marco)
    looked = upload(client, "code;plate\nOLD1;BBBB1\n", ruote, milan)
    Vehicle.objects.filter(pk=scooter.pk).update(plate="CCCC1")
    answer = confirm(client, looked)
    assert str(services.SheetOvertaken.message) in answer.context["form"].errors["file"]
    scooter.refresh_from_db()
    assert scooter.plate == "CCCC1"
    again = upload(client, "code;plate\nOLD1;BBBB1\n", ruote, milan)
    assert told(confirm(client, again)) == [(2, "OLD1", "update")]


@pytest.mark.usefixtures("types")
def test_a_file_makes_no_car_of_a_scooter_on_the_street(
    make_vehicle: MakeVehicle, ruote: Organisation, milan: City, marco: User
) -> None:
    make_vehicle(code="OLD1")
    make_vehicle(code="OLD2", life_state="storage")
    car = vehicle_type("car").code
    looked = upload(desk(marco), f"code;type\nOLD1;{car}\nOLD2;{car}\n", ruote, milan)
    assert [(line, column) for line, column, _reason in problems(looked)] == [(2, "type")]
