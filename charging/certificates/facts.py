"""What stations ask and tell about certificates, free of any protocol's field names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateAsk:
    """A station wants its key certified."""

    station_id: int
    csr: str
    """The request in PEM."""
    kind: str
    """A value of ``states.CertificateKind``."""
    station_number: int | None = None
    """The station's own number of the request, to be repeated with the answer (2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateAnswer:
    """Whether a chain will follow; if not, the reason as a code."""

    accepted: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityReport:
    """A station noticed something about its own safety."""

    station_id: int
    kind: str
    at: datetime
    info: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateShown:
    """A station opened a connection with this client certificate."""

    station_id: int
    serial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCertificate:
    """One certificate a station says it holds."""

    use: str
    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspQuestion:
    """Which certificate's state is asked, by its hashes, and of whom."""

    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial: str
    responder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractAsk:
    """A vehicle asks for its contract certificates (ISO 15118), through the station."""

    schema_version: str
    action: str
    exi: str
    most_chains: int | None = None
    preferred: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractAnswer:
    """What the contract hub says; ``exi`` is passed on as it came."""

    accepted: bool
    exi: str
    remaining: int | None = None
