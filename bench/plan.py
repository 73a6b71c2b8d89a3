"""Rebalancing: published instances, a city of 1,000 places, and the table of values.

Published instances: the real-world instances of the bike sharing rebalancing problem (Dell'Amico,
Hadjicostantinou, Iori, Novellani, Omega 45, 2014), every stop served, any number of vans, least
cost. They are looked for in the folder `BRP_DIR`, else in `shared/brp` beside the project; without
them those figures are left out. Each gets 10 CPU seconds of one thread, and 60 in a search of its own
(not with `--quick`); the gap is to the best value known, every route is checked by a judge that shares
no code with the search. City: 1,000
places, 5,000 vehicles with a week of trips in the database, 10 vans of 20, six hours; timed is a
plan from reading the database to the last stored task, and a revision likewise; the plan's net value
is compared with that of the same plan after a search of ten minutes (`--quick`: one minute). Value
table: CPU of the calling thread.

    ./dev bench plan [--quick] [--only short|long|city]
"""

from __future__ import annotations

import argparse
import csv
import datetime
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
os.environ["LOG_LEVEL"] = "ERROR"
django.setup()

from bench.plan_city import provision  # noqa: E402 — needs Django set up
from bench.report import Figure, publish  # noqa: E402
from fleet.rebalancing import services  # noqa: E402
from fleet.rebalancing.models import RebalancingPlan  # noqa: E402
from fleet.rebalancing.rules.demand import PRIOR_PROFILE  # noqa: E402
from fleet.rebalancing.rules.value import expected_losses  # noqa: E402
from fleet.rebalancing.services import planning  # noqa: E402
from fleet.rebalancing.solver.problem import Floats, Problem, judge, must_serve  # noqa: E402
from fleet.rebalancing.solver.search import Effort, solve  # noqa: E402
from mobility.core import clock  # noqa: E402
from mobility.core.principals import SYSTEM  # noqa: E402

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "brp"
INSTANCES = Path(os.environ.get("BRP_DIR", BESIDE))
CORES = 2
SHORT_S, LONG_S = 10.0, 60.0
QUICK_EVERY = 5
CITY_SECONDS = 20.0
PLACES, VEHICLES = 1_000, 5_000
WISHES = {
    "vans": 10, "van_capacity": 20, "van_packs": 40, "shift_minutes": 360, "history_days": 7,
    "margin_cents": {"scooter": 300},
}  # fmt: skip


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


def run_instance(row: dict[str, str], *, seconds: float) -> Result:
    """Search for so many CPU seconds of this thread, and judge."""
    problem = load_instance(INSTANCES / row["file"])
    effort = Effort(seconds=seconds, processor=True)
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


def run_instances(*, seconds: float, quick: bool) -> list[Result]:
    """All published instances, or every fifth, each for so many CPU seconds; one thread a core."""
    table = INSTANCES / "best_known.csv"
    if not table.exists():
        print(f"No published instances in {INSTANCES}; set BRP_DIR to measure them.")
        return []
    with table.open() as lines:
        rows = list(csv.DictReader(lines))[:: QUICK_EVERY if quick else 1]
    run_instance(rows[0], seconds=1.0)  # compiles
    with ThreadPoolExecutor(max_workers=CORES) as pool:
        results = list(pool.map(partial(run_instance, seconds=seconds), rows))
    for result in results:
        print(
            f"{result.name:<24} n={result.stops:<4} {result.cost:>10,.0f} best {result.best:>10,.0f}"
            f"  {result.gap_pct:+6.2f} %  {'' if result.feasible else 'INFEASIBLE'}"
        )
    return results


def instance_figures(
    results: list[Result], *, seconds: float, limit: float | None, aim: float
) -> list[Figure]:
    """Gap, worst gap, proven optima hit, infeasible ones, and any below a proven optimum."""
    if not results:
        return []
    gaps = [result.gap_pct for result in results]
    proven = [result for result in results if result.proven]
    hit = sum(result.gap_pct < 0.005 for result in proven)
    broken = sum(not result.feasible for result in results)
    # Better than what was proven to be the best is a fault of the search or of its judge.
    beyond = sum(result.gap_pct < -0.005 for result in proven)
    return [
        Figure(
            name=f"{len(results)} published instances, {seconds:g} s each, mean gap",
            value=float(np.mean(gaps)), unit="%", limit=limit, aim=aim,
        ),
        Figure(name="  worst gap", value=max(gaps), unit="%"),
        Figure(name=f"  proven optima hit of {len(proven)}", value=float(hit), unit=""),
        Figure(name="  infeasible", value=float(broken), unit="", limit=0.5),
        Figure(name="  below a proven optimum", value=float(beyond), unit="", limit=0.5),
    ]  # fmt: skip


# --- a city ---------------------------------------------------------------------------------------
def city_figures(*, quick: bool) -> list[Figure]:
    """From database to stored plan, against ten minutes of search; then a revision likewise."""
    at = clock.now().replace(hour=1, minute=30, second=0, microsecond=0)
    operator = provision(places=PLACES, vehicles=VEHICLES, at=at)
    run_warm()
    begun, spent = time.monotonic(), time.process_time()
    plan = services.make_plan(
        organisation_id=operator, seconds=CITY_SECONDS, parameters=WISHES, at=at, by=SYSTEM
    )
    whole, spent = time.monotonic() - begun, time.process_time() - spent
    value = float(plan.summary["value_cents"] - plan.summary["cost_cents"])
    # As the plan was made: nothing stood before it.
    ready = replace(planning.prepare_plan(plan, at=at, by=SYSTEM), standing=[])
    long_seconds = 60.0 if quick else 600.0
    best = long_run(ready, seconds=long_seconds)
    again = revise(plan, at=at)
    print(
        f"city: {plan.summary['offers']} offers, {plan.tasks.count()} tasks, "
        f"{plan.summary['extra_trips']:.0f} extra trips, value {value / 100:,.0f} EUR net, "
        f"long run {best / 100:,.0f} EUR; reading and writing {whole - CITY_SECONDS:.1f} s, "
        f"in all {spent:.1f} CPU-s of its process"
    )
    return [
        Figure(
            name="city plan, database to stored plan",
            value=whole, unit="s", limit=30.0, aim=15.0,
        ),
        Figure(
            name=f"  its value of that after {long_seconds / 60:g} min",
            value=value / best, unit="", limit=0.95, aim=0.97, more_is_better=True,
        ),
        Figure(name="  a revision, likewise", value=again.seconds, unit="s", limit=3.0),
        Figure(
            name="  its value of the plan's",
            value=again.value / value, unit="", aim=0.94, more_is_better=True,
        ),
    ]  # fmt: skip


def run_warm() -> None:
    """Compile, which every worker does once."""
    run = np.random.default_rng(1)
    spots = run.uniform(0, 5, (6, 2))
    small = load_plain(np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1)))
    solve(small, effort=Effort(rounds=10))


def load_plain(minutes: Floats) -> Problem:
    """Stops without vehicles."""
    nodes = minutes.shape[0]
    nothing = np.zeros(nodes, dtype=np.int64)
    return Problem(
        minutes=minutes, service=np.zeros(nodes), change=nothing, prize=np.zeros(nodes),
        commodity=nothing, packs=nothing, capacity=1, vans=1, shift_minutes=60.0,
        cost_per_minute=1.0,
    )  # fmt: skip


def long_run(ready: planning.Ready, *, seconds: float) -> float:
    """Net value, in cents, of the same plan after a long search: the same stops, ways and vehicles
    aboard, and counted from its tasks in the same way."""
    draft = planning.search_plan(ready, effort=Effort(seconds=seconds, searches=CORES))
    return float(draft.value_cents - draft.cost_cents)


@dataclass(frozen=True, kw_only=True)
class Again:
    """A new version of the plan: how long it took, what it is worth."""

    seconds: float
    value: float


def revise(plan: RebalancingPlan, *, at: datetime.datetime) -> Again:
    """Publish the plan, lock some of its tasks, and route the rest anew."""
    services.publish_plan(plan_id=plan.pk, at=at, by=SYSTEM)
    for task in plan.tasks.filter(van=0).order_by("sequence")[:3]:
        services.lock_task(task_id=task.pk, locked=True, at=at, by=SYSTEM)
    begun = time.monotonic()
    revised = services.revise_plan(plan_id=plan.pk, at=at, by=SYSTEM)
    seconds = time.monotonic() - begun
    summary = revised.summary
    return Again(seconds=seconds, value=float(summary["value_cents"] - summary["cost_cents"]))


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
    parser.add_argument("--only", choices=("short", "long", "city"), help="a part of it")
    options = parser.parse_args()
    parts = {options.only} if options.only else {"short", "city"}
    if not options.only and not options.quick:
        parts.add("long")
    figures: list[Figure] = []
    notes: dict[str, object] = {"quick": options.quick, "parts": sorted(parts)}
    for part, seconds, limit in (("short", SHORT_S, 0.5), ("long", LONG_S, None)):
        if part in parts:
            results = run_instances(seconds=seconds, quick=options.quick)
            figures += instance_figures(results, seconds=seconds, limit=limit, aim=0.2)
            notes[part] = [
                {"name": result.name, "cost": result.cost, "gap_pct": round(result.gap_pct, 3)}
                for result in results
            ]
    if "city" in parts:
        figures += [*city_figures(quick=options.quick), table_figure()]
    name = f"plan-{options.only}" if options.only else "plan"
    return 0 if publish(name=name, figures=figures, notes=notes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
