"""What goes to a push service: encrypted for the device (RFC 8291), signed with our key (RFC 8292)."""

import base64
import binascii
import dataclasses
import datetime
import hashlib
import json
import os
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_SIZE = 4096
# RFC 8292 allows a day; clocks of push services differ.
SIGNED_FOR = datetime.timedelta(hours=12)


class BadKey(ValueError):
    """Not a key of the kind that is asked for."""


def b64(value: bytes) -> str:
    """base64url without padding, as all of web push writes it."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def unb64(value: str) -> bytes:
    """The bytes behind base64url, padded or not; raises `BadKey`."""
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadKey from error


def new_private_key() -> str:
    """A new key of ours, to be kept secret: the 32 bytes of its number."""
    return b64(ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32))


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """The key behind its written form; raises `BadKey`."""
    number = int.from_bytes(unb64(text))
    try:
        return ec.derive_private_key(number, ec.SECP256R1())
    except ValueError as error:
        raise BadKey from error


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half as an uncompressed point of 65 bytes, as browsers take it."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def device_key(p256dh: str) -> ec.EllipticCurvePublicKey:
    """The public key of a device; raises `BadKey` for anything that is no point of P-256."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(p256dh))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey from error


def device_secret(auth: str) -> bytes:
    """The 16 bytes that a device gives out with its key; raises `BadKey`."""
    secret = unb64(auth)
    if len(secret) != 16:
        raise BadKey
    return secret


def encrypt(
    text: bytes,
    *,
    p256dh: str,
    auth: str,
    sender: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """`text` as one record of `aes128gcm` that only the device can read (RFC 8291 §3.4, RFC 8188 §2).

    `sender` and `salt` are new for every message; tests give those of the RFC's example.
    """
    sender = sender or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(16)
    receiver = device_key(p256dh)
    ours = public_bytes(sender)
    theirs = receiver.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = sender.exchange(ec.ECDH(), receiver)
    info = b"WebPush: info\x00" + theirs + ours
    secret = _hkdf(shared, salt=device_secret(auth), info=info, length=32)
    key = _hkdf(secret, salt=salt, info=b"Content-Encoding: aes128gcm\x00", length=16)
    nonce = _hkdf(secret, salt=salt, info=b"Content-Encoding: nonce\x00", length=12)
    head = salt + RECORD_SIZE.to_bytes(4) + len(ours).to_bytes(1) + ours
    # The last record ends with 2 (RFC 8188 §2).
    return head + AESGCM(key).encrypt(nonce, text + b"\x02", None)


def _hkdf(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def voucher(
    *, endpoint: str, key: ec.EllipticCurvePrivateKey, contact: str, at: datetime.datetime
) -> str:
    """The `Authorization` that proves the message is ours (RFC 8292 §2 and §3): a JWT under ES256."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((at + SIGNED_FOR).timestamp()),
        "sub": contact,
    }
    signed = ".".join(
        b64(json.dumps(part, separators=(",", ":")).encode())
        for part in ({"typ": "JWT", "alg": "ES256"}, claims)
    )
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"vapid t={signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}, k={b64(public_bytes(key))}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Message:
    """What a device shows, and where a tap on it leads."""

    title: str
    body: str
    path: str
    tag: str
    lang: str

    def as_json(self) -> bytes:
        """As the service worker reads it."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False).encode()


def headers(
    *, authorization: str, ttl: datetime.timedelta, urgent: bool, tag: str
) -> dict[str, str]:
    """What a push service wants to know (RFC 8030 §5): until when, how urgent, in place of what."""
    return {
        "authorization": authorization,
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        "ttl": str(max(0, int(ttl.total_seconds()))),
        "urgency": "high" if urgent else "normal",
        "topic": b64(hashlib.sha256(tag.encode()).digest())[:32],
    }
