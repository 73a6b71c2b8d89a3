"""One run: devices report, processes are killed, and at the end the books are compared."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.senders import HttpDoor, MqttDoor, StubbornDevice, TeltonikaDoor
from tests.faults.stand import Stand

_MINUTE_MS = 60_000


@dataclass(frozen=True)
class Fault:
    """Which process dies after how many seconds, and how long it stays away."""

    process: str
    after_s: float
    away_s: float


@dataclass
class Report:
    """What a run found. Points are told apart by vehicle and device time."""

    kills: dict[str, int] = field(default_factory=dict)
    reports: int = 0
    repeats: int = 0
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    strangers: int = 0
    changed: int = 0
    not_newest: int = 0
    emptied_s: float = 0.0


def plan_of(
    seed: int,
    *,
    processes: Sequence[str],
    rounds: int,
    postgres_away_s: float,
    pause_s: float,
) -> list[Fault]:
    """Each process once a round, in an order and at moments that the seed decides."""
    chance = random.Random(seed)
    faults = []
    for _ in range(rounds):
        victims = list(processes)
        chance.shuffle(victims)
        for name in victims:
            away_s = postgres_away_s if name == "postgres" else chance.uniform(0.1, 1.0)
            faults.append(Fault(name, chance.uniform(0.3, 1) * pause_s, away_s))
    return faults


def victims_on(stand: Stand) -> list[str]:
    """All that takes, keeps and stores reports."""
    broker = ["mosquitto"] if stand.mosquitto else []
    return ["web", "edge", "worker", "telemetry", "postgres", *broker]


def devices(
    stand: Stand, *, http: int, teltonika: int = 0, mqtt: int = 0, seed: int
) -> list[StubbornDevice]:
    """Vehicles with devices, ready to run."""
    made = stand.provision(http=http, teltonika=teltonika, mqtt=mqtt)
    stop = threading.Event()
    began_ms = int(time.time() * 1000) - 600 * _MINUTE_MS
    doors = [
        *((one, HttpDoor(stand.web_port, one["secret"])) for one in made["http"]),
        *((one, TeltonikaDoor(stand.edge_port, one["imei"])) for one in made["teltonika"]),
        *((one, MqttDoor(stand.mqtt_port, one["serial"], one["secret"])) for one in made["mqtt"]),
    ]
    return [
        StubbornDevice(
            vehicle_id=int(one["vehicle_id"]),
            door=door,
            began_ms=began_ms,
            stop=stop,
            seed=seed + number,
        )
        for number, (one, door) in enumerate(doors)
    ]


def run(stand: Stand, fleet: Sequence[StubbornDevice], faults: Sequence[Fault]) -> Report:
    """Let devices report while processes die; then wait until the log is empty, and compare."""
    report = Report()
    threads = [threading.Thread(target=device.run, daemon=True) for device in fleet]
    for thread in threads:
        thread.start()
    for fault in faults:
        time.sleep(fault.after_s)
        stand.kill_and_restart(fault.process, away_s=fault.away_s)
        report.kills[fault.process] = report.kills.get(fault.process, 0) + 1
    time.sleep(1)
    fleet[0].stop.set()
    for thread in threads:
        thread.join(300)
    failures = [device.failed for device in fleet if device.failed]
    assert not failures, (failures, [one.tail(15) for one in stand.processes.values()])
    ended = time.monotonic()
    stand.until(lambda: log_is_empty(stand), within_s=180)
    report.emptied_s = time.monotonic() - ended
    compare(stand, fleet, report)
    return report


def log_is_empty(stand: Stand) -> bool:
    """Whether all that was accepted has been stored and cut off."""
    client = stand.telemetry
    return not any(client.xlen(key) for key in client.scan_iter("tele:*"))


def compare(stand: Stand, fleet: Sequence[StubbornDevice], report: Report) -> None:
    """The devices' books against the tables."""
    with stand.database() as connection:
        for device in fleet:
            rows = connection.execute(
                "SELECT (extract(epoch FROM at) * 1000)::bigint, lon_e7, lat_e7"
                " FROM fleet_point WHERE vehicle_id = %s",
                [device.vehicle_id],
            ).fetchall()
            kept = {row[0]: row for row in rows}
            latest = connection.execute(
                "SELECT (extract(epoch FROM at) * 1000)::bigint FROM fleet_lateststate"
                " WHERE vehicle_id = %s",
                [device.vehicle_id],
            ).fetchone()
            report.reports += device.reports
            report.repeats += device.repeats
            report.acknowledged += len(device.acknowledged)
            report.stored += len(rows)
            report.lost += len(device.acknowledged - kept.keys())
            report.doubled += len(rows) - len(kept)
            report.strangers += len(kept.keys() - device.sent.keys())
            report.changed += sum(device.sent.get(at, row) != row for at, row in kept.items())
            report.not_newest += latest is None or latest[0] != max(kept, default=0)
