"""What a charging station tells us and what we answer, free of any protocol's field names.

Adapters translate their wire shapes into these dataclasses; the services of this feature
take them in lists, because a gateway commits many stations' facts in one transaction.

Addressing: a station has EVSEs numbered from 1, an EVSE has connectors numbered from 1.
OCPP 1.6 knows connectors only: its connector *n* is EVSE *n*, connector number left out;
its connector 0 (the station as a whole) is ``evse_number=0``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class StationCredentials:
    """What a handshake needs to know of a station; see ``queries.credentials_by_identity``."""

    station_id: int
    identity: str
    security_profile: int
    password_hashes: tuple[str, ...]
    """The current one first; the previous one stays valid while a rotation is open."""
    ocpp_versions: tuple[str, ...]
    """Subprotocol names this station may speak: ``ocpp1.6``, ``ocpp2.0.1``, ``ocpp2.1``."""
    registration: str
    """``pending``, ``accepted`` or ``rejected``."""
    booted: bool = True
    """Whether a boot of this station was ever accepted."""
    next_security_profile: int | None = None
    """A higher profile that was ordered; it counts from the first connection that proves it."""
    revoked_certificates: tuple[str, ...] = ()
    """Serial numbers of client certificates that open nothing any more, hexadecimal."""
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    """What the station said of itself at its last boot."""
    serial_is_taken: bool = False
    """The serial number is another station's identity: a certificate in that name is not this one's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """The certificate a station showed; its signature has been verified."""

    common_name: str
    serial: str
    """Of the certificate: hexadecimal in lower case, without leading zeros."""
    hardware_serial: str = ""
    """The subject's serialNumber, where it names one: the station's own number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A socket that passed the handshake."""

    station_id: int
    ocpp_version: str
    gateway: str
    """Name of the gateway process that holds the socket."""
    password_hash: str = ""
    """The stored hash the station's password was behind, while there are two."""
    security_profile: int = 0
    """The highest profile the handshake proved."""
    certificate: str = ""
    """Serial number of the client certificate, if one was shown."""
    proof: str = ""
    """The stored hash that the password was behind, if one was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A socket that went away; only the newest epoch of a station counts."""

    station_id: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """A handshake that was refused, kept so that staff can see why a charger stays dark."""

    identity: str
    path: str
    reason: str
    """A code: ``unknown_identity``, ``wrong_password``, ``no_subprotocol``, …"""
    remote: str
    """Address of the peer."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootReport:
    """The station started and introduces itself."""

    station_id: int
    vendor: str
    model: str
    serial: str = ""
    firmware: str = ""
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    """The message as sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootAnswer:
    """``registration`` is ``accepted``, ``pending`` or ``rejected``."""

    registration: str
    interval_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """One connector's (or, with ``evse_number=0``, the station's) status at ``at``."""

    station_id: int
    evse_number: int
    status: str
    """The status word of either version: ``Charging`` and ``Occupied`` are both understood."""
    at: datetime
    connector_number: int | None = None
    error_code: str = ""
    info: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOpened:
    """A station opens a stream of values (or closes it)."""

    station_id: int
    number: int
    monitor: int = 0
    """The variable monitor whose values will come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamValues:
    """Some values of a stream."""

    station_id: int
    number: int
    count: int
    newest: str
    newest_at: datetime


ONLY_EPOCH: Final = "only_epoch"
"""In a command's payload: the one connection that may hear it; over any other it fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandToSend:
    """A command row as the gateway sees it."""

    command_id: int
    public_id: str
    station_id: int
    identity: str
    action: str
    """A value of ``states.CommandAction``: ``remote_start``, ``reset``, …"""
    evse_number: int | None
    connector_number: int | None
    payload: dict[str, Any]
    """Arguments by action, see ``states.CommandAction``."""
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What became of a command that was sent."""

    command_id: int
    state: str
    """``accepted``, ``rejected``, ``timed_out`` or ``failed``."""
    result: dict[str, Any] = field(default_factory=dict)
    """The station's answer, or ``{"reason": …}``."""
    details: dict[str, Any] = field(default_factory=dict)
    """What the answer means in no protocol's words: ``variables``, ``version``, ``certificates``,
    ``schedule``, ``file_name`` …, by action; stored in the result under ``details``."""
