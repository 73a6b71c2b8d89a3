"""Pure rules of certificates: which requests are signed, what the signed ones say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MIN_RSA_BITS: Final = 2048
CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})
STATION_CERTIFICATE_LIFE: Final = timedelta(days=365)
RENEW_BEFORE: Final = timedelta(days=30)
# A certificate of the first minute must not be refused by a clock a little behind.
_BACKDATED: Final = timedelta(hours=1)

# OCPP 2.0.1 part 2 appendix 1, the events marked critical; 1.6's security white paper names the same.
CRITICAL_EVENTS: Final = frozenset(
    {
        "FirmwareUpdated",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "MemoryExhaustion",
        "TamperDetectionActivated",
    },
)


class RequestRefused(Exception):
    """The certificate request cannot be signed; ``reason`` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request that may be signed."""

    csr: x509.CertificateSigningRequest
    key_type: str


def digest_of(csr: str) -> str:
    """What makes two requests the same: their content, whatever the line ends."""
    return hashlib.sha256("".join(csr.split()).encode()).hexdigest()


def check_request(csr: str, *, names: frozenset[str]) -> CheckedRequest:
    """A request in PEM that proves its key and names this station (2.0.1 A02, 1.6 security 2.1).

    ``names`` are the common names the station may have. RSA of 2,048 bits and more and the NIST
    curves are signed. Raises RequestRefused with ``malformed``, ``bad_signature``, ``weak_key``,
    ``unknown_key_type`` or ``wrong_name``.
    """
    try:
        request = x509.load_pem_x509_csr(csr.strip().encode())
        signed = request.is_signature_valid
        key_type = _key_type(request)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
        raise RequestRefused("malformed") from None
    if not signed:
        raise RequestRefused("bad_signature")
    if common_name(request.subject) not in names:
        raise RequestRefused("wrong_name")
    return CheckedRequest(request, key_type)


def common_name(subject: x509.Name) -> str:
    """The only common name of a subject; empty where there is none, or more than one."""
    found = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if len(found) == 1 else ""


def sign_request(
    request: x509.CertificateSigningRequest,
    *,
    issuer: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    at: datetime,
    life: timedelta = STATION_CERTIFICATE_LIFE,
    revocations_url: str = "",
) -> x509.Certificate:
    """A client certificate with the request's subject and key, for TLS and nothing else.

    It ends no later than its issuer and names the address where revoked ones are listed. Extensions
    of the request are not taken over.
    """
    until = min(at + life, issuer.not_valid_after_utc)
    # "not a CA, for signatures and client authentication": what the profile of 2.0.1 §2.4 wants.
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(issuer.subject)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _BACKDATED)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
            critical=False,
        )
    )
    if revocations_url:
        builder = builder.add_extension(_listed_at(revocations_url), critical=False)
    return builder.sign(key, hashes.SHA256())


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that opens nothing any more: its serial number in hexadecimal, and since when."""

    serial: str
    since: datetime


def revocation_list(
    revoked: Iterable[Revoked],
    *,
    issuer: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    number: int,
    at: datetime,
    holds_until: datetime,
) -> x509.CertificateRevocationList:
    """The authority's signed list of what it revoked (RFC 5280 §5); `number` rises with each list."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(at)
        .next_update(holds_until)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder(int(one.serial, 16), one.since)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, hashes.SHA256())


def _listed_at(url: str) -> x509.CRLDistributionPoints:
    place = x509.DistributionPoint(
        full_name=[x509.UniformResourceIdentifier(url)],
        relative_name=None,
        reasons=None,
        crl_issuer=None,
    )
    return x509.CRLDistributionPoints([place])


def hex_serial(certificate: x509.Certificate) -> str:
    """A certificate's serial number as the gateway compares it: hexadecimal, lower case."""
    return f"{certificate.serial_number:x}"


def pem_of(*certificates: x509.Certificate) -> str:
    """Certificates one after the other, the leaf first, with LF line ends."""
    return "".join(
        certificate.public_bytes(serialization.Encoding.PEM).decode()
        for certificate in certificates
    )


def _key_type(request: x509.CertificateSigningRequest) -> str:
    key = request.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            raise RequestRefused("weak_key")
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in CURVES:
            raise RequestRefused("weak_key")
        return f"EC {key.curve.name}"
    raise RequestRefused("unknown_key_type")


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def new_authority(
    *,
    name: str,
    key: ec.EllipticCurvePrivateKey,
    at: datetime,
    life: timedelta,
) -> x509.Certificate:
    """The self-signed certificate of a certificate authority."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _BACKDATED)
        .not_valid_after(at + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
