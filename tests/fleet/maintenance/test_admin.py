"""The office at its lists: judge reports, correct what was written down, set rules and checklists."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from fleet.maintenance.models import (
    ChecklistItem,
    FaultReport,
    MaintenanceRule,
    WorkOrder,
)
from fleet.maintenance.services import ensure_gate, open_order, report_fault
from mobility.core import clock
from mobility.core.principals import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(marco: Any) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(marco)
    return client


def fault(vehicle: Any, person: Any, category: str = "tyre") -> FaultReport:
    return report_fault(
        vehicle_id=vehicle.pk,
        source="resident",
        category=category,
        at=clock.now(),
        by=person.principal,
    )


def work(vehicle: Any, reason: str = "tyre") -> WorkOrder:
    return open_order(vehicle_id=vehicle.pk, reason=reason, at=clock.now(), by=SYSTEM)


def test_marco_accepts_and_dismisses_reports_from_the_list(
    make_vehicle: Any, office: Client, giulia: Any
) -> None:
    good, bad = fault(make_vehicle(), giulia), fault(make_vehicle(), giulia, "dirty")
    for action, row in (("accept", good), ("dismiss", bad)):
        office.post("/admin/fleet/faultreport/", {"action": action, "_selected_action": [row.pk]})
        row.refresh_from_db()
    assert (good.state, bad.state) == ("accepted", "dismissed")
    assert WorkOrder.objects.get().vehicle_id == good.vehicle_id


def test_a_report_that_is_closed_is_not_judged_again_and_the_list_says_so(
    make_vehicle: Any, office: Client, giulia: Any
) -> None:
    row = fault(make_vehicle(), giulia)
    body = {"action": "dismiss", "_selected_action": [row.pk]}
    office.post("/admin/fleet/faultreport/", body)
    page = office.post("/admin/fleet/faultreport/", body, follow=True)
    assert any(row.case_number in str(message) for message in page.context["messages"])


def test_marco_corrects_what_was_written_down_and_no_state(
    make_vehicle: Any, office: Client
) -> None:
    order = work(make_vehicle())
    page = f"/admin/fleet/workorder/{order.pk}/change/"
    assert office.get(page).status_code == 200
    parts = {"TOTAL_FORMS": "1", "INITIAL_FORMS": "0", "0-name": "Tube", "0-quantity": "2"}
    form = {
        "title": "Front tyre",
        "priority": "2",
        "labour_minutes": "40",
        "cost_cents": "1200",
        "notes": "",
        "state": "done",
        **{f"parts-{name}": value for name, value in parts.items()},
        "parts-0-unit_cost_cents": "450",
        "parts-0-order": str(order.pk),
        **{
            f"{rows}-{count}_FORMS": "0"
            for rows in ("faults", "answers")
            for count in ("TOTAL", "INITIAL")
        },
    }
    answer = office.post(page, form)
    assert answer.status_code == 302, answer.context["errors"]
    fresh = WorkOrder.objects.with_cost().get()
    assert (fresh.title, fresh.labour_minutes, fresh.total_cents) == ("Front tyre", 40, 2100)
    assert fresh.state == "open"


def test_sara_reads_the_lists_and_writes_nowhere(
    make_vehicle: Any, sara: Any, ruote: Any, giulia: Any
) -> None:
    order, report = work(make_vehicle()), fault(make_vehicle(), giulia)
    crew = Client()
    crew.force_login(sara)
    for model, row in (("workorder", order), ("faultreport", report)):
        assert crew.get(f"/admin/fleet/{model}/").status_code == 200
        assert crew.post(f"/admin/fleet/{model}/{row.pk}/change/", {}).status_code == 403
    assert crew.get("/admin/fleet/maintenancerule/add/").status_code == 403


def test_marco_sets_a_rule_and_one_without_a_measure_is_refused(office: Client, ruote: Any) -> None:
    form = {
        "organisation": str(ruote.pk),
        "title_it": "Tagliando",
        "title_en": "Service",
        "lead_pct": "10",
        "priority": "3",
        "active": "on",
    }
    page = "/admin/fleet/maintenancerule/add/"
    with translation.override("en"):
        refused = office.post(page, form)
    assert "Give at least one of kilometres, days and rides." in refused.content.decode()
    assert office.post(page, form | {"every_km": "800"}).status_code == 302
    rule = MaintenanceRule.objects.get()
    assert (rule.every_km, rule.interval.lead_pct) == (800, 10)


def test_marco_retires_an_item_that_he_cannot_delete(office: Client, ruote: Any) -> None:
    gate = ensure_gate(organisation_id=ruote.pk, kind="scooter")
    page = office.get(f"/admin/fleet/checklisttemplate/{gate.pk}/change/")
    assert page.status_code == 200
    assert "items-0-DELETE" not in page.content.decode()
    assert ChecklistItem.objects.current().count() == 5


def test_the_lists_cost_the_same_for_few_and_for_many(
    make_vehicle: Any, office: Client, giulia: Any
) -> None:
    pages = ("/admin/fleet/workorder/", "/admin/fleet/faultreport/")

    def asked() -> list[int]:
        counts = []
        for page in pages:
            with CaptureQueriesContext(connection) as queries:
                assert office.get(page).status_code == 200
            counts.append(len(queries))
        return counts

    fault(make_vehicle(), giulia, "brakes")
    asked()
    few = asked()
    for _ in range(6):
        fault(make_vehicle(), giulia, "brakes")
    assert asked() == few
