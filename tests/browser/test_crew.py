"""From the office's plan to the last stop in a street without a network: Marco decides, Sara drives."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, OpenPage
from tests.browser.test_desk import sit_down
from tests.core.files.test_images import picture
from tests.stories.people import credentials_of
from tests.stories.processes import House
from tests.stories.street import open_street

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

SLOW_MS = 90_000
SARA = "Sara Colombo"
Shot = Callable[[Page, str], Path]


def publish_a_plan(office: Page) -> None:
    office.get_by_role("button", name="Plan now").click()
    draft = office.locator(".desk-plan", has_text="draft").first
    expect(draft).to_be_visible(timeout=SLOW_MS)
    draft.get_by_role("button", name="Publish").click()
    expect(office.locator(".desk-plan", has_text="published").first).to_be_visible()


def demand(office: Page, code: str) -> None:
    form = office.locator("[data-demand]")
    form.get_by_label("Vehicle").fill(code)
    form.get_by_label("What to do").select_option("swap_battery")
    form.get_by_role("button", name="Demand this task").click()
    expect(office.locator("[data-column=open] .desk-task", has_text=code)).to_contain_text(
        "must be done"
    )


def test_sara_swaps_a_battery_where_there_is_no_network_and_marco_sees_it(
    house: House, open_page: OpenPage, shot: Shot
) -> None:
    credentials = credentials_of(house)
    scooter = next(device for device in credentials.devices if device.kind == "scooter")
    with open_street(credentials, speed=8.0) as street:
        street.put(scooter.code, battery_pct=9.0)
        office = open_page(DESK)
        sit_down(house, office, "marco@demo.example", "/admin/tasks/")
        publish_a_plan(office)
        demand(office, scooter.code)
        office.locator("[data-assign]").first.select_option(label=SARA)
        expect(office.locator(".desk-entry").first).to_contain_text("gave", timeout=SLOW_MS)
        shot(office, "crew-1-board")
        sheet = office.context.new_page()
        sheet.goto(str(office.get_by_role("link", name="Route sheet").first.get_attribute("href")))
        expect(sheet.locator(".sheet-qr")).to_be_visible()
        expect(sheet.locator(".sheet-paper")).to_contain_text(scooter.code)
        shot(sheet, "crew-2-sheet")

        van = open_page(PHONE)
        sit_down(house, van, "sara@demo.example", "/crew/")
        expect(van.locator("main")).to_have_attribute("data-ready", "yes", timeout=SLOW_MS)
        van.evaluate("navigator.serviceWorker.ready.then(() => true)")
        stop = van.locator(".crew-stop", has_text=scooter.code)
        if stop.locator("[data-do=open]").get_attribute("aria-expanded") != "true":
            stop.locator("[data-do=open]").click()
        shot(van, "crew-3-route-phone")
        stop.get_by_role("button", name="Take it").click()
        expect(stop.get_by_role("button", name="I am there")).to_be_visible()
        expect(van.locator("[data-link] [data-alert]")).to_be_hidden()

        van.context.set_offline(True)
        stop.get_by_role("button", name="I am there").click()
        stop.get_by_role("button", name="Scan or type its code").click()
        van.get_by_label("Code", exact=True).fill("OTHER1")
        van.get_by_role("button", name="Use this code").click()
        expect(stop).to_contain_text(f"This is OTHER1, not {scooter.code}")
        stop.get_by_role("button", name="Scan or type its code").click()
        van.get_by_label("Code", exact=True).fill(scooter.code)
        van.get_by_role("button", name="Use this code").click()
        with van.expect_file_chooser() as camera:
            stop.get_by_role("button", name="Photo", exact=True).click()
        # What waits is drawn anew while the camera is open, as it is every few seconds.
        expect(van.locator("[data-link]")).to_contain_text("1 thing is not sent yet")
        van.evaluate("dispatchEvent(new Event('offline'))")
        camera.value.set_files(
            {"name": "street.jpg", "mimeType": "image/jpeg", "buffer": picture()}
        )
        expect(van.locator("[data-word]")).to_contain_text("The photo is kept")
        street.swap_battery(scooter.code)
        stop.get_by_role("button", name="Battery swapped").click()
        expect(van.locator("[data-link]")).to_contain_text("3 things are not sent yet")
        van.reload()
        expect(van.locator("main")).to_have_attribute("data-ready", "yes", timeout=SLOW_MS)
        expect(van.locator("[data-link]")).to_contain_text("3 things are not sent yet")
        shot(van, "crew-4-no-network")

        van.context.set_offline(False)
        expect(van.locator("[data-link] [data-alert]")).to_be_hidden(timeout=SLOW_MS)
        expect(van.locator("[data-told] li")).to_have_count(0)
        van.locator(".crew-over summary").click()
        expect(van.locator("[data-over]")).to_contain_text(scooter.code)
        shot(van, "crew-5-sent")

        done = office.locator("[data-column=done] .desk-task", has_text=scooter.code)
        expect(done).to_be_visible(timeout=SLOW_MS)
        expect(office.locator("[data-figures]")).to_contain_text("1 batteries swapped")
        office.goto(f"/admin/vehicle/{scooter.code}/")
        expect(office.locator("main, #content").first).to_contain_text(
            "100% battery", timeout=SLOW_MS
        )
        shot(office, "crew-6-available")


def test_what_another_crew_took_meanwhile_is_told_in_plain_words(
    house: House, open_page: OpenPage, shot: Shot
) -> None:
    credentials = credentials_of(house)
    scooter = [device for device in credentials.devices if device.kind == "scooter"][2]
    with open_street(credentials, speed=8.0) as street:
        street.put(scooter.code, battery_pct=60.0)  # no plan would send a van there by itself
        office = open_page(DESK)
        sit_down(house, office, "marco@demo.example", "/admin/tasks/")
        publish_a_plan(office)
        demand(office, scooter.code)
        office.locator("[data-assign]").first.select_option(label=SARA)
        van = open_page(PHONE)
        sit_down(house, van, "sara@demo.example", "/crew/")
        stop = van.locator(".crew-stop", has_text=scooter.code)
        expect(stop).to_be_visible(timeout=SLOW_MS)
        van.evaluate("navigator.serviceWorker.ready.then(() => true)")
        if stop.locator("[data-do=open]").get_attribute("aria-expanded") != "true":
            stop.locator("[data-do=open]").click()
        van.context.set_offline(True)
        stop.get_by_role("button", name="Take it").click()
        stop.get_by_role("button", name="I am there").click()
        expect(van.locator("[data-link]")).to_contain_text("2 things are not sent yet")

        card = office.locator("[data-column=open] .desk-task", has_text=scooter.code)
        card.get_by_role("button", name="Take it").click()
        expect(
            office.locator("[data-column=claimed] .desk-task", has_text=scooter.code)
        ).to_be_visible(timeout=SLOW_MS)

        van.context.set_offline(False)
        told = van.locator("[data-told] li")
        expect(told).to_have_count(1, timeout=SLOW_MS)
        expect(told).to_contain_text("Another crew has it. Leave it to them and go on.")
        shot(van, "crew-7-conflict")
        told.get_by_role("button", name="Understood").click()
        expect(told).to_have_count(0)
        expect(stop).to_have_count(0, timeout=SLOW_MS)
