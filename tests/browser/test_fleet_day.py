"""F1: Marco's morning at the live map: layers, who is silent, a view to keep, one deed for many."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, OpenPage, Shot
from tests.browser.steps import SLOW_MS, sit_down
from tests.stories.cast import vehicle_of
from tests.stories.processes import House

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

# In a house that has just been opened everything has been heard: this one not for an hour.
SILENT = """
import datetime
from fleet.vehicles.models import LatestState
from mobility.core import clock
heard = clock.now() - datetime.timedelta(hours=1)
LatestState.objects.filter(vehicle__code="%s").update(at=heard, received_at=heard)
"""


@pytest.mark.parametrize(
    ("size", "locale", "where"), [(DESK, "en", "desk"), (PHONE, "it", "phone")]
)
def test_f1_marco_finds_the_silent_ones_and_takes_them_off_the_street(
    house: House, open_page: OpenPage, shot: Shot, size: dict[str, int], locale: str, where: str
) -> None:
    """Three layers, a kept view, a look before the deed, the deed, its trail, and back again."""
    code = vehicle_of(house, "bicycle", f"silent-{where}").code
    house.run_once("silent", "manage.py", "shell", "-c", SILENT % code)
    page = open_page(size, locale=locale)
    sit_down(house, page, "marco@demo.example", "/admin/map/")
    expect(page.locator("#map")).to_have_attribute("data-ready", "yes", timeout=SLOW_MS)
    rows = page.locator("[data-list] li")
    expect(rows.first).to_be_attached(timeout=SLOW_MS)
    every = rows.count()
    for layer in ("battery", "zones", "demand"):
        page.locator(f"[data-layer={layer}]").check()
    expect(page.locator("[data-forecast] [data-hours]")).not_to_be_empty()
    shot(page, f"fleet-{where}-1-layers")

    views = page.locator("details", has=page.locator("[data-keep]"))
    views.locator("summary").click()
    views.locator("[data-do=view]").first.click()
    expect(page.locator("[data-filter=silent_min]")).to_have_value("20")
    expect(rows.filter(has_text=code)).to_have_count(1)
    assert rows.count() <= every
    page.locator("[data-filter=code]").fill(code)
    expect(rows).to_have_count(1)
    views.locator("[name=name]").fill(f"Mine {where}")
    views.locator("button").last.click()
    expect(views.locator("li", has_text=f"Mine {where}")).to_be_visible()
    page.reload()
    expect(rows.first).to_be_attached(timeout=SLOW_MS)
    views.locator("summary").click()
    views.locator("li", has_text=f"Mine {where}").locator("[data-do=view]").click()
    expect(page.locator("[data-filter=code]")).to_have_value(code)
    expect(rows).to_have_count(1)
    shot(page, f"fleet-{where}-2-view")
    views.locator("li", has_text=f"Mine {where}").locator("[data-do=forget]").click()
    expect(views.locator("li", has_text=f"Mine {where}")).to_have_count(0)

    page.locator("[data-bulk] summary").click()
    deed(page, "maintenance")
    shot(page, f"fleet-{where}-3-deed")
    rows.first.locator("[data-do=show]").click()
    expect(page.locator("[data-card] [data-if=blocks]")).to_be_visible(timeout=SLOW_MS)
    page.locator("[data-card] [data-do=close]").click()
    deed(page, "back")
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wider <= 0
    page.goto("/admin/trail/")
    expect(page.locator("main table, #content table").first).to_contain_text("block")
    shot(page, f"fleet-{where}-4-trail")


def deed(page: Page, what: str) -> None:
    """First who would and who refuses, then the deed: not one tap earlier."""
    form = page.locator("[data-bulk-form]")
    form.locator("[name=deed]").select_option(what)
    form.locator("[name=reason]").fill("spring check")
    expect(form.locator("[name=apply]")).to_be_disabled()
    form.locator("[name=look]").click()
    expect(form.locator("[name=apply]")).to_be_enabled()
    before = page.locator("[data-bulk-count]").inner_text()
    form.locator("[name=apply]").click()
    expect(form.locator("[name=apply]")).to_be_disabled()
    expect(page.locator("[data-bulk-count]")).not_to_have_text(before)
