"""Kill the gateway with SIGKILL at random moments under load, then compare the books.

20 chargers run sessions of Start, 2 MeterValues and Stop one after the other and repeat, under a
new message id and over a new connection, whatever was not answered. Denominator: calls that were
acknowledged. A difference is a session or reading that was acknowledged and is not stored, that
is stored twice, or whose registers differ by a single Wh.

    ./dev bench ocpp-faults [--quick]
"""

from __future__ import annotations

import argparse
import random
import threading
import time

from bench import ocpp
from bench.report import Figure, publish
from charging.stations.models import ChargingStation
from charging.stations.rules import hash_password
from tests.charging.ocpp.peer import PASSWORD
from tests.charging.ocpp.stubborn import StubbornCharger, differences

CHARGERS = 20


def stubborn_chargers(url: str, stop: threading.Event) -> list[StubbornCharger]:
    """Fresh stations, so that their books begin empty."""
    ocpp.provision(CHARGERS, prefix=f"FAULT-{time.time_ns()}")
    stations = ChargingStation.objects.order_by("-pk")[:CHARGERS]
    password = hash_password(password=PASSWORD, salt="bench")
    ChargingStation.objects.filter(pk__in=[s.pk for s in stations]).update(password_hash=password)
    return [
        StubbornCharger(url, station, f"BENCH{number}", stop)
        for number, station in enumerate(stations)
    ]


def kill_under_load(*, kills: int) -> tuple[list[StubbornCharger], list[float]]:
    """Kill and start again; the chargers' books and the seconds until the port answered."""
    port = ocpp.free_port()
    arguments = ("manage.py", "run_ocpp", "--port", str(port))
    gateway = ocpp.start(*arguments, port=port)
    stop = threading.Event()
    chargers = stubborn_chargers(f"ws://127.0.0.1:{port}/ocpp", stop)
    threads = [threading.Thread(target=charger.run) for charger in chargers]
    for thread in threads:
        thread.start()
    rng, gaps_s = random.Random(1), []
    for _ in range(kills):
        time.sleep(rng.uniform(0.5, 1.5))
        gateway.kill()
        gateway.wait()
        began = time.monotonic()
        gateway = ocpp.start(*arguments, port=port)
        gaps_s.append(time.monotonic() - began)
    stop.set()
    for thread in threads:
        thread.join()
    gateway.terminate()
    gateway.wait()
    return chargers, gaps_s


def main() -> int:
    """Kill, compare, publish."""
    parser = argparse.ArgumentParser(description="Kill the OCPP gateway under load.")
    parser.add_argument("--quick", action="store_true", help="5 kills instead of 100")
    options = parser.parse_args()
    chargers, gaps_s = kill_under_load(kills=5 if options.quick else 100)
    found = [line for charger in chargers for line in differences(charger)]
    for line in found:
        print(line)
    sessions = sum(len(charger.started) for charger in chargers)
    readings = sum(len(charger.metered) for charger in chargers)
    figures = [
        Figure(name="acknowledged sessions", value=sessions, unit=""),
        Figure(name="acknowledged meter values", value=readings, unit=""),
        Figure(name="calls repeated", value=sum(c.repeats for c in chargers), unit=""),
        Figure(name="lost, doubled or different", value=len(found), unit="", limit=0),
        Figure(
            name="kill to listening again, median", value=sorted(gaps_s)[len(gaps_s) // 2], unit="s"
        ),
    ]
    return 0 if publish(name="ocpp-faults", figures=figures, notes={"kills": len(gaps_s)}) else 1


if __name__ == "__main__":
    raise SystemExit(main())
