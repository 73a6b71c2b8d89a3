"""Hours of the city's wall clock, right on the two days a year when the clock is changed.

An instant lies in a window if the city's clocks then show a time of the window. So on the night the
clock goes back the doubled hour counts twice, and on the other one the missing hour never happens.
"""

import datetime
from collections.abc import Iterator, Sequence

from bookings.pricing.rules.terms import Window
from mobility.core.clock import CITY_ZONE

DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)


def minute_of_day(text: str) -> int:
    """Minutes since midnight of "HH:MM"; raises `ValueError` for what is no time of day."""
    hours, minutes = text.split(":")
    if len(hours) != 2 or len(minutes) != 2 or not (hours + minutes).isdecimal():
        raise ValueError(text)
    number = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or number > 1440:
        raise ValueError(text)
    return number


def shows(window: Window, at: datetime.datetime) -> bool:
    """Whether the city's clocks show a time of the window at the instant."""
    local = at.astimezone(CITY_ZONE)
    now, start, end = (
        local.hour * 60 + local.minute,
        minute_of_day(window.start),
        minute_of_day(window.end),
    )
    if start < end:
        return start <= now < end and _on(window, local.isoweekday())
    # A night: its second part belongs to the day before.
    if now >= start:
        return _on(window, local.isoweekday())
    return now < end and _on(window, (local - DAY).isoweekday())


def cuts(
    windows: Sequence[Window], *, start: datetime.datetime, end: datetime.datetime
) -> list[datetime.datetime]:
    """The instants between `start` and `end` at which another window may begin to hold, in order."""
    if not windows:
        return []
    times = {0}
    for window in windows:
        times |= {minute_of_day(window.start) % 1440, minute_of_day(window.end) % 1440}
    found: set[datetime.datetime] = set()
    date = start.astimezone(CITY_ZONE).date()
    while date <= end.astimezone(CITY_ZONE).date():
        found.update(_instants(date, times))
        date += DAY
    return sorted(instant for instant in found if start < instant < end)


def _on(window: Window, weekday: int) -> bool:
    return not window.weekdays or weekday in window.weekdays


def _instants(date: datetime.date, times: set[int]) -> Iterator[datetime.datetime]:
    """When clocks show one of `times` (once, twice or never), and when they are changed."""
    for minutes in times:
        wall = datetime.datetime.combine(date, datetime.time(*divmod(minutes, 60)), CITY_ZONE)
        yield wall.astimezone(datetime.UTC)
        yield wall.replace(fold=1).astimezone(datetime.UTC)
    midnight = datetime.datetime.combine(date, datetime.time(), CITY_ZONE)
    instant, end = (day.astimezone(datetime.UTC) for day in (midnight, midnight + DAY))
    if end - instant == DAY:
        return
    while _offset(instant) == midnight.utcoffset():
        instant += MINUTE
    yield instant


def _offset(instant: datetime.datetime) -> datetime.timedelta | None:
    return instant.astimezone(CITY_ZONE).utcoffset()
