"""R3: it does not unlock, Nora says so with a picture, and Marco puts it right."""

import re
import secrets

import pytest
from playwright.sync_api import Page, expect

from mobility.simulator.device import Temper
from mobility.simulator.geometry import Place
from tests.browser.conftest import DESK, LAPTOP, PHONE, OpenPage, Shot, Words, words_of
from tests.browser.steps import (
    SLOW_MS,
    end_ride,
    expect_state,
    new_driver,
    picture,
    sit_down,
    submit,
    until,
    wait_until_free,
    wait_until_there,
)
from tests.stories.cast import PASSWORD, vehicle_of
from tests.stories.people import credentials_of
from tests.stories.processes import House
from tests.stories.street import Street, open_street

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

STUBBORN = Temper(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("size", "locale", "where"), [(PHONE, "it", "phone"), (LAPTOP, "en", "laptop")]
)
def test_r3_nora_is_helped_paid_back_and_forgotten(
    house: House, open_page: OpenPage, shot: Shot, size: dict[str, int], locale: str, where: str
) -> None:
    """Nothing to pay, another one, a case with a photo and a time, money back, her data, and gone."""
    say, credentials = words_of(locale), credentials_of(house)
    broken = vehicle_of(house, "bicycle", f"broken-{where}")
    other = vehicle_of(house, "bicycle", f"next-{where}")
    place = Place(broken.lon, broken.lat)
    page = open_page(size, locale=locale)
    email = f"nora{secrets.randbelow(10**6)}@demo.example"
    new_driver(page, email=email)
    with open_street(credentials, speed=8.0) as street:
        street.put(broken.code, place=place, temper=STUBBORN)
        street.put(other.code, place=Place(place.lon + 0.0006, place.lat))
        number = it_does_not_unlock(page, street, broken.code, other.code, say, shot, where)
        ride_the_other(page, street, other.code, say)
    office = open_page(DESK)
    sit_down(house, office, "marco@demo.example", "/admin/support/")
    settle(office, number, email, shot if size is PHONE else None)

    page.goto("/help/")
    page.get_by_role("link", name=say("It did not start")).click()
    expect(page.locator(".talk .theirs")).to_contain_text("new battery")
    expect(page.locator("main")).to_contain_text(say("It was explained"))
    shot(page, f"support-{where}-3-answered")
    page.goto("/account/")
    page.locator("[data-trips] .journey", has_text=other.code).first.click()
    page.goto(page.url.replace("/receipt/", "/rides/"))
    money = page.locator("section[aria-labelledby=refunds]")
    expect(money).to_contain_text(re.compile("0[.,]10"))
    # Nobody is forgotten to whom money is still on its way.
    back = say("Paid back")
    until(page, lambda: back in money.inner_text(), what="the money back", reload=True)
    take_along_and_leave(page, say, shot, where)


def it_does_not_unlock(
    page: Page, street: Street, code: str, other: str, say: Words, shot: Shot, where: str
) -> str:
    """Refused by the lock: free, the next one named, and help one tap away; the case's number."""
    wait_until_free(page, code)
    wait_until_free(page, other, at=street.place(other))
    page.goto(f"/book/{code}/")
    page.locator("[data-panel=card] [data-do=unlock]").click()
    expect(page).to_have_url(re.compile(r"/trip/[0-9a-f-]{36}/$"), timeout=SLOW_MS)
    street.touch(code)
    sheet = page.locator("[data-trip]")
    expect_state(page, "start_failed")
    expect(sheet).to_contain_text(say("You pay nothing. Please choose another one."))
    expect(sheet.locator("[data-if=alternative]")).to_contain_text(other)
    shot(page, f"support-{where}-1-did-not-unlock")
    sheet.locator("[data-href=help_address]").click()
    page.locator("[name=kind]").select_option("cannot_start")
    page.locator("[name=text]").fill("The light blinks red and it stays shut.")
    page.locator("[name=photo]").set_input_files(picture("light"))
    submit(page, "[name=text]")
    expect(page).to_have_url(re.compile(r"/help/[0-9a-f-]{36}/$"))
    expect(page.locator(".talk img")).to_have_count(1)
    facts = page.locator("section.card > p.small").first.inner_text()
    assert re.search(r"\d{1,2}:\d\d", facts), "by when it is answered"
    shot(page, f"support-{where}-2-case")
    number: str = page.locator("section.card .number").first.inner_text()
    return number


def ride_the_other(page: Page, street: Street, code: str, say: Words) -> None:
    """A short ride that is paid."""
    page.goto(f"/book/{code}/")
    page.locator("[data-panel=card] [data-do=unlock]").click()
    expect(page).to_have_url(re.compile(r"/trip/[0-9a-f-]{36}/$"), timeout=SLOW_MS)
    street.touch(code)
    expect_state(page, "running")
    # What goes nowhere costs nothing.
    here = street.place(code)
    goal = Place(here.lon, here.lat + 0.003)
    street.drive(code, goal)
    wait_until_there(page, street, code, goal)
    end_ride(page, street, code)
    expect(page.locator("[data-receipt]")).to_contain_text(say("Paid"), timeout=SLOW_MS)


def settle(office: Page, number: str, email: str, shot: Shot | None) -> None:
    """Found by the case's number; looked at, paid back in part, and settled with a word."""
    office.get_by_role("searchbox").fill(number)
    office.get_by_role("button", name="Find").click()
    office.get_by_role("link", name=email).click()
    case = office.locator(f"#case-{number}")
    expect(case.locator("img")).to_have_count(1)
    assert case.locator("img").evaluate("img => img.decode().then(() => img.naturalWidth)") > 0
    office.get_by_role("link", name="Show it again").first.click()
    expect(office.locator("[data-player]")).to_be_visible(timeout=SLOW_MS)
    expect(office.locator(".desk-timeline")).to_contain_text("Asked to end")
    office.locator("[data-moment]").press("End")
    expect(office.locator("[data-told]")).not_to_be_empty()
    if shot:
        shot(office, "support-4-again")
    office.go_back()
    payment = office.locator("#payments details").first
    payment.locator("summary").click()
    payment.get_by_label("Amount").fill("0.10")
    payment.get_by_label("Reason").fill("for the trouble")
    payment.get_by_role("button", name="Give money back").click()
    expect(office.locator("#refunds")).to_contain_text("for the trouble")
    case.get_by_label("Answer").fill("Sorry! It has a new battery now.")
    case.get_by_label("What came of it").select_option("explained")
    case.get_by_role("button", name="Send the answer").click()
    expect(office.get_by_text("Settled; the person is told.")).to_be_visible()
    expect(case).to_contain_text("Resolved")
    if shot:
        shot(office, "support-5-settled")


def take_along_and_leave(page: Page, say: Words, shot: Shot, where: str) -> None:
    """Her data in a file, once; then the account is closed and knows her no more."""
    page.goto("/profile/data/")
    page.locator("main form button").click()
    file = page.locator("main ul a")
    until(page, lambda: bool(file.count()), what="the file", reload=True)
    with page.expect_download() as download:
        file.click()
    assert download.value.path().stat().st_size > 1000
    page.goto("/profile/erase/")
    shot(page, f"support-{where}-6-leaving")
    page.locator("main form [name=password]").fill(PASSWORD)
    page.locator("main form [name=sure]").check()
    page.locator("main form .button.danger").click()
    expect(page).to_have_url(re.compile(r"/accounts/login/"))
    page.goto("/wallet/")
    expect(page).to_have_url(re.compile(r"/accounts/login/"))
