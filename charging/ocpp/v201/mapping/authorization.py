"""Tokens and what they may, in the words of 2.0.1."""

from __future__ import annotations

from typing import Final

from charging.ocpp.deeds import Asked
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.wire import instant_text
from charging.sessions.facts import AuthorizationAsk, AuthorizationVerdict, PriceTold

_MAX_ID_TOKEN: Final = 36
_MAX_MESSAGE: Final = 512


def authorization_ask(asked: Asked) -> AuthorizationAsk:
    token = asked.payload["idToken"]
    return AuthorizationAsk(
        station_id=asked.station_id,
        uid=token["idToken"],
        token_kind=token["type"],
        price=PriceTold.WITH_ANSWER,
    )


def id_token_info(verdict: AuthorizationVerdict) -> Payload:
    info: Payload = {"status": verdict.status.value}
    if verdict.expires_at is not None:
        info["cacheExpiryDateTime"] = instant_text(verdict.expires_at)
    if verdict.group is not None and len(verdict.group) <= _MAX_ID_TOKEN:
        info["groupIdToken"] = {"idToken": verdict.group, "type": "Central"}
    if verdict.evse_numbers:
        info["evseId"] = list(verdict.evse_numbers)
    # What does not fit is not said by halves.
    if verdict.price and len(verdict.price) <= _MAX_MESSAGE:
        info["personalMessage"] = {
            "format": "UTF8",
            "language": verdict.language,
            "content": verdict.price,
        }
    return info
