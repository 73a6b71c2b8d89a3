"""Pure rules of signed meter values: reading OCMF, verifying ECDSA, and keys as they are written.

OCMF is the Open Charge Metering Format of the S.A.F.E. initiative: `OCMF|{payload}|{signature}`,
signed over the bytes of the payload exactly as they came. Nothing here is ever re-encoded.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_PREFIX: Final = "OCMF|"
_DEFAULT_ALGORITHM: Final = "ECDSA-secp256r1-SHA256"
_CURVES: Final[Mapping[str, Callable[[], ec.EllipticCurve]]] = {
    "secp192r1": ec.SECP192R1,
    "secp256k1": ec.SECP256K1,
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
    "brainpool256r1": ec.BrainpoolP256R1,
    "brainpool384r1": ec.BrainpoolP384R1,
}
_HASHES: Final[Mapping[str, Callable[[], hashes.HashAlgorithm]]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
_WH: Final = {"Wh": Decimal(1), "kWh": Decimal(1000)}


class BadKey(ValueError):
    """No public key of an elliptic curve can be read from this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedText:
    """What was signed, unwrapped from however it was sent; `public_key` empty where none came."""

    text: str
    public_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ocmf:
    """An OCMF record: the bytes that were signed, how, and what they say.

    Registers in Wh: `begin_wh` of its first reading marked as the beginning, `register_wh` of its
    last one.
    """

    payload: bytes
    algorithm: str
    signature: bytes
    register_wh: int | None
    begin_wh: int | None
    meter_serial: str
    details: dict[str, Any] = field(default_factory=dict)


def unwrapped(sent: str) -> SignedText | None:
    """The signed text within what a station sent; None where it is in no format we read.

    Seen: the text itself, base64 or hexadecimal of it, and a JSON object of OCPP 2.x's
    SignedMeterValue put into the value of a 1.6 message (OCA, signed meter values, v1.0).
    """
    text = sent.strip()
    if text.startswith(_PREFIX):
        return SignedText(text=sent)
    if text.startswith("{"):
        return _from_object(text)
    for decode in (_from_base64, _from_hex):
        decoded = decode(text)
        if decoded is not None and decoded.startswith(_PREFIX.encode()):
            return SignedText(text=decoded.decode(errors="surrogateescape"))
    return None


def read_ocmf(text: str) -> Ocmf | None:
    """The record; None where it is no OCMF, or not one whole."""
    head, _bar, rest = text.strip().partition("|")
    payload, bar, tail = rest.rpartition("|")
    if head != "OCMF" or not bar:
        return None
    try:
        said, signed = json.loads(payload), json.loads(tail)
        signature = _signature_bytes(signed)
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(said, dict) or signature is None:
        return None
    readings = [row for row in _rows(said) if row["wh"] is not None]
    begins = [row for row in readings if row["mark"] == "B"]
    return Ocmf(
        payload=payload.encode(errors="surrogateescape"),
        algorithm=str(signed.get("SA") or _DEFAULT_ALGORITHM),
        signature=signature,
        register_wh=readings[-1]["wh"] if readings else None,
        begin_wh=begins[0]["wh"] if begins else None,
        meter_serial=str(said.get("MS", ""))[:60],
        details={
            "version": str(said.get("FV", "")),
            "gateway": str(said.get("GS", "")),
            "paging": str(said.get("PG", "")),
            "identification": str(said.get("ID", "")),
            "readings": _rows(said),
        },
    )


def can_verify(algorithm: str) -> bool:
    """Whether we know the curve and the hash: `ECDSA-secp256r1-SHA256`."""
    return _parts(algorithm) is not None


def is_genuine(record: Ocmf, *, public_key: str) -> bool:
    """Whether the payload was signed by the key's owner; raises BadKey.

    A signature comes as DER or, from some meters, as r and s one after the other.
    """
    parts = _parts(record.algorithm)
    if parts is None:
        return False
    curve, digest = parts
    key = _load(public_key, curve=curve)
    for signature in (record.signature, _der(record.signature)):
        try:
            if signature is not None:
                key.verify(signature, record.payload, ec.ECDSA(digest))
                return True
        except InvalidSignature:
            continue
    return False


def normal_key(written: str) -> str:
    """A public key as DER in hexadecimal, whatever it was written in; raises BadKey.

    Understood: PEM, DER in hexadecimal or base64, and `oca:base16:asn1:…` of the OCA's paper, also
    base64 of that.
    """
    key = _load(written, curve=None)
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return der.hex()


def curve_of(public_key: str) -> str:
    """The name of a normal key's curve; raises BadKey."""
    return _load(public_key, curve=None).curve.name


def _from_object(text: str) -> SignedText | None:
    try:
        data = json.loads(text)
    except ValueError:
        return None
    inner = data.get("signedMeterData") if isinstance(data, dict) else None
    if not isinstance(inner, str) or inner.lstrip().startswith("{"):
        return None
    found = unwrapped(inner)
    key = data.get("publicKey", "")
    return found and SignedText(text=found.text, public_key=key if isinstance(key, str) else "")


def _rows(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = said.get("RD")
    return [
        {
            "at": str(row.get("TM", "")),
            "mark": str(row.get("TX", "")),
            "wh": _wh(row),
            "obis": str(row.get("RI", "")),
            "status": str(row.get("ST", "")),
        }
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict)
    ]


def _wh(row: Mapping[str, Any]) -> int | None:
    scale = _WH.get(str(row.get("RU", "")))
    try:
        value = Decimal(str(row.get("RV")))
    except InvalidOperation:
        return None
    if scale is None or not value.is_finite() or not 0 <= value < 10**12:
        return None
    return int(value * scale)


def _signature_bytes(signed: Mapping[str, Any]) -> bytes | None:
    written = str(signed["SD"])
    if str(signed.get("SE", "hex")).lower() == "base64":
        return _from_base64(written)
    return _from_hex(written)


def _parts(algorithm: str) -> tuple[ec.EllipticCurve, hashes.HashAlgorithm] | None:
    kind, _dash, rest = algorithm.partition("-")
    curve, _dash, digest = rest.partition("-")
    if kind != "ECDSA" or curve not in _CURVES or digest not in _HASHES:
        return None
    return _CURVES[curve](), _HASHES[digest]()


def _load(written: str, *, curve: ec.EllipticCurve | None) -> ec.EllipticCurvePublicKey:
    for data in _candidates(written.strip()):
        key: object
        try:
            key = (
                serialization.load_pem_public_key(data)
                if data.startswith(b"-----")
                else serialization.load_der_public_key(data)
            )
        except (ValueError, UnsupportedAlgorithm):
            key = _point(data, curve)
        if isinstance(key, ec.EllipticCurvePublicKey):
            return key
    raise BadKey("no public key of an elliptic curve")


def _candidates(written: str) -> list[bytes]:
    if written.startswith("-----"):
        return [written.encode()]
    if written.startswith("oca:"):
        found = _from_hex(written.rpartition(":")[2])
        return [found] if found else []
    decoded = _from_base64(written)
    if decoded is not None and decoded.startswith(b"oca:"):
        return _candidates(decoded.decode(errors="replace"))
    return [data for data in (_from_hex(written), decoded) if data]


def _point(data: bytes, curve: ec.EllipticCurve | None) -> ec.EllipticCurvePublicKey | None:
    """A bare point of the curve the signature names, with or without the byte before it."""
    if curve is None:
        return None
    for point in (data, b"\x04" + data):
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
        except ValueError:
            continue
    return None


def _der(signature: bytes) -> bytes | None:
    half = len(signature) // 2
    if not half or len(signature) % 2:
        return None
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    return encode_dss_signature(r, s)


def _from_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _from_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
