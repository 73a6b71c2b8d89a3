"""Nobody is kept out: axe on every page of residents, drivers without an account, staff and operators.

And R1 by keyboard alone, with what has the focus to be seen all the way.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.accessibility import IN_THE_HAND, ON_A_DESK, barriers
from tests.browser.conftest import DESK, PHONE, OpenPage, log_in
from tests.stories.people import sign_in
from tests.stories.processes import House

Shot = Callable[[Page, str], Path]

pytestmark = [pytest.mark.story, pytest.mark.browser, pytest.mark.timeout(400)]

EVERYBODYS = [
    "/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/offline/",
]  # fmt: skip
OWN = [
    "/", "/account/", "/bookings/", "/bookings/new/", "/wallet/", "/wallet/credit/",
    "/wallet/passes/", "/wallet/receipts/", "/wallet/billing/", "/wallet/fees/", "/profile/",
    "/profile/about/", "/profile/papers/", "/profile/papers/licence/", "/profile/papers/identity/",
    "/profile/rules/", "/profile/consents/", "/profile/notifications/", "/profile/data/",
    "/profile/erase/", "/help/", "/help/new/", "/accounts/email/", "/accounts/password/change/",
    "/accounts/2fa/",
]  # fmt: skip
# Desks, and of the admin's lists and forms one of each make.
STAFF = {
    "marco@demo.example": [
        "/admin/", "/admin/map/", "/admin/tasks/", "/admin/alarms/", "/admin/work-orders/",
        "/admin/zones/", "/admin/support/", "/admin/fleet/vehicle/", "/admin/fleet/vehicle/add/",
        "/admin/bookings/trip/",
    ],
    "sara@demo.example": ["/crew/"],
    "luca@demo.example": ["/admin/", "/admin/chargers/", "/admin/charging/chargingstation/"],
    "elena@demo.example": ["/admin/"],
}  # fmt: skip


def settle(page: Page, address: str) -> None:
    """Open a page and wait until what it asks for is there."""
    answer = page.goto(address)
    assert answer is not None
    assert answer.ok, f"{address}: {answer.status}"
    expect(page.locator("[aria-busy=true]:visible")).to_have_count(0)


class Looker:
    """Looks at pages as one person, and keeps a picture of every look."""

    def __init__(self, page: Page, who: str, shot: Callable[[Page, str], Path]) -> None:
        self.page, self.who, self.shot = page, who, shot

    def barriers(self, addresses: list[str], *, first: ViewportSize = IN_THE_HAND) -> list[str]:
        found = []
        for address in addresses:
            settle(self.page, address)
            name = re.sub(r"[0-9a-f-]{36}|\W+", "-", address).strip("-") or "map"
            name = re.sub("-+", "-", f"page-{self.who}-{name}")

            def keep(look: str, name: str = name) -> Path:
                return self.shot(self.page, f"{name}-{look}")

            told = barriers(self.page, first=first, shot=keep)
            found += [f"{address}: {barrier}" for barrier in told]
        return found


def test_everybodys_pages_keep_nobody_out(house: House, open_page: OpenPage, shot: Shot) -> None:
    assert Looker(open_page(PHONE), "nobody", shot).barriers(EVERYBODYS) == []


def test_residents_pages_keep_nobody_out(house: House, open_page: OpenPage, shot: Shot) -> None:
    page = open_page(PHONE)
    page.goto("/accounts/login/")
    log_in(house, page, "giulia@demo.example")
    expect(page).to_have_url(re.compile(r"/$"))
    assert Looker(page, "giulia", shot).barriers(OWN) == []


def test_cards_of_vehicles_and_chargers_keep_nobody_out(
    house: House, open_page: OpenPage, shot: Shot
) -> None:
    giulia = sign_in(house, "giulia@demo.example")
    around = {"lat": 45.4642, "lon": 9.19, "radius_m": 20_000, "limit": 5}
    site = giulia.get("stations", **around)["results"][0]
    code = json.loads((Path(house.env["DATA_DIR"]) / "simulator.json").read_text())["devices"][0]
    page = open_page(PHONE)
    cards = [f"/charge/at/{site['id']}/", f"/book/{code['code']}/"]
    assert Looker(page, "card", shot).barriers(cards) == []


@pytest.mark.parametrize("email", STAFF)
def test_staffs_pages_keep_nobody_out(
    house: House, open_page: OpenPage, shot: Shot, email: str
) -> None:
    """What they work with all day."""
    page = open_page(DESK)
    page.goto("/accounts/login/?next=" + STAFF[email][0])
    log_in(house, page, email)
    expect(page).to_have_url(re.compile(re.escape(STAFF[email][0])))
    who = email.partition("@")[0]
    assert Looker(page, who, shot).barriers(STAFF[email], first=ON_A_DESK) == []
