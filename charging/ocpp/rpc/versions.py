"""The protocol versions we speak, by the WebSocket subprotocol name that selects them."""

from __future__ import annotations

from enum import StrEnum


class Version(StrEnum):
    """A subprotocol of the IANA registry."""

    V16 = "ocpp1.6"
    V201 = "ocpp2.0.1"
    V21 = "ocpp2.1"

    @property
    def is_16(self) -> bool:
        return self is Version.V16

    @property
    def has_sends(self) -> bool:
        """Whether there are messages without answer, and complaints about answers."""
        return self is Version.V21
