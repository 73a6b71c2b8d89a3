"""Commands that carry a password stand sealed in their row, until the gateway sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.fernet import InvalidToken

from charging.stations.facts import ONLY_EPOCH
from charging.stations.states import CommandAction
from mobility.core import seals

SECRET_ACTIONS: Final = frozenset({CommandAction.SET_PASSWORD, CommandAction.SET_NETWORK_PROFILE})

_SEALED: Final = "sealed"


def sealed(*, action: str, key: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the row of the command with this idempotency key keeps them."""
    if action not in SECRET_ACTIONS:
        return dict(payload)
    secret = {name: value for name, value in payload.items() if name != ONLY_EPOCH}
    plain = {name: value for name, value in payload.items() if name == ONLY_EPOCH}
    token = seals.seal(json.dumps(secret).encode(), about=_about(key))
    return {**plain, _SEALED: token.decode()}


def opened(*, action: str, key: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as they were given; those that another installation sealed are missing.

    Then the command itself fails for want of them, and holds up no other one.
    """
    if action not in SECRET_ACTIONS or _SEALED not in payload:
        return dict(payload)
    plain = {name: value for name, value in payload.items() if name != _SEALED}
    try:
        secret = seals.unseal(str(payload[_SEALED]).encode(), about=_about(key))
    except InvalidToken:
        return plain
    return {**plain, **json.loads(secret)}


def _about(key: str) -> str:
    return f"station command:{key}"
