"""Our commands in the words of 2.0.1, and what a station's answer to them means."""

from __future__ import annotations

from typing import Final

from charging.ocpp.saying import Hearing, Saying, teller
from charging.ocpp.v201.outbound import blocks, charging, devices, energy, security

SAYINGS: Final[dict[str, Saying]] = {
    **blocks.SAYINGS,
    **charging.SAYINGS,
    **devices.SAYINGS,
    **energy.SAYINGS,
    **security.SAYINGS,
}
HEARINGS: Final[dict[str, Hearing]] = {
    **blocks.HEARINGS,
    **devices.HEARINGS,
    **energy.HEARINGS,
    **security.HEARINGS,
}

say, hear = teller(SAYINGS, HEARINGS)
