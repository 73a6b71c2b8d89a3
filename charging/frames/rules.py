"""Pure rules of frames: what must not be kept, and which leniency a make of hardware has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

import orjson

from charging.frames.facts import Forgiveness

MAX_BODY: Final = 16_000
"""Characters of a frame that are kept; certificates and diagnostics may be longer."""

MASK: Final = "***"
_SECRET_NAMES: Final = frozenset(
    {
        "authorizationkey",
        "basicauthpassword",
        "password",
        "apnpassword",
        "apnuserpassword",
        "simpin",
        "vpn",
    },
)
# A frame with one of these in it is searched for secrets.
_SECRET_WORDS: Final = (b"password", b"authorizationkey", b"simpin", b'"vpn"')
_CARD: Final = re.compile(
    r'("(?:idTag|parentIdTag|idToken|groupIdToken)"\s*:\s*")([^"\\]{5,})(")',
)
_NAMED_BY: Final = ("key", "name", "variable")
_VALUES: Final = ("value", "attributeValue", "actualValue", "variableAttribute")


def storable_body(raw: bytes) -> str:
    """The text of a frame as it may be kept: passwords gone, cards by their last four signs.

    What is no JSON is kept as it came, but for a frame that mentions a password.
    """
    # Twice as fast as one regular expression that ignores letter case.
    lowered = raw.lower()
    if any(word in lowered for word in _SECRET_WORDS):
        raw = _without_secrets(raw)
    text = raw.decode("utf-8", "replace")
    if b'idtag"' in lowered or b'idtoken"' in lowered:
        text = _CARD.sub(lambda found: f"{found[1]}…{found[2][-4:]}{found[3]}", text)
    return text[:MAX_BODY].replace("\x00", "\N{REPLACEMENT CHARACTER}")


def forgiven_to(
    profiles: Iterable[Forgiveness],
    *,
    vendor: str,
    model: str,
    firmware: str,
) -> frozenset[str]:
    """All that the matching profiles forgive; ``*`` in a pattern stands for anything.

    Letter case does not matter: firmware versions of one make spell their vendor differently.
    """
    found: set[str] = set()
    for profile in profiles:
        pairs = (
            (vendor, profile.vendor),
            (model, profile.model),
            (firmware, profile.firmware),
        )
        if all(fnmatchcase(text.casefold(), wanted.casefold()) for text, wanted in pairs):
            found |= profile.quirks
    return frozenset(found)


def _without_secrets(raw: bytes) -> bytes:
    try:
        frame = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return b"(unreadable, mentions a password)"
    mask(frame)
    return orjson.dumps(frame)


def mask(node: Any) -> None:
    """Mask in place: fields called like a secret, and values beside such a name."""
    open_nodes = [node]
    while open_nodes:
        found = open_nodes.pop()
        if isinstance(found, list):
            open_nodes.extend(found)
        elif isinstance(found, dict):
            secret = any(_names_secret(found.get(name)) for name in _NAMED_BY)
            for name, value in found.items():
                if _is_secret(name) or (secret and name in _VALUES):
                    found[name] = MASK
                else:
                    open_nodes.append(value)


def _names_secret(value: Any) -> bool:
    if isinstance(value, dict):
        value = value.get("name")
    return isinstance(value, str) and _is_secret(value)


def _is_secret(name: str) -> bool:
    return name.casefold() in _SECRET_NAMES
