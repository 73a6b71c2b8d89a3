"""What a person has that makes a ride cheaper, frozen when the ride is claimed."""

import dataclasses
import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Self

from mobility.core.money import round_cents


class PerkKind(enum.StrEnum):
    """In the order in which they are applied."""

    PASS = "pass"  # noqa: S105 - what one rides with, not a password
    PROMO = "promo"
    DISCOUNT = "discount"
    DAY_CAP = "day_cap"
    REWARD = "reward"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Perk:
    """One advantage; `ref` names the pass or the redeemed code behind it.

    `minutes` of riding are free, from the first one on: of a pass per trip, or what is left of a
    `bundle`. A code takes off `percent` (at most `most_cents`) or `cents`. A discount says only that
    there is one: how much, the fare says. A day cap says by `cents` what rides may still cost today.
    A reward takes its `cents` off what is due in the end (`reward_lines`), once it was earned.
    """

    kind: PerkKind
    ref: str = ""
    minutes: int = 0
    bundle: bool = False
    unlock: bool = False
    percent: int = 0
    cents: int = 0
    most_cents: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The perk as plain JSON values; what is not set is left out."""
        values = {name: getattr(self, name) for name in _NAMES}
        return {name: value for name, value in values.items() if name == "kind" or value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The perk that `as_json` wrote."""
        values = {name: value for name, value in data.items() if name in _NAMES}
        return cls(**{**values, "kind": PerkKind(data["kind"])})


_NAMES = tuple(field.name for field in dataclasses.fields(Perk))


@dataclasses.dataclass(frozen=True, slots=True)
class Cut:
    """What a perk took off a ride."""

    perk: Perk
    minutes: int = 0
    cents: int = 0


def rewards_in(perks: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The promised rewards among perks as JSON."""
    return [perk for perk in perks if perk["kind"] == PerkKind.REWARD]


def passes_first(perks: Iterable[Perk]) -> list[Perk]:
    """Perks with free minutes in the order in which these are spent.

    Passes before codes, and what comes anew with every trip before what is used up.
    """
    free = [perk for perk in perks if perk.minutes]
    return sorted(free, key=lambda perk: (perk.kind is PerkKind.PROMO, perk.bundle))


def only(perks: Iterable[Perk], kind: PerkKind) -> Perk | None:
    """The first perk of a kind: codes and discounts do not add up."""
    return next((perk for perk in perks if perk.kind is kind), None)


def share_minutes(*, minutes: int, perks: Sequence[Perk]) -> list[Cut]:
    """Which perk gives how many of the free `minutes`."""
    cuts = []
    for perk in passes_first(perks):
        given = min(minutes, perk.minutes)
        minutes -= given
        if given:
            cuts.append(Cut(perk, minutes=given))
    return cuts


def fewest(price: Callable[[int], int], *, most: int) -> int:
    """The smallest number of free minutes with the price of `most` of them.

    `price` never rises with more free minutes, so halving finds it. Minutes of a bundle are not spent
    where a cap has made them worthless.
    """
    least, low, high = price(most), 0, most
    while low < high:
        middle = (low + high) // 2
        if price(middle) <= least:
            high = middle
        else:
            low = middle + 1
    return low


def take_off(each: Sequence[int], perk: Perk | None) -> list[int]:
    """The cents of each day after a code: its percent of every day, or its cents from the first day on."""
    if perk is None:
        return list(each)
    pot = perk.most_cents if perk.percent else perk.cents
    rest = []
    for cents in each:
        off = percent_of(cents, perk.percent) if perk.percent else cents
        off = off if pot is None else min(off, pot)
        pot = None if pot is None else pot - off
        rest.append(cents - off)
    return rest


def percent_of(cents: int, percent: int) -> int:
    """A share in whole cents, half-up."""
    return round_cents(Decimal(cents * percent) / 100)


def lowered(cents: int | None, percent: int) -> int | None:
    """A cap for somebody who pays `percent` less: it falls by the same share."""
    return None if cents is None else cents - percent_of(cents, percent)
