"""The example of docs/charging.md, reckoned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from charging.tariffs.rules import SessionFigures, price_session, price_words, read_prices
from mobility.core.money import total_cents, vat_split

TARIFF = read_prices(
    {
        "components": [
            {
                "kind": "energy",
                "unit_cents": "30",
                "when": {"start_time": "22:00", "end_time": "06:00"},
            },
            {"kind": "energy", "unit_cents": "60"},
            {"kind": "idle", "unit_cents": "10", "step": 900},
        ],
        "max_cents": 1200,
    }
)
BEGUN = datetime(2026, 3, 28, 21, 0, tzinfo=ZoneInfo("Europe/Rome")).astimezone(UTC)


def figures(energy_wh: int) -> SessionFigures:
    return SessionFigures(
        started_at=BEGUN,
        ended_at=BEGUN + timedelta(hours=2, minutes=20),
        energy_wh=energy_wh,
        charging_ended_at=BEGUN + timedelta(hours=2),
    )


def test_the_example_of_the_page() -> None:
    lines = price_session(prices=TARIFF, figures=figures(20_000))
    told = [(line.kind, str(line.quantity), line.cents) for line in lines]
    assert told == [
        ("energy", "10.000", 300),
        ("energy", "10.000", 600),
        ("idle", "30.000", 300),
    ]
    [part] = vat_split(lines)
    assert (part.net_cents, part.vat_cents, part.gross_cents) == (984, 216, 1200)


def test_more_by_day_is_taken_off_again() -> None:
    lines = price_session(prices=TARIFF, figures=figures(22_000))
    assert total_cents(lines) == 1200
    assert (lines[-1].kind, lines[-1].cents) == ("maximum", -90)


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ["€0.30 per kWh, 22:00–06:00", "€0.60 per kWh", "at most €12.00"])],
)
def test_a_driver_is_told_so(language: str, words: list[str]) -> None:
    with translation.override(language):
        told = price_words(TARIFF)
    assert told[:2] == words[:2]
    assert told[-1] == words[-1]
