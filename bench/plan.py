"""Rebalancing: published instances, a city of 1,000 places, and the table of values.

Published instances: the real-world instances of the bike sharing rebalancing problem (Dell'Amico,
Hadjicostantinou, Iori, Novellani, Omega 45, 2014), every stop served, any number of vans, least
cost. They are looked for in the folder `BRP_DIR`, else in `shared/brp` beside the project; without
them those figures are left out. Each gets 10 CPU seconds of one thread; the gap is to the best
value known, every route is checked by a judge that shares no code with the search. City: 1,000
places, 5,000 vehicles, 10 vans of 20, six hours, demand by a seeded generator with commuting;
the whole pure planning from situation to tasks is timed, and its net value compared with a search
of ten minutes (`--quick`: one minute). Value table: CPU of the calling thread.

    ./dev bench plan [--quick]
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
os.environ["LOG_LEVEL"] = "ERROR"
django.setup()

from bench.report import Figure, publish  # noqa: E402 — needs Django set up
from fleet.rebalancing.rules.demand import PRIOR_PROFILE  # noqa: E402
from fleet.rebalancing.rules.draft import draft_plan  # noqa: E402
from fleet.rebalancing.rules.offers import offers  # noqa: E402
from fleet.rebalancing.rules.parameters import Parameters  # noqa: E402
from fleet.rebalancing.rules.routing import routing_problem  # noqa: E402
from fleet.rebalancing.rules.situation import Demand, Situation, VehicleAt  # noqa: E402
from fleet.rebalancing.rules.value import expected_losses  # noqa: E402
from fleet.rebalancing.solver.problem import Floats, Problem, judge, must_serve  # noqa: E402
from fleet.rebalancing.solver.search import Effort, solve  # noqa: E402

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "brp"
INSTANCES = Path(os.environ.get("BRP_DIR", BESIDE))
CORES = 2
INSTANCE_SECONDS = 10.0
QUICK_EVERY = 5
CITY_SECONDS = 20.0
REPLAN_SECONDS = 2.0
HOURS = 18


# --- published instances --------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Result:
    """One instance: our cost, the best known one, and whether the judge agrees."""

    name: str
    stops: int
    cost: float
    best: float
    proven: bool
    feasible: bool

    @property
    def gap_pct(self) -> float:
        """Per cent above the best known value."""
        return 100.0 * (self.cost / self.best - 1.0)


def load_instance(path: Path) -> Problem:
    """Number of nodes, demands, capacity, cost matrix; whitespace between."""
    words = path.read_text().split()
    nodes = int(words[0])
    change = np.array([int(word) for word in words[1 : nodes + 1]])
    minutes = np.array([float(word) for word in words[nodes + 2 :]]).reshape(nodes, nodes)
    np.fill_diagonal(minutes, 0.0)
    prize = np.full(nodes, must_serve(minutes=minutes, cost_per_minute=1.0))
    prize[0] = 0.0
    return Problem(
        minutes=minutes,
        service=np.zeros(nodes),
        change=change,
        prize=prize,
        commodity=np.zeros(nodes, dtype=np.int64),
        packs=np.zeros(nodes, dtype=np.int64),
        capacity=int(words[nodes + 1]),
        vans=nodes - 1,
        shift_minutes=np.inf,
        cost_per_minute=1.0,
    )


def run_instance(row: dict[str, str]) -> Result:
    """Search for ten CPU seconds of this thread, and judge."""
    problem = load_instance(INSTANCES / row["file"])
    effort = Effort(seconds=INSTANCE_SECONDS, processor=True)
    answer = solve(problem, effort=effort, mandatory=True)
    judged = judge(problem, routes=answer.routes, mandatory=True)
    return Result(
        name=f"{row['city']}-{row['Q']}",
        stops=problem.stops,
        cost=judged.minutes,
        best=float(row["best_known"]),
        proven=row["proven_2014"] == "1",
        feasible=judged.feasible,
    )


def run_instances(*, quick: bool) -> list[Result]:
    """All published instances, or every fifth; one thread a core."""
    table = INSTANCES / "best_known.csv"
    if not table.exists():
        print(f"No published instances in {INSTANCES}; set BRP_DIR to measure them.")
        return []
    with table.open() as lines:
        rows = list(csv.DictReader(lines))[:: QUICK_EVERY if quick else 1]
    run_instance(rows[0])  # compiles
    with ThreadPoolExecutor(max_workers=CORES) as pool:
        results = list(pool.map(run_instance, rows))
    for result in results:
        print(
            f"{result.name:<24} n={result.stops:<4} {result.cost:>10,.0f} best {result.best:>10,.0f}"
            f"  {result.gap_pct:+6.2f} %  {'' if result.feasible else 'INFEASIBLE'}"
        )
    return results


def instance_figures(results: list[Result]) -> list[Figure]:
    """Gap, worst gap, proven optima hit, infeasible ones."""
    if not results:
        return []
    gaps = [result.gap_pct for result in results]
    proven = [result for result in results if result.proven]
    hit = sum(result.gap_pct < 0.005 for result in proven)
    broken = sum(not result.feasible for result in results)
    return [
        Figure(
            name=f"{len(results)} published instances, mean gap",
            value=float(np.mean(gaps)), unit="%", limit=0.5, aim=0.2,
        ),
        Figure(name="  worst gap", value=max(gaps), unit="%"),
        Figure(name=f"  proven optima hit of {len(proven)}", value=float(hit), unit=""),
        Figure(name="  infeasible", value=float(broken), unit="", limit=0.5),
    ]  # fmt: skip


# --- a city ---------------------------------------------------------------------------------------
def make_city(*, places: int = 1_000, vehicles: int = 5_000, seed: int = 11) -> Situation:
    """A round city whose people ride inwards in the morning and outwards in the evening."""
    chance = np.random.default_rng(seed)
    radius, turn = 0.07 * np.sqrt(chance.random(places)), chance.uniform(0, 2 * np.pi, places)
    lon, lat = 9.19 + radius * np.cos(turn) * 1.4, 45.464 + radius * np.sin(turn)
    level = chance.gamma(1.2, 0.35, places) * np.exp(-((radius / 0.05) ** 2)) * 2.0
    centre = 1.0 - radius / 0.07
    morning = np.exp(-((np.arange(HOURS) - 2.5) ** 2) / 4.0)
    evening = np.exp(-((np.arange(HOURS) - 12.0) ** 2) / 6.0)
    shape = PRIOR_PROFILE[6:24]
    inwards = np.outer(0.5 - centre, morning) + np.outer(centre - 0.5, evening)
    departures = level[:, None] * shape * np.clip(1.0 + inwards, 0.2, None)
    arrivals = level[:, None] * shape * np.clip(1.0 - inwards, 0.2, None)
    weight = level * chance.gamma(0.7, 1.0, places) + 1e-3
    standing = chance.choice(places, size=vehicles, p=weight / weight.sum())
    battery = chance.integers(5, 101, vehicles)
    return Situation(
        cells=np.arange(places),
        lon=lon,
        lat=lat,
        vehicles=tuple(
            VehicleAt(
                vehicle_id=number,
                kind="scooter",
                place=int(place),
                lon=float(lon[place]),
                lat=float(lat[place]),
                battery_pct=int(pct),
                usable=bool(pct >= 15),
                movable=True,
            )
            for number, (place, pct) in enumerate(zip(standing, battery, strict=True))
        ),
        demand={
            "scooter": Demand(
                departures=departures, arrivals=arrivals, capacity=np.full(places, 40)
            )
        },
        depot_lon=9.19,
        depot_lat=45.464,
    )


def city_figures(*, quick: bool) -> list[Figure]:
    """The plan of half a minute against that of ten minutes, and the re-plan of three seconds."""
    city = make_city()
    parameters = Parameters(
        vans=10, van_capacity=20, van_packs=40, shift_minutes=360, margin_cents={"scooter": 300}
    )
    begun = time.monotonic()
    plan = draft_plan(
        situation=city, parameters=parameters, effort=Effort(seconds=CITY_SECONDS, searches=CORES)
    )
    whole = time.monotonic() - begun
    found = offers(situation=city, parameters=parameters)
    problem = routing_problem(situation=city, parameters=parameters, found=found)
    long_seconds = 60.0 if quick else 600.0
    long_run = -solve(problem, effort=Effort(seconds=long_seconds, searches=CORES)).net_cost
    begun = time.monotonic()
    again = -solve(problem, effort=Effort(seconds=REPLAN_SECONDS, searches=CORES)).net_cost
    replan = time.monotonic() - begun
    value = float(plan.value_cents - plan.cost_cents)
    print(
        f"city: {len(found)} offers, {len(plan.tasks)} tasks, {plan.extra_trips:.0f} extra trips, "
        f"value {value / 100:,.0f} EUR net, long run {long_run / 100:,.0f} EUR"
    )
    return [
        Figure(name="city plan, situation to tasks", value=whole, unit="s", limit=30.0, aim=15.0),
        Figure(
            name=f"  its value of that after {long_seconds / 60:g} min",
            value=value / long_run, unit="", limit=0.95, aim=0.97, more_is_better=True,
        ),
        Figure(name="  searching again", value=replan, unit="s", aim=3.0),
        Figure(
            name="  its value likewise",
            value=again / long_run, unit="", aim=0.94, more_is_better=True,
        ),
    ]  # fmt: skip


def table_figure() -> Figure:
    """CPU for the losses of 1,000 places, 40 vehicles, 18 hours; the best of three."""
    level = np.random.default_rng(1).gamma(1.0, 1.0, 1_000)
    rates: Floats = level[:, None] * PRIOR_PROFILE[6:24]
    spent = []
    for _ in range(3):
        begun = time.thread_time()
        expected_losses(departures=rates, arrivals=rates, capacity=np.full(1_000, 40), highest=40)
        spent.append(time.thread_time() - begun)
    return Figure(name="value table, 1,000 places x 18 h", value=min(spent), unit="CPU-s", aim=0.2)


def main() -> int:
    """Measure and publish; 1 when a limit is broken."""
    parser = argparse.ArgumentParser(description="Benchmark the rebalancing plan.")
    parser.add_argument("--quick", action="store_true", help="few instances, a short long run")
    options = parser.parse_args()
    results = run_instances(quick=options.quick)
    figures = [*instance_figures(results), *city_figures(quick=options.quick), table_figure()]
    notes: dict[str, object] = {
        "quick": options.quick,
        "instances": [
            {"name": result.name, "cost": result.cost, "gap_pct": round(result.gap_pct, 3)}
            for result in results
        ],
    }
    return 0 if publish(name="plan", figures=figures, notes=notes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
