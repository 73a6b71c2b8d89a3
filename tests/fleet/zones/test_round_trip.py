"""What a program reads of a set is what it may write back: nothing is lost on the way."""

import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fleet.zones.sets import PARK, SETS, Desk, feature

pytestmark = pytest.mark.django_db

GROUPS = ["residents", "students"]
hours = st.lists(st.times(), min_size=2, max_size=2, unique=True)
rules = st.fixed_dictionaries(
    {},
    optional={
        "vehicle_kinds": st.lists(st.sampled_from(["bicycle", "car", "scooter"]), unique=True),
        "user_groups": st.lists(st.sampled_from(GROUPS), unique=True),
        "weekdays": st.lists(st.integers(1, 7), unique=True),
        "ride_end_allowed": st.booleans(),
        "ride_through_allowed": st.booleans(),
        "maximum_speed_kmh": st.integers(1, 200),
    },
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rule=rules, window=st.none() | hours)
def test_zones_that_are_read_and_written_back_stay_as_they_were(
    desk: Desk, rule: dict[str, object], window: list[datetime.time] | None
) -> None:
    if window:
        start, end = window
        rule = {**rule, "start_time": start.isoformat(), "end_time": end.isoformat()}
    draft = desk.draft(feature("slow", PARK, rules=[rule]), empty=True)
    read = desk.client.get(f"{SETS}/{draft}/zones").json()
    (kept,) = read["features"][0]["properties"]["rules"]
    if window:
        told = [datetime.time.fromisoformat(kept[name]) for name in ("start_time", "end_time")]
        assert told == window
    assert desk.put(draft, read).status_code == 200
    again = desk.client.get(f"{SETS}/{draft}/zones").json()
    assert without_ids(again) == without_ids(read)


def without_ids(body: dict[str, list[dict[str, object]]]) -> list[dict[str, object]]:
    return [
        {name: value for name, value in zone.items() if name != "id"} for zone in body["features"]
    ]


def test_the_last_second_of_the_day_is_kept(desk: Desk) -> None:
    rule = {"start_time": "22:00", "end_time": "23:59:59", "maximum_speed_kmh": 6}
    draft = desk.draft(feature("slow", PARK, rules=[rule]))
    (kept,) = desk.client.get(f"{SETS}/{draft}/zones").json()["features"][0]["properties"]["rules"]
    assert (kept["start_time"], kept["end_time"]) == ("22:00", "23:59:59")
