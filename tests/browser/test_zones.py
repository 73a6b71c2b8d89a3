"""Marco draws a no-parking zone with the mouse, reads the check, publishes it, and residents see it."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, OpenPage, Shot
from tests.browser.steps import SLOW_MS, sit_down
from tests.stories.processes import House

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

CORNERS = ((500, 200), (620, 200), (620, 300), (500, 300))


def test_marco_draws_a_zone_on_the_map_and_publishes_it(
    house: House, open_page: OpenPage, shot: Shot
) -> None:
    page = open_page(DESK)
    sit_down(house, page, "marco@demo.example", "/admin/fleet/zoneset/add/")
    page.get_by_label("Organisation").select_option(index=1)
    page.get_by_label("City").select_option(index=1)
    page.get_by_label("Title").fill("Derby")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator("#map")).to_have_attribute("data-ready", "yes", timeout=SLOW_MS)
    page.locator("[data-code]").fill("san-siro")
    page.get_by_role("button", name="Draw on the map").click()
    for x, y in CORNERS:
        page.locator("#map").click(position={"x": x, "y": y})
    shot(page, "desk-7-zone-drawn")
    page.get_by_role("button", name="Close the line").click()
    assert '"san-siro"' in page.locator("#id_drawing").input_value()
    drag_a_corner(page, "san-siro")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".zones-findings")).to_contain_text("Nothing to complain about.")
    shot(page, "desk-8-zone-checked")
    page.get_by_role("button", name="Publish what is saved").click()
    expect(page.get_by_role("button", name="Go back to this version")).to_be_visible()
    codes = page.evaluate(
        "fetch('/api/v1/zones').then((answer) => answer.json())"
        ".then(({ features }) => features.map(({ properties }) => properties.code))"
    )
    assert "san-siro" in codes


def drag_a_corner(page: Page, code: str) -> None:
    """Thirty pixels to the left, so the zone reaches farther west than before."""
    page.get_by_label("Move corners of").select_option(code)
    corners = page.locator(".map-corner")
    expect(corners).to_have_count(len(CORNERS))
    before = west_of(page, code)
    box = corners.first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 15, y, steps=5)
    page.mouse.move(x - 30, y, steps=5)
    page.mouse.up()
    assert west_of(page, code) < before


def west_of(page: Page, code: str) -> float:
    drawing = json.loads(page.locator("#id_drawing").input_value())
    (zone,) = [one for one in drawing["features"] if one["properties"]["code"] == code]
    return min(lon for ring in zone["geometry"]["coordinates"] for lon, _lat in ring)
