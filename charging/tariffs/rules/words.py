"""Prices in a person's words, in the language that is active."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from charging.tariffs.rules.components import PriceComponent, PriceList
from charging.tariffs.rules.restrictions import DAYS, Restrictions
from charging.tariffs.states import ComponentKind
from mobility.core.money import EUR, format_money

_PER: Final = {
    ComponentKind.FLAT: gettext_lazy("%(price)s per charge"),
    ComponentKind.ENERGY: gettext_lazy("%(price)s per kWh"),
    ComponentKind.TIME: gettext_lazy("%(price)s per minute of charging"),
    ComponentKind.IDLE: gettext_lazy("%(price)s per minute of parking after charging"),
}
# European rule for charging prices: energy first, then time, then what is paid once (AFIR art. 5).
SHOWN_FIRST: Final = (
    ComponentKind.ENERGY,
    ComponentKind.TIME,
    ComponentKind.FLAT,
    ComponentKind.IDLE,
)


def price_words(prices: PriceList, *, currency: str = EUR) -> list[str]:
    """One sentence per component in the order people are told, then the limits."""
    told = [
        component_words(component, currency=currency)
        for kind in SHOWN_FIRST
        for component in prices.of_kind(kind)
    ]
    if prices.min_cents:
        told.append(_("at least %s") % format_money(prices.min_cents, currency))
    if prices.max_cents is not None:
        told.append(_("at most %s") % format_money(prices.max_cents, currency))
    return told


def component_words(component: PriceComponent, *, currency: str = EUR) -> str:
    """What a component costs, and when: `€0.45 per kWh, 22:00–07:00`."""
    price = _unit_price(component.unit_cents, currency=currency)
    words = [str(_PER[ComponentKind(component.kind)]) % {"price": price}]
    if component.free_units:
        free = formats.number_format(component.free_units.normalize(), use_l10n=True)
        first = (
            _("the first %s kWh free")
            if component.kind == ComponentKind.ENERGY
            else _("the first %s minutes free")
        )
        words.append(first % free)
    if component.cap_cents is not None:
        words.append(_("at most %s") % format_money(component.cap_cents, currency))
    when = when_words(component.when)
    return ", ".join([*words, when] if when else words)


def _unit_price(cents: Decimal, *, currency: str) -> str:
    """Like money, with the tenths of a cent that a price per kWh may have."""
    if cents == cents.to_integral_value():
        return format_money(int(cents), currency)
    places = max(2, -int(cents.normalize().as_tuple().exponent) + 2)
    number = formats.number_format(cents / 100, decimal_pos=places, use_l10n=True)
    return f"{number} €" if currency == EUR else f"{number} {currency}"


def when_words(when: Restrictions) -> str:
    """When a component applies: `22:00–07:00, Sat, Sun`; empty where it always does."""
    words = []
    if when.start_time or when.end_time:
        start = when.start_time.strftime("%H:%M") if when.start_time else "00:00"
        end = when.end_time.strftime("%H:%M") if when.end_time else "24:00"
        words.append(f"{start}–{end}")
    if when.day_of_week:
        words.append(", ".join(_day(name) for name in when.day_of_week))
    if when.start_date or when.end_date:
        words.append(_span(when.start_date, when.end_date))
    words += _bounds(when)
    return ", ".join(words)


def _day(name: str) -> str:
    # The first of January 2024 was a Monday.
    return formats.date_format(date(2024, 1, 1 + DAYS.index(name)), "D", use_l10n=True)


def _span(start: date | None, end: date | None) -> str:
    told: dict[str, Any] = {
        "start": formats.date_format(start, "SHORT_DATE_FORMAT") if start else "",
        "end": formats.date_format(end, "SHORT_DATE_FORMAT") if end else "",
    }
    if start and end:
        return _("from %(start)s until before %(end)s") % told
    return (_("from %(start)s") if start else _("until before %(end)s")) % told


def _bounds(when: Restrictions) -> list[str]:
    measured = (
        (when.min_kwh, when.max_kwh, "kWh", 1),
        (when.min_power, when.max_power, "kW", 1),
        (when.min_current, when.max_current, "A", 1),
        (when.min_duration, when.max_duration, "min", 60),
    )
    words = []
    for low, high, unit, scale in measured:
        told = {"low": _number(low, scale), "high": _number(high, scale), "unit": unit}
        if low is not None and high is not None:
            words.append(_("from %(low)s to %(high)s %(unit)s") % told)
        elif low is not None:
            words.append(_("from %(low)s %(unit)s on") % told)
        elif high is not None:
            words.append(_("up to %(high)s %(unit)s") % told)
    return words


def _number(value: Decimal | int | None, scale: int) -> str:
    if value is None:
        return ""
    return str(formats.number_format((Decimal(value) / scale).normalize(), use_l10n=True))
