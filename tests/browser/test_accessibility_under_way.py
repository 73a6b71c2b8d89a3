"""Nobody is kept out of what is under way: a charge, with and without an account, a booking, a case, a
second factor. The other pages are looked at in `test_accessibility.py`."""

import datetime
import re

import pytest
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import Page, expect

from mobility.core import clock
from tests.browser.accessibility import arrived, barriers, barriers_of
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.steps import SLOW_MS, picture, sit_down, submit
from tests.stories.cast import PASSWORD, rider_of
from tests.stories.people import credentials_of
from tests.stories.plugs import chargers_of, code_of, free_plug
from tests.stories.processes import House
from tests.stories.street import open_chargers

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

SOME_WH = 200
"""Below a tenth of a kilowatt-hour a charge costs nothing, and there is no receipt to look at."""


def test_a_charge_under_way_and_its_receipt_keep_nobody_out(
    house: House, open_page: OpenPage
) -> None:
    giulia = rider_of(house, "charge-seen")
    charger = chargers_of(house, "ocpp2.0.1")[-1]
    page = open_page(PHONE, locale="it")
    sit_down(house, page, giulia.email, "/wallet/")
    with open_chargers(credentials_of(house), {charger.identity}, speed=12, tokens=[]):
        plug = free_plug(giulia.phone, charger)
        bought = giulia.phone.post("recharges", {"connector": plug["id"]}, status=201)
        path = f"recharges/{bought['id']}"
        giulia.phone.wait_for(path, lambda seen: seen["energy_wh"] > SOME_WH, what="energy")
        assert barriers_of(page, [f"/charge/{bought['id']}/"]) == []
        expect(page.locator("[data-recharge]")).to_have_attribute("data-state", "charging")
        giulia.phone.post(f"{path}/stop")
        giulia.phone.wait_for(path, lambda seen: seen["state"] == "settled", what="the payment")
    assert barriers_of(page, [f"/charge/{bought['id']}/receipt/"]) == []


def test_a_guests_charge_tells_of_itself_where_one_stands(
    house: House, open_page: OpenPage
) -> None:
    """From the sticker to the receipt; the page turns under the hand, and whoever is at "stop" stays there."""
    charger = chargers_of(house, "ocpp2.0.1")[-2]
    page = open_page(PHONE)
    with open_chargers(credentials_of(house), {charger.identity}, speed=12, tokens=[]):
        free_plug(rider_of(house, "charge-seen").phone, charger)
        page.goto(f"/charge/{code_of(house, charger)}/")
        submit(page, "[name=limit]")
        expect(page).to_have_url(re.compile("/charge/go/"))
        assert barriers(page) == []
        charging = page.get_by_role("heading", name="Charging", exact=True)
        expect(charging).to_be_visible(timeout=SLOW_MS)
        stop = page.get_by_role("button", name="Stop charging")
        stop.focus()
        energy = page.locator("dl.meter dd").first
        expect(energy).to_have_text(re.compile(r"^(0\.[2-9]|[1-9])"), timeout=SLOW_MS)
        expect(stop).to_be_focused()
        assert barriers(page) == []
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Receipt").click(timeout=SLOW_MS)
    arrived(page)
    assert barriers(page) == []


def test_a_booking_and_its_cars_day_keep_nobody_out(house: House, open_page: OpenPage) -> None:
    giulia = rider_of(house, "booking")
    car = next(one for one in credentials_of(house).devices if one.kind == "car")
    start = (clock.now() + datetime.timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    wish = {
        "vehicle": car.code,
        "start": start.isoformat(),
        "end": (start + datetime.timedelta(hours=2)).isoformat(),
    }
    booking = giulia.phone.post("bookings", wish, status=201)
    page = open_page(PHONE, locale="it")
    sit_down(house, page, giulia.email, "/bookings/")
    addresses = [f"/bookings/{booking['id']}/", f"/bookings/car/{car.code}/", "/bookings/"]
    found = barriers_of(page, addresses)
    giulia.phone.post(f"bookings/{booking['id']}/cancel")
    assert found == []


def test_a_case_with_its_photo_keeps_nobody_out(house: House, open_page: OpenPage) -> None:
    page = open_page(PHONE)
    sit_down(house, page, rider_of(house, "case").email, "/help/new/")
    page.locator("[name=kind]").select_option("other")
    page.locator("[name=text]").fill("The app does not show my last ride.")
    page.locator("[name=photo]").set_input_files(picture("screen"))
    submit(page, "[name=text]")
    expect(page).to_have_url(re.compile(r"/help/[0-9a-f-]{36}/$"))
    assert barriers(page) == []


def test_a_second_factor_is_set_up_by_everybody(house: House, open_page: OpenPage) -> None:
    """The code to scan or to type, a code that is wrong, and the codes for the day the phone is gone."""
    page = open_page(PHONE)
    sit_down(house, page, rider_of(house, "second-factor").email, "/accounts/2fa/")
    assert barriers_of(page, ["/accounts/2fa/totp/activate/"]) == []
    # Keys are changed only by who has just said the password.
    page.locator("main [name=password]").fill(PASSWORD)
    submit(page, "[name=password]")
    assert barriers(page) == []
    secret = page.locator("#authenticator_secret").input_value()
    _type_code(page, "000000")
    expect(page.locator(".errorlist, [role=alert]").first).to_be_visible()
    assert barriers(page) == []
    _type_code(page, f"{hotp_value(secret, next(iter(yield_hotp_counters_from_time()))):06d}")
    expect(page).to_have_url(re.compile("/recovery-codes/"))
    assert barriers(page) == []
    assert barriers_of(page, ["/accounts/2fa/"]) == []


def _type_code(page: Page, code: str) -> None:
    page.locator("main [name=code]").fill(code)
    submit(page, "[name=code]")
