"""Money: integer cents, one rounding rule, one VAT split per document and rate."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Self

from django.utils import formats, translation

EUR = "EUR"


@dataclasses.dataclass(frozen=True)
class PriceLine:
    """One line of a price: `quantity` units of `kind` cost `cents` gross, `vat_rate` included (0.22 = 22 %)."""

    kind: str
    quantity: Decimal
    unit: str
    cents: int
    vat_rate: Decimal
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The line as plain JSON values; decimals become strings."""
        return {
            "kind": self.kind,
            "quantity": str(self.quantity),
            "unit": self.unit,
            "cents": self.cents,
            "vat_rate": str(self.vat_rate),
            "params": dict(self.params),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The line that `as_json` wrote."""
        return cls(
            kind=data["kind"],
            quantity=Decimal(data["quantity"]),
            unit=data["unit"],
            cents=data["cents"],
            vat_rate=Decimal(data["vat_rate"]),
            params=data.get("params", {}),
        )


@dataclasses.dataclass(frozen=True)
class VatPart:
    """The share of a document that one VAT rate covers; `net_cents + vat_cents == gross_cents`."""

    rate: Decimal
    net_cents: int
    vat_cents: int
    gross_cents: int

    def as_json(self) -> dict[str, Any]:
        """The part as plain JSON values."""
        return {
            "rate": str(self.rate),
            "net_cents": self.net_cents,
            "vat_cents": self.vat_cents,
            "gross_cents": self.gross_cents,
        }


def round_cents(amount: Decimal) -> int:
    """Whole cents, half away from zero (commercial rounding)."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def total_cents(lines: Iterable[PriceLine]) -> int:
    """The gross sum of the lines."""
    return sum(line.cents for line in lines)


def vat_split(lines: Iterable[PriceLine]) -> tuple[VatPart, ...]:
    """Net and VAT once per rate from the gross sum, never per line: per-line rounding drifts by cents."""
    gross_by_rate: defaultdict[Decimal, int] = defaultdict(int)
    for line in lines:
        gross_by_rate[line.vat_rate] += line.cents
    parts = []
    for rate, gross in sorted(gross_by_rate.items()):
        net = round_cents(Decimal(gross) / (1 + rate))
        parts.append(VatPart(rate=rate, net_cents=net, vat_cents=gross - net, gross_cents=gross))
    return tuple(parts)


def format_money(cents: int, currency: str = EUR) -> str:
    """The amount as a person reads it in the active language: `€1.20`, `1,20 €`."""
    sign = "-" if cents < 0 else ""
    number = formats.number_format(
        Decimal(abs(cents)) / 100, decimal_pos=2, use_l10n=True, force_grouping=True
    )
    symbol = "€" if currency == EUR else currency
    if (translation.get_language() or "").startswith("it"):
        return f"{sign}{number}\u00a0{symbol}"
    return f"{sign}{symbol}{number}"
