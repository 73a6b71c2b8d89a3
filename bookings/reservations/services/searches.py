"""Searches that found nothing are demand too."""

import datetime

from bookings.reservations.searches import take_searches
from fleet.rebalancing.services import count_searches


def count_waiting_searches(*, at: datetime.datetime) -> int:
    """Hand a batch of waiting searches to the fleet's demand counters; returns how many."""
    searches = take_searches()
    count_searches(searches=searches, at=at)
    return len(searches)
