"""What a 2.0.1 station asks of us, and the deed or the answer it gets; a table for each block.

Messages of function blocks we do not have stay out of the tables: the station hears
NotSupported, which is the truth.
"""

from __future__ import annotations

from typing import Final

from charging.ocpp.deeds import Handler
from charging.ocpp.v201.inbound import charging, devices, security

HANDLERS: Final[dict[str, Handler]] = {
    **charging.HANDLERS,
    **devices.HANDLERS,
    **security.HANDLERS,
}
