"""The price of a session: golden rows, and what must hold for every tariff."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charging.tariffs.rules import (
    BadComponent,
    PriceComponent,
    SessionFigures,
    price_session,
    price_summary,
    read_components,
)
from mobility.core.money import total_cents, vat_split

AC = read_components(
    [
        {"kind": "energy", "unit_cents": "45"},
        {"kind": "idle", "unit_cents": "10", "free_units": 30, "cap_cents": 1500},
    ],
)
HPC = read_components(
    [
        {"kind": "flat", "unit_cents": "50"},
        {"kind": "energy", "unit_cents": "79.9"},
        {"kind": "time", "unit_cents": "2", "free_units": 60},
    ],
)


@pytest.mark.parametrize(
    ("components", "energy_wh", "connected_s", "idle_s", "cents"),
    [
        (AC, 0, 0, 0, []),
        (AC, 11_000, 3600, 0, [("energy", 495)]),
        (AC, 11_000, 7200, 1800, [("energy", 495)]),
        (AC, 11_000, 7200, 3600, [("energy", 495), ("idle", 300)]),
        (AC, 11_000, 86400, 80000, [("energy", 495), ("idle", 1500)]),
        (HPC, 0, 60, 0, [("flat", 50)]),
        (HPC, 31_234, 1500, 0, [("flat", 50), ("energy", 2496)]),
        (HPC, 31_234, 5400, 0, [("flat", 50), ("energy", 2496), ("time", 60)]),
        (HPC, 1, 0, 0, [("flat", 50)]),
        (HPC, 7, 0, 0, [("flat", 50), ("energy", 1)]),
    ],
)
def test_golden_rows(
    components: tuple[PriceComponent, ...],
    energy_wh: int,
    connected_s: int,
    idle_s: int,
    cents: list[tuple[str, int]],
) -> None:
    figures = SessionFigures(energy_wh=energy_wh, connected_s=connected_s, idle_s=idle_s)
    lines = price_session(components=components, figures=figures)
    assert [(line.kind, line.cents) for line in lines] == cents


prices = st.decimals(min_value=0, max_value=1000, places=2)
tariffs = st.lists(
    st.builds(
        PriceComponent,
        kind=st.sampled_from(["flat", "energy", "time", "idle"]),
        unit_cents=prices,
        free_units=st.decimals(min_value=0, max_value=100, places=1),
        cap_cents=st.none() | st.integers(0, 10_000),
        vat_rate=st.sampled_from([Decimal("0.22"), Decimal("0.10")]),
    ),
    max_size=5,
)
sessions = st.builds(
    SessionFigures,
    energy_wh=st.integers(0, 200_000),
    connected_s=st.integers(0, 200_000),
    idle_s=st.integers(0, 200_000),
)
more = st.tuples(*[st.integers(0, 50_000)] * 3)


@settings(max_examples=60, deadline=None)
@given(tariffs, sessions, more)
def test_more_never_costs_less(
    components: list[PriceComponent],
    small: SessionFigures,
    extra: tuple[int, int, int],
) -> None:
    large = SessionFigures(
        energy_wh=small.energy_wh + extra[0],
        connected_s=small.connected_s + extra[1],
        idle_s=small.idle_s + extra[2],
    )
    less = total_cents(price_session(components=components, figures=small))
    assert 0 <= less <= total_cents(price_session(components=components, figures=large))


@settings(max_examples=60, deadline=None)
@given(tariffs, sessions)
def test_the_parts_make_the_whole(
    components: list[PriceComponent],
    figures: SessionFigures,
) -> None:
    lines = price_session(components=components, figures=figures)
    single = [price_session(components=[one], figures=figures) for one in components]
    assert lines == [line for part in single for line in part]
    assert sum(part.gross_cents for part in vat_split(lines)) == total_cents(lines)
    for line in lines:
        assert line.cents > 0
    caps = {id(c): c.cap_cents for c in components if c.cap_cents is not None}
    for component, part in zip(components, single, strict=True):
        assert total_cents(part) <= caps.get(id(component), total_cents(part))


@settings(max_examples=30, deadline=None)
@given(tariffs)
def test_stored_and_read_again_it_is_the_same(components: list[PriceComponent]) -> None:
    assert list(read_components([one.as_json() for one in components])) == components


@pytest.mark.parametrize(
    "component",
    [
        {},
        {"kind": "energy"},
        {"kind": "wind", "unit_cents": 1},
        {"kind": "energy", "unit_cents": "-1"},
        {"kind": "energy", "unit_cents": "NaN"},
        {"kind": "energy", "unit_cents": "much"},
        {"kind": "energy", "unit_cents": 1, "vat_rate": "22"},
        {"kind": "time", "unit_cents": 1, "free_units": -1},
        {"kind": "time", "unit_cents": 1, "cap_cents": -1},
    ],
)
def test_nonsense_is_no_component(component: dict[str, object]) -> None:
    with pytest.raises(BadComponent):
        read_components([component])


def test_the_summary_is_what_a_person_compares() -> None:
    summary = price_summary(HPC)
    assert (summary["session_cents"], summary["kwh_cents"], summary["minute_cents"]) == (
        50,
        79.9,
        2,
    )
