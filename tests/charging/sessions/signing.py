"""A meter that signs: OCMF records and the key they verify with."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


@dataclass
class SigningMeter:
    """One key; `ocmf` signs a register in kWh, as text."""

    curve: ec.EllipticCurve = field(default_factory=ec.SECP256R1)
    name: str = "secp256r1"

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(self.curve)

    @property
    def public_key(self) -> str:
        """DER in hexadecimal, as it stands on a meter's label."""
        return self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ).hex()  # fmt: skip

    @property
    def told_key(self) -> str:
        """As OCA's paper has a station tell it: base64 of `oca:base16:asn1:…`."""
        return base64.b64encode(f"oca:base16:asn1:{self.public_key}".encode()).decode()

    def ocmf(self, kwh: str, *, mark: str = "E", plain_signature: bool = False) -> str:
        # Spaces and a number with zeros behind it: what a parser that writes it anew would change.
        payload = (
            '{"FV" : "1.0","MS":"METER-7","PG":"T1","RD":[{"TM":"2026-05-01T10:00:00,000+0000 S",'
            f'"TX":"{mark}","RV":{kwh},"RI":"1-b:1.8.0","RU":"kWh","ST":"G"}}]}}'
        )
        signature = self.key.sign(payload.encode(), ec.ECDSA(hashes.SHA256()))
        if plain_signature:
            r, s = decode_dss_signature(signature)
            size = (self.curve.key_size + 7) // 8
            signature = r.to_bytes(size, "big") + s.to_bytes(size, "big")
        tail = json.dumps({"SA": f"ECDSA-{self.name}-SHA256", "SD": signature.hex()})
        return f"OCMF|{payload}|{tail}"
