"""OCPP 1.6 (JSON), with the messages of its security extension answered."""

from __future__ import annotations

from typing import Final

from charging.ocpp.deeds import Dialect
from charging.ocpp.rpc.versions import Version
from charging.ocpp.v16 import inbound, outbound

DIALECT: Final = Dialect(
    version=Version.V16,
    inbound=inbound.HANDLERS,
    say=outbound.say,
    hear=outbound.hear,
)
