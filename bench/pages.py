"""Every page and every list of the API with 10,000 vehicles in the city; what a page weighs; the live map.

Pages: the URL conf says which there are, the tables of `tests/tenancy` who opens them
(`tests/faces/counting/doors.py`): residents' pages, the desk, every list and form of the admin, the
operator's and the crews' pages, every address of the API that is read. The city has one of everything for
each two vehicles, one in fifty with alarms and work, a station for each ten. The real web workers answer
one request after the other; the figure is the 95th percentile of 30 whole answers, or the slowest of 8
where none of these took more than 60 ms. What is above the limit, or near it, is asked 100 times more in
the end, and all its answers count: a page is slow all the time, a machine now and then. A loop of fixed
work tells how fast the machine was before and after, and the kernel how much of it a hypervisor gave to
others. The number of queries is counted with 1,000 and with 10,000
vehicles and an empty cache, and must not grow.

Weight (`pages_weight.py`): Chromium opens the map page, a ride under way and the desk's home through the
web workers, static files collected and compressed as in production.

Map (`pages_map.py`): one look (the query included) and the writing of the snapshot and of a second in which
1,000 vehicles moved, in this process; then 500 listeners on one live process while every second another
1,000 vehicles move: its CPU per second, and the delay from the commit of a change to its arrival.
Not counted: the listeners and the one who moves the vehicles (this process), and the database.

    ./dev bench pages [--quick] [--only pages|weight|map]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile

import django
import httpx

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
os.environ |= {"LOG_LEVEL": "CRITICAL", "HTTPS": "false"}
django.setup()

from bench.meters import fixed_work_ms, stolen_s, tree_cpu_s  # noqa: E402
from bench.pages_city import Fleet, enlarge, provision  # noqa: E402
from bench.pages_map import measure_listeners, measure_map  # noqa: E402
from bench.pages_weight import measure_weight  # noqa: E402
from bench.processes import ROOT, free_port, running, start_web, wait_for_web  # noqa: E402
from bench.report import Figure, publish  # noqa: E402
from bench.timing import p95, timed  # noqa: E402
from tests.faces.counting.doors import NO_PAGE, Door  # noqa: E402
from tests.faces.counting.visits import Visitor  # noqa: E402

VEHICLES = 10_000
LIMIT_MS = 100.0
WARM_UP = 2
# Of pages far from the limit a few answers are enough to see that.
FEW, SLOW_MS = 8, 60.0
# What is above this is asked so many times more.
AGAIN, NEAR_MS = 100, 80.0
SHOWN = 20
# The city's one file is of a kind that only the process knows which made it.
HERE_ONLY = {"api:file"}
# Made on demand of everything there is, for a spreadsheet or a printer: shown without a limit.
FILES = {
    "admin:fleet_vehicle_export", "api:charging-records-file", "api:charging-statements-file",
    "api:charging-signed-values-file", "api:connector-stickers", "api:me-export",
}  # fmt: skip

Opened = dict[tuple[str, str], Door]


def kind_of(door: Door) -> str:
    """Which face it belongs to."""
    if door.name in FILES:
        return "whole files"
    if door.is_form:
        return "forms of the admin"
    starts = {"resident:": "residents' pages", "api:": "lists of the API", "desk:": "the desk"}
    return next((kind for start, kind in starts.items() if door.name.startswith(start)), "") or (
        "lists of the admin" if door.name.endswith("_changelist") else "other pages"
    )


def count_queries(fleet: Fleet) -> tuple[Opened, dict[tuple[str, str], int]]:
    """What opens, and how many queries each page asks, in this process."""
    visitor = Visitor(fleet.people)
    opened: Opened = {}
    for door in fleet.doors:
        for who in door.people:
            if visitor.visit(door.address, who)[0] == 200:
                opened[door.name, who] = door
                break
        else:
            if not door.is_form and door.name not in NO_PAGE:
                raise RuntimeError(f"{door.address} opens for nobody")
    # After everything was seen once, because looks leave traces that other pages list; and the fewer
    # of two, because what a process remembers for a minute may just have been forgotten.
    counted = {
        (name, who): min(visitor.visit(door.address, who)[1] for _look in range(2))
        for (name, who), door in opened.items()
    }
    return opened, counted


def time_pages(
    port: int, fleet: Fleet, opened: Opened, *, times: int, again: int
) -> dict[tuple[str, str], list[float]]:
    """Milliseconds of each answer, one at a time.

    1. Of each page a few, and of those that may be slow `times`.
    2. Of those above the limit or near it `again` more, when all others have been asked.
    """
    cookies = Visitor(fleet.people).cookies
    took: dict[tuple[str, str], list[float]] = {}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}", timeout=60, headers={"accept-language": "en"}
    ) as http:

        def ask(key: tuple[str, str], many: int) -> None:
            cookie = cookies[key[1]]
            headers = {"cookie": f"sessionid={cookie}"} if cookie else {}
            request = http.build_request("GET", opened[key].address, headers=headers)
            if key not in took:
                for _ in range(WARM_UP):
                    http.send(request).raise_for_status()
            took.setdefault(key, []).extend(timed(lambda: http.send(request)) for _ in range(many))

        for key in opened:
            if key[0] in HERE_ONLY:
                continue
            ask(key, min(times, FEW))
            if max(took[key]) > SLOW_MS:
                ask(key, times - len(took[key]))
        for key in [key for key in took if key[0] not in FILES and p95(took[key]) > NEAR_MS]:
            ask(key, again)
    return took


def measure_pages(port: int, pid: int, fleet: Fleet, few: dict[tuple[str, str], int], *, times: int, again: int) -> tuple[list[Figure], dict[str, object]]:  # fmt: skip
    """Counts with many vehicles beside those with few, then times with many."""
    opened, many = count_queries(fleet)
    before, stolen = fixed_work_ms(), stolen_s()
    spent = tree_cpu_s([pid])
    took = time_pages(port, fleet, opened, times=times, again=again)
    spent = tree_cpu_s([pid]) - spent
    stolen, after = stolen_s() - stolen, fixed_work_ms()
    slow = sorted(((p95(values), key) for key, values in took.items()), reverse=True)
    # A list of more than one page finds its rows first, and where there is something there is more to ask:
    # one question, not one for each row.
    grown = sorted(key for key in many if many[key] > few.get(key, many[key]) + 1)
    by_kind: dict[str, list[float]] = {}
    for value, key in slow:
        by_kind.setdefault(kind_of(opened[key]), []).append(value)
    figures = [
        Figure(
            name=f"p95 of {len(values)} {kind}: the slowest",
            value=values[0],
            unit="ms",
            limit=None if kind == "whole files" else LIMIT_MS,
        )
        for kind, values in sorted(by_kind.items())
    ] + [
        Figure(name=f"p95 {name} ({who})", value=value, unit="ms")
        for value, (name, who) in slow[:SHOWN]
    ]  # fmt: skip
    over = sum(value > LIMIT_MS for value, (name, _who) in slow if name not in FILES)
    answers = sum(len(values) + WARM_UP for values in took.values())
    figures += [
        Figure(name="machine: fixed work, before", value=before, unit="ms"),
        Figure(name="machine: fixed work, after", value=after, unit="ms"),
        Figure(name="machine: CPU that a hypervisor took", value=stolen, unit="s"),
        Figure(name="pages and lists measured", value=len(took), unit=""),
        Figure(name="of them above 100 ms", value=over, unit="", limit=0.5),
        Figure(name="web: CPU per answer, all pages alike", value=1000 * spent / answers, unit="ms"),
        Figure(name="pages whose queries grow with the fleet", value=len(grown), unit="", limit=0.5),
    ]  # fmt: skip
    table = {
        f"{name} {who}": [round(value, 1), many[name, who]] for value, (name, who) in sorted(slow)
    }
    growing = {" ".join(key): [few[key], many[key]] for key in grown}
    return figures, {"growing": growing, "p95_ms_and_queries": table}


def collect_static_files() -> None:
    """Into a folder of this run, compressed, as production serves them."""
    os.environ |= {"STATIC_ROOT": tempfile.mkdtemp(), "STATIC_FROM_SOURCE": "false"}
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
    subprocess.run(collect, check=True, cwd=ROOT)


def main() -> int:
    """Make the city, ask, weigh, watch, publish."""
    parser = argparse.ArgumentParser(description="Benchmark every page and the live map.")
    parser.add_argument(
        "--quick", action="store_true", help="few requests, ten seconds of watching"
    )
    parser.add_argument("--only", choices=("pages", "weight", "map"), help="a part of it")
    options = parser.parse_args()
    parts = {options.only} if options.only else {"pages", "weight", "map"}
    city = provision()
    few = {}
    if "pages" in parts:
        _opened, few = count_queries(enlarge(city, vehicles=VEHICLES // 10))
    fleet = enlarge(city, vehicles=VEHICLES)
    figures: list[Figure] = []
    notes: dict[str, object] = {"quick": options.quick, "parts": sorted(parts)}
    port = free_port()
    if parts & {"pages", "weight"}:
        collect_static_files()
        web = start_web(port)
        with running(web):
            wait_for_web(port)
            if "weight" in parts:
                figures += measure_weight(port, fleet, times=1 if options.quick else 5)
            if "pages" in parts:
                timed_figures, table = measure_pages(port, web.pid, fleet, few, times=5 if options.quick else 30, again=5 if options.quick else AGAIN)  # fmt: skip
                figures += timed_figures
                notes |= table
    if "map" in parts:
        figures += measure_map()
        figures += asyncio.run(measure_listeners(fleet, seconds=10 if options.quick else 60))
    return 0 if publish(name="pages", figures=figures, notes=notes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
