"""Facts about trips. People appear only as opaque principals."""

import dataclasses
import datetime
from typing import ClassVar

from mobility.core.outbox import Event


@dataclasses.dataclass(frozen=True)
class TripStarted(Event):
    """The vehicle confirmed that it is unlocked; the meter runs."""

    name: ClassVar = "bookings.trip_started.v1"

    trip_id: str
    vehicle_id: int
    user_principal: str
    started_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class TripEnded(Event):
    """The trip is over and will be priced; `ended_at` is where the meter stood."""

    name: ClassVar = "bookings.trip_ended.v1"

    trip_id: str
    vehicle_id: int
    user_principal: str
    started_at: datetime.datetime
    ended_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class TripPriced(Event):
    """The price is final."""

    name: ClassVar = "bookings.trip_priced.v1"

    trip_id: str
    vehicle_id: int
    user_principal: str
    price_cents: int
    currency: str
    distance_m: int
