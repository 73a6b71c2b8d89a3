"""What a fleet's past says of its places, in a form that a plan keeps until its last revision."""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fleet.rebalancing.rules.backtest import past_spread
from fleet.rebalancing.rules.demand import BUCKETS, Observed
from fleet.rebalancing.rules.forecast import Spread, availability
from fleet.rebalancing.rules.history import Searches, StateLog, Window, observe, past_of
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.solver.problem import Floats, Ints

_TABLES = ("trips", "hours", "returns", "present")


class HabitUnreadable(ValueError):
    """Stored bytes that no habit was packed into."""


@dataclass(frozen=True, kw_only=True)
class KindHabit:
    """One kind's past by (place, bucket of the week), as seen: nothing is shrunk yet."""

    departures: Observed
    returns: Floats  # trips that ended
    present: Floats  # hours in which a vehicle stood there
    spread: Spread
    seen: bool  # whether any trip is known


@dataclass(frozen=True, kw_only=True)
class Habit:
    """The past of a city's places up to a full hour. `lon` and `lat` are where a vehicle was last
    seen in the cell; not a number where people only looked."""

    basis: str  # `basis_of` what it was read for
    cells: Ints
    lon: Floats
    lat: Floats
    hours: Floats  # looked at, by bucket
    kinds: Mapping[str, KindHabit]

    def spots(self) -> dict[int, tuple[float, float]]:
        """Where in each cell a vehicle was last seen."""
        known = np.flatnonzero(~np.isnan(self.lon))
        return {int(self.cells[i]): (float(self.lon[i]), float(self.lat[i])) for i in known}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One kind's past at the places of today, some of which the past may not know."""

    departures: Observed
    arrivals: Observed
    usual: Floats  # share of time with a vehicle


def basis_of(*, parameters: Parameters, end: datetime.datetime) -> str:
    """All that a habit depends on beside the rows themselves: another basis is another habit."""
    return json.dumps(
        {
            "end": end.isoformat(),
            "days": parameters.history_days,
            "kinds": parameters.all_kinds,
            "prior": parameters.prior_trips_per_vehicle_day,
        }
    )


def kind_habit(
    *,
    log: StateLog,
    searches: Searches,
    window: Window,
    parents: Ints,
    prior_trips_per_vehicle_day: float,
) -> KindHabit:
    """Count one kind's window, and how far a forecast from it would have been off."""
    places = parents.size
    departures, arrivals = observe(log=log, searches=searches, window=window, places=places)
    past = past_of(log=log, window=window, places=places)
    vehicles = int(np.unique(log.vehicle).size)
    return KindHabit(
        departures=departures,
        returns=arrivals.trips,
        present=past.bucketed(past.present),
        spread=past_spread(
            past,
            parents=parents,
            prior_per_hour=prior_trips_per_vehicle_day * vehicles / max(1, places) / 24.0,
        ),
        seen=bool(past.trips.any()),
    )


def seen_at(*, habit: Habit, kind: str, place_of: Mapping[int, int]) -> Seen:
    """The past at the places that `place_of` numbers; it has to number all that the past knows.

    A place that the past does not know had no vehicle and nobody looked for one.
    """
    mine = habit.kinds[kind]
    rows = np.array([place_of[int(cell)] for cell in habit.cells], dtype=np.int64)

    def spread_out(table: Floats) -> Floats:
        wider = np.zeros((len(place_of), BUCKETS))
        wider[rows] = table
        return wider

    all_hours = np.tile(habit.hours, (len(place_of), 1))
    return Seen(
        departures=Observed(
            trips=spread_out(mine.departures.trips), hours=spread_out(mine.departures.hours)
        ),
        arrivals=Observed(trips=spread_out(mine.returns), hours=all_hours),
        usual=availability(present=spread_out(mine.present), hours=all_hours),
    )


def pack(habit: Habit) -> bytes:
    """Bytes that `unpack` makes the same habit of, to the last bit."""
    head = {
        "basis": habit.basis,
        "kinds": {
            kind: {"spread": asdict(mine.spread), "seen": mine.seen}
            for kind, mine in habit.kinds.items()
        },
    }
    tables: dict[str, Any] = {
        "head": np.frombuffer(json.dumps(head).encode(), dtype=np.uint8),
        "cells": habit.cells,
        "lon": habit.lon,
        "lat": habit.lat,
        "hours": habit.hours,
    }
    for kind, mine in habit.kinds.items():
        for name, table in zip(_TABLES, _tables(mine), strict=True):
            tables[f"{name}:{kind}"] = table
    packed = io.BytesIO()
    np.savez_compressed(packed, **tables)
    return packed.getvalue()


def unpack(packed: bytes) -> Habit:
    """The habit that was packed. Raises `HabitUnreadable`."""
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
            head = json.loads(stored["head"].tobytes())
            kinds = {
                kind: _kind([stored[f"{name}:{kind}"] for name in _TABLES], **known)
                for kind, known in head["kinds"].items()
            }
            places = {name: stored[name] for name in ("cells", "lon", "lat", "hours")}
        return Habit(basis=head["basis"], kinds=kinds, **places)
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as broken:
        raise HabitUnreadable from broken


def _tables(mine: KindHabit) -> tuple[Floats, Floats, Floats, Floats]:
    return mine.departures.trips, mine.departures.hours, mine.returns, mine.present


def _kind(tables: list[Floats], *, spread: Mapping[str, float], seen: bool) -> KindHabit:
    trips, hours, returns, present = tables
    return KindHabit(
        departures=Observed(trips=trips, hours=hours),
        returns=returns,
        present=present,
        spread=Spread.from_json(spread),
        seen=seen,
    )
