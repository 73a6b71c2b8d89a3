"""Facts about charging sessions that others may act on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from mobility.core.outbox import Event


@dataclass(frozen=True)
class SessionStarted(Event):
    """A station began a session; `verdict` says whether its token was accepted."""

    name: ClassVar[str] = "charging.session_started.v1"

    session_id: str
    station_identity: str
    connector_id: str | None
    token_uid: str
    owner_ref: str
    purpose_ref: str
    verdict: str
    started_at: datetime


@dataclass(frozen=True)
class SessionEnded(Event):
    """A station's session is over; `complete` says whether its whole story is here."""

    name: ClassVar[str] = "charging.session_ended.v1"

    session_id: str
    station_identity: str
    token_uid: str
    owner_ref: str
    purpose_ref: str
    ended_at: datetime
    stop_reason: str
    complete: bool


@dataclass(frozen=True)
class SessionPriced(Event):
    """A session has its final energy and price; lines and VAT as `core.money` writes them."""

    name: ClassVar[str] = "charging.session_priced.v1"

    session_id: str
    station_identity: str
    connector_id: str | None
    operator_id: int
    token_uid: str
    owner_ref: str
    purpose_ref: str
    energy_wh: int
    started_at: datetime
    ended_at: datetime
    price_cents: int
    currency: str
    lines: list[dict[str, Any]]
    vat: list[dict[str, Any]]
    flags: list[str]


@dataclass(frozen=True)
class SessionCorrected(Event):
    """A charge detail record was taken back; `after_cents` is what stands in its place."""

    name: ClassVar[str] = "charging.session_corrected.v1"

    session_id: str
    record_id: str
    operator_id: int
    purpose_ref: str
    owner_ref: str
    before_cents: int
    after_cents: int
    energy_wh: int
    currency: str
    lines: list[dict[str, Any]]
    reason: str
