"""What rooms above know of somebody's way to a ride, for people who ask before they ride.

Money knows of debts, and stands above riders: it registers its question here. The gate itself does not
ask; reserving and starting refuse debtors by money's own service.
"""

import datetime
from collections.abc import Callable

from bookings.riders.rules import Obstacle

Source = Callable[..., tuple[Obstacle, ...]]

_sources: list[Source] = []


def register(source: Source) -> Source:
    """Let `source(user_id=, organisation_id=, at=)` tell of obstacles; usable as a decorator."""
    _sources.append(source)
    return source


def further_obstacles(
    *, user_id: int, organisation_id: int, at: datetime.datetime
) -> tuple[Obstacle, ...]:
    """What the registered rooms know."""
    return tuple(
        obstacle
        for source in _sources
        for obstacle in source(user_id=user_id, organisation_id=organisation_id, at=at)
    )
