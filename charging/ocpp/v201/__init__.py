"""OCPP 2.0.1: the core a public charge point needs."""

from __future__ import annotations

from typing import Final

from charging.ocpp.deeds import Dialect
from charging.ocpp.rpc.versions import Version
from charging.ocpp.v201 import inbound, outbound

DIALECT: Final = Dialect(
    version=Version.V201,
    inbound=inbound.HANDLERS,
    say=outbound.say,
    hear=outbound.hear,
)
