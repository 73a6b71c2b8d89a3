"""From the fleet's own state history to trips and hours observed at each place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleet.rebalancing.rules.backtest import Past
from fleet.rebalancing.rules.demand import BUCKETS, Observed, with_unmet_searches
from fleet.rebalancing.rules.presence import by_bucket, presence_hours
from fleet.rebalancing.solver.problem import Floats, Ints

Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class StateLog:
    """State changes of one kind of vehicle, sorted by vehicle and time."""

    vehicle: Ints
    at: Floats  # hours from the start of the window; may be negative
    place: Ints  # -1 = unknown
    available: Flags  # rentable from here on
    started: Flags  # a trip began
    ended: Flags  # a trip ended


@dataclass(frozen=True, kw_only=True)
class Searches:
    """Searches by (place, hour of the window)."""

    searched: Floats
    found: Floats


@dataclass(frozen=True, kw_only=True)
class Window:
    """The hours looked at: their number, and the bucket of the week of each."""

    bucket_of_hour: Ints

    @property
    def hours(self) -> int:
        """Length of the window."""
        return int(self.bucket_of_hour.size)


def observe(
    *, log: StateLog, searches: Searches, window: Window, places: int
) -> tuple[Observed, Observed]:
    """Departures and arrivals by place and bucket of the week.

    Departures count against the hours in which a vehicle could be had, plus the empty hours in
    which somebody looked; arrivals count against all hours.
    """
    presence = _presence(log, window=window, places=places)
    unmet = np.maximum(searches.searched - searches.found, 0.0)
    missed = (1.0 - presence) * (unmet > 0)
    departures = with_unmet_searches(
        observed=Observed(
            trips=_bucketed(_count(log, log.started, window=window, places=places), window),
            hours=_bucketed(presence, window),
        ),
        unmet=_bucketed(unmet, window),
        found=_bucketed(searches.found, window),
        hours_missed=_bucketed(missed, window),
    )
    all_hours = np.bincount(window.bucket_of_hour, minlength=BUCKETS).astype(np.float64)
    arrivals = Observed(
        trips=_bucketed(_count(log, log.ended, window=window, places=places), window),
        hours=np.tile(all_hours, (places, 1)),
    )
    return departures, arrivals


def past_of(*, log: StateLog, window: Window, places: int) -> Past:
    """Trips and presence by (place, hour), for what compares days with each other."""
    return Past(
        trips=_count(log, log.started, window=window, places=places),
        present=_presence(log, window=window, places=places),
        known=np.ones((places, window.hours)),
        bucket_of_hour=window.bucket_of_hour,
    )


def starts_by_place(*, log: StateLog, window: Window, places: int) -> Floats:
    """Trips that began at each place within the window."""
    starts: Floats = _count(log, log.started, window=window, places=places).sum(axis=1)
    return starts


def _presence(log: StateLog, *, window: Window, places: int) -> Floats:
    """Each available stretch lasts to the vehicle's next change, or to the end of the window."""
    following = np.full(log.at.size, float(window.hours))
    same = log.vehicle[1:] == log.vehicle[:-1]
    following[:-1][same] = log.at[1:][same]
    standing = log.available & (log.place >= 0)
    return presence_hours(
        place=log.place[standing],
        since=log.at[standing],
        until=following[standing],
        places=places,
        hours=window.hours,
    )


def _count(log: StateLog, which: Flags, *, window: Window, places: int) -> Floats:
    chosen = which & (log.place >= 0) & (log.at >= 0) & (log.at < window.hours)
    hour = np.floor(log.at[chosen]).astype(np.int64)
    flat = np.bincount(log.place[chosen] * window.hours + hour, minlength=places * window.hours)
    return flat.reshape(places, window.hours).astype(np.float64)


def _bucketed(values: Floats, window: Window) -> Floats:
    return by_bucket(values=values, bucket_of_hour=window.bucket_of_hour, buckets=BUCKETS)
