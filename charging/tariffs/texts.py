"""Example bills as an operator reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from charging.tariffs.models import TariffVersion
from charging.tariffs.rules import HOME_ZONE, MAXIMUM, MINIMUM, PriceList, example_bills
from charging.tariffs.rules.examples import Example
from charging.tariffs.states import ComponentKind
from mobility.core.money import format_money

_CHARGES: Final[dict[str, str | Promise]] = {
    "top_up": _("A short stop at noon"),
    "afternoon": _("An afternoon"),
    "parked": _("The same, and two hours left standing"),
    "night": _("A night"),
    "fast": _("In a hurry in the evening"),
}
_LINES: Final[dict[str, str | Promise]] = {
    ComponentKind.FLAT: _("Per charge"),
    ComponentKind.ENERGY: _("Energy"),
    ComponentKind.TIME: _("Time"),
    ComponentKind.IDLE: _("Parking"),
    MINIMUM: _("Up to the least price"),
    MAXIMUM: _("Down to the highest price"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A line of the table: which charge, its parts, the sum, the sum by kilowatt-hour."""

    name: str
    charge: str
    parts: list[tuple[str, str]]
    total: str
    by_kwh: str


def bills(prices: PriceList, *, currency: str, at: datetime) -> list[Bill]:
    """What a price list comes to, in the language that is active."""
    return [
        Bill(
            name=str(_CHARGES[bill.example.code]),
            charge=_charge(bill.example),
            parts=[
                (line_name(line.kind), format_money(line.cents, currency)) for line in bill.lines
            ],
            total=format_money(bill.cents, currency),
            by_kwh=format_money(round(bill.kwh_cents or 0), currency),
        )
        for bill in example_bills(prices, at=at)
    ]


def line_name(kind: str) -> str:
    """What a line of a bill is for, in the language that is active."""
    return str(_LINES[kind])


def bills_of(version: TariffVersion, *, at: datetime) -> list[Bill]:
    """What a stored version comes to, on its first day or, if that is past, today."""
    prices = version.prices(time_zone=HOME_ZONE)
    day = max(at, version.valid.lower or at)
    return bills(prices, currency=version.tariff.currency, at=day)


def _charge(example: Example) -> str:
    told = {
        "kwh": formats.number_format(example.energy_wh / 1000, decimal_pos=0, use_l10n=True),
        "begins": example.begins.strftime("%H:%M"),
        "charging": _hours(example.charging.total_seconds()),
        "parked": _hours(example.parked.total_seconds()),
    }
    if example.parked:
        return (
            _now("%(kwh)s kWh from %(begins)s in %(charging)s, then parked for %(parked)s") % told
        )
    return _now("%(kwh)s kWh from %(begins)s in %(charging)s") % told


def _hours(seconds: float) -> str:
    hours, minutes = divmod(int(seconds) // 60, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{minutes} min"] if minutes else [])])
