"""When a vehicle is taken, without saying by whom."""

import dataclasses
import datetime

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from bookings.reservations.wallclock import day_bounds, day_slots
from fleet.vehicles.models import VehicleHold

Span = tuple[datetime.datetime, datetime.datetime]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """A step of a day, `[start, end)`; `free` when a booking of it could be made."""

    start: datetime.datetime
    end: datetime.datetime
    free: bool


def busy_spans(*, vehicle_id: int, start: datetime.datetime, end: datetime.datetime) -> list[Span]:
    """The times within `[start, end)` for which somebody has the vehicle, pauses included."""
    holds = VehicleHold.objects.active().filter(
        vehicle=vehicle_id, during__overlap=DateTimeTZRange(start, end)
    )
    spans = [(max(one.during.lower, start), min(one.until, end)) for one in holds]
    return sorted(spans)


def calendar_of(
    *, vehicle_id: int, day: datetime.date, at: datetime.datetime
) -> tuple[list[Slot], list[Span]]:
    """A day of the city in half hours of elapsed time, and when the vehicle is taken on it.

    On the days of a clock change there are two more or two fewer, and no time that does not exist.
    """
    start, end = day_bounds(day)
    busy = busy_spans(vehicle_id=vehicle_id, start=start, end=end)
    slots = [
        Slot(start=since, end=until, free=since >= at and _is_free(since, until, busy))
        for since, until in day_slots(day)
    ]
    return slots, busy


def _is_free(start: datetime.datetime, end: datetime.datetime, busy: list[Span]) -> bool:
    return not any(since < end and start < until for since, until in busy)
