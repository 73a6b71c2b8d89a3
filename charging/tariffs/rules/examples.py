"""Example bills: what a price list comes to for charges as people make them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from charging.tariffs.rules.components import PriceList
from charging.tariffs.rules.pricing import price_session
from charging.tariffs.rules.timeline import SessionFigures
from mobility.core.money import PriceLine, total_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A charge as people make it: when it begins by the site's clock, how much, how long."""

    code: str
    begins: time
    energy_wh: int
    charging: timedelta
    parked: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleBill:
    """An example and what it comes to, in gross cents."""

    example: Example
    lines: tuple[PriceLine, ...]

    @property
    def cents(self) -> int:
        """VAT included."""
        return total_cents(self.lines)

    @property
    def kwh_cents(self) -> float | None:
        """What a kilowatt-hour comes to with all that is charged beside it."""
        wh = self.example.energy_wh
        return self.cents * 1000 / wh if wh else None


EXAMPLES: Final = (
    Example(code="top_up", begins=time(13), energy_wh=6_000, charging=timedelta(minutes=45)),
    Example(code="afternoon", begins=time(15), energy_wh=20_000, charging=timedelta(hours=2)),
    Example(
        code="parked",
        begins=time(15),
        energy_wh=20_000,
        charging=timedelta(hours=2),
        parked=timedelta(hours=2),
    ),
    Example(
        code="night",
        begins=time(22),
        energy_wh=35_000,
        charging=timedelta(hours=5),
        parked=timedelta(hours=4),
    ),
    Example(code="fast", begins=time(18), energy_wh=40_000, charging=timedelta(minutes=50)),
)


def example_bills(prices: PriceList, *, at: datetime) -> list[ExampleBill]:
    """Every example on the day of `at` by the site's clock, priced by the list."""
    day = at.astimezone(prices.zone).date()
    bills = []
    for example in EXAMPLES:
        start = datetime.combine(day, example.begins, prices.zone).astimezone(at.tzinfo)
        figures = SessionFigures(
            started_at=start,
            ended_at=start + example.charging + example.parked,
            energy_wh=example.energy_wh,
            charging_ended_at=start + example.charging if example.parked else None,
        )
        lines = tuple(price_session(prices=prices, figures=figures))
        bills.append(ExampleBill(example=example, lines=lines))
    return bills
