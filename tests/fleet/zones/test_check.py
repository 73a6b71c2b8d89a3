"""What the check finds before publication, and what is no zone at all."""

from typing import Any

import pytest

from fleet.vehicles.models import VehicleType
from fleet.zones.models import Zone, ZoneSet
from fleet.zones.rules.checking import MOST_FINDINGS
from mobility.core import geo
from mobility.geography.models import City, Hub
from tests.fleet.zones.sets import AREA, PARK, Desk, collection, feature, ring


def test_a_boundary_that_crosses_itself_is_refused_with_the_place(desk: Desk) -> None:
    bow_tie = feature("no_park", PARK)
    bow_tie["geometry"]["coordinates"] = [
        [[9.19, 45.44], [9.21, 45.46], [9.21, 45.44], [9.19, 45.46], [9.19, 45.44]]
    ]
    draft = desk.draft()
    body = desk.put(draft, collection(bow_tie, AREA)).json()
    (finding,) = [one for one in body["findings"] if one["severity"] == "error"]
    assert (finding["code"], finding["zone"]) == ("broken_boundary", "no_park")
    assert (finding["lon"], finding["lat"]) == pytest.approx((9.2, 45.45))
    assert "Self-intersection" in finding["message"]
    refused = desk.publish(draft, acknowledge_warnings=True)
    assert (refused.status_code, refused.json()["code"]) == (422, "zones_have_errors")
    assert refused.json()["findings"][0]["code"] == "broken_boundary"
    assert not ZoneSet.objects.exclude(state="draft").exists()


@pytest.mark.parametrize(
    ("drawn", "severity", "code"),
    [
        ([AREA, feature("slow", PARK)], "error", "slow_without_limit"),
        ([AREA, feature("no_park", (10.1, 45.4, 10.2, 45.5))], "error", "outside_city"),
        ([AREA, feature("no_park", (9.28, 45.4, 9.34, 45.5))], "warning", "beyond_city"),
        ([feature("no_park", (9.19, 45.45, 9.190001, 45.46)), AREA], "warning", "sliver"),
        ([AREA, feature("bay", PARK)], "warning", "capacity_missing"),
        ([feature("bay", (9.25, 45.45, 9.26, 45.46), capacity=3), AREA], "warning", "bay_outside_area"),
        ([feature("no_park", PARK)], "warning", "nothing_operating"),
        ([AREA, feature("no_park", PARK)], "warning", "hidden"),
        ([feature("bay", PARK, capacity=9), feature("no_park", (9.195, 45.44, 9.21, 45.45)), AREA], "warning", "overlap"),
        ([feature("slow", PARK, rules=[{"maximum_speed_kmh": 6, "vehicle_types": ["ufo"]}]), AREA], "error", "unknown_vehicle_type"),
    ],
)  # fmt: skip
def test_the_check_finds(desk: Desk, drawn: list[dict[str, Any]], severity: str, code: str) -> None:
    findings = desk.findings(desk.draft(*drawn))
    assert [(one["severity"], one["code"]) for one in findings] == [(severity, code)]
    assert findings[0]["message"]
    assert "%" not in findings[0]["message"].replace(" %", "")


def test_an_overlap_says_which_zone_wins(desk: Desk) -> None:
    slow = feature("slow", PARK, code="lento", rules=[{"maximum_speed_kmh": 6}])
    slower = feature("slow", PARK, code="piano", rules=[{"maximum_speed_kmh": 4}])
    (finding,) = desk.findings(desk.draft(slow, slower, AREA))
    assert (finding["zone"], finding["other"]) == ("lento", "piano")
    assert finding["params"] == {"attributes": ["maximum_speed_kmh"]}
    assert PARK[0] < finding["lon"] < PARK[2]


def test_rules_for_different_vehicles_do_not_collide(desk: Desk) -> None:
    scooters = [{"vehicle_kinds": ["scooter"], "maximum_speed_kmh": 6}]
    bicycles = [{"vehicle_kinds": ["bicycle"], "maximum_speed_kmh": 15}]
    drawn = [
        feature("slow", PARK, code="a", rules=scooters),
        feature("slow", PARK, code="b", rules=bicycles),
    ]
    assert desk.findings(desk.draft(*drawn, AREA)) == []


def test_what_is_ordinary_is_no_finding(desk: Desk, milan: City) -> None:
    VehicleType.objects.create(
        code="cargo", name={"it": "Cargo"}, kind="bicycle", max_range_m=1, max_speed_kmh=25,
        battery_wh=500,
    )  # fmt: skip
    Hub.objects.create(city=milan, code="H1", name={"it": "H"}, location=geo.point(9.19, 45.45))
    drawn = [
        feature("bay", (9.185, 45.441, 9.186, 45.442), capacity=4, hub="H1"),
        feature("no_park", PARK),
        feature("slow", PARK, rules=[{"maximum_speed_kmh": 6, "vehicle_types": ["cargo"]}]),
        AREA,
    ]
    draft = desk.draft(*drawn)
    assert desk.findings(draft) == []
    assert desk.publish(draft).status_code == 200


def test_warnings_want_a_word(desk: Desk) -> None:
    draft = desk.draft(AREA, feature("no_park", PARK))
    refused = desk.publish(draft)
    assert (refused.status_code, refused.json()["code"]) == (409, "zones_have_warnings")
    assert [one["code"] for one in refused.json()["findings"]] == ["hidden"]
    assert desk.publish(draft, acknowledge_warnings=True).status_code == 200


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        ({"geometry": {"type": "Point", "coordinates": [9.2, 45.4]}}, "geometry"),
        ({"geometry": None}, "geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": "here"}}, "geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[9, 45], [10, 45], [10, 46]]]}}, "geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": [ring((500, 45, 501, 46))]}}, "geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "geometry"),
        ({"properties": None}, "properties"),
        ({"properties": {**AREA["properties"], "kind": "moon"}}, "kind"),
        ({"properties": {**AREA["properties"], "name": "Area"}}, "name"),
        ({"properties": {**AREA["properties"], "hub": "nowhere"}}, "hub"),
        ({"properties": {**AREA["properties"], "capacity": -1}}, "capacity"),
        ({"properties": {**AREA["properties"], "rules": [{"weekdays": [8]}]}}, "rules.0.weekdays.0"),
        ({"properties": {**AREA["properties"], "rules": [{"start_time": "10:00"}]}}, "rules.0.end_time"),
        ({"properties": {**AREA["properties"], "rules": [{"maximum_speed_kmh": 0}]}}, "rules.0.maximum_speed_kmh"),
    ],
)  # fmt: skip
def test_what_is_no_zone_is_named(desk: Desk, spoil: dict[str, Any], field: str) -> None:
    draft = desk.draft()
    answer = desk.put(draft, collection(AREA, {**AREA, **spoil}))
    assert (answer.status_code, answer.json()["code"]) == (422, "zones_unreadable")
    problems = answer.json()["problems"]
    assert {(one["feature"], one["field"]) for one in problems} >= {(1, field)}
    assert not Zone.objects.exists()


def test_a_code_occurs_once(desk: Desk) -> None:
    answer = desk.put(desk.draft(), collection(AREA, AREA))
    assert answer.json()["problems"] == [
        {"feature": 1, "field": "code", "detail": "This code occurs twice."}
    ]


def test_of_very_many_findings_the_first_are_told(desk: Desk) -> None:
    limits = [
        feature("slow", PARK, code=f"s{number}", rules=[{"maximum_speed_kmh": number + 1}])
        for number in range(40)
    ]
    findings = desk.findings(desk.draft(feature("slow", PARK), *limits, AREA))
    assert len(findings) == MOST_FINDINGS
    assert findings[0]["code"] == "slow_without_limit"
