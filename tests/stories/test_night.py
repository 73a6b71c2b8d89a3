"""Marco plans the night, Sara's van walks it, and the map shows what she did."""

import pytest

from mobility.simulator.credentials import DeviceSpec
from mobility.simulator.geometry import Place
from tests.stories.cast import vehicle_of
from tests.stories.people import Body, Caller, credentials_of, sign_in
from tests.stories.processes import House
from tests.stories.street import Street, open_street

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("house")]

FLAT_PCT = 9.0


def test_the_night_is_planned_and_a_flat_scooter_gets_a_battery(house: House) -> None:
    """A low battery becomes a task with a value and a reason; done, the scooter is free again."""
    marco, sara = sign_in(house, "marco@demo.example"), sign_in(house, "sara@demo.example")
    credentials = credentials_of(house)
    scooter = vehicle_of(house, "scooter", "night")
    with open_street(credentials) as street:
        street.put(scooter.code, battery_pct=FLAT_PCT)
        _wait_until_nobody_can_rent(sara, scooter)
        plan = marco.post("fleet/plans", {"seconds": 1}, status=201)
        sara.post("fleet/plans", {"seconds": 1}, status=403)
        draft = marco.wait_for(
            f"fleet/plans/{plan['id']}",
            lambda seen: seen["state"] == "draft",
            what="the plan",
            patience_s=100,
        )
        assert draft["tasks_total"] > 0
        marco.post(f"fleet/plans/{plan['id']}/publish")

        task = _task_for(sara, plan, scooter)
        assert task["value_cents"] > task["cost_cents"] >= 0
        assert task["reason_text"]
        claimed = sara.post(f"fleet/tasks/{task['id']}/claim")
        assert claimed["state"] == "claimed"
        street.swap_battery(scooter.code)
        assert sara.post(f"fleet/tasks/{task['id']}/complete")["state"] == "done"
        _wait_until_anybody_can_rent(sara, scooter, street)
    seen = marco.get(f"fleet/plans/{plan['id']}")
    assert (seen["state"], seen["tasks_done"]) == ("running", 1)
    marco.post(f"fleet/plans/{plan['id']}/close")


def _task_for(sara: Caller, plan: Body, scooter: DeviceSpec) -> Body:
    tasks = sara.get("fleet/tasks", plan=plan["id"], limit=200)["results"]
    ours = [task for task in tasks if task["vehicle"] == scooter.code]
    assert ours, f"no task for {scooter.code} among {tasks}"
    assert ours[0]["kind"] == "swap_battery"
    return ours[0]


def _on_map(person: Caller, scooter: DeviceSpec, place: Place) -> bool:
    found = person.get("vehicles", lat=place.lat, lon=place.lon, radius_m=200, kind="scooter")
    return any(row["code"] == scooter.code for row in found["results"])


def _wait_until_nobody_can_rent(sara: Caller, scooter: DeviceSpec) -> None:
    sara.wait_for(
        "fleet/vehicles",
        lambda seen: any(row["code"] == scooter.code for row in seen["results"]),
        what="the block for a low battery",
        block="low_battery",
        limit=200,
    )
    assert not _on_map(sara, scooter, Place(scooter.lon, scooter.lat))


def _wait_until_anybody_can_rent(sara: Caller, scooter: DeviceSpec, street: Street) -> None:
    place = street.place(scooter.code)
    sara.wait_for(
        "vehicles",
        lambda seen: any(row["code"] == scooter.code for row in seen["results"]),
        what="the scooter on the map",
        lat=place.lat,
        lon=place.lon,
        radius_m=200,
        kind="scooter",
    )
