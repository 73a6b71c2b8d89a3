"""What a plan that stands already has its vans do, as numbers of stops that a search begins with."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fleet.rebalancing.rules.offers import Offer
from fleet.rebalancing.rules.situation import Situation


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One task of a plan that stands: what a van does in a cell. In driving order."""

    van: int
    kind: str  # of vehicle
    cell: int
    change: int  # vehicles onto the van, below zero off it; 0 for what is done at the spot
    task_id: int


def begun_with(
    *, visits: Iterable[Visit], situation: Situation, found: Sequence[Offer], vans: int
) -> list[list[int]]:
    """For each van the stops, numbered from 1 as in `found`, that come nearest to what stands.

    A stop that stands for a task is that task. Else a visit is the first stop for the same kind of
    work in the same cell that no visit has yet; several visits are one stop until its vehicles are
    used up. What nothing stands for any more is left out, and so is who drives no longer.
    """
    of_task = {offer.task_id: number for number, offer in enumerate(found, start=1)}
    waiting = _by_work(situation, found=found)
    routes: list[list[int]] = [[] for _van in range(vans)]
    used: set[int] = set()
    room: dict[tuple[int, tuple[str, int, int]], int] = {}
    for visit in visits:
        if visit.van >= vans:
            continue
        key = (visit.kind, visit.cell, _sign(visit.change))
        here = visit.van, key
        stop = of_task.get(visit.task_id)
        if stop is None and room.get(here, 0) > 0:
            room[here] -= max(1, abs(visit.change))
            continue
        if stop is None and waiting[key]:
            stop = waiting[key].popleft()
            offer = found[stop - 1]
            room[here] = max(abs(offer.change), len(offer.flat), 1) - max(1, abs(visit.change))
        if stop is not None and stop not in used:
            used.add(stop)
            routes[visit.van].append(stop)
    return routes


def _by_work(
    situation: Situation, *, found: Sequence[Offer]
) -> defaultdict[tuple[str, int, int], deque[int]]:
    """Stops that stand for no task, by kind, cell and what is done there."""
    waiting: defaultdict[tuple[str, int, int], deque[int]] = defaultdict(deque)
    for number, offer in enumerate(found, start=1):
        if offer.task_id is None:
            cell = offer.unload.cell if offer.unload else int(situation.cells[offer.place])
            waiting[offer.kind, cell, _sign(offer.change)].append(number)
    return waiting


def _sign(change: int) -> int:
    return (change > 0) - (change < 0)
