"""Facts about trips. People appear only as opaque principals."""

import dataclasses
import datetime
from typing import ClassVar

from mobility.core.outbox import Event


@dataclasses.dataclass(frozen=True)
class TripStarted(Event):
    """The vehicle confirmed that it is unlocked; the meter runs.

    `late` says that it unlocked after the start had been given up, and that its rider rode on.
    """

    name: ClassVar = "bookings.trip_started.v1"

    trip_id: str
    vehicle_id: int
    user_principal: str
    started_at: datetime.datetime
    late: bool = False


@dataclasses.dataclass(frozen=True)
class TripStartFailed(Event):
    """The trip never began and costs nothing; `failure` is a code."""

    name: ClassVar = "bookings.trip_start_failed.v1"

    trip_id: str
    vehicle_id: int
    user_principal: str
    failure: str
    at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class TripEndRefused(Event):
    """The rider tried to end and could not; `conditions` are codes, `refusals` counts them all."""

    name: ClassVar = "bookings.trip_end_refused.v1"

    trip_id: str
    vehicle_id: int
    user_principal: str
    conditions: list[str]
    refusals: int
    at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class TripPrompted(Event):
    """The rider should be told something about their ride (`Notice`) before we act by ourselves."""

    name: ClassVar = "bookings.trip_prompted.v1"

    trip_id: str
    user_principal: str
    notice: str
    at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class TripEnded(Event):
    """The trip is over and will be priced; `ended_at` is where the meter stood, `reason` why."""

    name: ClassVar = "bookings.trip_ended.v1"

    trip_id: str
    vehicle_id: int
    user_principal: str
    started_at: datetime.datetime
    ended_at: datetime.datetime
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class TripUnpriced(Event):
    """The trip is over, and its price could not be found when it ended; it is tried again."""

    name: ClassVar = "bookings.trip_unpriced.v1"

    trip_id: str


@dataclasses.dataclass(frozen=True)
class TripPriced(Event):
    """The price is final, unless the trip is corrected."""

    name: ClassVar = "bookings.trip_priced.v1"

    trip_id: str
    vehicle_id: int
    user_principal: str
    price_cents: int
    currency: str
    distance_m: int


@dataclasses.dataclass(frozen=True)
class TripCorrected(Event):
    """A new version of a trip holds; the difference goes back, nothing more is ever asked for."""

    name: ClassVar = "bookings.trip_corrected.v1"

    trip_id: str
    vehicle_id: int
    user_principal: str
    version: int
    price_cents_before: int
    price_cents: int
    reason: str
    at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class TripDisputed(Event):
    """A rider objects to a trip; staff answer by `due_at`."""

    name: ClassVar = "bookings.trip_disputed.v1"

    trip_id: str
    dispute_id: str
    case_number: str
    user: str
    organisation_id: int
    reason: str
    due_at: datetime.datetime
    at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class DisputeDecided(Event):
    """Staff answered a dispute: `outcome` is accepted or rejected."""

    name: ClassVar = "bookings.dispute_decided.v1"

    trip_id: str
    dispute_id: str
    case_number: str
    user: str
    outcome: str
    at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class DisputeOverdue(Event):
    """Nobody has answered a dispute in the time that the rider was promised."""

    name: ClassVar = "bookings.dispute_overdue.v1"

    trip_id: str
    dispute_id: str
    case_number: str
    organisation_id: int
    due_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class PhotoReviewed(Event):
    """Staff judged a photo of a parked vehicle; `strike` counts the person's bad ones of late."""

    name: ClassVar = "bookings.photo_reviewed.v1"

    photo_id: str
    trip_id: str
    user_principal: str
    organisation_id: int
    verdict: str
    strike: int
    fee_proposed: bool
    at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class IncidentOpened(Event):
    """An operator's vehicles cannot be heard; every attempt to end stops the meter meanwhile."""

    name: ClassVar = "bookings.incident_opened.v1"

    incident_id: str
    organisation_id: int
    since: datetime.datetime
    automatic: bool


@dataclasses.dataclass(frozen=True)
class IncidentClosed(Event):
    """The vehicles are heard again."""

    name: ClassVar = "bookings.incident_closed.v1"

    incident_id: str
    organisation_id: int
    until: datetime.datetime
