"""Kill everything that serves, keeps and settles charges, at random moments under load.

A throw-away stand of its own: the gateway, the relay, a worker, beat, Redis, PostgreSQL. 200
chargers run sessions of Start, 2 MeterValues and Stop one after the other and repeat, under a new
message id and over a new connection, whatever was not answered. Redis is first away for five
minutes, while charging goes on; then each round kills gateway, worker, relay and Redis with
SIGKILL and crashes PostgreSQL (immediate stop), in a random order. Denominator: calls that were
acknowledged. Lost: acknowledged and not stored. Doubled: stored twice, or never acknowledged to
anybody. Wh apart: the difference of the registers that were told and are kept.

    ./dev bench ocpp-faults [--quick] [--seed N]
"""

from __future__ import annotations

import argparse
import os
import random

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
django.setup()

from bench.report import Figure, publish  # noqa: E402 — needs Django set up
from tests.faults import charging  # noqa: E402
from tests.faults.stand import find_programs, throw_away_stand  # noqa: E402

CHARGERS, QUICK_CHARGERS = 200, 20
ROUNDS, QUICK_ROUNDS = 20, 1
REDIS_AWAY_S, QUICK_REDIS_AWAY_S = 300.0, 5.0


def figures_of(report: charging.Report) -> list[Figure]:
    """What is printed and published."""
    wrong = (
        ("lost", report.lost),
        ("doubled", report.doubled),
        ("Wh apart", report.wh_apart),
        ("acknowledged ends of sessions that are not complete", report.unfinished),
        ("chargers left without an answer", len(report.problems)),
    )
    gap_s = sorted(report.gaps_s)[len(report.gaps_s) // 2]
    return [
        Figure(name="kills", value=sum(report.kills.values()), unit=""),
        Figure(name="acknowledged sessions", value=report.sessions, unit=""),
        Figure(name="acknowledged meter values", value=report.readings, unit=""),
        Figure(name="calls repeated", value=report.repeats, unit=""),
        Figure(name="sessions ended without Redis", value=report.sessions_without_redis, unit=""),
        *(Figure(name=name, value=value, unit="", limit=0) for name, value in wrong),
        Figure(name="gateway killed to listening again, median", value=gap_s, unit="s"),
    ]


def main() -> int:
    """Kill, compare, publish."""
    parser = argparse.ArgumentParser(description="Kill what serves chargers, under load.")
    parser.add_argument("--quick", action="store_true", help="one round under 20 chargers")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    quick, tables_of = options.quick, os.environ["DATABASE_URL"]
    programs = find_programs(database_url=tables_of, redis_url=os.environ["REDIS_URL"])
    with throw_away_stand(programs, tables_of=tables_of, durable=True) as stand:
        stand.start_charging()
        report = charging.run(
            stand,
            chargers=QUICK_CHARGERS if quick else CHARGERS,
            rounds=QUICK_ROUNDS if quick else ROUNDS,
            seed=options.seed,
            redis_away_s=QUICK_REDIS_AWAY_S if quick else REDIS_AWAY_S,
        )
    for problem in report.problems:
        print(problem)
    notes = {"seed": options.seed, "kills": dict(report.kills)}
    return 0 if publish(name="ocpp-faults", figures=figures_of(report), notes=notes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
