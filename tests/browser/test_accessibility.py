"""Nobody is kept out: axe on the pages of all faces, and a ride by keyboard alone.

Residents' pages, the desk's own and the operator's are judged whole in the hand and in the light, and in
their colours on a desk and in the dark; of the admin's lists and forms every kind is there once. Italian
and English take turns.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from mobility.simulator.credentials import DeviceSpec
from tests.browser.accessibility import (
    BOTH,
    DESK_IN_THE_DARK_WHOLE,
    PHONE_IN_THE_LIGHT,
    arrived,
    barriers,
    barriers_of,
    press,
    settle,
    tab_to,
)
from tests.browser.conftest import DESK, PHONE, OpenPage, log_in
from tests.browser.steps import SLOW_MS, expect_state, until
from tests.stories.cast import rider_of, vehicle_of
from tests.stories.people import Caller, credentials_of, sign_in
from tests.stories.processes import House
from tests.stories.street import open_street

pytestmark = [pytest.mark.story, pytest.mark.browser, pytest.mark.timeout(400)]

GIULIA = "giulia@demo.example"

EVERYBODYS = [
    "/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/offline/",
]  # fmt: skip
OWN = [
    "/", "/account/", "/bookings/", "/bookings/new/", "/wallet/", "/wallet/credit/",
    "/wallet/passes/", "/wallet/rewards/", "/wallet/receipts/", "/wallet/billing/", "/wallet/fees/",
    "/profile/", "/profile/about/", "/profile/papers/", "/profile/papers/licence/",
    "/profile/papers/identity/", "/profile/rules/", "/profile/consents/", "/profile/notifications/",
    "/profile/data/", "/profile/erase/", "/help/", "/help/new/", "/accounts/email/",
    "/accounts/password/change/", "/accounts/2fa/", "/accounts/logout/",
]  # fmt: skip
# What people work with all day, whole in both ways.
DESKS = {
    "marco@demo.example": [
        "/admin/", "/admin/map/", "/admin/tasks/", "/admin/alarms/", "/admin/work-orders/",
        "/admin/zones/", "/admin/zones/ > /admin/zones/", "/admin/support/", "/admin/trail/",
        "/admin/vehicle/{scooter}/",
    ],
    "sara@demo.example": ["/crew/", "/admin/tasks/"],
    "luca@demo.example": [
        "/admin/", "/admin/chargers/", "/admin/charging/chargingstation/ > /change/",
        "/admin/charging/site/ > /change/",
    ],
    "elena@demo.example": ["/admin/", "/admin/map/", "/admin/zones/"],
}  # fmt: skip
# Of the admin one of each make: lists with filters, actions, dates; forms with rows in a table, two
# inputs to a field, search as one types; what came before, what goes; a file to read in.
ADMIN = {
    "marco@demo.example": [
        "/admin/fleet/", "/admin/fleet/vehicle/", "/admin/fleet/vehicle/ > /change/",
        "/admin/fleet/vehicle/ > /change/ > ../history/", "/admin/fleet/vehicle/add/",
        "/admin/fleet/vehicle/import/", "/admin/fleet/vehicledocument/add/",
        "/admin/fleet/vehicledocument/ > /change/ > ../delete/", "/admin/fleet/zone/ > /change/",
        "/admin/fleet/checklisttemplate/ > /change/", "/admin/bookings/trip/",
        "/admin/bookings/tariffversion/ > /change/", "/admin/bookings/promocode/add/",
        "/admin/bookings/riderblock/add/", "/admin/password_change/",
    ],
    "luca@demo.example": [
        "/admin/charging/chargingstation/", "/admin/charging/chargingstation/statements/",
        "/admin/charging/tariffversion/add/", "/admin/bookings/receipt/totals/",
    ],
    "elena@demo.example": ["/admin/fleet/zone/", "/admin/fleet/zone/ > /change/"],
}  # fmt: skip


def test_everybodys_pages_keep_nobody_out(house: House, open_page: OpenPage) -> None:
    """Also the way to a charge without an account, an address that is none, and a password gone wrong."""
    luca = sign_in(house, "luca@demo.example")
    code = luca.get("charging/connector-codes")["results"][0]["code"]
    page = _speaking(open_page(PHONE), house, "it")
    found = barriers_of(page, [*EVERYBODYS, f"/charge/{code}/"])
    found += barriers_of(page, ["/no-such-page/"], status=404)
    assert found == []

    page.goto("/accounts/login/")
    page.locator("[name=login]").fill(GIULIA)
    page.locator("[name=password]").fill("not hers")
    page.locator("main form button").first.click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    assert barriers(page) == []


def test_residents_pages_keep_nobody_out(house: House, open_page: OpenPage) -> None:
    page = _signed_in(house, open_page(PHONE), GIULIA)
    half = len(OWN) // 2
    assert barriers_of(page, OWN[:half]) == []
    _speaking(page, house, "it")
    assert barriers_of(page, OWN[half:]) == []


def test_cards_of_vehicles_and_places_keep_nobody_out(house: House, open_page: OpenPage) -> None:
    around = {"lat": 45.4642, "lon": 9.19, "radius_m": 20_000, "limit": 5}
    site = Caller(house).get("stations", **around)["results"][0]
    page = _speaking(open_page(PHONE), house, "it")
    found = []
    for address in (f"/charge/at/{site['id']}/", f"/book/{_scooter(house).code}/"):
        settle(page, address)
        found += barriers(page)
    assert found == []


@pytest.mark.parametrize("email", DESKS)
def test_desks_keep_nobody_out(house: House, open_page: OpenPage, email: str) -> None:
    page = _signed_in(house, open_page(DESK), email)
    if email[0] in "ml":
        _speaking(page, house, "it")
    addresses = [one.format(scooter=_scooter(house).code) for one in DESKS[email]]
    assert barriers_of(page, addresses, (DESK_IN_THE_DARK_WHOLE, PHONE_IN_THE_LIGHT)) == []


@pytest.mark.parametrize("email", ADMIN)
def test_the_admins_lists_and_forms_keep_nobody_out(
    house: House, open_page: OpenPage, email: str
) -> None:
    page = _signed_in(house, open_page(DESK), email)
    found = barriers_of(page, ADMIN[email][::2], [DESK_IN_THE_DARK_WHOLE])
    found += barriers_of(page, ADMIN[email][1::2], [PHONE_IN_THE_LIGHT])
    assert found == []


@pytest.mark.long
def test_giulia_rides_by_keyboard_alone(house: House, open_page: OpenPage) -> None:
    """R1: find in the list, reserve, unlock, pause, end, receipt; the ring shows where she is."""
    rider = rider_of(house, "keyboard")
    scooter = _scooter(house)
    with open_street(credentials_of(house), speed=8.0) as street:
        street.put(scooter.code)
        rider.phone.wait_for(
            f"vehicles/{scooter.code}", lambda seen: seen["available"], what="a free scooter"
        )
        here = {"longitude": scooter.lon, "latitude": scooter.lat}
        page = open_page(DESK, geolocation=here, permissions=["geolocation"])
        _signed_in(house, page, rider.email)
        _choose_from_the_list(page, scooter)
        assert barriers(page, BOTH) == []

        press(page, "^Reserve$")
        expect(page.get_by_role("heading", name="Reserved for you")).to_be_visible()
        expect(page.locator("[data-panel=card]")).to_be_focused()
        assert barriers(page, BOTH) == []
        press(page, "^Unlock$")
        expect(page).to_have_url(re.compile(r"/trip/[0-9a-f-]{36}/$"), timeout=SLOW_MS)
        street.touch(scooter.code)
        expect_state(page, "running")
        assert barriers(page, BOTH) == []

        press(page, "^Pause$")
        expect_state(page, "paused")
        expect(page.get_by_role("button", name="Resume")).to_be_focused()
        page.keyboard.press("Enter")
        expect_state(page, "running")
        expect(page.get_by_role("button", name="Pause")).to_be_focused()
        _report_and_go_back(page)
        _end(page)
        street.touch(scooter.code)

        expect(page).to_have_url(re.compile(r"/receipt/[0-9a-f-]{36}/$"), timeout=SLOW_MS)
        paid = re.compile("Paid|Nothing to pay")  # she went nowhere, which may be free
        expect(page.locator("[data-receipt]")).to_contain_text(paid, timeout=SLOW_MS)
        assert barriers(page, BOTH) == []
    trip = page.url.rstrip("/").rsplit("/", 1)[-1]
    assert barriers_of(page, [f"/rides/{trip}/", "/account/"]) == []
    _marco_looks_after(house, open_page(DESK), rider.email)


def _choose_from_the_list(page: Page, scooter: DeviceSpec) -> None:
    """From the top: the skip link, the list, the card; back out of it to the same row; in again."""
    page.goto("/")
    row = page.locator(f".nearby-row[data-id={scooter.code}]")
    expect(row).to_be_attached(timeout=SLOW_MS)
    arrived(page)
    press(page, "^Skip to the list$")
    expect(page.locator("[data-nearby]")).to_be_focused()
    tab_to(page, re.compile("E-scooter"))
    code = page.evaluate("document.activeElement.dataset.id")
    page.keyboard.press("Enter")
    expect(page.locator("[data-panel=card]")).to_be_focused()
    expect(page.locator("[data-panel=card]")).to_contain_text(code)
    page.keyboard.press("Escape")
    expect(page.locator(f".nearby-row[data-id={code}]")).to_be_focused()
    row.focus()  # hers, which need not be the nearest
    page.keyboard.press("Enter")
    expect(page.locator("[data-panel=card]")).to_contain_text(scooter.code)


def _report_and_go_back(page: Page) -> None:
    """The dialog takes the focus, Escape closes it, and the focus is where it was."""
    press(page, "^Report a problem$")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    assert barriers(page, [PHONE_IN_THE_LIGHT]) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Report a problem")).to_be_focused()


def _end(page: Page) -> None:
    """Press until the place is known to be right: what is wrong is told as an alert."""
    trip = page.locator("[data-trip]")

    def over() -> bool:
        if "/receipt/" in page.url or trip.get_attribute("data-state") not in {"running", "paused"}:
            return True
        page.get_by_role("button", name="End ride").focus()
        page.keyboard.press("Enter")
        return False

    until(page, over, what="the end")


def _marco_looks_after(house: House, page: Page, email: str) -> None:
    """The console of somebody who rode, and the ride again on the map."""
    _signed_in(house, page, "marco@demo.example")
    console = f"/admin/support/?q={email} > /admin/support/"
    assert barriers_of(page, [console, f"{console} > /trips/"], [DESK_IN_THE_DARK_WHOLE]) == []


def _scooter(house: House) -> DeviceSpec:
    return vehicle_of(house, "scooter", "keyboard")


def _signed_in(house: House, page: Page, email: str) -> Page:
    page.goto("/accounts/login/")
    log_in(house, page, email)
    expect(page).not_to_have_url(re.compile("/login/"))
    return page


def _speaking(page: Page, house: House, language: str) -> Page:
    """The pages in that language from now on."""
    page.context.add_cookies([{"name": "django_language", "value": language, "url": house.web_url}])
    return page
