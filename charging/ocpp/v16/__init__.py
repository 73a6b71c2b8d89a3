"""OCPP 1.6 (JSON), with the messages of its security extension answered."""

from __future__ import annotations

from charging.ocpp.deeds import Dialect
from charging.ocpp.rpc.versions import Version
from charging.ocpp.v16 import inbound, outbound


class _V16:
    version = Version.V16
    inbound = inbound.HANDLERS
    say = staticmethod(outbound.say)
    hear = staticmethod(outbound.hear)


DIALECT: Dialect = _V16()
