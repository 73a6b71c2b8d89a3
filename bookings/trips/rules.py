"""The meter's stretches, and what must be true before a trip may end."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping, Sequence
from typing import Any

from bookings.pricing.rules import Segment, SegmentKind

Stretch = Mapping[str, Any]

UNLOCK_TTL_S = 20
LOCK_TTL_S = 20

START_PATIENCE = datetime.timedelta(seconds=60)
END_PATIENCE = datetime.timedelta(seconds=90)
PRICE_PATIENCE = datetime.timedelta(seconds=60)

# A running trip holds its vehicle this far ahead, never to infinity.
HORIZON = datetime.timedelta(hours=2)
HORIZON_LOW = datetime.timedelta(hours=1)

# A position older than this says little about where the vehicle is now.
FRESH = datetime.timedelta(seconds=120)
MOVING_KMH = 5.0


def begin(kind: SegmentKind, *, at: datetime.datetime) -> list[Stretch]:
    """The meter starts."""
    return [{"kind": kind.value, "start": at.isoformat(), "end": None}]


def switch(
    stretches: Sequence[Stretch], kind: SegmentKind, *, at: datetime.datetime
) -> list[Stretch]:
    """One stretch ends where the next one begins."""
    return [*close(stretches, at=at), *begin(kind, at=at)]


def close(stretches: Sequence[Stretch], *, at: datetime.datetime) -> list[Stretch]:
    """The meter stands; a stretch that would end before it began ends where it began."""
    *done, last = stretches
    if last["end"] is not None:
        return list(stretches)
    end = max(at, datetime.datetime.fromisoformat(last["start"]))
    return [*done, {**last, "end": end.isoformat()}]


def reopen_previous(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The last switch did not happen after all: the stretch before it goes on."""
    *done, previous, _undone = stretches
    return [*done, {**previous, "end": None}]


def segments(stretches: Sequence[Stretch], *, at: datetime.datetime) -> tuple[Segment, ...]:
    """The stretches for the price rules, an open one as if it ended at `at`."""
    if not stretches:
        return ()
    return tuple(
        Segment(
            kind=SegmentKind(row["kind"]),
            start=datetime.datetime.fromisoformat(row["start"]),
            end=datetime.datetime.fromisoformat(row["end"]),
        )
        for row in close(stretches, at=at)
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """Where something is; `accuracy_m` is the radius in metres it may be off."""

    lon: float
    lat: float
    accuracy_m: float
    at: datetime.datetime
    speed_kmh: float = 0.0


class Source(enum.StrEnum):
    """Whose word the place of an end rests on."""

    VEHICLE = "vehicle"
    PHONE = "phone"
    NOBODY = "nobody"


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a trip is to end; without a fix nobody knows."""

    source: Source
    fix: Fix | None


def place_of_end(*, vehicle: Fix | None, phone: Fix | None, at: datetime.datetime) -> Place:
    """The vehicle's word if it is fresh, else the phone's, else nobody's.

    A phone cannot talk a vehicle into a legal place while the vehicle itself reports.
    """
    if vehicle is not None and at - vehicle.at <= FRESH:
        return Place(Source.VEHICLE, vehicle)
    if phone is not None:
        return Place(Source.PHONE, phone)
    return Place(Source.NOBODY, None)


def is_moving(place: Place) -> bool:
    """Whether the vehicle itself says that it rolls."""
    return (
        place.source is Source.VEHICLE
        and place.fix is not None
        and place.fix.speed_kmh > MOVING_KMH
    )
