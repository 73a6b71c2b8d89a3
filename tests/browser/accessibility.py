"""What keeps somebody out of a page, as axe judges it by WCAG: in the hand and on a desk, light and dark."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urljoin

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

AXE = Axe()
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Axe would read the style sheets once more for itself and put them into the page, which our policy
# forbids: console errors of the tool's own making, for one rule that is off anyway.
JUDGED = {"resultTypes": ["violations"], "preload": False}
WHOLE = JUDGED | {"runOnly": {"type": "tag", "values": LEVELS}}
COLOURS = JUDGED | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# Colours that fade from one theme to the other are not the ones to judge; what inherits them follows.
SETTLED = """async () => {
  for (let quiet = 0, turn = 0; quiet < 3 && turn < 50; turn++) {
    const fading = document.getAnimations().filter(one => one instanceof CSSTransition);
    fading.forEach(one => one.finish());
    quiet = fading.length ? 0 : quiet + 1;
    await new Promise(done => setTimeout(done, 20));
  }
}"""
# What is over before an eye could follow it is no motion.
MOVING = """() => document.getAnimations()
    .filter(one => one.playState === "running" && one.effect.getComputedTiming().activeDuration > 100)
    .map(one => one.animationName ?? one.transitionProperty)"""
PATIENCE_MS = 30_000
Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Look:
    """One way to look at a page."""

    size: ViewportSize
    scheme: Scheme
    options: dict[str, Any]


PHONE_IN_THE_LIGHT = Look({"width": 390, "height": 844}, "light", WHOLE)
DESK_IN_THE_DARK = Look({"width": 1280, "height": 800}, "dark", COLOURS)
DESK_IN_THE_DARK_WHOLE = Look({"width": 1280, "height": 800}, "dark", WHOLE)
BOTH = (PHONE_IN_THE_LIGHT, DESK_IN_THE_DARK)


def settle(page: Page, address: str, *, status: int = 200) -> None:
    """Open an address and wait until what the page asks for is there.

    `/list/ > /change/` is the first address on `/list/` that holds `/change/`, and `/list/ > /change/
    > ../delete/` what lies beside it.
    """
    start, *steps = address.split(" > ")
    answer = page.goto(start)
    for step in steps:
        if step.startswith(".."):
            href = step
        else:
            links = page.locator(f"main a[href*='{step}'], #content a[href*='{step}']")
            href = str(links.first.get_attribute("href"))
        answer = page.goto(urljoin(page.url, href))
    assert answer is not None
    assert answer.status == status, f"{address}: {answer.status}"
    arrived(page)


def arrived(page: Page) -> None:
    """Wait until nothing that is seen is still being asked for."""
    expect(page.locator("[aria-busy=true]:visible")).to_have_count(0, timeout=PATIENCE_MS)


def barriers(page: Page, looks: Iterable[Look] = BOTH) -> list[str]:
    """Every place of the open page that keeps somebody out, with what to do; empty is good."""
    return [barrier for look in looks for barrier in _look(page, look)]


def barriers_of(
    page: Page, addresses: Iterable[str], looks: Iterable[Look] = BOTH, *, status: int = 200
) -> list[str]:
    """The same for each address in turn."""
    ways = list(looks)
    found = []
    for address in addresses:
        _see(page, ways[0])
        settle(page, address, status=status)
        found += [f"{address}: {barrier}" for barrier in barriers(page, ways)]
    return found


def _see(page: Page, look: Look) -> None:
    page.set_viewport_size(look.size)
    page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")


def _look(page: Page, look: Look) -> Iterator[str]:
    _see(page, look)
    page.evaluate(SETTLED)
    for broken in AXE.run(page, options=look.options).response["violations"]:
        for place in broken["nodes"]:
            why = place["failureSummary"].splitlines()[-1].strip()
            yield f"{broken['id']} ({look.scheme}): {place['html'][:160]} – {why}"
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wider > 0:
        yield f"{wider} px wider than a screen of {look.size['width']}"
    for name in page.evaluate(MOVING):
        yield f"{name} moves although the person wants no motion"


# --- by keyboard ----------------------------------------------------------------------------------

# What has the focus, how it is called, and whether a person sees that: a ring of its own on the screen.
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  return {
    name: (one.getAttribute("aria-label") ?? one.innerText ?? "").trim(),
    ringed: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""
MOST_STOPS = 60


def tab_to(page: Page, name: str | re.Pattern[str]) -> None:
    """Go by Tab to what is called so; on the way whatever has the focus must be seen to have it."""
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        here = page.evaluate(FOCUSED)
        if here is None:
            continue
        stops.append(here["name"])
        assert here["ringed"], f"nobody sees that {here['name']!r} has the focus"
        if re.search(name, here["name"]):
            assert here["inside"], f"{here['name']!r} has the focus outside of the screen"
            return
    raise AssertionError(f"no way to {name!r} by keyboard: {stops}")


def press(page: Page, name: str | re.Pattern[str], key: str = "Enter") -> None:
    """Go there and press a key."""
    tab_to(page, name)
    page.keyboard.press(key)
