"""What the payment terminal of a 2.1 station tells."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from charging.ocpp.deeds import Asked, Deed, Handler, Verb
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.wire import instant
from charging.sessions.facts import TerminalPayment, TerminalReceipt

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


HANDLERS: Final[dict[str, Handler]] = {"NotifySettlement": settlement}
