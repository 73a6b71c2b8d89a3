"""The city's wall clock in bookings: what people write on it, and which instants it shows.

On the last Sunday of March an hour is missing and on that of October one comes twice. A time that
does not exist is refused with its two neighbours, one that comes twice with both its instants.
"""

import datetime

from django.utils.translation import gettext_lazy as _

from mobility.core import clock
from mobility.core.errors import Invalid

STEP = datetime.timedelta(minutes=30)
# Beyond this nobody books, and the arithmetic of time zones stays within its bounds.
YEARS = range(2000, 2101)


class TimeNotRead(Invalid):
    """Not a date and time of ISO 8601."""

    code = "time_not_read"
    message = _("Give the time as 2027-05-01T09:30 or with an offset.")


class NoSuchLocalTime(Invalid):
    """The clocks jump over it; `extra["choices"]` are the nearest times that exist."""

    code = "no_such_local_time"
    message = _("The clocks change: this time does not exist on that day. Please choose another.")


class LocalTimeTwice(Invalid):
    """The clocks are set back over it; `extra["choices"]` are both, with their offsets."""

    code = "local_time_twice"
    message = _("The clocks change: this time comes twice on that day. Please say which one.")


def read_moment(text: str, *, fold: int | None = None) -> datetime.datetime:
    """The instant in UTC of an ISO time; without an offset it is the city's wall time.

    `fold` says which of two: 0 the first, in summer time, 1 the second. Raises `TimeNotRead`,
    `NoSuchLocalTime`, `LocalTimeTwice`.
    """
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError as problem:
        raise TimeNotRead from problem
    if moment.year not in YEARS:
        raise TimeNotRead
    if moment.tzinfo is not None:
        return moment.astimezone(datetime.UTC)
    return instant_of(moment, fold=fold)


def instant_of(wall: datetime.datetime, *, fold: int | None = None) -> datetime.datetime:
    """The instant in UTC at which the city's clocks show `wall` (naive); raises as `read_moment`."""
    first, second = (_utc(wall, fold=number) for number in (0, 1))
    if first == second:
        return first
    # In the missing hour neither instant is shown as `wall`; the two lie around it.
    if clock.local(first).replace(tzinfo=None) != wall:
        raise NoSuchLocalTime(extra={"choices": [shown(second), shown(first)]})
    if fold is None:
        raise LocalTimeTwice(extra={"choices": [shown(first), shown(second)]})
    return second if fold else first


def shown(at: datetime.datetime) -> str:
    """The instant on the city's wall clock, with its offset: 2027-10-31T02:30:00+01:00."""
    return clock.local(at).isoformat(timespec="seconds")


def day_bounds(day: datetime.date) -> tuple[datetime.datetime, datetime.datetime]:
    """First instant of a day of the city and of the next one, in UTC; 23, 24 or 25 hours apart."""
    midnight = datetime.time.min
    start, end = (
        _utc(datetime.datetime.combine(one, midnight), fold=0)
        for one in (day, day + datetime.timedelta(days=1))
    )
    return start, end


def day_slots(
    day: datetime.date, *, step: datetime.timedelta = STEP
) -> list[tuple[datetime.datetime, datetime.datetime]]:
    """The day in steps of elapsed time, `[start, end)` in UTC: 46, 48 or 50 half hours."""
    start, end = day_bounds(day)
    slots = []
    while start < end:
        slots.append((start, min(start + step, end)))
        start += step
    return slots


def _utc(wall: datetime.datetime, *, fold: int) -> datetime.datetime:
    return wall.replace(tzinfo=clock.CITY_ZONE, fold=fold).astimezone(datetime.UTC)
