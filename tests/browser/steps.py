"""What people do again and again in the stories: sign up, sit down, ride to the end, wait until it is so.

Nothing here waits a fixed time for another process: it looks again until it is so, with the patience of
somebody whose phone has two bars.
"""

import io
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress

from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from mobility.simulator.geometry import Place, distance_m
from tests.browser.conftest import Words, log_in, words_of
from tests.stories.cast import PASSWORD
from tests.stories.processes import House
from tests.stories.street import Street

SLOW_MS = 90_000
"""For what goes through stream, drain, relay or worker before a page can show it."""
LOOK_MS = 500
ENGLISH = words_of("en")


def until(page: Page, done: Callable[[], bool], *, what: str, reload: bool = False) -> None:
    """Look twice a second until ``done``; with ``reload`` the page is asked for anew before each look."""
    deadline = time.monotonic() + SLOW_MS / 1000
    while not done():
        assert time.monotonic() < deadline, f"{what} did not happen at {page.url}"
        page.wait_for_timeout(LOOK_MS)
        if reload:
            page.reload()


# --- coming in ------------------------------------------------------------------------------------


def sit_down(house: House, page: Page, email: str, address: str) -> None:
    """Ask for a page of the desk as a stranger, log in, and be back at it."""
    page.goto(address)
    log_in(house, page, email)
    page.wait_for_url(f"**{address}")


def sign_up(page: Page, email: str) -> None:
    """A new account, which wants to book a car."""
    page.goto("/accounts/signup/?next=/bookings/new/")
    page.locator("input[name=email]").fill(email)
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main form button").first.click()
    expect(page).to_have_url(re.compile(r"/bookings/new/$"))


def new_driver(page: Page, *, email: str) -> None:
    """A licence that the demo's checker has looked at, the rules read, a card that pays."""
    sign_up(page, email)
    page.goto("/profile/papers/licence/")
    for name, value in {
        "number": f"MI7{secrets.randbelow(10**6):06}12",
        "held_since": "2015-06-01",
        "valid_until": "2035-06-01",
    }.items():
        page.locator(f"[name={name}]").fill(value)
    page.locator("[name=front]").set_input_files(picture("front"))
    page.locator("[name=back]").set_input_files(picture("back"))
    submit(page, "[name=front]")
    expect(page).to_have_url(re.compile(r"/profile/papers/$"))
    page.goto("/profile/about/")
    page.locator("[name=birth_date]").fill("1990-05-17")
    submit(page, "[name=birth_date]")
    page.goto("/profile/rules/")
    with page.expect_navigation():
        page.locator("main form button").first.click()
    page.goto("/wallet/")
    with page.expect_navigation():
        page.locator("form[action$='/wallet/cards/'] button").click()


def submit(page: Page, field: str) -> None:
    """Send the form that has this field, and wait for what comes of it."""
    with page.expect_navigation():
        page.locator("main form", has=page.locator(field)).locator("button").last.click()


def picture(name: str) -> FilePayload:
    """A photo as a phone takes it."""
    content = io.BytesIO()
    Image.new("RGB", (640, 400), "teal").save(content, "JPEG")
    return {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()}


# --- on the road ----------------------------------------------------------------------------------


def wait_until_free(page: Page, code: str, *, at: Place | None = None) -> None:
    """Until it can be taken, and has told that it stands ``at`` this place."""

    def free() -> bool:
        seen = page.request.get(f"/api/v1/vehicles/{code}").json()
        if not seen["available"]:
            return False
        return at is None or distance_m(at, Place(seen["lon"], seen["lat"])) < 50

    until(page, free, what=f"{code} free")


def expect_state(page: Page, state: str) -> None:
    """The page of the ride says so."""
    expect(page.locator("[data-trip]")).to_have_attribute("data-state", state, timeout=SLOW_MS)


def wait_until_there(page: Page, street: Street, code: str, goal: Place) -> None:
    """Until what is ridden has told where it stands: what it told on the way is no place to end."""
    trip = page.url.rstrip("/").rsplit("/", 1)[1]

    def there() -> bool:
        seen = page.request.get(f"/api/v1/trips/{trip}").json()["vehicle"]
        if seen["lat"] and distance_m(Place(seen["lon"], seen["lat"]), goal) < 15:
            return True
        street.touch(code)
        return False

    until(page, there, what=f"{code} at its goal")


def refused_because(page: Page, street: Street, code: str, reason: str) -> None:
    """Ask for the end until ``reason`` is among what is missing: the last word may still be of the ride."""
    conditions = page.locator("[data-conditions]")

    def told() -> bool:
        street.touch(code)
        page.locator("[data-do=end]").click()
        expect(conditions).to_be_visible(timeout=SLOW_MS)
        return reason in conditions.inner_text()

    until(page, told, what=f"a refusal: {reason!r}")


def end_ride(page: Page, street: Street, code: str) -> None:
    """Ask for the end until the page has gone on to the receipt; the lock may be quicker than a hand."""

    def arrived() -> bool:
        if "/receipt/" in page.url:
            return True
        button = page.locator("[data-trip][data-state=running] [data-do=end]")
        if button.count():
            with suppress(PlaywrightTimeout):
                button.click(timeout=3_000)
        street.touch(code)
        return False

    until(page, arrived, what="the receipt")


# --- at the desk ----------------------------------------------------------------------------------


def publish_a_plan(office: Page, say: Words = ENGLISH) -> None:
    """Asked for on the board, computed, and given to the crews."""
    office.get_by_role("button", name=say("Plan now")).click()
    draft = office.locator(".desk-plan", has_text=say("draft")).first
    expect(draft).to_be_visible(timeout=SLOW_MS)
    draft.get_by_role("button", name=say("Publish")).click()
    published = office.locator(".desk-plan", has_text=say("published")).first
    expect(published).to_be_visible(timeout=SLOW_MS)


def demand(office: Page, code: str, say: Words = ENGLISH) -> None:
    """A battery for this vehicle, whatever the plan thinks of it."""
    form = office.locator("[data-demand]")
    form.get_by_label(say("Vehicle")).fill(code)
    form.get_by_label(say("What to do")).select_option("swap_battery")
    form.get_by_role("button", name=say("Demand this task")).click()
    task = office.locator("[data-column=open] .desk-task", has_text=code)
    expect(task).to_contain_text(say("must be done"))


def give_to(office: Page, code: str, crew: str) -> Locator:
    """Give the van that is to go to this vehicle to somebody; the van's card."""
    task = office.locator("[data-column=open] .desk-task", has_text=code)
    van = task.locator("[data-f=van]").inner_text()
    card = office.locator("[data-van-list] article", has_text=van)
    card.locator("[data-assign]").select_option(label=crew)
    return card
