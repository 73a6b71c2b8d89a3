"""A picture of every page that needs no row in its address, on a phone and at a desk.

The simulator lives in the city for some minutes before and meanwhile, so that lists have rows. Which pages there are, and who opens them, say the tables of `tests/tenancy`: a page that is missing there
fails a test of its own, so that none is missing here. Only `./dev screenshots` asks for this: pictures
prove nothing, they are for people to look at.
"""

import os
import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, OpenPage, Shot, log_in
from tests.faces.counting.doors import NO_PAGE, RANK
from tests.stories.processes import House
from tests.tenancy import test_pages as tables

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.timeout(2000),
    pytest.mark.skipif(not os.environ.get("GALLERY"), reason="./dev screenshots asks for pictures"),
]

PEOPLE = ("giulia", "marco", "sara", "luca", "elena")
# Not for eyes: scripts, files, the schema; and its page, which a library draws with styles that our
# policy refuses.
UNSEEN = {
    "schema", "docs", "resident:worker", "crew:worker", "admin:jsi18n", "admin:index",
    "admin:bookings_receipt_totals", "admin:fleet_vehicle_export",
}  # fmt: skip
SETTLED_MS, MOMENT_MS = 30_000, 300
# After work on a Wednesday, and busy, whatever time it is here.
CITY = ("--speed", "6", "--demand", "12", "--planned", "0.3", "--begin", "2026-05-20T17:00")
RIDES, LIVING_S = 60, 900.0
PAID = """
from bookings.trips.models import Trip
print(Trip.objects.filter(state="settled").count())
"""


@pytest.fixture(scope="module", autouse=True)
def _people_ride(house: House) -> None:
    """Wait until some dozens of rides are paid."""
    house.add("simulator", "manage.py", "simulate", *CITY)

    def enough() -> bool:
        said = house.run_once("rides", "manage.py", "shell", "-v", "0", "-c", PAID)
        return int(said) >= RIDES

    house.wait_until(enough, what="rides", patience_s=LIVING_S)


def pages_of(person: str) -> Iterator[tuple[str, str]]:
    """Name and address of what this person opens first of all of them."""
    for name, who in tables.PLAIN.items():
        if name not in UNSEEN | NO_PAGE.keys() and _first(who) == person:
            yield name, reverse(name)
    for who_all, labels in tables.LISTS.items():
        for label in sorted(labels if _first(who_all.split()) == person else ()):
            meta = apps.get_model(label)._meta
            page = f"admin:{meta.app_label}_{meta.model_name}_changelist"
            yield f"list-{meta.app_label}-{meta.model_name}", reverse(page)


def _first(who: object) -> str:
    among = set(who) if isinstance(who, (frozenset, list)) else set()
    return next((one for one in RANK if one in among), "")


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("where", ["phone", "desk"])
def test_every_page_has_its_picture(
    house: House, open_page: OpenPage, shot: Shot, person: str, where: str
) -> None:
    page = open_page(PHONE if where == "phone" else DESK, reduced_motion="reduce")
    page.goto("/accounts/login/?next=/account/")
    log_in(house, page, f"{person}@demo.example")
    expect(page).to_have_url(re.compile("/account/$"))
    if person == "marco" and where == "phone":
        _ask_for_a_plan(page)
    for name, address in pages_of(person):
        if where == "phone" and name.startswith("list-"):
            # Tables of the admin are worked with at a desk.
            continue
        answer = page.goto(address)
        assert answer is not None, address
        assert answer.status == 200, (address, answer.status)
        _settle(page)
        shot(page, f"page-{re.sub('[^a-z]+', '-', name)}-{where}")


def _ask_for_a_plan(page: Page) -> None:
    page.goto(reverse("desk:tasks"))
    page.get_by_role("button", name="Plan now").click()
    draft = page.locator(".desk-plan", has_text="draft").first
    expect(draft).to_be_visible(timeout=LIVING_S * 1000)
    draft.get_by_role("button", name="Publish").click()
    expect(page.locator(".desk-plan", has_text="published").first).to_be_visible()


def _settle(page: Page) -> None:
    """What is asked for is there, the map drawn; live streams never end, so that a map's page is never idle."""
    if page.locator("#map").is_visible():
        page.locator("#map[data-ready]").wait_for(timeout=SETTLED_MS)
        page.wait_for_timeout(2 * MOMENT_MS)
    else:
        page.wait_for_load_state("networkidle", timeout=SETTLED_MS)
    page.wait_for_timeout(MOMENT_MS)
