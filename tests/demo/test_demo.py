"""The demo city: complete, repeatable, its secrets for the owner alone."""

import io
import json
import stat
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from charging.stations.models import ChargingStation, Connector
from fleet.maintenance.models import (
    ChecklistItem,
    ChecklistTemplate,
    FaultReport,
    MaintenanceRule,
)
from fleet.maintenance.services import open_due_orders
from fleet.vehicles.models import Battery, Vehicle
from fleet.vehicles.services import refresh_document_blocks
from mobility.accounts.models import User
from mobility.core import clock
from mobility.demo import fleet, places
from mobility.geography.models import District, Hub


@pytest.fixture
def folder(tmp_path: Path, settings) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


def demo(scale: str = "0.05") -> dict:
    printed = io.StringIO()
    call_command("demo", "--json", "--scale", scale, stdout=printed)
    return json.loads(printed.getvalue())


def test_the_full_demo_has_the_size_of_the_programme() -> None:
    kinds = Counter(placement.kind for placement in fleet.plan(scale=1))
    assert kinds == {"bicycle": 150, "scooter": 200, "car": 60}
    assert (len(places.districts()), len(places.mobility_areas())) == (88, 10)
    assert fleet.plan(scale=1) == fleet.plan(scale=1), "the same city every time"


@pytest.mark.django_db
def test_vehicles_come_with_papers_batteries_and_a_cargo_bike(folder: Path) -> None:
    demo("0.1")
    assert refresh_document_blocks(at=clock.now()) == 0, "nobody lacks a paper"
    scooters = Vehicle.objects.filter(type__swappable=True).count()
    batteries = Counter(Battery.objects.values_list("state", flat=True))
    assert batteries == {"in_vehicle": scooters, "storage": 5}
    (cargo,) = Vehicle.objects.of_form("cargo_bicycle")
    assert (cargo.kind, cargo.equipment) == ("bicycle", ["cargo_box"])
    for vehicle in Vehicle.objects.select_related("type"):
        vehicle.full_clean()


@pytest.mark.django_db
def test_the_city_stands_and_building_it_again_changes_nothing(folder: Path) -> None:
    first = demo()
    secrets = json.loads((folder / "simulator.json").read_text())
    second = demo()
    assert first == second
    assert json.loads((folder / "simulator.json").read_text()) == secrets
    assert (District.objects.count(), Hub.objects.count()) == (88, 10)
    assert (ChargingStation.objects.count(), Vehicle.objects.count()) == (60, 21)
    assert Connector.objects.filter(max_power_w__gt=22_000).count() == 20


@pytest.mark.django_db
def test_everybody_gets_in_with_what_was_printed(folder: Path) -> None:
    for user in demo()["users"]:
        client = APIClient()
        body = {"email": user["email"], "password": user["password"]}
        token = client.post("/api/v1/auth/token", body).json()["token"]
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        roles = {role["role"] for role in client.get("/api/v1/me").json()["roles"]}
        assert roles == (set() if user["role"] == "resident" else {user["role"]})


@pytest.mark.django_db
def test_secrets_are_for_the_owner_alone(folder: Path) -> None:
    demo()
    for name in ("demo.json", "simulator.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


@pytest.mark.django_db
def test_lost_or_stale_files_get_new_secrets_that_work(folder: Path) -> None:
    demo()
    (folder / "demo.json").unlink()
    (folder / "simulator.json").write_text("{damaged")
    users = demo()["users"]
    assert User.objects.get(email=users[0]["email"]).check_password(users[0]["password"])
    device = json.loads((folder / "simulator.json").read_text())["devices"][0]
    answer = APIClient().post(
        "/api/v1/telemetry",
        {"points": []},
        headers={"Authorization": f"Bearer {device['secret']}"},
    )
    assert answer.status_code == 202


@pytest.mark.django_db
def test_the_demo_operator_has_service_rules_checklists_and_two_reports_to_judge(
    folder: Path,
) -> None:
    demo("0.1")
    demo("0.1")
    assert MaintenanceRule.objects.count() == ChecklistTemplate.objects.count() == 3
    assert ChecklistItem.objects.count() == 15
    assert set(FaultReport.objects.values_list("category", "state")) == {
        ("tyre", "open"),
        ("dirty", "open"),
    }
    assert open_due_orders(at=clock.now()) == [], "a new fleet needs no service"
