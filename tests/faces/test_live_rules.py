"""What goes over the wire of the live map, as the page that receives it would put it together."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.live import rules
from mobility.live.rules import Picture, Rows

IDS = st.sampled_from(["a", "b", "c", "d", "e"])
ROWS = st.dictionaries(IDS, st.tuples(st.integers(0, 3), st.sampled_from(["scooter", "car"])))


def picture(vehicles: Rows, sites: Rows) -> Picture:
    keyed = {key: (key, *values) for key, values in vehicles.items()}
    return Picture(
        at="2026-05-01T10:00:00+00:00", vehicles=keyed, sites={k: (k, *v) for k, v in sites.items()}
    )


def received(frame: bytes) -> tuple[str, dict[str, Any]]:
    event, data = frame.decode().strip().split("\n")
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_a_snapshot_names_its_columns_once_and_carries_every_row() -> None:
    event, body = received(rules.encode_snapshot(picture({"a": (1, "car")}, {"s": (2, "x")})))

    assert event == "snapshot"
    assert body["columns"]["vehicles"] == list(rules.PUBLIC_VEHICLE)
    assert body["vehicles"] == [["a", 1, "car"]]
    assert body["sites"] == [["s", 2, "x"]]


def test_a_quiet_second_sends_nothing() -> None:
    still = picture({"a": (1, "car")}, {})

    assert rules.encode_delta(before=still, after=still) == b""


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS, ROWS, ROWS)
def test_who_has_seen_one_picture_and_gets_the_delta_sees_the_next(
    old: Rows, new: Rows, old_sites: Rows, new_sites: Rows
) -> None:
    before, after = picture(old, old_sites), picture(new, new_sites)
    seen = {"vehicles": dict(before.vehicles), "sites": dict(before.sites)}

    frame = rules.encode_delta(before=before, after=after)
    if frame:
        event, body = received(frame)
        assert event == "delta"
        for group, rows in seen.items():
            for row in body.get(group, []):
                rows[row[0]] = tuple(row)
            for key in body.get(f"{group}_gone", []):
                del rows[key]

    assert seen == {"vehicles": dict(after.vehicles), "sites": dict(after.sites)}
