"""Secrets that have to be kept for a while: encrypted with keys derived from the installation's."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet
from django.conf import settings


def seal(secret: bytes, *, about: str) -> bytes:
    """`secret` encrypted; only who names the same `about` opens it again."""
    return _key(about).encrypt(secret)


def unseal(sealed: bytes, *, about: str) -> bytes:
    """What was sealed. Raises `cryptography.fernet.InvalidToken` if it is not from here."""
    return _key(about).decrypt(sealed)


def _key(about: str) -> Fernet:
    made = hmac.new(settings.SECRET_KEY.encode(), about.encode(), hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(made))
