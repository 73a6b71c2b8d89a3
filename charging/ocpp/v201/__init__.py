"""OCPP 2.0.1: the core a public charge point needs."""

from __future__ import annotations

from charging.ocpp.deeds import Dialect
from charging.ocpp.rpc.versions import Version
from charging.ocpp.v201 import inbound, outbound


class _V201:
    version = Version.V201
    inbound = inbound.HANDLERS
    say = staticmethod(outbound.say)
    hear = staticmethod(outbound.hear)


DIALECT: Dialect = _V201()
