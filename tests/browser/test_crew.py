"""From the office's plan to the last stop in a street without a network: Marco decides, Sara drives."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, OpenPage, Shot, words_of
from tests.browser.steps import SLOW_MS, demand, give_to, picture, publish_a_plan, sit_down
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

SARA = "Sara Colombo"


@pytest.mark.parametrize("locale", ["en", "it"])
def test_sara_swaps_a_battery_where_there_is_no_network_and_marco_sees_it(
    house: House, open_page: OpenPage, shot: Shot, locale: str
) -> None:
    say, scooter = words_of(locale), vehicle_of(house, "scooter", f"crew-{locale}")
    where = "" if locale == "en" else f"{locale}-"
    with open_street(credentials_of(house), speed=8.0) as street:
        street.put(scooter.code, battery_pct=60.0)  # no plan would send a van there by itself
        office = open_page(DESK, locale=locale)
        sit_down(house, office, "marco@demo.example", "/admin/tasks/")
        publish_a_plan(office, say)
        demand(office, scooter.code, say)
        card = give_to(office, scooter.code, SARA)
        expect(office.locator(".desk-entry").first).to_contain_text(
            say("gave {van} to a crew, or took it back").split("{van}")[0].strip(), timeout=SLOW_MS
        )
        shot(office, f"crew-{where}1-board")
        sheet = office.context.new_page()
        sheet.goto(str(card.get_by_role("link", name=say("Route sheet")).get_attribute("href")))
        expect(sheet.locator(".sheet-qr")).to_be_visible()
        expect(sheet.locator(".sheet-paper")).to_contain_text(scooter.code)
        shot(sheet, f"crew-{where}2-sheet")

        van = open_page(PHONE, locale=locale)
        sit_down(house, van, "sara@demo.example", "/crew/")
        expect(van.locator("main")).to_have_attribute("data-ready", "yes", timeout=SLOW_MS)
        van.evaluate("navigator.serviceWorker.ready.then(() => true)")
        stop = van.locator(".crew-stop", has_text=scooter.code)
        if stop.locator("[data-do=open]").get_attribute("aria-expanded") != "true":
            stop.locator("[data-do=open]").click()
        shot(van, f"crew-{where}3-route-phone")
        stop.get_by_role("button", name=say("Take it")).click()
        expect(stop.get_by_role("button", name=say("I am there"))).to_be_visible()
        expect(van.locator("[data-link] [data-alert]")).to_be_hidden()

        van.context.set_offline(True)
        stop.get_by_role("button", name=say("I am there")).click()
        stop.get_by_role("button", name=say("Scan or type its code")).click()
        van.get_by_label(say("Code"), exact=True).fill("OTHER1")
        van.get_by_role("button", name=say("Use this code")).click()
        other = say("This is {read}, not {code}. Look for the right one.")
        expect(stop).to_contain_text(other.format(read="OTHER1", code=scooter.code))
        stop.get_by_role("button", name=say("Scan or type its code")).click()
        van.get_by_label(say("Code"), exact=True).fill(scooter.code)
        van.get_by_role("button", name=say("Use this code")).click()
        with van.expect_file_chooser() as camera:
            stop.get_by_role("button", name=say("Photo"), exact=True).click()
        # What waits is drawn anew while the camera is open, as it is every few seconds.
        expect(van.locator("[data-link]")).to_contain_text(say("1 thing is not sent yet."))
        van.evaluate("dispatchEvent(new Event('offline'))")
        camera.value.set_files(picture("street"))
        expect(van.locator("[data-word]")).to_contain_text(
            say("The photo is kept and will be sent.")
        )
        street.swap_battery(scooter.code)
        stop.get_by_role("button", name=say("Battery swapped")).click()
        unsent = say("{count} things are not sent yet.").format(count=3)
        expect(van.locator("[data-link]")).to_contain_text(unsent)
        van.reload()
        expect(van.locator("main")).to_have_attribute("data-ready", "yes", timeout=SLOW_MS)
        expect(van.locator("[data-link]")).to_contain_text(unsent)
        shot(van, f"crew-{where}4-no-network")

        van.context.set_offline(False)
        expect(van.locator("[data-link] [data-alert]")).to_be_hidden(timeout=SLOW_MS)
        expect(van.locator("[data-told] li")).to_have_count(0)
        van.locator(".crew-over summary").click()
        expect(van.locator("[data-over]")).to_contain_text(scooter.code)
        shot(van, f"crew-{where}5-sent")

        done = office.locator("[data-column=done] .desk-task", has_text=scooter.code)
        expect(done).to_be_visible(timeout=SLOW_MS)
        expect(office.locator("[data-figures]")).to_contain_text(re.compile(r"\b1 batteri?e"))
        office.goto(f"/admin/vehicle/{scooter.code}/")
        expect(office.locator("[data-f=battery]")).to_contain_text("100", timeout=SLOW_MS)
        shot(office, f"crew-{where}6-available")


def test_what_another_crew_took_meanwhile_is_told_in_plain_words(
    house: House, open_page: OpenPage, shot: Shot
) -> None:
    scooter = vehicle_of(house, "scooter", "other-crew")
    with open_street(credentials_of(house), speed=8.0) as street:
        street.put(scooter.code, battery_pct=60.0)  # no plan would send a van there by itself
        office = open_page(DESK)
        sit_down(house, office, "marco@demo.example", "/admin/tasks/")
        publish_a_plan(office)
        demand(office, scooter.code)
        give_to(office, scooter.code, SARA)
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
