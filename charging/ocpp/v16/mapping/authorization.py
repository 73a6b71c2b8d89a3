"""What a card may, in the words of 1.6."""

from __future__ import annotations

from typing import Final

from charging.ocpp.rpc.frames import Payload
from charging.ocpp.wire import instant_text
from charging.sessions.facts import AuthorizationStatus, AuthorizationVerdict

_MAX_ID_TAG: Final = 20


def id_tag_info(verdict: AuthorizationVerdict) -> Payload:
    # 1.6 has no word for a token that may charge elsewhere.
    here = verdict.status is not AuthorizationStatus.NOT_HERE
    info: Payload = {"status": verdict.status.value if here else AuthorizationStatus.INVALID.value}
    if verdict.expires_at is not None:
        info["expiryDate"] = instant_text(verdict.expires_at)
    if verdict.group is not None and len(verdict.group) <= _MAX_ID_TAG:
        info["parentIdTag"] = verdict.group
    return info
