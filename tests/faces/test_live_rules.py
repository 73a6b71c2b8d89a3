"""What goes over the wire of the live map, as the page that receives it would put it together."""

import dataclasses
import json
import zlib
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.live import rules
from mobility.live.rules import VEHICLE, Picture

LABELS = [(f"id-{number}", f"CODE{number}") for number in range(8)]
FACES = [("scooter",), ("bicycle",), ("car",)]
places = st.integers(-180_000_000, 180_000_000)
vehicle_values = st.tuples(
    places, places, st.integers(-1, 359), st.integers(-1, 100), st.integers(0, 30_000_000),
    st.integers(0, 2),
)  # fmt: skip
fleets = st.dictionaries(st.integers(0, 7), vehicle_values)
site_rows = st.dictionaries(st.sampled_from("stuv"), st.integers(0, 3))

Seen = dict[str, dict[str, Any]]


def picture(fleet: dict[int, tuple[int, ...]], sites: dict[str, int]) -> Picture:
    rows = [(number, *fleet[number]) for number in sorted(fleet)]
    return Picture(
        at="2026-05-01T10:00:00+00:00",
        vehicles=np.array(rows, dtype=VEHICLE),
        faces=FACES,
        labels=LABELS,
        sites={key: (key, value) for key, value in sites.items()},
    )


def received(frame: bytes) -> tuple[str, dict[str, Any]]:
    event, data = frame.decode().strip().split("\n")
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


class Page:
    """What the page's script does with what it hears."""

    def __init__(self) -> None:
        self.fleet: dict[int, dict[str, Any]] = {}
        self.faces: dict[str, list[Any]] = {}
        self.sites: dict[str, Any] = {}

    def hear(self, frame: bytes) -> None:
        if not frame:
            return
        event, body = received(frame)
        if event == "snapshot":
            self.fleet, self.sites = {}, {}
        self.faces |= body.get("faces", {})
        for number in body.get("gone", []):
            del self.fleet[number]
        self._come(body.get("vehicles") or body.get("came") or {"n": []})
        self._move(body.get("moved", {"n": []}))
        turned = body.get("turned", {"n": []})
        for place, number in enumerate(turned["n"]):
            self.fleet[number]["face"] = turned["face"][place]
        self.sites |= {row[0]: tuple(row) for row in body.get("sites", [])}
        for key in body.get("sites_gone", []):
            del self.sites[key]

    def _come(self, came: dict[str, Any]) -> None:
        for place, number in enumerate(came["n"]):
            self.fleet[number] = {name: values[place] for name, values in came.items()}

    def _move(self, moved: dict[str, Any]) -> None:
        number = 0
        for place, step in enumerate(moved["n"]):
            number += step
            vehicle = self.fleet[number]
            for name in ("lon", "lat", "seen"):
                vehicle[name] += moved[name][place]
            for name in ("heading", "battery_pct"):
                vehicle[name] = moved[name][place]

    def shows(self, picture: Picture) -> bool:
        wanted = {
            int(row["n"]): {name: int(row[name]) for name in VEHICLE.names or ()}
            | dict(zip(("id", "code"), LABELS[row["n"]], strict=True))
            for row in picture.vehicles
        }
        known = all(str(row["face"]) in self.faces for row in self.fleet.values())
        return self.fleet == wanted and self.sites == dict(picture.sites) and known


def test_a_snapshot_names_its_columns_once_and_carries_every_vehicle() -> None:
    event, body = received(
        rules.encode_snapshot(
            picture({3: (9_205_000, 45_451_000, 90, 80, 29_000_000, 1)}, {"s": 2})
        )
    )

    assert event == "snapshot"
    assert body["columns"]["face"] == list(rules.PUBLIC_FACE)
    assert body["faces"] == {"1": ["bicycle"]}
    assert (body["vehicles"]["id"], body["vehicles"]["code"]) == (["id-3"], ["CODE3"])
    assert (body["vehicles"]["lon"], body["vehicles"]["lat"]) == ([9_205_000], [45_451_000])
    assert body["sites"] == [["s", 2]]


def test_a_quiet_second_sends_nothing() -> None:
    still = picture({1: (1, 2, 3, 4, 5, 0)}, {})

    assert rules.encode_delta(before=still, after=still) == b""
    assert rules.packed(b"") == b""


@settings(max_examples=60, deadline=None)
@given(fleets, fleets, fleets, site_rows, site_rows)
def test_who_has_seen_one_picture_and_gets_the_deltas_sees_the_next_ones(
    first: dict[int, tuple[int, ...]],
    second: dict[int, tuple[int, ...]],
    third: dict[int, tuple[int, ...]],
    old_sites: dict[str, int],
    new_sites: dict[str, int],
) -> None:
    one, two, three = (
        picture(first, old_sites),
        picture(second, new_sites),
        picture(third, new_sites),
    )
    page = Page()
    page.hear(rules.encode_snapshot(one))
    assert page.shows(one)
    page.hear(rules.encode_delta(before=one, after=two))
    assert page.shows(two)
    page.hear(rules.encode_delta(before=two, after=three))
    assert page.shows(three)


def test_packed_frames_are_one_gzip_stream_wherever_somebody_joins() -> None:
    before = picture({n: (n, n, 0, 50, 29_000_000, 0) for n in range(8)}, {})
    moved = before.vehicles.copy()
    moved["lon"] += 7
    delta = rules.encode_delta(before=before, after=dataclasses.replace(before, vehicles=moved))
    snapshot = rules.encode_snapshot(before)
    frame, whole = rules.packed(delta), rules.packed(snapshot)

    early = zlib.decompressobj(wbits=31).decompress(rules.GZIP_HEAD + whole + frame + frame)
    late = zlib.decompressobj(wbits=31).decompress(rules.GZIP_HEAD + frame)

    assert early == snapshot + delta + delta
    assert late == delta


def test_a_second_in_which_a_thousand_vehicles_of_ten_thousand_move_stays_small() -> None:
    chance = np.random.default_rng(7)
    rows = np.zeros(10_000, dtype=VEHICLE)
    rows["n"] = np.arange(10_000)
    rows["lon"] = chance.integers(9_060_000, 9_300_000, 10_000)
    rows["lat"] = chance.integers(45_380_000, 45_540_000, 10_000)
    before = Picture(at="2026-05-01T10:00:00+00:00", vehicles=rows, faces=FACES)
    moved = rows.copy()
    some = np.sort(chance.choice(10_000, 1_000, replace=False))
    moved["lon"][some] += chance.integers(-120, 120, 1_000)
    moved["lat"][some] += chance.integers(-80, 80, 1_000)
    moved["heading"][some] = chance.integers(0, 360, 1_000)

    delta = rules.encode_delta(before=before, after=dataclasses.replace(before, vehicles=moved))

    assert len(delta) <= 20_000
    assert len(rules.packed(delta)) <= 10_000
