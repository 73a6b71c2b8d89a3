"""What axe says about a page, against WCAG 2.1 AA: whole in one look, colours in the other one, too."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

AXE = Axe()
WHOLE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
IN_THE_HAND: ViewportSize = {"width": 390, "height": 844}
ON_A_DESK: ViewportSize = {"width": 1280, "height": 800}
# Colours that fade from one theme to the other are not the ones to judge.
SETTLED = """() => Promise.all(document.getAnimations()
    .filter(one => one instanceof CSSTransition).map(one => one.finished.catch(() => null)))"""


def barriers(
    page: Page, *, first: ViewportSize = IN_THE_HAND, shot: Callable[[str], object] = str
) -> list[str]:
    """Every place that keeps somebody out, with what to do; empty is good.

    `first` is the size at which the page is mostly used: there all is judged, in the light. At the other
    size the colours of the dark are. `shot` gets the name of each look while it is there to be seen.
    """
    other = ON_A_DESK if first is IN_THE_HAND else IN_THE_HAND
    found: list[str] = []
    for size, scheme, rules in ((first, "light", WHOLE), (other, "dark", COLOURS)):
        found += _look(page, size, scheme, rules)
        shot("phone" if size is IN_THE_HAND else "desk")
    return found


def _look(page: Page, size: ViewportSize, scheme: str, rules: dict[str, Any]) -> Iterator[str]:
    page.set_viewport_size(size)
    dark: Literal["light", "dark"] = "dark" if scheme == "dark" else "light"
    page.emulate_media(color_scheme=dark, reduced_motion="reduce")
    page.evaluate(SETTLED)
    for broken in AXE.run(page, options=rules).response["violations"]:
        for place in broken["nodes"]:
            why = place["failureSummary"].splitlines()[-1].strip()
            yield f"{broken['id']} ({scheme}): {place['html'][:160]} – {why}"
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wider > 0:
        yield f"{wider} px wider than a screen of {size['width']}"
