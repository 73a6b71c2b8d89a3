"""How long a pass lasts, and what it and a code are worth on a ride."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from bookings.passes.states import PassShape
from bookings.pricing.rules import Perk, PerkKind
from mobility.core import clock
from mobility.core.money import PriceLine

# Who has not ridden on it may give a pass back so long (D.lgs. 206/2005, art. 52).
WITHDRAW = datetime.timedelta(days=14)
# The money of the next pass should be there before the old one ends.
RENEW_AHEAD = datetime.timedelta(hours=12)
# A ride that was claimed in time may be priced a little after its code is over.
LAPSE_MARGIN = datetime.timedelta(days=2)
ROLLING = datetime.timedelta(hours=24)


def end_of_pass(*, starts_at: datetime.datetime, days: int) -> datetime.datetime:
    """The same hour on the city's clocks `days` later; days of 23 and 25 hours are days."""
    wall = clock.local(starts_at) + datetime.timedelta(days=days)
    return wall.astimezone(datetime.UTC)


def perk_of_pass(*, ref: UUID, terms: Mapping[str, Any], minutes_left: int | None) -> Perk:
    """What a pass gives to the next ride."""
    bundle = terms["shape"] == PassShape.BUNDLE
    return Perk(
        kind=PerkKind.PASS,
        ref=str(ref),
        minutes=(minutes_left or 0) if bundle else terms["minutes"],
        bundle=bundle,
        unlock=terms["free_unlock"],
    )


def perk_of_code(*, ref: UUID, terms: Mapping[str, Any]) -> Perk:
    """What a redeemed code gives to the next ride."""
    return Perk(
        kind=PerkKind.PROMO,
        ref=str(ref),
        minutes=terms["minutes"],
        percent=terms["percent"],
        cents=terms["cents"],
        most_cents=terms["most_cents"],
    )


def sale_lines(terms: Mapping[str, Any]) -> tuple[PriceLine, ...]:
    """What a pass costs, as the lines of its receipt."""
    return (
        PriceLine(
            kind="pass_bought",
            quantity=Decimal(1),
            unit="pass",
            cents=terms["price_cents"],
            vat_rate=Decimal(terms["vat_rate"]),
            params={"title": terms["title"]},
        ),
    )
