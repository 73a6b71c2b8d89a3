"""Our commands in the words of 1.6, and what a station's answer to them means."""

from __future__ import annotations

from typing import Final

from charging.ocpp.saying import Hearing, Saying, teller
from charging.ocpp.v16.outbound import charging, costs, devices, energy, security

_SAYINGS: Final[dict[str, Saying]] = {
    **charging.SAYINGS,
    **costs.SAYINGS,
    **devices.SAYINGS,
    **energy.SAYINGS,
    **security.SAYINGS,
}
_HEARINGS: Final[dict[str, Hearing]] = {
    **devices.HEARINGS,
    **energy.HEARINGS,
    **security.HEARINGS,
}

say, hear = teller(_SAYINGS, _HEARINGS)
