"""What a page weighs, and when it can be used: Chromium on a slow telephone's network and processor.

`CHROMIUM` names the browser; without one nothing is weighed, and the table says so. Weights are what goes
over the wire: static files as the web workers send them (collected and compressed as in production), pages
and answers of the API by gzip, which the proxy in front of the workers does. Before the map is what was
fetched before the map library was asked for; tiles come from elsewhere and do not count. The network is
Lighthouse's slow 4G (150 ms, 1.6 Mbit/s down, 750 kbit/s up), the processor four times slower. A page can be
used when what it is for stands there: the list, the running clock, the home's figures; measured with an
empty cache.
"""

from __future__ import annotations

import gzip
import os
import statistics
from typing import Any

from playwright.sync_api import Browser, Page, Response, sync_playwright

from bench.pages_city import Fleet
from bench.report import Figure
from mobility.core import clock
from tests.faces.counting.visits import Visitor

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
LIST_FIRST_KB, WITH_MAP_KB = 100, 600
UP_BPS, DOWN_BPS, LATENCY_MS, SLOWER = 750_000 / 8, 1_600_000 / 8, 150, 4
LIBRARY = "/maplibre-gl.mjs"
TEXTS = ("text/", "application/json", "application/geo+json", "application/javascript", "image/svg")
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def pages_of(fleet: Fleet) -> list[tuple[str, str, str, dict[str, int], str]]:
    """What is weighed: name, who, address, size of the screen, what must be seen."""
    trip = next(door.address for door in fleet.doors if door.name == "resident:trip")
    return [
        ("map page", "giulia", "/", PHONE, "[data-nearby] [data-do=choose]"),
        ("ride under way", "giulia", trip, PHONE, "[data-trip][data-state]"),
        ("desk home", "marco", "/admin/", DESK, "main h1"),
    ]


def measure_weight(port: int, fleet: Fleet, *, times: int) -> list[Figure]:
    """Kilobytes before and with the map, seconds until the page can be used."""
    program = os.environ.get("CHROMIUM", "")
    if not program:
        return [Figure(name="weight: no browser to weigh with", value=0, unit="")]
    cookies = Visitor(fleet.people).cookies
    figures = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for name, who, path, size, seen in pages_of(fleet):
            address = f"http://127.0.0.1:{port}{path}"
            looks = [_look(browser, address, cookies[who], size, seen) for _ in range(times)]
            figures += _figures(name, looks)
        browser.close()
    return figures


def _figures(name: str, looks: list[dict[str, float]]) -> list[Figure]:
    middle = {key: statistics.median(look[key] for look in looks) for key in looks[0]}
    on_map = name != "desk home"
    return [
        Figure(name=f"weight: {name}, before the map", value=middle["first"], unit="kB", limit=LIST_FIRST_KB),
        Figure(name=f"weight: {name}, with the map", value=middle["all"], unit="kB", limit=WITH_MAP_KB),
        Figure(name=f"slow 4G, 4x CPU: {name}, first paint", value=middle["paint"], unit="s"),
        Figure(name=f"slow 4G, 4x CPU: {name}, can be used", value=middle["usable"], unit="s", aim=5 if on_map else 3),
    ]  # fmt: skip


def _look(browser: Browser, address: str, cookie: str, size: dict[str, int], seen: str) -> dict[str, float]:  # fmt: skip
    """One visit with an empty cache."""
    context = browser.new_context(viewport=size, service_workers="block", locale="en")
    context.add_cookies(
        [{"name": "sessionid", "value": cookie, "domain": "127.0.0.1", "path": "/"}]
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    _slow_down(page)
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)
    began = clock.now()
    page.goto(address, wait_until="commit")
    page.locator(seen).first.wait_for()
    usable = (clock.now() - began).total_seconds()
    if page.locator("#map").count():
        page.locator("#map[data-ready]").wait_for()
    page.wait_for_timeout(500)
    weights = [(answer.url, _weight(answer)) for answer in answers if "/live/" not in answer.url]
    paint = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
    )
    # In the order in which they were answered: what came before the library was asked for.
    asked_at = page.evaluate(_ASKED_AT, LIBRARY)
    late = set(page.evaluate(_LATER, asked_at)) if asked_at else set()
    context.close()
    first = sum(weight for url, weight in weights if url not in late)
    return {
        "first": first / 1000,
        "all": sum(weight for _url, weight in weights) / 1000,
        "paint": paint / 1000,
        "usable": usable,
    }


_ASKED_AT = """(library) => performance.getEntriesByType("resource")
  .find(({ name }) => name.endsWith(library))?.startTime ?? 0"""
_LATER = """(at) => performance.getEntriesByType("resource")
  .filter(({ startTime }) => startTime >= at).map(({ name }) => name)"""


def _slow_down(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": DOWN_BPS,
            "uploadThroughput": UP_BPS,
        },
    )
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def _weight(answer: Response) -> int:
    """Bytes over the wire: as sent, or as the proxy would pack it."""
    headers: dict[str, Any] = answer.headers
    size = int(answer.request.sizes()["responseBodySize"])
    if headers.get("content-encoding") or not headers.get("content-type", "").startswith(TEXTS):
        return size
    return len(gzip.compress(answer.body(), 6)) if size else 0
