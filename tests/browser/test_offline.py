"""Giulia in a cellar: what a phone shows without a network, and how it rings."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, OpenPage, log_in
from tests.browser.steps import SLOW_MS
from tests.stories.processes import House

pytestmark = [pytest.mark.story, pytest.mark.browser, pytest.mark.timeout(400)]
# `wait_for_function` takes a promise for the answer, so these wait by themselves.
FIRST_NOTIFICATION = """async () => {
    const worker = await navigator.serviceWorker.ready;
    for (;;) {
        const [told] = await worker.getNotifications();
        if (told) return [told.title, told.body, told.data.path];
        await new Promise((again) => setTimeout(again, 100));
    }
}"""
UNTIL_PAGES_ARE_FORGOTTEN = """async () => {
    while (await caches.has("resident-pages")) await new Promise((again) => setTimeout(again, 100));
}"""

GIULIA = "giulia@demo.example"
# What the page of a ride had kept when the network went away.
LAST = {
    "answer": {
        "id": "0193a6f0-0000-7000-8000-000000000001",
        "state": "running",
        "vehicle": {"kind": "scooter", "code": "S042"},
        "cost_so_far_cents": 275,
        "currency": "EUR",
    },
    "at": 1_790_000_000_000,
}


def at_home(house: House, page: Page, address: str) -> None:
    """Signed in, with a worker that has the shell at hand."""
    page.goto(f"/accounts/login/?next={address}")
    log_in(house, page, GIULIA)
    expect(page).to_have_url(re.compile(f"{address}$"))
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("navigator.serviceWorker.controller !== null", timeout=SLOW_MS)


def test_without_a_network_the_ride_is_shown_as_it_was_last_known(
    house: House, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    at_home(house, page, "/wallet/")
    page.evaluate(
        "last => localStorage.setItem(`giro:last:/trips/${last.answer.id}`, JSON.stringify(last))",
        LAST,
    )
    page.context.set_offline(offline=True)

    page.goto("/bookings/")
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    ride = page.locator("[data-offline]")
    expect(ride).to_contain_text("You have a ride going on")
    expect(ride).to_contain_text("S042")
    expect(ride).to_contain_text("€2.75")
    expect(ride).to_contain_text("As we knew it at")
    expect(ride).to_contain_text("Ending a ride needs a connection")

    page.context.set_offline(offline=False)
    expect(page.get_by_role("heading", name="Bookings")).to_be_visible(timeout=SLOW_MS)


def test_who_logs_out_leaves_nothing_on_the_phone(house: House, open_page: OpenPage) -> None:
    page = open_page(PHONE)
    at_home(house, page, "/profile/")
    page.evaluate("last => localStorage.setItem('giro:last:/trips/x', JSON.stringify(last))", LAST)

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()

    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('giro:'))") == []
    page.evaluate(UNTIL_PAGES_ARE_FORGOTTEN)


def test_a_push_message_becomes_a_notification_that_leads_to_its_page(
    house: House, open_page: OpenPage
) -> None:
    """The browser's own push service is out of reach here: the message is handed to the worker."""
    page = open_page(PHONE, permissions=["notifications"])
    at_home(house, page, "/profile/notifications/")
    expect(page.get_by_role("button", name="Tell me on this device")).to_be_visible()
    told = {
        "title": "Your reservation ends soon",
        "body": "S042 is kept for you until 12:30.",
        "path": "/book/S042/",
        "tag": "/book/S042/",
        "lang": "en",
    }

    push(page, house.web_url, json.dumps(told))

    assert page.evaluate(FIRST_NOTIFICATION) == [told["title"], told["body"], told["path"]]


def push(page: Page, origin: str, data: str) -> None:
    """Hand a message to the page's worker, as a push service would."""
    devtools = page.context.new_cdp_session(page)
    workers: list[dict[str, Any]] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: workers.extend(event["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    (own,) = {one["registrationId"] for one in workers if one["scopeURL"] == f"{origin}/"}
    devtools.send(
        "ServiceWorker.deliverPushMessage", {"origin": origin, "registrationId": own, "data": data}
    )


def test_people_choose_what_they_hear_of_without_a_script(
    house: House, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    page.goto("/accounts/login/?next=/profile/notifications/")
    log_in(house, page, GIULIA)
    booking = page.get_by_role("group", name="Cars booked ahead: soon, changed, ending")
    money = page.get_by_role("group", name="Open payments, fees and refunds")
    expect(money.get_by_label("E-mail")).to_be_disabled()

    booking.get_by_label("E-mail").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("We have noted what you want to hear of.")).to_be_visible()
    expect(booking.get_by_label("E-mail")).not_to_be_checked()
    booking.get_by_label("E-mail").check()
    page.get_by_role("button", name="Save").click()
