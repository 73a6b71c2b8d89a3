"""The one clock. Doors read it and pass the instant inwards as `at`; nothing below a door asks the time."""

import datetime
from zoneinfo import ZoneInfo

CITY_ZONE = ZoneInfo("Europe/Rome")


def now() -> datetime.datetime:
    """The current instant, aware, in UTC. Only doors (views, tasks, commands, consumers) call this."""
    return datetime.datetime.now(datetime.UTC)


def local(at: datetime.datetime) -> datetime.datetime:
    """The same instant on the city's wall clock."""
    return at.astimezone(CITY_ZONE)


def service_day(at: datetime.datetime) -> datetime.date:
    """The city's calendar day that `at` falls on; days of 23 and 25 hours are days like any other."""
    return local(at).date()
