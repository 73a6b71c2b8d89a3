"""What a webhook looks like, when it is tried again, and where it may go: no database, no network."""

import base64
import binascii
import datetime
import hashlib
import hmac
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105 - a public prefix, not a secret
USER_AGENT = "shared-mobility-webhooks/1"

# The pauses that the Standard Webhooks recommend, shortened at the end to fill three days.
PAUSES = (
    datetime.timedelta(seconds=5),
    datetime.timedelta(minutes=5),
    datetime.timedelta(minutes=30),
    datetime.timedelta(hours=2),
    datetime.timedelta(hours=5),
    datetime.timedelta(hours=10),
    datetime.timedelta(hours=14),
    datetime.timedelta(hours=20),
    datetime.timedelta(hours=20),
)
MAX_ATTEMPTS = len(PAUSES) + 1
# A receiver may ask for more time, but not for so much that its facts get stale.
LONGEST_WISH = datetime.timedelta(hours=24)


def derive_secret(*, key: str, salt: str) -> str:
    """The secret of a receiver, out of the house's key and a salt that is stored: `whsec_` and 32 bytes.

    Nothing that signs lies in the database, so a copy of it lets nobody forge a webhook.
    """
    digest = hmac.digest(key.encode(), f"webhook:{salt}".encode(), hashlib.sha256)
    return SECRET_PREFIX + base64.b64encode(digest).decode()


def fingerprint(secret: str) -> str:
    """What tells whether a derived secret is the one that was given out; worth nothing by itself."""
    return hashlib.sha256(b"fingerprint:" + secret.encode()).hexdigest()


def sign(*, secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One `v1,…` signature: HMAC-SHA256 over `id.timestamp.body` (Standard Webhooks, symmetric)."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    digest = hmac.digest(key, signed, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def headers(
    *, secrets: Sequence[str], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Everything a receiver needs to believe a webhook; while secrets rotate, a signature of each."""
    signatures = (
        sign(secret=secret, message_id=message_id, timestamp=timestamp, body=body)
        for secret in secrets
    )
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def pause_after(
    attempts: int, *, jitter: float, wish_s: int | None = None
) -> datetime.timedelta | None:
    """How long to wait after `attempts` that failed; None when that was the last.

    `jitter` of 0 to 1 adds up to a tenth, so that what failed together does not come back together.
    A receiver's `Retry-After` (`wish_s`, seconds) is heard if it asks for more, up to a day.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    pause = PAUSES[max(attempts, 1) - 1] * (1 + 0.1 * jitter)
    if wish_s is None or wish_s <= 0:
        return pause
    return max(pause, min(datetime.timedelta(seconds=wish_s), LONGEST_WISH))


def verify(*, secret: str, headers: dict[str, str], body: bytes, now: int) -> bool:
    """Whether a receiver may believe a webhook: one signature fits, and it is of the last five minutes."""
    try:
        timestamp = int(headers["webhook-timestamp"])
        wanted = sign(
            secret=secret, message_id=headers["webhook-id"], timestamp=timestamp, body=body
        )
    except (KeyError, ValueError, binascii.Error):
        return False
    given = headers.get("webhook-signature", "").split()
    return abs(now - timestamp) <= 300 and any(hmac.compare_digest(one, wanted) for one in given)
