"""Reading the past that a plan rests on."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import numpy as np

from fleet.rebalancing.cells import parent_of
from fleet.rebalancing.queries.history import (
    HOUR,
    buckets_of,
    full_hour,
    load_changes,
    load_counts,
    searches_of,
    state_log,
)
from fleet.rebalancing.rules.demand import BUCKETS
from fleet.rebalancing.rules.habit import Habit, basis_of, kind_habit
from fleet.rebalancing.rules.history import Window
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.solver.problem import Ints

UNSEEN = (float("nan"), float("nan"))


def load_habit(
    *, organisation_id: int, city_id: int, parameters: Parameters, at: datetime.datetime
) -> Habit:
    """An operator's past in a city up to the hour that `at` lies in, in three queries.

    It reads every state change of weeks: what a revision takes from its plan instead.
    """
    end = full_hour(at)
    start = end - datetime.timedelta(days=parameters.history_days)
    changes = load_changes(
        organisation_id=organisation_id,
        city_id=city_id,
        kinds=parameters.all_kinds,
        start=start,
        end=end,
    )
    counts = load_counts(start=start, end=end)
    spots = changes.spots()
    cells = sorted(spots.keys() | set(counts.cell.tolist()))
    place_of = {cell: place for place, cell in enumerate(cells)}
    window = Window(bucket_of_hour=buckets_of(start=start, hours=int((end - start) / HOUR)))
    parents = parents_of(cells)
    kinds = {}
    for kind in parameters.all_kinds:
        kinds[kind] = kind_habit(
            log=state_log(changes=changes.of_kind(kind), place_of=place_of),
            searches=searches_of(
                counts=counts,
                kind=kind,
                kinds=parameters.all_kinds,
                place_of=place_of,
                window=window,
            ),
            window=window,
            parents=parents,
            prior_trips_per_vehicle_day=parameters.prior_trips_per_vehicle_day,
        )
    lon, lat = np.array([spots.get(cell, UNSEEN) for cell in cells]).reshape(-1, 2).T
    return Habit(
        basis=basis_of(parameters=parameters, end=end),
        cells=np.array(cells, dtype=np.int64),
        lon=lon,
        lat=lat,
        hours=np.bincount(window.bucket_of_hour, minlength=BUCKETS).astype(np.float64),
        kinds=kinds,
    )


def parents_of(cells: Iterable[int]) -> Ints:
    """For each cell the number of the coarser one around it."""
    coarse = np.array([parent_of(cell) for cell in cells], dtype=np.int64)
    numbers: Ints = np.unique(coarse, return_inverse=True)[1]
    return numbers
