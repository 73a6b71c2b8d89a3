"""Our own key for web push: from the environment, or from the file that `manage.py push_keys` wrote."""

import os
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from mobility.notifications import wire


def own_key() -> ec.EllipticCurvePrivateKey | None:
    """The key, or None where nobody made one: then devices cannot be added and nothing is pushed."""
    text = settings.PUSH_KEY or _kept(settings.PUSH_KEY_FILE)
    return _parsed(text) if text else None


def application_key() -> str:
    """The public half as browsers ask for it; empty without a key."""
    key = own_key()
    return wire.b64(wire.public_bytes(key)) if key else ""


def make_key(path: Path) -> bool:
    """Write a new key to `path`, readable by the owner only; False where there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(number, "w") as file:
        file.write(wire.new_private_key())
    return True


def _kept(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


@cache
def _parsed(text: str) -> ec.EllipticCurvePrivateKey:
    return wire.private_key(text)
