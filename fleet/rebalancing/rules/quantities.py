"""Quantities after the search, which knows only whole moves: nothing rides around for nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fleet.rebalancing.rules.offers import Offer
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.solver.problem import Ints, Problem, judge

Routes = list[list[int]]


def evened_out(
    *,
    found: list[Offer],
    problem: Problem,
    routes: Routes,
    parameters: Parameters,
    rebuild: Callable[[list[Offer]], Problem],
) -> tuple[list[Offer], Problem, Routes]:
    """Stops, problem and routes with what would end its tour on a van brought or left standing.

    1. At places that the van serves anyway, bring part of a move that nobody serves, where that
    pays for the hands. 2. Take fewer from the last pick-ups. Decided stops are left alone, and if
    any limit would break (the hands take time), so is the whole plan.
    """
    stops, changed = list(found), [list(route) for route in routes]
    served = {stop for route in routes for stop in route}
    for van, route in enumerate(changed):
        for row, kind in enumerate(parameters.kinds):
            _bring(
                stops,
                problem=problem,
                van=van,
                route=route,
                kind=kind,
                row=row,
                served=served,
                parameters=parameters,
            )
            _leave(stops, problem=problem, van=van, route=route, kind=kind, row=row)
    if changed == routes and stops == found:
        return found, problem, routes
    kept = [[stop for stop in route if not _emptied(stops[stop - 1])] for route in changed]
    again = rebuild(stops)
    better = judge(again, routes=kept)
    if better.feasible and better.net_cost <= judge(problem, routes=routes).net_cost + 1e-6:
        return stops, again, kept
    return found, problem, routes


def _bring(
    stops: list[Offer],
    *,
    problem: Problem,
    van: int,
    route: list[int],
    kind: str,
    row: int,
    served: set[int],
    parameters: Parameters,
) -> None:
    """Put down more where the van stops anyway; the stop is added to `stops` and to the route."""
    for at in range(len(route) - 1, -1, -1):
        place = stops[route[at] - 1].place
        spare = _spare(stops, problem=problem, van=van, route=route, kind=kind, row=row)
        extra = int(spare[at + 1 :].min(initial=spare[-1]))
        if extra < 1 or place < 0:
            continue
        number = _wanted_at(place, stops=stops, kind=kind, served=served)
        if number is None:
            continue
        offer = stops[number - 1]
        share = min(extra, -offer.change)
        part = replace(offer, change=-share, gain=offer.gain * share / -offer.change)
        hands = share * parameters.handling_minutes * parameters.cost_cents_per_minute
        if part.gain * parameters.margin(kind) > hands:
            served.add(number)
            stops.append(part)
            served.add(len(stops))
            route.insert(at + 1, len(stops))


def _wanted_at(place: int, *, stops: list[Offer], kind: str, served: set[int]) -> int | None:
    """The first drop-off at a place that nobody serves: the one worth most of those."""
    for number, offer in enumerate(stops, start=1):
        here = offer.place == place and offer.kind == kind and offer.change < 0
        if here and number not in served and _free(offer):
            return number
    return None


def _leave(
    stops: list[Offer], *, problem: Problem, van: int, route: list[int], kind: str, row: int
) -> None:
    """Take fewer at the last pick-ups, as long as every later drop-off still has enough."""
    for at in range(len(route) - 1, -1, -1):
        offer = stops[route[at] - 1]
        if offer.kind != kind or offer.change <= 0 or not _free(offer):
            continue
        spare = _spare(stops, problem=problem, van=van, route=route, kind=kind, row=row)
        fewer = min(offer.change, int(spare[at + 1 :].min()))
        if fewer > 0:
            left = offer.change - fewer
            stops[route[at] - 1] = replace(
                offer, change=left, gain=offer.gain * left / offer.change
            )


def _spare(
    stops: list[Offer], *, problem: Problem, van: int, route: list[int], kind: str, row: int
) -> Ints:
    """Whole vehicles of a kind aboard before the first stop and after each."""
    changes = [
        offer.change if offer.kind == kind and not offer.workshop else 0
        for offer in (stops[stop - 1] for stop in route)
    ]
    start = int(problem.start_loads()[row, van])
    aboard: Ints = np.cumsum([start, *changes])
    return aboard


def _free(offer: Offer) -> bool:
    """Whether nobody decided on it and no single vehicle is meant."""
    decided = offer.task_id is not None or offer.forced
    return not decided and offer.vehicle is None and not offer.workshop


def _emptied(offer: Offer) -> bool:
    """A pick-up of which nothing is left."""
    still = offer.swaps or offer.drive or offer.unload or offer.vehicle or offer.change
    return not still
