"""OCPP 2.1: what 2.0.1 says, in the same words, and what came new with it."""

from __future__ import annotations

from typing import Final

from charging.ocpp.deeds import Dialect
from charging.ocpp.rpc.versions import Version
from charging.ocpp.v21 import inbound, outbound

DIALECT: Final = Dialect(
    version=Version.V21,
    inbound=inbound.HANDLERS,
    say=outbound.say,
    hear=outbound.hear,
)
