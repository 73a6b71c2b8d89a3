"""Pure price of a charging session, as OCPI 2.2.1 describes tariffs (module Tariffs, §11.3–11.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from charging.tariffs.rules.components import ITALIAN_VAT, UNITS, PriceComponent, PriceList
from charging.tariffs.rules.restrictions import ALWAYS
from charging.tariffs.rules.timeline import SessionFigures, Stretch, stretches
from charging.tariffs.states import ComponentKind
from mobility.core.money import PriceLine, round_cents, total_cents, vat_split

_SECOND: Final = 1_000_000
# Blocks are counted in the smallest unit of each kind: Wh, and millionths of a second.
_BLOCK: Final = {ComponentKind.ENERGY: 1, ComponentKind.TIME: _SECOND, ComponentKind.IDLE: _SECOND}
MINIMUM: Final = "minimum"
MAXIMUM: Final = "maximum"


def price_session(*, prices: PriceList, figures: SessionFigures) -> list[PriceLine]:
    """One line per component that costs anything; amounts are gross cents, rounded per line.

    1. Cut the session where prices may change; in every stretch the first component of a kind
       whose restrictions are met counts what flowed or passed there. The fee per session is that
       of the first component that is ever met, once.
    2. Round each kind up to the block of the component it ended under. Parking that lies wholly
       within the charging time so billed is not billed again.
    3. Minus the free units, times the unit price, rounded half up, at most the component's cap.
    4. What is missing to the least price, or above the highest, is a line of its own; by VAT rate
       in proportion.

    The total is the sum of the lines, never below the least or above the highest price.
    """
    usages = _counted(stretches(prices=prices, figures=figures), prices)
    _round_up(usages)
    lines = [
        line
        for number, component in enumerate(prices.components)
        if (line := _line(component, usages[component.kind].amounts.get(number))) is not None
    ]
    return [*lines, *_limits(lines, prices)]


@dataclass(slots=True)
class _Usage:
    """What of one kind is billed: by the number of the component, in its smallest unit."""

    amounts: dict[int, int] = field(default_factory=dict)
    last: int | None = None
    step: int = 1

    def add(self, number: int, amount: int, component: PriceComponent) -> None:
        self.amounts[number] = self.amounts.get(number, 0) + amount
        self.last, self.step = number, component.step


@dataclass(slots=True)
class _Usages:
    """All kinds, and how long the vehicle was parked, priced or not."""

    by_kind: dict[str, _Usage]
    parked_micros: int = 0

    def __getitem__(self, kind: str) -> _Usage:
        return self.by_kind[kind]


def applying(prices: PriceList, stretch: Stretch) -> list[int]:
    """The numbers of the components that price a stretch: at most one of each kind."""
    found: dict[str, int] = {}
    for number, component in enumerate(prices.components):
        if component.kind in found:
            continue
        if component.when is ALWAYS or component.when.meet(stretch.moment):
            found[component.kind] = number
    return sorted(found.values())


def _counted(parts: Iterable[Stretch], prices: PriceList) -> _Usages:
    usages = _Usages({kind: _Usage() for kind in ComponentKind.values})
    for stretch in parts:
        numbers = {prices.components[number].kind: number for number in applying(prices, stretch)}
        flat = numbers.get(ComponentKind.FLAT)
        if flat is not None and not usages[ComponentKind.FLAT].amounts:
            usages[ComponentKind.FLAT].add(flat, 1, prices.components[flat])
        energy = numbers.get(ComponentKind.ENERGY)
        if energy is not None and stretch.energy_wh:
            usages[ComponentKind.ENERGY].add(energy, stretch.energy_wh, prices.components[energy])
        timed = ComponentKind.TIME if stretch.charging else ComponentKind.IDLE
        number = numbers.get(timed)
        if number is not None and stretch.micros:
            usages[timed].add(number, stretch.micros, prices.components[number])
        if not stretch.charging:
            usages.parked_micros += stretch.micros
    return usages


def _round_up(usages: _Usages) -> None:
    """Whole blocks, counted over all components of a kind, in the block of the last one."""
    _whole_blocks(usages[ComponentKind.ENERGY], _BLOCK[ComponentKind.ENERGY])
    covered = _whole_blocks(usages[ComponentKind.TIME], _BLOCK[ComponentKind.TIME])
    if usages.parked_micros > covered:
        _whole_blocks(usages[ComponentKind.IDLE], _BLOCK[ComponentKind.IDLE])
    else:
        usages[ComponentKind.IDLE].amounts.clear()


def _whole_blocks(usage: _Usage, unit: int) -> int:
    """Bill the begun block of the last component; returns what that adds."""
    if usage.last is None:
        return 0
    block = usage.step * unit
    added = -sum(usage.amounts.values()) % block
    usage.amounts[usage.last] += added
    return added


def _line(component: PriceComponent, amount: int | None) -> PriceLine | None:
    if not amount:
        return None
    quantity = max(_in_units(component.kind, amount) - component.free_units, Decimal(0))
    cents = round_cents(quantity * component.unit_cents)
    if component.cap_cents is not None:
        cents = min(cents, component.cap_cents)
    if cents <= 0:
        return None
    params: dict[str, Any] = {"unit_cents": str(component.unit_cents)}
    if component.when:
        params["when"] = component.when.as_json()
    return PriceLine(
        kind=component.kind,
        quantity=quantity.quantize(Decimal("0.001")) if component.kind != "flat" else quantity,
        unit=UNITS[ComponentKind(component.kind)],
        cents=cents,
        vat_rate=component.vat_rate,
        params=params,
    )


def _in_units(kind: str, amount: int) -> Decimal:
    if kind == ComponentKind.FLAT:
        return Decimal(amount)
    return Decimal(amount) / (1000 if kind == ComponentKind.ENERGY else 60 * _SECOND)


def _limits(lines: Sequence[PriceLine], prices: PriceList) -> list[PriceLine]:
    total = total_cents(lines)
    if prices.max_cents is not None and total > prices.max_cents:
        return _spread(lines, prices, MAXIMUM, prices.max_cents - total)
    if prices.min_cents is not None and total < prices.min_cents:
        return _spread(lines, prices, MINIMUM, prices.min_cents - total)
    return []


def _spread(
    lines: Sequence[PriceLine], prices: PriceList, kind: str, cents: int
) -> list[PriceLine]:
    """Lines of together `cents`, over the VAT rates in proportion to what stands under them."""
    parts = vat_split(lines)
    total = sum(part.gross_cents for part in parts)
    if not total:
        rate = prices.components[0].vat_rate if prices.components else ITALIAN_VAT
        return [PriceLine(kind, Decimal(1), "session", cents, rate)]
    before, spread = 0, []
    for part in parts:
        # Shares of running totals: each is its own proportion to the cent, and they add up.
        share = cents * (before + part.gross_cents) // total - cents * before // total
        before += part.gross_cents
        if share:
            spread.append(PriceLine(kind, Decimal(1), "session", share, part.rate))
    return spread


def price_periods(*, prices: PriceList, figures: SessionFigures) -> list[dict[str, Any]]:
    """The session in OCPI's charging periods, for a record: begin, Wh, seconds, what priced it."""
    periods: list[dict[str, Any]] = []
    for stretch in stretches(prices=prices, figures=figures):
        numbers = applying(prices, stretch)
        last = periods[-1] if periods else None
        if last and (last["components"], last["charging"]) == (numbers, stretch.charging):
            last["energy_wh"] += stretch.energy_wh
            last["seconds"] += stretch.micros / _SECOND
            continue
        periods.append(
            {
                "start": stretch.start.isoformat(),
                "charging": stretch.charging,
                "energy_wh": stretch.energy_wh,
                "seconds": stretch.micros / _SECOND,
                "components": numbers,
            }
        )
    return periods


def price_summary(prices: PriceList, *, at: datetime) -> dict[str, Any]:
    """The price as a person compares it who begins now: cents per session, kWh, minute; 0 for none.

    Gross. Restricted, stepped, free and capped prices stand in the components themselves.
    """
    now = stretches(prices=prices, figures=SessionFigures(started_at=at, ended_at=at, energy_wh=0))[
        0
    ]
    current = [prices.components[number] for number in applying(prices, now)]
    cents = {component.kind: float(component.unit_cents) for component in current}
    idle = prices.of_kind(ComponentKind.IDLE)
    return {
        "session_cents": cents.get(ComponentKind.FLAT, 0.0),
        "kwh_cents": cents.get(ComponentKind.ENERGY, 0.0),
        "minute_cents": cents.get(ComponentKind.TIME, 0.0),
        # Nobody parks at the first moment: the first price that parking can come to.
        "idle_minute_cents": cents.get(
            ComponentKind.IDLE, float(idle[0].unit_cents) if idle else 0.0
        ),
        "components": [component.as_json() for component in prices.components],
        "min_cents": prices.min_cents,
        "max_cents": prices.max_cents,
    }
