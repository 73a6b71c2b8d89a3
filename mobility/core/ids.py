"""Identifiers and secrets: what the outside may see, and what only one peer may know."""

import hashlib
import hmac
import secrets
import time
import uuid

# No 0/O, 1/I/L: people type these codes from a sticker in the rain.
_CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def uuid7() -> uuid.UUID:
    """A time-ordered UUID of version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = secrets.randbits(74)
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76
    value |= (random_bits >> 62) << 64
    value |= 0b10 << 62
    value |= random_bits & (1 << 62) - 1
    return uuid.UUID(int=value)


def short_code(length: int = 6) -> str:
    """A random code that a person can read aloud; not a secret."""
    return "".join(secrets.choice(_CODE_ALPHABET) for _ in range(length))


def secret(nbytes: int = 24) -> str:
    """A random secret of `nbytes` × 8 bits, safe in a URL and a header."""
    return secrets.token_urlsafe(nbytes)


def hash_secret(value: str) -> str:
    """SHA-256 of a random secret, as hex.

    A slow password hash would protect guessable secrets; ours carry at least 128 random bits, and a
    fleet that reconnects all at once must not melt a core on hashing.
    """
    return hashlib.sha256(value.encode()).hexdigest()


def same_secret(value: str, hashed: str) -> bool:
    """Whether `value` is the secret behind `hashed`, compared in constant time."""
    return hmac.compare_digest(hash_secret(value), hashed)
