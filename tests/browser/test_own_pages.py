"""Nora has never been here: from signing up to a car booked ahead, on a phone and at a desk."""

import datetime
import re
import secrets

import pytest
from playwright.sync_api import Page, expect

from mobility.core import clock
from tests.browser.conftest import LAPTOP, PHONE, OpenPage, Shot
from tests.browser.steps import picture, sign_up, until
from tests.stories.processes import House

pytestmark = [pytest.mark.story, pytest.mark.browser, pytest.mark.timeout(400)]


PAGES = {
    "trips": "/account/",
    "bookings": "/bookings/",
    "find-car": "/bookings/new/",
    "wallet": "/wallet/",
    "credit": "/wallet/credit/",
    "passes": "/wallet/passes/",
    "receipts": "/wallet/receipts/",
    "billing": "/wallet/billing/",
    "profile": "/profile/",
    "papers": "/profile/papers/",
    "licence": "/profile/papers/licence/",
    "identity": "/profile/papers/identity/",
    "rules": "/profile/rules/",
    "about": "/profile/about/",
    "consents": "/profile/consents/",
    "data": "/profile/data/",
    "erase": "/profile/erase/",
    "help": "/help/",
    "new-case": "/help/new/",
}


@pytest.mark.parametrize("size", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_nora_shows_her_licence_and_books_a_car(
    house: House, open_page: OpenPage, shot: Shot, size: dict[str, int]
) -> None:
    """R2: what is missing, licence, rules, card, the whole price, the booking, longer, given back."""
    where = "phone" if size is PHONE else "laptop"
    # Light on the phone, dark on the laptop.
    page = open_page(size, color_scheme="light" if size is PHONE else "dark")
    sign_up(page, f"nora{secrets.randbelow(10**6)}@demo.example")
    expect(page.get_by_text("Your driving licence must be verified first.")).to_be_visible()
    shot(page, f"own-{where}-1-what-is-missing")

    send_licence(page, number=f"MI5{secrets.randbelow(10**6):06}12")
    shot(page, f"own-{where}-2-being-checked")
    tell_the_rest(page)
    wait_for_the_check(page)
    shot(page, f"own-{where}-3-ready")
    page.goto("/wallet/")
    page.get_by_role("button", name="Save card").click()
    expect(page.get_by_text("The card is saved.")).to_be_visible()

    book(page, shot, where)
    page.get_by_label("New end").fill(soon(13))
    page.get_by_role("button", name="Change the end").click()
    expect(page.get_by_text("Your booking has been changed.")).to_be_visible()
    page.get_by_text("Cancel this booking").click()
    page.get_by_role("button", name="Cancel the booking").click()
    expect(page.get_by_text("Cancelled. It costs you nothing.")).to_be_visible()
    shot(page, f"own-{where}-7-given-back")
    for name, address in PAGES.items():
        look(page, address)
        shot(page, f"own-{where}-page-{name}")


def send_licence(page: Page, number: str) -> None:
    page.get_by_role("link", name="Send your licence").click()
    page.get_by_label("Number of the licence").fill(number)
    page.get_by_label("Held since").fill("2015-06-01")
    page.get_by_label("Valid until").fill("2035-06-01")
    page.get_by_label("Photo of the front").set_input_files(picture("front"))
    page.get_by_label("Photo of the back").set_input_files(picture("back"))
    page.get_by_role("button", name="Send to be checked").click()
    expect(page).to_have_url(re.compile(r"/profile/papers/$"))


def tell_the_rest(page: Page) -> None:
    page.get_by_role("link", name="Tell your date of birth").first.click()
    page.get_by_label("Date of birth").fill("1990-05-17")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Rules").click()
    page.get_by_role("button", name="I have read them").click()
    expect(page.get_by_text("You have confirmed the rules.")).to_be_visible()


def wait_for_the_check(page: Page) -> None:
    """The demo's checker looks at documents of the area at once, in a worker."""
    car = page.locator("li.standing", has_text="E-car")
    until(page, lambda: "Ready to go" in car.inner_text(), what="the check", reload=True)


def book(page: Page, shot: Shot, where: str) -> None:
    page.get_by_role("link", name="Bookings").click()
    page.get_by_role("link", name="Book a car").click()
    page.get_by_label("From").fill(soon(9))
    page.get_by_label("Until").fill(soon(12))
    page.get_by_role("button", name="Show cars and prices").click()
    expect(page.get_by_role("heading", name="Free then")).to_be_visible()
    shot(page, f"own-{where}-4-cars")
    page.get_by_role("link", name="See terms and book").first.click()
    expect(page.get_by_text("are set aside on your card")).to_be_visible()
    shot(page, f"own-{where}-5-whole-price")
    page.get_by_role("button", name="Book for").click()
    expect(page).to_have_url(re.compile(r"/bookings/[0-9a-f-]{36}/$"))
    expect(page.get_by_text("Confirmed")).to_be_visible()
    shot(page, f"own-{where}-6-booked")


def look(page: Page, address: str) -> None:
    """The page is there, has one heading, its tab is marked, and nothing sticks out sideways."""
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.locator(".tabs [aria-current=page]")).to_have_count(1)
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wider <= 0, address
    unnamed = page.evaluate(
        """[...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
             .filter((field) => !field.labels.length).map((field) => field.name)"""
    )
    assert unnamed == [], address


def soon(hour: int) -> str:
    """The day after tomorrow: whatever the hour now, it can still be given back for nothing."""
    day = clock.local(clock.now()).date() + datetime.timedelta(days=2)
    return f"{day.isoformat()}T{hour:02d}:00"
