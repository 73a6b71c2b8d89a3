"""What a station tells us about charging, and what we answer, free of any protocol's names.

Adapters translate wire shapes into these dataclasses and call the batch verbs of
``charging.sessions.services`` inside one transaction of their own; answers come back in the
order of the questions. All instants are aware UTC and are the *station's* time of the fact;
the time of arrival is the ``at`` given to the service.

Addressing is that of ``charging.stations.facts``: OCPP 1.6 connector *n* is ``evse_number=n``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class AuthorizationStatus(StrEnum):
    """Whether a token may charge, in OCPP's words; the last is not one of 1.6."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT = "ConcurrentTx"
    NOT_HERE = "NotAtThisLocation"


class PriceTold(StrEnum):
    """How a version tells a driver who shows a card what charging costs."""

    NEVER = "never"
    WITH_ANSWER = "with_answer"
    AFTERWARDS = "afterwards"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationAsk:
    """A station asks whether this token may charge there."""

    station_id: int
    uid: str
    token_kind: str = ""
    """The wire's own token type where it has one (``ISO14443``, ``eMAID``, …), else empty."""
    price: PriceTold = PriceTold.NEVER
    """Where a price can be told to the driver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationVerdict:
    """The answer for a token; ``group`` is the parent tag that may also stop its sessions.

    ``evse_numbers`` are those of the station at which alone it may charge; empty for all of them.
    ``price`` is what charging costs there, in words for its display, in ``language``; empty where
    it shows none.
    """

    status: AuthorizationStatus
    expires_at: datetime | None = None
    group: str | None = None
    evse_numbers: tuple[int, ...] = ()
    price: str = ""
    language: str = ""

    @property
    def accepted(self) -> bool:
        return self.status is AuthorizationStatus.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedData:
    """A value that the meter signed, character for character as sent; key and methods may be empty."""

    data: str
    public_key: str = ""
    signing_method: str = ""
    encoding_method: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measured value as sent; unit and scale are still the station's."""

    value: float | None
    """None when the wire text is no number, for example signed data."""
    measurand: str = "Energy.Active.Import.Register"
    unit: str = ""
    """Empty means the default of the measurand (Wh, W, A, V, Percent)."""
    multiplier: int = 0
    """Power of ten, OCPP 2.x; 0 where the wire has none."""
    phase: str = ""
    context: str = ""
    """``Sample.Periodic``, ``Transaction.Begin``, ``Transaction.End``, …"""
    location: str = ""
    """``Outlet`` where empty; ``Inlet``, ``Body``, ``EV`` and ``Cable`` are not billed."""
    signed: SignedData | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Values taken at one instant, with the element exactly as it was sent."""

    at: datetime
    samples: tuple[Sample, ...]
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStart:
    """A 1.6 transaction begins. Duplicate by (station, connector, tag, at, meter start)."""

    station_id: int
    evse_number: int
    uid: str
    at: datetime
    meter_start_wh: int
    reservation_id: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAnswer:
    """``transaction_ref`` is a positive integer as text, whatever the verdict."""

    transaction_ref: str
    verdict: AuthorizationVerdict
    duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStop:
    """A 1.6 transaction ends. Duplicate by (station, transaction).

    A ``transaction_ref`` that is not a positive integer ("-1", "0") or that we never gave to
    this station makes an orphan, whose duplicate key is (station, at, meter stop); no open
    session is ended by it.
    """

    station_id: int
    transaction_ref: str
    at: datetime
    meter_stop_wh: int
    reason: str = ""
    uid: str | None = None
    """The token that stopped it, where one was shown."""
    readings: tuple[Reading, ...] = ()
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAnswer:
    """``verdict`` is None where no token was shown; ``known`` is False for orphans."""

    verdict: AuthorizationVerdict | None = None
    known: bool = True
    duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingBatch:
    """Meter values of one connector. Duplicate by (station, connector, instant, content).

    Without a ``transaction_ref`` they are attached by connector and time.
    """

    station_id: int
    evse_number: int
    readings: tuple[Reading, ...]
    connector_number: int | None = None
    transaction_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalPayment:
    """What a station's payment terminal collected. Duplicate by (station, psp_ref, status, at)."""

    station_id: int
    psp_ref: str
    status: str
    """``Settled``, ``Canceled``, ``Rejected`` or ``Failed``."""
    amount_cents: int
    at: datetime
    transaction_ref: str = ""
    receipt_url: str = ""
    note: str = ""
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalReceipt:
    """The number of the session's record, empty where there is none yet."""

    number: str = ""


class EventKind(StrEnum):
    """Where in a 2.x transaction an event stands."""

    STARTED = "Started"
    UPDATED = "Updated"
    ENDED = "Ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionEvent:
    """A 2.x transaction event. Duplicate by (station, transaction, seq_no, kind, at)."""

    station_id: int
    kind: EventKind
    transaction_ref: str
    """The station's own transaction id."""
    seq_no: int
    at: datetime
    trigger: str = ""
    evse_number: int | None = None
    connector_number: int | None = None
    uid: str | None = None
    token_kind: str = ""
    """The wire's token type; ``NoAuthorization`` is always accepted."""
    charging_state: str = ""
    """``Charging``, ``EVConnected``, ``SuspendedEV``, ``SuspendedEVSE``, ``Idle`` or empty."""
    stop_reason: str = ""
    remote_start_id: int | None = None
    """The ``remote_start_id`` of the command's payload, echoed by the station."""
    offline: bool = False
    readings: tuple[Reading, ...] = ()
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAnswer:
    """``verdict`` is None where the event showed no token.

    ``cost_cents`` is the running cost on Updated and the total on Ended where the session
    has a tariff and can be priced from what is known, else None. ``limit_cents`` is the most the
    session may cost, told where it begins by a remote start with a limit.
    """

    verdict: AuthorizationVerdict | None = None
    cost_cents: int | None = None
    limit_cents: int | None = None
    currency: str = "EUR"
    duplicate: bool = False
