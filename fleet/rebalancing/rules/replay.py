"""A past day lived again, with the crews' deeds and without them. Pure, and the same for one seed.

What riders wished for is drawn once and met by both days (common random numbers), so that their
difference is the plan's doing and not chance: its variance is that of the difference, much below that
of either day (Law 2015, Simulation Modeling and Analysis, 11.2).

Wishes are of two sorts. *Seen*: every trip of the day, when and where it began, to where it went.
*Unseen*: where no vehicle stood nobody could begin a trip, so these come from the forecast known at
the day's start, Poisson with rate(place, hour) times the share of the hour without a vehicle. Those who
wish for what is not there are lost: nobody walks to the next place, so losses are rather high than low,
in both days alike.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fleet.rebalancing.solver.problem import Floats, Ints

TAKE, PUT, CHARGE = "take", "put", "charge"
FULL_PCT = 100.0
# Of all seeds, those between lie in the interval that is told.
LOW, HIGH = 5.0, 95.0


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Somebody wants to ride: when, from where, to where, how long, and how much of a battery it takes."""

    at: float  # hours from the start
    kind: str
    cell: int
    to: int
    hours: float
    use_pct: float
    seen: bool = True


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A vehicle at the start: where it stands and what is left in it."""

    vehicle_id: int
    kind: str
    cell: int
    battery_pct: float


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What a crew did: took a vehicle onto its van, put some down, or charged one."""

    at: float
    what: str
    kind: str
    cell: int
    van: int = 0
    vehicle_id: int | None = None
    quantity: int = 1


@dataclass(frozen=True, kw_only=True)
class Lived:
    """How a day went."""

    rides: Mapping[str, int]
    lost: Mapping[str, int]
    idle_deeds: int  # crews found nothing to take, put or charge

    @property
    def lost_in_all(self) -> int:
        """Wishes that met no vehicle."""
        return sum(self.lost.values())


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """What could not be seen of one kind's demand: expected wishes by (cell, hour), and where trips go."""

    cells: Ints
    expected: Floats  # (cell, hour)
    arrivals: Floats  # (cell, hour); where people go at that hour
    hours: Floats  # durations to draw from
    use_pct: Floats  # and what each took from its battery


@dataclass
class _Town:
    """Where vehicles stand: by kind and cell, vehicle to what is left in its battery."""

    low_pct: float
    at: dict[tuple[str, int], dict[int, float]] = field(default_factory=dict)
    cell_of: dict[int, tuple[str, int]] = field(default_factory=dict)
    vans: dict[tuple[int, str], list[tuple[int, float]]] = field(default_factory=dict)

    def stand(self, vehicle_id: int, *, kind: str, cell: int, pct: float) -> None:
        self.at.setdefault((kind, cell), {})[vehicle_id] = pct
        self.cell_of[vehicle_id] = (kind, cell)

    def leave(self, vehicle_id: int) -> float:
        place = self.cell_of.pop(vehicle_id)
        return self.at[place].pop(vehicle_id)

    def fullest(self, *, kind: str, cell: int) -> int | None:
        """The vehicle a rider takes: the fullest, the lower number among equals."""
        here = self.at.get((kind, cell), {})
        usable = [(-pct, number) for number, pct in here.items() if pct >= self.low_pct]
        return min(usable)[1] if usable else None

    def emptiest(self, *, kind: str, cell: int) -> int | None:
        """The vehicle a crew takes when the one it came for is gone."""
        here = self.at.get((kind, cell), {})
        return min((pct, number) for number, pct in here.items())[1] if here else None


def relive(
    *, fleet: Iterable[Standing], wishes: Sequence[Wish], deeds: Sequence[Deed], low_pct: float
) -> Lived:
    """Let a day happen.

    1. Everything happens in the order of time; at one instant riders end, crews work, riders begin.
    2. Who wishes to ride takes the fullest vehicle of the kind in the cell that has `low_pct` or more;
    without one the wish is lost. 3. A ride ends where its wish leads, less what it took from the battery;
    below `low_pct` the vehicle waits for a crew. 4. A crew takes the vehicle it came for if it stands
    anywhere in its cell, else the emptiest one there; puts down what its van has; charges the vehicle it
    came for wherever it stands. What is not there is not done.
    """
    town = _Town(low_pct=low_pct)
    for one in fleet:
        town.stand(one.vehicle_id, kind=one.kind, cell=one.cell, pct=one.battery_pct)
    rides: defaultdict[str, int] = defaultdict(int)
    lost: defaultdict[str, int] = defaultdict(int)
    idle = 0
    under_way: list[tuple[float, int, Wish, float]] = []
    events = heapq.merge(
        ((deed.at, 0, number) for number, deed in _in_time(deeds)),
        ((wish.at, 1, number) for number, wish in _in_time(wishes)),
    )
    for at, sort, number in events:
        while under_way and under_way[0][0] <= at:
            _ended, vehicle_id, ride, pct = heapq.heappop(under_way)
            town.stand(vehicle_id, kind=ride.kind, cell=ride.to, pct=pct)
        if sort == 0:
            idle += not _do(town, deeds[number])
            continue
        wish = wishes[number]
        found = town.fullest(kind=wish.kind, cell=wish.cell)
        if found is None:
            lost[wish.kind] += 1
            continue
        rides[wish.kind] += 1
        left = max(0.0, town.leave(found) - wish.use_pct)
        heapq.heappush(under_way, (at + wish.hours, found, wish, left))
    return Lived(rides=dict(rides), lost=dict(lost), idle_deeds=idle)


def draw_wishes(*, seen: Sequence[Wish], unseen: Mapping[str, Unseen], seed: int) -> list[Wish]:
    """The wishes of one seed: all that were seen, and a draw of those that could not be."""
    random = np.random.default_rng(seed)
    wishes = list(seen)
    for kind in sorted(unseen):
        wishes += _drawn(unseen[kind], kind=kind, random=random)
    return sorted(wishes, key=lambda wish: (wish.at, wish.kind, wish.cell, wish.to))


def compare_days(
    *,
    fleet: Sequence[Standing],
    seen: Sequence[Wish],
    unseen: Mapping[str, Unseen],
    deeds: Sequence[Deed],
    low_pct: float,
    seeds: int,
    margin_cents: Mapping[str, int],
    cost_cents: int,
) -> dict[str, Any]:
    """The day with and without the deeds, seed by seed, and the interval over the seeds.

    Saved trips are lost without less lost with; euros are saved trips times what a trip of the kind
    leaves, less what the crews cost. `low` and `high` hold nine seeds of ten; `mean_error` is the
    standard error of the mean.
    """
    rows = []
    for seed in range(seeds):
        wishes = draw_wishes(seen=seen, unseen=unseen, seed=seed)
        bare = relive(fleet=fleet, wishes=wishes, deeds=(), low_pct=low_pct)
        planned = relive(fleet=fleet, wishes=wishes, deeds=deeds, low_pct=low_pct)
        saved = {kind: bare.lost.get(kind, 0) - planned.lost.get(kind, 0) for kind in margin_cents}
        earned = sum(margin_cents[kind] * trips for kind, trips in saved.items())
        rows.append((len(wishes), bare, planned, sum(saved.values()), earned - cost_cents))
    return {
        "wishes": round(float(np.mean([row[0] for row in rows])), 1),
        "seen": len(seen),
        "without": _arm([row[1] for row in rows]),
        "with": _arm([row[2] for row in rows]),
        "saved_trips": _spread([float(row[3]) for row in rows]),
        "net_cents": _spread([float(row[4]) for row in rows]),
        "cost_cents": cost_cents,
        "deeds": len(deeds),
        "idle_deeds": round(float(np.mean([row[2].idle_deeds for row in rows])), 1),
    }


def _in_time(rows: Sequence[Any]) -> list[tuple[int, Any]]:
    return sorted(enumerate(rows), key=lambda pair: (pair[1].at, pair[0]))


def _do(town: _Town, deed: Deed) -> bool:
    """Whether a crew found what it came for."""
    if deed.what == CHARGE:
        if deed.vehicle_id not in town.cell_of:
            return False
        kind, cell = town.cell_of[deed.vehicle_id]
        town.stand(deed.vehicle_id, kind=kind, cell=cell, pct=FULL_PCT)
        return True
    aboard = town.vans.setdefault((deed.van, deed.kind), [])
    if deed.what == TAKE:
        there = town.cell_of.get(deed.vehicle_id or 0) == (deed.kind, deed.cell)
        taken = deed.vehicle_id if there else town.emptiest(kind=deed.kind, cell=deed.cell)
        if taken is None:
            return False
        aboard.append((taken, town.leave(taken)))
        return True
    down, aboard[:] = aboard[: deed.quantity], aboard[deed.quantity :]
    for vehicle_id, pct in down:
        town.stand(vehicle_id, kind=deed.kind, cell=deed.cell, pct=pct)
    return bool(down)


def _drawn(unseen: Unseen, *, kind: str, random: np.random.Generator) -> list[Wish]:
    counts = random.poisson(unseen.expected)
    wishes = []
    for place, hour in zip(*np.nonzero(counts), strict=True):
        arrivals = unseen.arrivals[:, hour]
        going = arrivals / arrivals.sum() if arrivals.sum() > 0 else None
        for _ in range(int(counts[place, hour])):
            to = int(random.choice(unseen.cells.size, p=going))
            like = int(random.integers(unseen.hours.size))
            wishes.append(
                Wish(
                    at=float(hour) + float(random.random()),
                    kind=kind,
                    cell=int(unseen.cells[place]),
                    to=int(unseen.cells[to]),
                    hours=float(unseen.hours[like]),
                    use_pct=float(unseen.use_pct[like]),
                    seen=False,
                )
            )
    return wishes


def _arm(days: Sequence[Lived]) -> dict[str, Any]:
    rides = [float(sum(day.rides.values())) for day in days]
    return {"lost": _spread([float(day.lost_in_all) for day in days]), "rides": _spread(rides)}


def _spread(values: Sequence[float]) -> dict[str, float]:
    array = np.array(values, dtype=np.float64)
    error = float(array.std(ddof=1) / np.sqrt(array.size)) if array.size > 1 else 0.0
    return {
        "mean": round(float(array.mean()), 2),
        "low": round(float(np.percentile(array, LOW)), 2),
        "high": round(float(np.percentile(array, HIGH)), 2),
        "mean_error": round(error, 3),
    }
