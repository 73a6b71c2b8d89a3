"""What a webhook looks like, when it is tried again, and where it may go: no database, no network."""

import base64
import binascii
import dataclasses
import datetime
import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

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


def is_public(address: str) -> bool:
    """Whether an IP address lies in the open Internet, however it is written.

    Not so: private, loopback, link-local (with the clouds' metadata), shared, reserved and multicast
    ones, and IPv6 addresses that stand for an IPv4 one.
    """
    try:
        one = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    # 6to4 alone of the embedding ranges counts as global and is not reserved.
    hidden = isinstance(one, ipaddress.IPv6Address) and (
        one.sixtofour or one.ipv4_mapped or one.is_site_local
    )
    return one.is_global and not (one.is_multicast or one.is_reserved or hidden)


@dataclasses.dataclass(frozen=True)
class Target:
    """An endpoint's address, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The host as the receiver knows itself, with the port if it is not the usual one."""
        usual = {"https": 443, "http": 80}[self.scheme]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == usual else f"{host}:{self.port}"


class BadTarget(ValueError):
    """The address cannot be an endpoint's; the argument is a code that says why."""


def target_of(url: str, *, allow_private: bool = False) -> Target:
    """Take an endpoint's address apart, raising `BadTarget` where nothing may be sent.

    Only https, no user or password in it, no fragment, and no IP address that is not public; names
    are judged when they are looked up. `allow_private` lets tests call their own machine by http.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadTarget("malformed") from error
    if parts.scheme not in ({"https", "http"} if allow_private else {"https"}):
        raise BadTarget("not_https")
    host = (parts.hostname or "").rstrip(".")
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise BadTarget("malformed")
    if not allow_private and ((_is_literal(host) and not is_public(host)) or host == "localhost"):
        raise BadTarget("not_public")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    default = 443 if parts.scheme == "https" else 80
    return Target(scheme=parts.scheme, host=host, port=port or default, path=path)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # "127.1" and "2130706433" are addresses to a resolver, and names to nobody.
        return host.replace(".", "").isdecimal() or host.startswith("0x")
    return True


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
