"""What charging costs, for 1.6 stations that show it.

1.6 has no words for money. OCA's "OCPP & California Pricing Requirements" puts them into messages of
a vendor; what they carry is JSON in a text. Prices are with tax, in the currency's unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import orjson

from charging.ocpp.rpc.frames import Payload
from charging.ocpp.saying import Saying, argument
from charging.stations.facts import CommandToSend
from charging.stations.states import CommandAction
from charging.tariffs.rules import PriceComponent, PriceList, read_prices

_VENDOR: Final = "org.openchargealliance.costmsg"
_IDLE: Final = "idle"
_CHARGING: Final = (("energy", "kWhPrice", 1), ("time", "hourPrice", 60), ("flat", "flatFee", 1))


def _price(command: CommandToSend) -> tuple[str, Payload]:
    return _message("SetUserPrice", {"idToken": argument(command, "token_uid"), **_texts(command)})


def _running(command: CommandToSend) -> tuple[str, Payload]:
    return _message(
        "RunningCost",
        {
            **_cost(command),
            "timestamp": argument(command, "told_at"),
            "meterValue": argument(command, "meter_wh"),
            "state": "Idle" if argument(command, "idle") else "Charging",
            **_unit_prices(read_prices(argument(command, "terms"))),
        },
    )


def _final(command: CommandToSend) -> tuple[str, Payload]:
    return _message("FinalCost", {**_cost(command), **_texts(command)})


def _message(name: str, content: Mapping[str, Any]) -> tuple[str, Payload]:
    data = orjson.dumps(content).decode()
    return "DataTransfer", {"vendorId": _VENDOR, "messageId": name, "data": data}


def _cost(command: CommandToSend) -> dict[str, Any]:
    return {
        "transactionId": int(argument(command, "transaction_ref")),
        "cost": argument(command, "total_cost"),
    }


def _texts(command: CommandToSend) -> dict[str, Any]:
    """In the driver's language; a station with a choice of languages finds the others beside it."""
    words, first = argument(command, "words"), argument(command, "language")
    extra = [
        {"format": "UTF8", "language": language, "content": content}
        for language, content in words.items()
        if language != first
    ]
    return {"priceText": words[first]} | ({"priceTextExtra": extra} if extra else {})


def _unit_prices(prices: PriceList) -> dict[str, Any]:
    """What a station may reckon with until it hears more; nothing where that would be half the truth."""
    kinds = {part.kind: prices.of_kind(part.kind) for part in prices.components}
    limited = prices.min_cents is not None or prices.max_cents is not None
    if limited or not all(_is_plain(parts) for parts in kinds.values()):
        return {}
    said: dict[str, Any] = {
        "chargingPrice": {
            name: _money(kinds[kind][0].unit_cents * scale)
            for kind, name, scale in _CHARGING
            if kind in kinds
        }
    }
    if _IDLE in kinds:
        [idle] = kinds[_IDLE]
        grace = {"graceMinutes": int(idle.free_units)} if idle.free_units else {}
        said["idlePrice"] = {**grace, "hourPrice": _money(idle.unit_cents * 60)}
    return said


def _is_plain(parts: Sequence[PriceComponent]) -> bool:
    """One price, always the same from the first unit on; parking may be free for a while."""
    only, *more = parts
    free = only.free_units and only.kind != _IDLE
    return not (more or free or only.when or only.cap_cents is not None or only.step != 1)


def _money(cents: Decimal) -> float:
    return float(cents / 100)


SAYINGS: Final[dict[str, Saying]] = {
    CommandAction.SHOW_PRICE: _price,
    CommandAction.COST_UPDATED: _running,
    CommandAction.FINAL_COST: _final,
}
