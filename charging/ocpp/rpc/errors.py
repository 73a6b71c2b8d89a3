"""What can be wrong with a call, and how each version spells it.

OCPP 1.6 really writes ``OccurenceConstraintViolation`` with one r and ``FormationViolation``;
2.x corrected the first and renamed the second. A peer compares strings, so we spell as told.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from charging.ocpp.rpc.versions import Version

UNREADABLE_ID: Final = "-1"
"""The message id of an answer to something whose own id could not be read."""


class Fault(StrEnum):
    """The kinds of error, named by their 2.x spelling."""

    FORMAT = "FormatViolation"
    FRAMEWORK = "RpcFrameworkError"
    MESSAGE_TYPE = "MessageTypeNotSupported"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    OCCURRENCE = "OccurrenceConstraintViolation"
    TYPE = "TypeConstraintViolation"
    PROPERTY = "PropertyConstraintViolation"
    SECURITY = "SecurityError"
    INTERNAL = "InternalError"


_SPELLED_IN_16: Final[dict[Fault, str]] = {
    Fault.FORMAT: "FormationViolation",
    # 1.6 has no words for these two; the frame is "not conform the PDU structure".
    Fault.FRAMEWORK: "FormationViolation",
    Fault.MESSAGE_TYPE: "FormationViolation",
    Fault.OCCURRENCE: "OccurenceConstraintViolation",
}


def spelled(fault: Fault, *, version: Version) -> str:
    """The error code of ``fault`` as ``version`` writes it."""
    if version.is_16:
        return _SPELLED_IN_16.get(fault, fault.value)
    return fault.value


class RpcError(Exception):
    """A call we refuse; becomes a CALLERROR. ``description`` never quotes what was received."""

    def __init__(self, fault: Fault, description: str = "", *, message_id: str = "") -> None:
        super().__init__(fault, description)
        self.fault = fault
        self.description = description
        self.message_id = message_id
