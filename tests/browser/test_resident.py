"""Giulia at her phone: from the map to the receipt, as a person sees it."""

import re

import pytest
from playwright.sync_api import Page, expect

from mobility.simulator.credentials import DeviceSpec
from mobility.simulator.geometry import Place
from tests.browser.conftest import DESK, PHONE, OpenPage, Shot, Words, log_in, words_of
from tests.browser.steps import (
    SLOW_MS,
    end_ride,
    expect_state,
    refused_because,
    until,
    wait_until_free,
    wait_until_there,
)
from tests.stories.cast import rider_of, vehicle_of
from tests.stories.people import credentials_of
from tests.stories.plugs import chargers_of, free_plug
from tests.stories.processes import House
from tests.stories.street import Street, open_chargers, open_street

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.timeout(400),
]

PARK = Place(9.1757, 45.4737)
"""In the middle of Parco Sempione, where the demo city forbids parking."""
BESIDE_THE_PARK = Place(9.1743, 45.4819)
"""Ten minutes on foot from there, where it is allowed."""


@pytest.mark.long
@pytest.mark.parametrize(
    ("size", "locale", "where"), [(PHONE, "it", "phone"), (DESK, "en", "desk")]
)
def test_r1_giulia_books_rides_and_ends_a_ride(
    house: House, open_page: OpenPage, shot: Shot, size: dict[str, int], locale: str, where: str
) -> None:
    """Price before anything, log in and back, hold, unlock, pause, a refusal with a way out, receipt."""
    say = words_of(locale)
    giulia = rider_of(house, f"trip-{where}")
    scooter = vehicle_of(house, "scooter", f"trip-{where}")
    with open_street(credentials_of(house), speed=8.0) as street:
        street.put(scooter.code, place=BESIDE_THE_PARK)
        page = open_page(size, locale=locale)
        wait_until_free(page, scooter.code, at=BESIDE_THE_PARK)

        page.goto(f"/book/{scooter.code}/")
        card = page.locator("[data-panel=card]")
        expect(card).to_contain_text(say("VAT included."))
        expect(card).to_contain_text(say("Per minute"))
        shot(page, f"resident-{where}-1-price-before-anything")
        card.get_by_role("button", name=say("Log in to reserve")).click()
        log_in(house, page, giulia.email)
        expect(page).to_have_url(re.compile(f"/book/{scooter.code}/$"))

        page.get_by_role("button", name=say("Reserve"), exact=True).click()
        expect(page.get_by_role("heading", name=say("Reserved for you"))).to_be_visible()
        expect(page.get_by_role("timer")).to_have_text(re.compile(r"^\d+:\d\d$"))
        shot(page, f"resident-{where}-2-reserved")
        page.goto("/")
        expect(page.get_by_role("heading", name=say("Reserved for you"))).to_be_visible()

        page.get_by_role("button", name=say("Unlock"), exact=True).click()
        expect(page).to_have_url(re.compile(r"/trip/[0-9a-f-]{36}/$"), timeout=SLOW_MS)
        street.touch(scooter.code)
        expect_state(page, "running")
        assert not street.locked(scooter.code)
        expect(page.get_by_text(say("Cost so far"))).to_be_visible()
        shot(page, f"resident-{where}-3-riding")

        page.get_by_role("button", name=say("Pause")).click()
        expect_state(page, "paused")
        _wait_for_the_lock(page, street, scooter, locked=True)
        page.reload()
        expect_state(page, "paused")
        shot(page, f"resident-{where}-4-paused")
        page.get_by_role("button", name=say("Resume")).click()
        expect_state(page, "running")
        _wait_for_the_lock(page, street, scooter, locked=False)

        street.drive(scooter.code, PARK)
        wait_until_there(page, street, scooter.code, PARK)
        way_out = _end_where_it_is_forbidden(page, street, scooter.code, say)
        shot(page, f"resident-{where}-5-not-here")
        goal = _ride_out(street, scooter, way_out)
        wait_until_there(page, street, scooter.code, goal)
        end_ride(page, street, scooter.code)

        expect(page).to_have_url(re.compile(r"/receipt/[0-9a-f-]{36}/$"), timeout=SLOW_MS)
        receipt = page.locator("[data-receipt]")
        expect(receipt).to_contain_text(say("Paid"), timeout=SLOW_MS)
        expect(receipt).to_contain_text(say("VAT {rate}%").format(rate=22))
        expect(receipt.get_by_role("row", name=re.compile(r"1[.,]00"))).to_be_visible()
        shot(page, f"resident-{where}-6-receipt")
        page.goto("/account/")
        expect(page.locator("[data-trips] .journey").first).to_contain_text(scooter.code)
        shot(page, f"resident-{where}-7-account")


@pytest.mark.long
def test_giulia_charges_a_car_and_sees_it_fill(
    house: House, open_page: OpenPage, shot: Shot
) -> None:
    """A place, every part of its price, start, energy and cost as they grow, stop, receipt."""
    giulia = rider_of(house, "charge")
    credentials = credentials_of(house)
    charger = chargers_of(house, "ocpp1.6")[-1]
    with open_chargers(credentials, {charger.identity}, speed=12, tokens=[]):
        plug = free_plug(giulia.phone, charger)
        site, connector = plug["site"], plug["id"]
        page = open_page(PHONE)
        page.goto(f"/charge/at/{site}/")
        expect(page.locator("[data-panel=card]")).to_contain_text(re.compile(r"/ kWh"))
        page.get_by_role("link", name="Log in").click()
        log_in(house, page, giulia.email)
        # While the browser changes pages there is nothing to take a picture of.
        expect(page).to_have_url(re.compile(f"/charge/at/{site}/$"))
        button = page.locator(f"[data-connector='{connector}']:visible")
        expect(button).to_be_visible(timeout=SLOW_MS)
        shot(page, "resident-9-charging-place")

        button.click()
        expect(page).to_have_url(re.compile(r"/charge/[0-9a-f-]{36}/$"), timeout=SLOW_MS)
        charge = page.locator("[data-recharge]")
        expect(charge).to_have_attribute("data-state", "charging", timeout=SLOW_MS)
        # Below a tenth of a kilowatt-hour a charge costs nothing.
        expect(charge.locator("[data-f=energy]")).to_have_text(
            re.compile(r"^(0\.[2-9]|[1-9])"), timeout=2 * SLOW_MS
        )
        shot(page, "resident-10-charging")
        page.get_by_role("button", name="Stop charging").click()
        page.get_by_role("link", name="Receipt").click(timeout=SLOW_MS)

        receipt = page.locator("[data-receipt]")
        expect(receipt).to_contain_text("VAT 22%", timeout=SLOW_MS)
        expect(receipt.get_by_role("row", name="Energy")).to_contain_text("kWh")
        shot(page, "resident-11-charge-receipt")


def test_the_list_says_by_keyboard_what_the_map_shows(
    house: House, open_page: OpenPage, shot: Shot
) -> None:
    """Skip link, filter, choose, leave: without a pointer, in Italian and English."""
    scooter = vehicle_of(house, "scooter", "list")
    with open_street(credentials_of(house), speed=1.0) as street:
        street.put(scooter.code)
        page = open_page(
            DESK,
            geolocation={"longitude": scooter.lon, "latitude": scooter.lat},
            permissions=["geolocation"],
        )
        wait_until_free(page, scooter.code)
        page.goto("/")
        expect(page.locator("#map[data-ready]")).to_be_attached(timeout=SLOW_MS)
        page.get_by_role("button", name="Show where I am").click()
        row = page.locator(f".nearby-row[data-id={scooter.code}]")
        expect(row).to_contain_text("min walk", timeout=SLOW_MS)

        page.get_by_role("button", name="Scooters").press("Enter")
        expect(page.get_by_role("button", name="Scooters")).to_have_attribute(
            "aria-pressed", "true"
        )
        expect(page.locator(".nearby-row[data-kind=charger]")).to_have_count(0)
        row.press("Enter")
        expect(page.locator("[data-panel=card]")).to_be_focused()
        expect(page.locator("[data-panel=card]")).to_contain_text(scooter.code)
        shot(page, "resident-8-desk")
        page.keyboard.press("Escape")
        expect(page.locator("[data-nearby]")).to_be_visible()

        page.get_by_role("button", name="Italiano").click()
        expect(page.locator("html")).to_have_attribute("lang", "it")


def test_a_lost_network_is_said_and_heals_by_itself(house: House, open_page: OpenPage) -> None:
    """The page says that it has no connection, keeps what it has, and comes back."""
    page = open_page(PHONE)
    page.goto("/")
    expect(page.locator("#map[data-ready]")).to_be_attached(timeout=SLOW_MS)

    page.context.set_offline(offline=True)
    page.get_by_role("button", name="Charging").click()
    expect(page.locator("[data-trouble]")).to_contain_text("No connection", timeout=SLOW_MS)
    expect(page.locator("[data-nearby] li").first).to_be_visible()
    page.context.set_offline(offline=False)
    page.get_by_role("button", name="Charging").click()

    expect(page.locator("[data-trouble]")).to_be_hidden(timeout=SLOW_MS)


def _wait_for_the_lock(page: Page, street: Street, scooter: DeviceSpec, *, locked: bool) -> None:
    """Ride on only when the bolt has really moved."""

    def moved() -> bool:
        street.touch(scooter.code)
        return street.locked(scooter.code) is locked

    until(page, moved, what=f"the bolt, locked={locked}")


def _end_where_it_is_forbidden(page: Page, street: Street, code: str, say: Words) -> Place:
    """The place is the reason, and a legal one is named."""
    refused_because(page, street, code, say("Parking is not allowed here."))
    shown = page.locator("[data-conditions] [data-do=showPlace]").first
    shown.click()
    return Place(
        float(str(shown.get_attribute("data-lon"))), float(str(shown.get_attribute("data-lat")))
    )


def _ride_out(street: Street, scooter: DeviceSpec, edge: Place) -> Place:
    here = street.place(scooter.code)
    beyond = Place(edge.lon + (edge.lon - here.lon) * 0.15, edge.lat + (edge.lat - here.lat) * 0.15)
    street.drive(scooter.code, beyond)
    return beyond
