"""What a 2.1 station tells and hears of money: its payment terminal, and limits of a charge."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from charging.ocpp.deeds import Asked, Deed, Handler, Verb
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.v201 import mapping
from charging.ocpp.wire import instant
from charging.sessions.facts import EventAnswer, TerminalPayment, TerminalReceipt

_MAX_CENTS: Final = 2**31 - 1


def settlement(asked: Asked) -> Deed:
    payload = asked.payload
    cents = Decimal(str(payload["settlementAmount"])) * 100
    fact = TerminalPayment(
        station_id=asked.station_id,
        transaction_ref=payload.get("transactionId", ""),
        psp_ref=payload["pspRef"],
        status=payload["status"],
        amount_cents=min(max(int(cents.to_integral_value()), -_MAX_CENTS), _MAX_CENTS),
        at=instant(payload["settlementTime"]),
        receipt_url=payload.get("receiptUrl", ""),
        note=payload.get("statusInfo", ""),
        payload=payload,
    )
    return Deed(Verb.SETTLEMENT, fact, _reply)


def _reply(receipt: TerminalReceipt) -> Payload:
    return {"receiptId": receipt.number} if receipt.number else {}


def transaction_event(asked: Asked) -> Deed:
    return Deed(Verb.EVENT, mapping.transaction_event(asked), _event_reply)


def _event_reply(answer: EventAnswer) -> Payload:
    reply = mapping.event_reply(answer)
    if answer.limit_cents is not None:
        # With tax, as the total cost is.
        reply["transactionLimit"] = {"maxCost": answer.limit_cents / 100}
    return reply


HANDLERS: Final[dict[str, Handler]] = {
    "NotifySettlement": settlement,
    "TransactionEvent": transaction_event,
}
