"""Price components and the list they make, as a published tariff version holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from charging.tariffs.rules.restrictions import ALWAYS, BadRestriction, Restrictions
from charging.tariffs.states import ComponentKind

ITALIAN_VAT: Final = Decimal("0.22")
HOME_ZONE: Final = "Europe/Rome"
UNITS: Final = {
    ComponentKind.FLAT: "session",
    ComponentKind.ENERGY: "kWh",
    ComponentKind.TIME: "min",
    ComponentKind.IDLE: "min",
}
_LARGEST_UNIT_PRICE: Final = Decimal(100_000)
_LARGEST_STEP: Final = 1_000_000


class BadComponent(ValueError):
    """A component that cannot be priced; the text says which and why."""


@dataclass(frozen=True, slots=True)
class PriceComponent:
    """`unit_cents` gross per session, kWh or minute; the first `free_units` cost nothing.

    `cap_cents` is the most the component can come to, None for no limit. `step` rounds what is
    billed up to whole blocks, of Wh or of seconds (OCPI `step_size`). `when` restricts it.
    """

    kind: str
    unit_cents: Decimal
    free_units: Decimal = Decimal(0)
    cap_cents: int | None = None
    vat_rate: Decimal = ITALIAN_VAT
    step: int = 1
    when: Restrictions = ALWAYS

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
                step=int(data.get("step", 1)),
                when=Restrictions.from_json(data["when"]) if data.get("when") else ALWAYS,
            )
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as problem:
            raise BadComponent(f"{data!r}: {problem}") from problem
        component.check()
        return component

    def as_json(self) -> dict[str, Any]:
        """The component as plain JSON; decimals become strings."""
        plain: dict[str, Any] = {
            "kind": self.kind,
            "unit_cents": str(self.unit_cents),
            "free_units": str(self.free_units),
            "cap_cents": self.cap_cents,
            "vat_rate": str(self.vat_rate),
        }
        if self.step != 1:
            plain["step"] = self.step
        if self.when:
            plain["when"] = self.when.as_json()
        return plain

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
        if not 1 <= self.step <= _LARGEST_STEP:
            raise BadComponent(f"{self.kind}: step must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """All that prices a session: of every kind the first component that applies counts.

    A session costs at least `min_cents` and at most `max_cents` (gross); `time_zone` is the site's.
    """

    components: tuple[PriceComponent, ...]
    min_cents: int | None = None
    max_cents: int | None = None
    time_zone: str = HOME_ZONE

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def restricted(self) -> bool:
        """Whether the course of a session matters, not only its sums."""
        return any(component.when is not ALWAYS for component in self.components)

    @property
    def by_load(self) -> bool:
        """Whether power or current matter."""
        return any(component.when.by_load for component in self.components)

    def of_kind(self, kind: str) -> tuple[PriceComponent, ...]:
        """The components of one kind, in the order in which they are asked."""
        return tuple(component for component in self.components if component.kind == kind)

    def as_json(self) -> dict[str, Any]:
        """The list as plain JSON, as a buyer's terms and a record keep it."""
        return {
            "components": [component.as_json() for component in self.components],
            "min_cents": self.min_cents,
            "max_cents": self.max_cents,
            "time_zone": self.time_zone,
        }


def read_components(data: Sequence[Mapping[str, Any]]) -> tuple[PriceComponent, ...]:
    """The stored components of a version, checked; raises BadComponent."""
    return tuple(PriceComponent.from_json(item) for item in data)


def read_prices(data: Mapping[str, Any]) -> PriceList:
    """The price list that `PriceList.as_json` wrote, limits and zone left out or not.

    Raises BadComponent.
    """
    prices = PriceList(
        components=read_components(data.get("components", ())),
        min_cents=data.get("min_cents"),
        max_cents=data.get("max_cents"),
        time_zone=data.get("time_zone") or HOME_ZONE,
    )
    check_limits(min_cents=prices.min_cents, max_cents=prices.max_cents)
    return prices


def check_limits(*, min_cents: int | None, max_cents: int | None) -> None:
    """Raise BadComponent for a least price above the highest, or below nothing."""
    if any(limit is not None and limit < 0 for limit in (min_cents, max_cents)):
        raise BadComponent("limits must not be negative")
    if min_cents is not None and max_cents is not None and min_cents > max_cents:
        raise BadComponent("min_cents must not be above max_cents")


__all__ = [
    "HOME_ZONE",
    "ITALIAN_VAT",
    "UNITS",
    "BadComponent",
    "BadRestriction",
    "PriceComponent",
    "PriceList",
    "check_limits",
    "read_components",
    "read_prices",
]
