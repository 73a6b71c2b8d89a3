"""A real Chromium in front of the running house.

`CHROMIUM` names the browser. Without it these tests are skipped, visibly; on CI they fail instead,
because a pipeline that silently stops looking is worse than none.
"""

import gettext
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.stories.cast import PASSWORD
from tests.stories.conftest import house
from tests.stories.processes import ROOT, House

__all__ = ["house"]

SHOTS = ROOT / "artifacts" / "screenshots"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
LAPTOP = {"width": 1280, "height": 800}
# A machine with two cores that does much else is slow, not wrong: five seconds are no judgement.
PATIENCE_MS = 30_000
NAVIGATION_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
# SwiftShader draws WebGL without a graphics card, and without warnings about it.
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]

OpenPage = Callable[..., Page]
Shot = Callable[[Page, str], Path]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of a module's tests.

    Not of the whole run: Playwright keeps an event loop running in this thread as long as it lives, and
    Django refuses its ORM there.
    """
    program = os.environ.get("CHROMIUM", "")
    if not program:
        reason = "CHROMIUM names no browser, so nobody looks at the pages"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


# The browser's own words for a page or a worker's script that it could not reach: answers that are
# refused and networks that are cut belong to the stories. What the page makes of it is looked at.
UNREACHABLE = ("Failed to load resource", "error occurred when fetching the script")


@pytest.fixture
def open_page(chromium: Browser, house: House) -> Iterator[OpenPage]:
    """`open_page(PHONE)`: a fresh person's browser; its test fails on script errors and CSP violations."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in UNREACHABLE):
            troubles.append(message.text)

    def opened(size: dict[str, int] = PHONE, *, locale: str = "en", **options: object) -> Page:
        context = chromium.new_context(
            viewport=size, locale=locale, base_url=house.web_url, device_scale_factor=1, **options
        )
        context.set_default_timeout(PATIENCE_MS)
        context.set_default_navigation_timeout(NAVIGATION_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


Words = Callable[..., str]


def words_of(locale: str) -> Words:
    """`say("Reserve")`: what the pages call it in this language, from the catalogue that people read."""
    catalogue = gettext.translation("django", ROOT / "locale", [locale], fallback=locale == "en")

    def say(english: str, context: str = "") -> str:
        return catalogue.pgettext(context, english) if context else catalogue.gettext(english)

    return say


@pytest.fixture
def shot() -> Shot:
    """`shot(page, "name")` keeps what a person sees now for people to look at."""
    SHOTS.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> Path:
        path = SHOTS / f"{name}.png"
        page.screenshot(path=path)
        return path

    return take


def log_in(house: House, page: Page, email: str) -> None:
    """Fill in the log-in page that is open, in any language, as one of the demo's cast or of a story's."""
    cast = json.loads((Path(house.env["DATA_DIR"]) / "demo.json").read_text())["users"]
    known = {one["email"]: one["password"] for one in cast}
    page.locator("input[name=login]").fill(email)
    form = page.locator("form", has=page.locator("input[name=password]"))
    form.locator("input[name=password]").fill(known.get(email, PASSWORD))
    form.locator("button").last.click()
