"""Pure price of a charging session from a tariff's components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Self

from charging.tariffs.states import ComponentKind
from mobility.core.money import PriceLine, round_cents

ITALIAN_VAT: Final = Decimal("0.22")
UNITS: Final = {
    ComponentKind.FLAT: "session",
    ComponentKind.ENERGY: "kWh",
    ComponentKind.TIME: "min",
    ComponentKind.IDLE: "min",
}
_LARGEST_UNIT_PRICE: Final = Decimal(100_000)


class BadComponent(ValueError):
    """A component that cannot be priced; the text says which and why."""


@dataclass(frozen=True, slots=True)
class PriceComponent:
    """`unit_cents` gross per session, kWh or minute; the first `free_units` cost nothing.

    `cap_cents` is the most the component can come to, None for no limit.
    """

    kind: str
    unit_cents: Decimal
    free_units: Decimal = Decimal(0)
    cap_cents: int | None = None
    vat_rate: Decimal = ITALIAN_VAT

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read and check a stored component; raises BadComponent."""
        try:
            component = cls(
                kind=ComponentKind(data["kind"]).value,
                unit_cents=Decimal(str(data["unit_cents"])),
                free_units=Decimal(str(data.get("free_units", 0))),
                cap_cents=None if data.get("cap_cents") is None else int(data["cap_cents"]),
                vat_rate=Decimal(str(data.get("vat_rate", ITALIAN_VAT))),
            )
        except (KeyError, TypeError, ValueError, InvalidOperation) as problem:
            raise BadComponent(f"{data!r}: {problem}") from problem
        component.check()
        return component

    def as_json(self) -> dict[str, Any]:
        """The component as plain JSON; decimals become strings."""
        return {
            "kind": self.kind,
            "unit_cents": str(self.unit_cents),
            "free_units": str(self.free_units),
            "cap_cents": self.cap_cents,
            "vat_rate": str(self.vat_rate),
        }

    def check(self) -> None:
        """Raise BadComponent for prices, allowances or rates that make no sense."""
        if not (self.unit_cents.is_finite() and 0 <= self.unit_cents <= _LARGEST_UNIT_PRICE):
            raise BadComponent(f"{self.kind}: unit_cents must be between 0 and 100000")
        if not (self.free_units.is_finite() and self.free_units >= 0):
            raise BadComponent(f"{self.kind}: free_units must not be negative")
        if self.cap_cents is not None and self.cap_cents < 0:
            raise BadComponent(f"{self.kind}: cap_cents must not be negative")
        if not (self.vat_rate.is_finite() and 0 <= self.vat_rate < 1):
            raise BadComponent(f"{self.kind}: vat_rate must be at least 0 and below 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFigures:
    """What a session is priced by: energy in Wh, connected and idle time in seconds."""

    energy_wh: int
    connected_s: int
    idle_s: int = 0


def read_components(data: Sequence[Mapping[str, Any]]) -> tuple[PriceComponent, ...]:
    """The stored components of a version, checked; raises BadComponent."""
    return tuple(PriceComponent.from_json(item) for item in data)


def price_session(
    *,
    components: Sequence[PriceComponent],
    figures: SessionFigures,
) -> list[PriceLine]:
    """One line per component that costs anything; amounts are gross cents, rounded per line.

    1. Quantity: 1 session, kWh to the watt-hour, or minutes to the second.
    2. Minus the free units, not below zero.
    3. Times the unit price, rounded half up, at most the cap.

    Never falls when energy or time grows; the total is the sum of the lines.
    """
    lines = []
    for component in components:
        quantity = max(_quantity(component.kind, figures) - component.free_units, Decimal(0))
        cents = round_cents(quantity * component.unit_cents)
        if component.cap_cents is not None:
            cents = min(cents, component.cap_cents)
        if cents > 0:
            lines.append(_line(component, quantity, cents))
    return lines


def _line(component: PriceComponent, quantity: Decimal, cents: int) -> PriceLine:
    return PriceLine(
        kind=component.kind,
        quantity=quantity,
        unit=UNITS[ComponentKind(component.kind)],
        cents=cents,
        vat_rate=component.vat_rate,
        params={"unit_cents": str(component.unit_cents)},
    )


def _quantity(kind: str, figures: SessionFigures) -> Decimal:
    if kind == ComponentKind.FLAT:
        return Decimal(1)
    if kind == ComponentKind.ENERGY:
        return Decimal(figures.energy_wh) / 1000
    seconds = figures.connected_s if kind == ComponentKind.TIME else figures.idle_s
    return (Decimal(seconds) / 60).quantize(Decimal("0.001"))


def price_summary(components: Sequence[PriceComponent]) -> dict[str, Any]:
    """The price as a person compares it: gross cents per session, kWh and minute, 0 for none.

    Several components of a kind add up; free units and caps stand in the components themselves.
    """
    summed = {kind: Decimal(0) for kind in ComponentKind}
    for component in components:
        summed[ComponentKind(component.kind)] += component.unit_cents
    return {
        "session_cents": float(summed[ComponentKind.FLAT]),
        "kwh_cents": float(summed[ComponentKind.ENERGY]),
        "minute_cents": float(summed[ComponentKind.TIME]),
        "idle_minute_cents": float(summed[ComponentKind.IDLE]),
        "components": [component.as_json() for component in components],
    }
