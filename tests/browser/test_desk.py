"""The staff at their desk: the live map, the tasks, the chargers, on a screen and on a phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, OpenPage, Shot
from tests.browser.steps import SLOW_MS, demand, publish_a_plan, sit_down
from tests.stories.cast import vehicle_of
from tests.stories.people import credentials_of
from tests.stories.processes import House
from tests.stories.street import open_street

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(400),
]


def test_marco_sees_the_fleet_live_and_rings_a_scooter(
    house: House, open_page: OpenPage, shot: Shot
) -> None:
    scooter = vehicle_of(house, "scooter", "ring")
    with open_street(credentials_of(house), speed=8.0) as street:
        street.put(scooter.code)
        page = open_page(DESK)
        sit_down(house, page, "marco@demo.example", "/admin/map/")
        expect(page.locator("#map")).to_have_attribute("data-ready", "yes", timeout=SLOW_MS)
        expect(page.locator("[data-count]")).to_contain_text(re.compile(r"of \d+ vehicles"))
        shot(page, "desk-1-live-map")
        page.get_by_label("Code").fill(scooter.code)
        page.get_by_role("button", name=scooter.code).click()
        card = page.locator("[data-card]")
        expect(card).to_contain_text("E-scooter")
        card.get_by_role("button", name="Make it ring").click()
        expect(card.locator("[data-alert]")).to_have_text(
            "Done: the vehicle confirms.", timeout=SLOW_MS
        )
        shot(page, "desk-2-vehicle")


def test_marco_starts_his_day_with_what_is_wrong(
    house: House, open_page: OpenPage, shot: Shot
) -> None:
    for size, name in ((DESK, "desk-3-now"), (PHONE, "desk-3-now-phone")):
        page = open_page(size)
        sit_down(house, page, "marco@demo.example", "/admin/")
        expect(page.get_by_role("heading", name="What needs somebody now")).to_be_visible()
        shot(page, name)
        # Nothing is missing, so it stands among what is watched, unless another story lost something.
        page.locator(".calm summary").click()
        page.get_by_role("link", name="Missing vehicles").click()
        expect(page.get_by_role("heading", name="vehicle", exact=False).first).to_be_visible()


def test_marco_asks_for_a_plan_and_sara_takes_a_task_on_her_phone(
    house: House, open_page: OpenPage, shot: Shot
) -> None:
    scooter = vehicle_of(house, "scooter", "task")
    office = open_page(DESK)
    sit_down(house, office, "marco@demo.example", "/admin/tasks/")
    publish_a_plan(office)
    # What she takes nobody else can have: so it is a scooter that no other story wants.
    demand(office, scooter.code)
    shot(office, "desk-4-plan")
    van = open_page(PHONE)
    sit_down(house, van, "sara@demo.example", "/admin/tasks/")
    expect(van.get_by_role("heading", name="Open")).to_be_visible()
    expect(van.get_by_role("button", name="Plan now")).to_be_hidden()
    expect(van.locator("[data-column=open]")).not_to_have_attribute("aria-busy", "true")
    shot(van, "desk-5-tasks-phone")
    task = van.locator("[data-column=open] .desk-task", has_text=scooter.code)
    task.get_by_role("button", name="Take it").click()
    expect(van.locator("[data-column=claimed] .desk-task", has_text=scooter.code)).to_be_visible()


def test_luca_sees_his_chargers(house: House, open_page: OpenPage, shot: Shot) -> None:
    page = open_page(DESK)
    sit_down(house, page, "luca@demo.example", "/admin/chargers/")
    expect(page.get_by_role("link", name="MA01-1")).to_be_visible()
    expect(page.locator("[data-count]")).to_contain_text(re.compile(r"of \d+ free"))
    shot(page, "desk-6-chargers")
