"""Our price lists in the words of OCPP 2.1, for stations that show and reckon prices themselves.

The standard's prices are without tax, in the currency's unit, and ours with tax, in cents. What the
standard cannot say (blocks, caps, two VAT rates of one kind) is not said at all: a station that
reckons another price than the bill is worse than one that shows none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from charging.ocpp.deeds import Unspeakable
from charging.ocpp.rpc.frames import Payload
from charging.stations.facts import CommandToSend
from charging.tariffs.rules import PriceComponent, PriceList, Restrictions, read_prices

_PLACES: Final = Decimal("0.000001")
_BLOCKS: Final = {
    "energy": ("energy", "priceKwh", "minEnergy", 1000),
    "time": ("chargingTime", "priceMinute", "minChargingTime", 60),
    "idle": ("idleTime", "priceMinute", "minIdleTime", 60),
    "flat": ("fixedFee", "priceFixed", "", 1),
}
_BOUNDS: Final = (
    ("min_kwh", "minEnergy", 1000),
    ("max_kwh", "maxEnergy", 1000),
    ("min_current", "minCurrent", 1),
    ("max_current", "maxCurrent", 1),
    ("min_power", "minPower", 1000),
    ("max_power", "maxPower", 1000),
)


def set_default_tariff(command: CommandToSend) -> tuple[str, Payload]:
    if "body" in command.payload:
        return "SetDefaultTariff", dict(command.payload["body"])
    return "SetDefaultTariff", {
        "evseId": command.payload.get("evse_number", 0),
        "tariff": tariff(command.payload["terms"]),
    }


def change_tariff(command: CommandToSend) -> tuple[str, Payload]:
    if "body" in command.payload:
        return "ChangeTransactionTariff", dict(command.payload["body"])
    return "ChangeTransactionTariff", {
        "transactionId": command.payload["transaction_ref"],
        "tariff": tariff(command.payload["terms"]),
    }


def tariff(terms: Mapping[str, Any]) -> Payload:
    """A price list with `tariff_id`, `currency` and `words` (text by language) as a TariffType."""
    prices = read_prices(terms)
    said: Payload = {"tariffId": terms["tariff_id"][:60], "currency": terms["currency"]}
    texts = [
        {"format": "UTF8", "language": language, "content": text[:1024]}
        for language, text in terms.get("words", {}).items()
        if text
    ]
    if texts:
        said["description"] = texts
    for kind, (block, price, free, scale) in _BLOCKS.items():
        components = prices.of_kind(kind)
        if components:
            said[block] = _block(components, price=price, free=free, scale=scale)
    return said | _limits(prices)


def _block(
    components: Sequence[PriceComponent], *, price: str, free: str, scale: int
) -> dict[str, Any]:
    rates = {component.vat_rate for component in components}
    if len(rates) > 1 or any(c.cap_cents is not None or c.step != 1 for c in components):
        raise Unspeakable("tariff_not_sayable")
    [rate] = rates
    return {
        "prices": [
            _price(component, price=price, free=free, scale=scale) for component in components
        ],
        "taxRates": [{"type": "vat", "tax": float(rate * 100)}],
    }


def _price(component: PriceComponent, *, price: str, free: str, scale: int) -> dict[str, Any]:
    net = component.unit_cents / 100 / (1 + component.vat_rate)
    said: dict[str, Any] = {price: float(net.quantize(_PLACES))}
    conditions = _conditions(component.when, fixed=not free)
    if component.free_units:
        if not free or free in conditions:
            raise Unspeakable("tariff_not_sayable")
        units = component.free_units * scale
        conditions[free] = float(units) if free == "minEnergy" else int(units)
    if conditions:
        said["conditions"] = conditions
    return said


def _conditions(when: Restrictions, *, fixed: bool) -> dict[str, Any]:
    plain = when.as_json()
    renamed = {
        "start_time": "startTimeOfDay",
        "end_time": "endTimeOfDay",
        "start_date": "validFromDate",
        "end_date": "validToDate",
    }
    said: dict[str, Any] = {word: plain[name] for name, word in renamed.items() if name in plain}
    if when.day_of_week:
        said["dayOfWeek"] = [day.capitalize() for day in when.day_of_week]
    for name, word, scale in _BOUNDS:
        bound = getattr(when, name)
        if bound is not None:
            said[word] = float(bound * scale)
    for name, word in (("min_duration", "minTime"), ("max_duration", "maxTime")):
        if getattr(when, name) is not None:
            said[word] = getattr(when, name)
    if fixed and set(said) - {*renamed.values(), "dayOfWeek"}:
        raise Unspeakable("tariff_not_sayable")
    return said


def _limits(prices: PriceList) -> dict[str, Any]:
    """Least and highest price, both with tax: what they are without depends on what is bought."""
    limits = {"minCost": prices.min_cents, "maxCost": prices.max_cents}
    return {word: {"inclTax": cents / 100} for word, cents in limits.items() if cents is not None}
