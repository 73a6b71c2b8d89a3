"""Kill everything that takes, keeps and stores reports, at random moments under load.

A throw-away stand of its own: gunicorn, the telematics edge, a worker, beat, two Redis, PostgreSQL.
Devices over HTTPS, over Teltonika's TCP and, where a Mosquitto is found, over MQTT report batches of 20 points, some shuffled, some sent
before, and repeat each report until it is acknowledged. A round kills each of web, edge, worker,
broker and telemetry Redis with SIGKILL and crashes PostgreSQL (immediate stop), in a random order; once
PostgreSQL stays away for a minute. Denominator: acknowledged points, told apart by vehicle and
device time. A point is lost if it was acknowledged and is not in the table, doubled if it is there
twice, a stranger if nobody sent it, changed if its position is another.

    ./dev bench ingest-faults [--quick] [--seed N]
"""

from __future__ import annotations

import argparse
import os
import random
import sys

from bench.report import Figure, publish
from tests.faults import ingest
from tests.faults.stand import find_programs, throw_away_stand

ROUNDS, QUICK_ROUNDS = 20, 1
OUTAGE_S, QUICK_OUTAGE_S = 60.0, 5.0


def faults_of(victims: list[str], *, seed: int, quick: bool) -> list[ingest.Fault]:
    """The plan of a run: many short crashes, and one long outage of the database."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    faults = ingest.plan_of(
        seed, processes=victims, rounds=rounds, postgres_away_s=2.0, pause_s=2.0
    )
    outage = ingest.Fault("postgres", 1.0, QUICK_OUTAGE_S if quick else OUTAGE_S)
    faults.insert(random.Random(seed).randrange(len(faults)), outage)
    return faults


def figures_of(report: ingest.Report) -> list[Figure]:
    """What is printed and published."""
    counts = (("points acknowledged", report.acknowledged), ("points stored", report.stored))
    wrong = (
        ("lost", report.lost),
        ("doubled", report.doubled),
        ("strangers", report.strangers),
        ("changed", report.changed),
        ("vehicles whose latest state is not their newest point", report.not_newest),
    )
    return [
        Figure(name="kills", value=sum(report.kills.values()), unit=""),
        Figure(name="reports acknowledged", value=report.reports, unit=""),
        Figure(name="reports repeated", value=report.repeats, unit=""),
        *(Figure(name=name, value=value, unit="") for name, value in counts),
        *(Figure(name=name, value=value, unit="", limit=0) for name, value in wrong),
        Figure(name="last report to empty log", value=report.emptied_s, unit="s"),
    ]


def main() -> int:
    """Kill, compare, publish."""
    parser = argparse.ArgumentParser(description="Kill everything under load.")
    parser.add_argument("--quick", action="store_true", help="one round instead of 20")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    tables_of = os.environ["DATABASE_URL"]
    programs = find_programs(database_url=tables_of, redis_url=os.environ["REDIS_URL"])
    with throw_away_stand(programs, tables_of=tables_of, durable=True) as stand:
        stand.start_house()
        fleet = ingest.devices(stand, http=6, teltonika=4, mqtt=3, seed=options.seed)
        faults = faults_of(ingest.victims_on(stand), seed=options.seed, quick=options.quick)
        report = ingest.run(stand, fleet, faults)
    notes = {"seed": options.seed, "kills": report.kills}
    return 0 if publish(name="ingest-faults", figures=figures_of(report), notes=notes) else 1


if __name__ == "__main__":
    sys.exit(main())
