"""Out of the workshop leads only one way: the checklist."""

from typing import Any

import pytest

from fleet.maintenance.models import ChecklistItem, FaultReport
from fleet.maintenance.services import ensure_gate
from fleet.vehicles.services import set_life_state
from fleet.vehicles.states import BlockReason
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.fleet.maintenance.conftest import blocks_of, life_of

pytestmark = pytest.mark.django_db


def answers(order: dict[str, Any], verdict: str = "passed", **of: str) -> list[dict[str, Any]]:
    """The same answer to every item, except those named by their place."""
    return [
        {"item": item["id"], "verdict": of.get(f"at_{place}", verdict)}
        for place, item in enumerate(order["checklist"])
    ]


@pytest.fixture
def in_workshop(make_vehicle: Any, order_for: Any, crew: Any) -> tuple[Any, dict[str, Any]]:
    vehicle = make_vehicle()
    return vehicle, crew("start", order_for(vehicle), place="workshop")


def test_a_vehicle_in_the_workshop_waits_for_its_check(in_workshop: Any) -> None:
    vehicle, order = in_workshop
    assert life_of(vehicle) == ("workshop", "staff")
    assert BlockReason.INSPECTION in blocks_of(vehicle)
    assert [item["required"] for item in order["checklist"]] == [True] * 5


def test_finishing_without_the_list_names_everything_that_is_missing(
    in_workshop: Any, crew: Any
) -> None:
    vehicle, order = in_workshop
    refused = crew("finish", order, expect=409)
    assert refused["code"] == "checklist_not_passed"
    assert len(refused["missing"]) == 5
    assert "Brakes hold, front and rear" in {item["text"] for item in refused["missing"]}
    assert life_of(vehicle) == ("workshop", "staff")


def test_the_passed_list_brings_the_vehicle_back_to_the_street(in_workshop: Any, crew: Any) -> None:
    vehicle, order = in_workshop
    crew("checklist", order, answers=answers(order))
    crew("finish", order)
    assert life_of(vehicle) == ("in_service", "free")
    assert blocks_of(vehicle) == set()


def test_an_item_that_is_not_in_order_is_a_fault_and_keeps_the_vehicle(
    in_workshop: Any, crew: Any
) -> None:
    vehicle, order = in_workshop
    crew("checklist", order, answers=answers(order, at_0="failed"))
    fault = FaultReport.objects.get()
    assert (fault.category, fault.state, str(fault.order.public_id)) == (
        "brakes",
        "accepted",
        order["id"],
    )
    refused = crew("finish", order, expect=409)
    assert [item["id"] for item in refused["failed"]] == [order["checklist"][0]["id"]]
    assert BlockReason.DAMAGE in blocks_of(vehicle)
    crew("checklist", order, answers=answers(order))
    crew("finish", order)
    assert FaultReport.objects.get().state == "resolved"
    assert blocks_of(vehicle) == set()


def test_a_required_item_cannot_be_waved_through(in_workshop: Any, crew: Any) -> None:
    _vehicle, order = in_workshop
    crew("checklist", order, answers=answers(order, at_1="not_applicable"))
    refused = crew("finish", order, expect=409)
    assert [item["id"] for item in refused["missing"]] == [order["checklist"][1]["id"]]


def test_cancelled_work_leaves_the_vehicle_in_the_workshop(in_workshop: Any, crew: Any) -> None:
    vehicle, order = in_workshop
    crew("cancel", order)
    assert life_of(vehicle) == ("workshop", "free")
    assert BlockReason.INSPECTION in blocks_of(vehicle)


def test_a_vehicle_put_back_by_hand_stays_blocked_until_an_inspection(
    make_vehicle: Any, order_for: Any, crew: Any
) -> None:
    vehicle, at = make_vehicle(), clock.now()
    set_life_state(vehicle_id=vehicle.pk, to="workshop", at=at, by=SYSTEM)
    set_life_state(vehicle_id=vehicle.pk, to="in_service", at=at, by=SYSTEM)
    assert blocks_of(vehicle) == {BlockReason.INSPECTION}
    order = crew("start", order_for(vehicle, "inspection"))
    crew("finish", order, expect=409)
    crew("checklist", order, answers=answers(order))
    crew("finish", order)
    assert blocks_of(vehicle) == set()


def test_only_the_last_of_several_orders_asks_the_gate(
    in_workshop: Any, order_for: Any, crew: Any
) -> None:
    vehicle, tyre = in_workshop
    lights = crew("start", order_for(vehicle, "lights"), place="workshop")
    crew("finish", tyre)
    assert life_of(vehicle) == ("workshop", "staff")
    crew("finish", lights, expect=409)


def test_items_of_another_list_are_not_answered_here(
    in_workshop: Any, crew: Any, ruote: Any
) -> None:
    _vehicle, order = in_workshop
    other = ensure_gate(organisation_id=ruote.pk, kind="car").items.first()
    refused = crew(
        "checklist", order, expect=422, answers=[{"item": other.pk, "verdict": "passed"}]
    )
    assert refused["code"] == "checklist_item_not_asked"


def test_a_retired_item_is_asked_no_more(in_workshop: Any, crew: Any) -> None:
    _vehicle, order = in_workshop
    crew("checklist", order, answers=answers(order)[1:])
    ChecklistItem.objects.filter(pk=order["checklist"][0]["id"]).update(retired=True)
    crew("finish", order)
