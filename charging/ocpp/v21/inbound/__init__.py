"""What a 2.1 station asks of us: all that a 2.0.1 station may ask, and the new messages."""

from __future__ import annotations

from typing import Final

from charging.ocpp.deeds import Handler
from charging.ocpp.v21.inbound import devices, payments, security, streams
from charging.ocpp.v201 import inbound as v201

HANDLERS: Final[dict[str, Handler]] = {
    **v201.HANDLERS,
    **devices.HANDLERS,
    **payments.HANDLERS,
    **security.HANDLERS,
    **streams.HANDLERS,
}
