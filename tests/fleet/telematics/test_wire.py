"""Reading reports: whatever the bytes, an answer; whatever the point, a row."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.telematics import records, wire

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = (
    "at",
    "lat",
    "lon",
    "speed_kmh",
    "heading_deg",
    "battery_pct",
    "odometer_m",
    "locked",
    "tilted",
    "accuracy_m",
)


@settings(max_examples=60)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (wire.read_report, wire.read_batch):
        with suppress(wire.ReportMalformed, wire.ReportTooLarge):
            report = read(body)
            assert len(report.points) == len(report.point_places)


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=10) | JSON, max_size=6))
def test_every_item_is_taken_or_told(points: list[Any]) -> None:
    report = wire.read_report(json.dumps({"points": points}).encode())
    told = [one.index for one in report.rejected]
    assert sorted([*report.point_places, *told]) == list(range(len(points)))
    assert len(wire.pack(report.points)) == len(report.points)


@settings(max_examples=60)
@given(
    at=st.integers(0, 253_402_300_799_999),
    lat=st.floats(-180, 180),
    lon=st.floats(-180, 180),
    speed=st.floats(0, 1000),
    heading=st.floats(0, 360),
    battery=st.floats(0, 100),
    odometer=st.floats(0, 2_000_000_000),
    accuracy=st.floats(0, 1_000_000),
    flag=st.booleans(),
)
def test_whatever_may_be_said_fits_into_a_row(
    *,
    at: int,
    lat: float,
    lon: float,
    speed: float,
    heading: float,
    battery: float,
    odometer: float,
    accuracy: float,
    flag: bool,
) -> None:
    point = wire.PointIn(
        at=at,
        lat=lat,
        lon=lon,
        speed_kmh=speed,
        heading_deg=heading,
        battery_pct=battery,
        odometer_m=odometer,
        accuracy_m=accuracy,
        locked=flag,
        tilted=not flag,
    )
    (row,) = wire.pack([point])
    assert row["at_us"] == at * 1000
    assert abs(row["lat_e7"] - lat * 1e7) <= 1
    assert abs(row["lon_e7"] - lon * 1e7) <= 1
    assert 0 <= row["heading"] < 360
    assert abs(row["speed_cms"] * 0.036 - speed) < 0.02
    assert (row["locked"], row["tilted"]) == (int(flag), int(not flag))


@settings(max_examples=40)
@given(st.lists(st.integers(0, 5), max_size=6))
def test_an_entry_comes_out_of_the_log_as_it_went_in(sizes: list[int]) -> None:
    batches = [
        records.points_from([(n * 1000 + k, n, k, 1, 2, 3, 4, 5, 1, 0) for k in range(size)])
        for n, size in enumerate(sizes)
    ]
    points = records.gathered(batches)
    payload = records.pack_entry(
        received_at=records.from_us(77),
        reports=records.reports_of(device_id=9, points=points),
    )
    found = records.unpack_entries([payload])
    assert found["at_us"].tolist() == points["at_us"].tolist()
    assert set(found["device_id"].tolist()) <= {9}
    assert set(found["received_us"].tolist()) <= {77}
    assert len(payload) == 8 + 37 * sum(sizes)
