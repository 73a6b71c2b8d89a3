"""What a 1.6 station asks of us, and the deed or the answer it gets; a table for each block."""

from __future__ import annotations

from typing import Final

from charging.ocpp.deeds import Handler
from charging.ocpp.v16.inbound import charging, devices, security

HANDLERS: Final[dict[str, Handler]] = {
    **charging.HANDLERS,
    **devices.HANDLERS,
    **security.HANDLERS,
}
