"""A run of faults under chargers: what is killed when, and whether the books agree afterwards."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from charging.stations.models import ChargingStation
from tests.charging.ocpp.stubborn import StubbornCharger
from tests.faults.stand import Stand

VICTIMS = ("ocpp", "worker", "relay", "broker", "postgres")
"""The gateway, the worker that settles, the relay, Redis, PostgreSQL."""


@dataclass
class Report:
    """What a run of faults told."""

    kills: Counter[str] = field(default_factory=Counter)
    sessions: int = 0
    readings: int = 0
    repeats: int = 0
    lost: int = 0
    doubled: int = 0
    wh_apart: int = 0
    unfinished: int = 0
    sessions_without_redis: int = 0
    gaps_s: list[float] = field(default_factory=list)
    """From a killed gateway's start to its listening again."""
    problems: list[str] = field(default_factory=list)


def run(
    stand: Stand,
    *,
    chargers: int,
    rounds: int,
    seed: int,
    redis_away_s: float,
    pause_s: float = 2.0,
) -> Report:
    """Kill every victim once a round in a random order, Redis once for long; compare the books."""
    stop, rng, report = threading.Event(), random.Random(seed), Report()
    fleet = [
        StubbornCharger(
            f"ws://127.0.0.1:{stand.ocpp_port}/ocpp",
            ChargingStation(pk=one["id"], identity=one["identity"]),
            one["token"],
            stop,
        )
        for one in stand.stations(chargers)
    ]
    threads = [threading.Thread(target=charger.run, daemon=True) for charger in fleet]
    for thread in threads:
        thread.start()
    time.sleep(pause_s)
    _without_redis(stand, fleet, report, away_s=redis_away_s)
    for _ in range(rounds):
        for name in rng.sample(VICTIMS, len(VICTIMS)):
            away_s, began = rng.uniform(0.0, 2.0), time.monotonic()
            stand.kill_and_restart(name, away_s=away_s)
            if name == "ocpp":
                report.gaps_s.append(time.monotonic() - began - away_s)
            report.kills[name] += 1
            time.sleep(rng.uniform(0.2, 1.0) * pause_s)
    stop.set()
    for thread in threads:
        thread.join(120)
        if thread.is_alive():
            report.problems.append("a charger never got its last answer")
    compare(stand, fleet, report)
    return report


def _without_redis(
    stand: Stand, fleet: list[StubbornCharger], report: Report, *, away_s: float
) -> None:
    """Redis is gone; charges begin and end as if nothing were."""
    stand.kill("broker")
    before = sum(len(charger.stopped) for charger in fleet)
    time.sleep(away_s)
    report.sessions_without_redis = sum(len(charger.stopped) for charger in fleet) - before
    stand.start("broker")
    stand.until(stand.servers_answer, within_s=60)
    report.kills["broker"] += 1


def compare(stand: Stand, fleet: list[StubbornCharger], report: Report) -> None:
    """Acknowledged against stored: sessions, their registers, their meter values."""
    for charger in fleet:
        report.repeats += charger.repeats
        report.sessions += len(charger.started)
        report.readings += len(charger.metered)
        with stand.database() as database:
            rows = database.execute(
                "SELECT transaction_ref::bigint, meter_start_wh, meter_stop_wh, complete"
                " FROM charging_chargingsession WHERE station_id = %s",
                [charger.station.pk],
            ).fetchall()
            values = database.execute(
                "SELECT session.transaction_ref::bigint, reading.register_wh"
                " FROM charging_meterreading reading"
                " JOIN charging_chargingsession session ON session.id = reading.session_id"
                " WHERE reading.station_id = %s AND reading.register_wh IS NOT NULL",
                [charger.station.pk],
            ).fetchall()
        _compare_sessions(charger, {row[0]: row[1:] for row in rows}, len(rows), report)
        told, kept = Counter(charger.metered), Counter(values)
        report.lost += sum((told - kept).values())
        report.doubled += sum((kept - told).values())


def _compare_sessions(
    charger: StubbornCharger,
    stored: dict[int, tuple[int, int, bool]],
    count: int,
    report: Report,
) -> None:
    report.doubled += count - len(set(charger.started.values()) & set(stored))
    for number, transaction in charger.started.items():
        row = stored.get(transaction)
        if row is None:
            report.lost += 1
            continue
        begin, end, complete = row
        report.wh_apart += abs(begin - 10_000 * number)
        if transaction in charger.stopped:
            report.wh_apart += abs((end or 0) - charger.stopped[transaction])
            report.unfinished += not complete
