"""What a meter can have shown: rules that must hold whatever a charger says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charging.sessions.facts import Sample
from charging.sessions.rules import (
    RegisterPoint,
    SequenceLog,
    billable_energy,
    charged_until,
    idle_seconds,
    is_own_reference,
    is_stuck,
    is_whole,
    meter_picture,
    normal_uid,
    note_sequence,
)
from charging.stations.rules import storable_json
from tests.charging.fixtures import NOON

POWER_W = 22_000


def point(minutes: float, register_wh: int) -> RegisterPoint:
    return RegisterPoint(NOON + timedelta(minutes=minutes), register_wh)


def energy(
    start: RegisterPoint | None,
    stop: RegisterPoint | None,
    *between: RegisterPoint,
) -> tuple[int, bool]:
    result = billable_energy(start=start, stop=stop, between=between, max_power_w=POWER_W)
    return result.energy_wh, result.suspect


@pytest.mark.parametrize(
    ("samples", "register_wh", "power_w", "soc_pct", "suspect"),
    [
        ([], None, None, None, False),
        ([Sample(value=1234.4)], 1234, None, None, False),
        ([Sample(value=1.5, unit="kWh")], 1500, None, None, False),
        ([Sample(value=15, multiplier=2)], 1500, None, None, False),
        ([Sample(value=7, measurand="Power.Active.Import", unit="kW")], None, 7000, None, False),
        ([Sample(value=80, measurand="SoC", unit="Percent", location="EV")], None, None, 80, False),
        ([Sample(value=100, phase=p) for p in ("L1", "L2", "L3")], 300, None, None, False),
        ([Sample(value=100, phase="L1"), Sample(value=250)], 250, None, None, False),
        ([Sample(value=5, unit="Hz")], None, None, None, False),
        ([Sample(value=5, location="Inlet")], None, None, None, False),
        ([Sample(value=None)], None, None, None, False),
        ([Sample(value=-1)], None, None, None, True),
        ([Sample(value=float("nan"))], None, None, None, True),
        ([Sample(value=1e300, multiplier=100)], None, None, None, True),
        ([Sample(value=140, measurand="SoC")], None, None, None, True),
        (
            [
                Sample(value=900, context="Transaction.End"),
                Sample(value=100, context="Transaction.Begin"),
                Sample(value=500, context="Sample.Periodic"),
            ],
            900,
            None,
            None,
            False,
        ),
    ],
)
def test_one_instant_folds_into_one_picture(
    samples: list[Sample],
    register_wh: int | None,
    power_w: int | None,
    soc_pct: int | None,
    suspect: bool,
) -> None:
    picture = meter_picture(samples)
    if any(sample.measurand == "SoC" for sample in samples) and soc_pct is not None:
        assert picture.soc_pct == soc_pct
    assert (picture.register_wh, picture.power_w, picture.suspect) == (
        register_wh,
        power_w,
        suspect,
    )


@pytest.mark.parametrize(
    ("given_points", "expected"),
    [
        ((point(0, 1000), point(60, 12_000)), (11_000, False)),
        ((point(0, 1000), point(60, 12_000), point(30, 99_999_999)), (11_000, True)),
        ((point(0, 0), point(60, 920_000), point(1, 910_000), point(30, 915_000)), (10_000, True)),
        ((point(0, 0), point(60, 920_000)), (0, True)),
        ((point(0, 5000), point(60, 4000)), (0, True)),
        ((point(0, 1000), point(60, 0), point(20, 4000), point(40, 7000)), (6000, True)),
        ((None, point(60, 12_000), point(5, 2000), point(30, 8000)), (10_000, False)),
        ((point(0, 1000), None, point(30, 8000)), (7000, False)),
        ((point(0, 1000), None), (0, True)),
        ((None, None), (0, False)),
    ],
)
def test_energy_is_what_one_meter_can_have_shown(
    given_points: tuple[RegisterPoint | None, ...],
    expected: tuple[int, bool],
) -> None:
    assert energy(*given_points) == expected


instants = st.integers(0, 600)
registers = st.integers(-10_000, 2_000_000)
points = st.lists(st.builds(point, instants, registers), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.none() | registers, st.none() | registers, points, st.integers(0, 600))
def test_energy_is_never_negative_nor_beyond_the_cable(
    first: int | None,
    last: int | None,
    between: list[RegisterPoint],
    minutes: int,
) -> None:
    start = None if first is None else point(0, first)
    stop = None if last is None else point(minutes, last)
    wh, _suspect = energy(start, stop, *between)
    # At most the connector's power with its tolerance over ten hours, plus 500 Wh per step.
    assert 0 <= wh <= POWER_W * 1.2 * 10 + 500 * (len(between) + 2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2000), min_size=1, max_size=20), st.integers(0, 10**9))
def test_an_honest_meter_is_billed_to_the_watt_hour(rises: list[int], first: int) -> None:
    honest = [point(0, first)]
    for number, rise in enumerate(rises, start=1):
        honest.append(point(10 * number, honest[-1].register_wh + rise))
    assert energy(honest[0], honest[-1], *honest[1:-1]) == (sum(rises), False)


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(8)), st.sets(st.integers(0, 7), max_size=3))
def test_numbers_are_whole_exactly_when_none_is_missing(order: list[int], lost: set[int]) -> None:
    log = SequenceLog()
    for number in [*order, *order[:2]]:
        if number not in lost:
            log = note_sequence(log, seq_no=number)
    ends_known = not lost & {0, 7}
    first, last = (0, 7) if ends_known else (0 if 0 not in lost else None, None)
    assert is_whole(log, first=first, last=last) == (not lost)


def test_a_station_may_count_from_anywhere() -> None:
    log = SequenceLog()
    for number in (5, 6, 7):
        log = note_sequence(log, seq_no=number)
    assert is_whole(log, first=5, last=7)
    assert not is_whole(log, first=4, last=7)


def test_what_is_missing_is_not_searched_for_without_end() -> None:
    log = SequenceLog()
    for number in range(900, 9000, 900):
        log = note_sequence(log, seq_no=number)
    assert log.jumped
    assert len(log.missing) < 1000


def test_when_charging_ended_is_when_the_register_last_rose() -> None:
    series = [point(0, 1000), point(10, 4000), point(20, 7000), point(30, 7004), point(40, 7008)]
    assert charged_until(series) == NOON + timedelta(minutes=20)
    assert charged_until(series[:1]) is None
    ended = NOON + timedelta(minutes=50)
    assert idle_seconds(started_at=NOON, ended_at=ended, charging_ended_at=None) == 0
    late = NOON + timedelta(minutes=20)
    assert idle_seconds(started_at=NOON, ended_at=ended, charging_ended_at=late) == 1800


@pytest.mark.parametrize(
    ("reference", "own"),
    [
        *[("1", True), ("2147483647", True), ("2147483648", False), ("0", False), ("-1", False)],
        *[("", False), ("١", False), ("1.0", False), ("9" * 40, False)],
    ],
)
def test_which_references_can_be_ours(reference: str, own: bool) -> None:
    assert is_own_reference(reference) is own


def test_tokens_are_compared_without_regard_to_case_and_space() -> None:
    assert normal_uid(" 04a1\x00b2 ") == "04A1B2"


@pytest.mark.parametrize("value", ["nul\x00", "\\u0000", {"a\x00": ["\x00", 1, None]}, "plain"])
def test_any_json_can_be_stored(value: object) -> None:
    text = storable_json({"value": value})
    assert "\\u0000" not in text.replace("\\\\u0000", "")


def stuck(*steps: tuple[int, int, int]) -> bool:
    """Minute, register and power of each reading."""
    points = [RegisterPoint(NOON + timedelta(minutes=m), wh) for m, wh, _watts in steps]
    powers = {NOON + timedelta(minutes=m): watts for m, _wh, watts in steps}
    return is_stuck(points, powers=powers)


def test_a_register_that_stands_still_while_power_flows_is_stuck() -> None:
    assert stuck((0, 100, 7000), (5, 100, 7000), (10, 100, 7000))
    assert not stuck((0, 100, 7000), (5, 100, 7000), (9, 100, 7000))
    assert not stuck((0, 100, 7000), (5, 700, 7000), (10, 700, 7000))
    assert not stuck((0, 100, 300), (10, 100, 300), (20, 100, 300))
    assert not stuck((0, 100, 7000), (5, 100, 0), (10, 100, 7000), (15, 100, 0))


def test_intervals_beyond_the_connector_are_left_out_of_the_sum() -> None:
    intervals = [RegisterPoint(NOON + timedelta(minutes=m), wh) for m, wh in ((15, 5000), (30, 900_000), (45, 5000))]  # fmt: skip
    energy = billable_energy(
        start=None, stop=None, between=[], intervals=intervals, max_power_w=22_000
    )
    assert (energy.energy_wh, energy.suspect) == (10_000, True)
