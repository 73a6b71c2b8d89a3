"""R2: Nora's first booked car, from her licence to the invoice, on a phone and at a desk."""

import datetime
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from mobility.core import clock
from mobility.simulator.geometry import Place, distance_m
from tests.browser.conftest import PHONE, OpenPage, Words, words_of
from tests.browser.test_charger import charger, stamp
from tests.browser.test_own_pages import LAPTOP, SLOW_MS, picture, sign_up
from tests.stories.people import Caller, credentials_of, resident
from tests.stories.processes import House
from tests.stories.street import Street, open_street

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

POST = "MA01-1"
# Giulia's operator wants its cars plugged in here, and the car brings a card that the operator pays for.
PREPARE = """
from bookings.reservations.models import ReservationPolicy
from bookings.trips.models import TripPolicy
from charging.sessions.services import ensure_token
from charging.sessions.states import TokenKind
from charging.stations.models import ChargingStation
from fleet.vehicles.models import Vehicle
from fleet.zones.models import Zone
from mobility.core import clock
from mobility.core.principals import SYSTEM
cars = list(Vehicle.objects.filter(type__kind="car").order_by("code"))
TripPolicy.objects.update_or_create(
    organisation_id=cars[0].organisation_id, kind="car", defaults={"plug_at_hubs": %(plug)s}
)
station = ChargingStation.objects.select_related("site").get(identity="MA01-1")
bay = Zone.objects.filter(hub=station.site.hub_id).latest("pk").boundary.point_on_surface
for car in cars:
    print("card", car.code, f"CAR-{car.code}")
    ensure_token(
        uid=f"CAR-{car.code}", kind=TokenKind.VEHICLE, owner_ref=f"vehicle:{car.public_id}",
        organisation_id=car.organisation_id, at=clock.now(), by=SYSTEM,
    )
print("bay", bay.x, bay.y)
"""
Shot = Callable[[Page, str], Path]


@pytest.mark.parametrize(
    ("size", "locale", "where"), [(PHONE, "it", "phone"), (LAPTOP, "en", "laptop")]
)
def test_r2_nora_books_a_car_drives_plugs_it_in_and_gets_her_invoice(
    house: House, open_page: OpenPage, shot: Shot, size: dict[str, int], locale: str, where: str
) -> None:
    """Licence, whole price, booking, damage, unlock, longer, cable, end, receipt and deposit."""
    say, credentials = words_of(locale), credentials_of(house)
    told = house.run_once("prepare", "manage.py", "shell", "-c", PREPARE % {"plug": True})
    lon, lat = map(float, re.findall(r"^bay (\S+) (\S+)$", told, re.MULTILINE)[0])
    bay = Place(lon, lat)
    near = Place(lon, lat + 0.004)
    page = open_page(size, locale=locale)
    new_driver(page, email=f"nora{secrets.randbelow(10**6)}@demo.example")
    post = next(one for one in credentials.chargers if one.identity == POST)
    with (
        open_street(credentials, speed=8.0) as street,
        charger(f"{house.ocpp_url}/{POST}", POST, post.password) as unit,
    ):
        unit.say("BootNotification", chargePointVendor="Test", chargePointModel="One")
        unit.tell_status("Available")
        for one in (spec for spec in credentials.devices if spec.kind == "car"):
            street.put(one.code, place=near)
        code = book_from_now(page, say)
        shot(page, f"ahead-{where}-1-booked")
        page.goto(f"/bookings/car/{code}/")
        expect(page.locator(".slot.taken").first).to_be_visible()
        page.go_back()

        photograph_a_scratch(page)
        shot(page, f"ahead-{where}-2-scratch")
        booking = page.url.split("#")[0]
        page.locator("[data-do=unlock]").click()
        expect(page).to_have_url(re.compile(r"/trip/[0-9a-f-]{36}/$"), timeout=SLOW_MS)
        trip = page.url
        street.touch(code)
        expect(page.locator("[data-trip]")).to_have_attribute(
            "data-state", "running", timeout=SLOW_MS
        )
        page.locator("[data-found] summary").click()
        page.locator("[data-found-photo]").set_input_files(picture("seat"))
        expect(page.locator("[data-found] .success")).to_be_visible()
        shot(page, f"ahead-{where}-3-driving")

        blocked_by_the_next_one(house, page, booking, code)
        shot(page, f"ahead-{where}-4-longer")
        page.goto(trip)
        street.drive(code, bay)
        wait_until_there(page, trip, street, code, bay)
        end_without_the_cable(page, street, code, say)
        shot(page, f"ahead-{where}-5-cable")
        begun = unit.say(
            "StartTransaction", connectorId=1, idTag=f"CAR-{code}", meterStart=0, timestamp=now()
        )
        assert begun["idTagInfo"]["status"] == "Accepted"
        end_ride(page, street, code)

        expect(page).to_have_url(re.compile(r"/receipt/[0-9a-f-]{36}/$"), timeout=SLOW_MS)
        receipt = page.locator("[data-receipt]")
        expect(receipt).to_contain_text(say("Paid"), timeout=SLOW_MS)
        expect(receipt).to_contain_text("22%")
        expect(receipt).not_to_contain_text("kWh")
        shot(page, f"ahead-{where}-6-receipt")
        unit.say(
            "StopTransaction",
            transactionId=begun["transactionId"],
            meterStop=3000,
            timestamp=now(),
            reason="EVDisconnected",
        )
    page.goto(f"/rides/{trip.rstrip('/').rsplit('/', 1)[1]}/")
    expect(page.locator("section[aria-labelledby=found] img")).to_have_count(2)
    page.goto("/bookings/")
    expect(page.locator("section[aria-labelledby=over]")).to_contain_text(code)
    page.goto("/wallet/")
    expect(page.locator("main")).not_to_contain_text(say("Payment due"))
    house.run_once("after", "manage.py", "shell", "-c", PREPARE % {"plug": False})


def now() -> str:
    return stamp(datetime.datetime.now(datetime.UTC))


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


def book_from_now(page: Page, say: Words) -> str:
    """Price and pre-authorisation before anything is booked; the code of the car."""
    start = clock.local(clock.now())
    page.goto("/bookings/new/")
    for _ in range(60):  # the checker works in a worker
        if not page.locator(".obstacles").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    page.locator("[name=start]").fill(f"{start:%Y-%m-%dT%H:%M}")
    page.locator("[name=end]").fill(f"{start + datetime.timedelta(hours=2):%Y-%m-%dT%H:%M}")
    submit(page, "[name=start]")
    offer = page.locator("#results a.button").first
    expect(offer).to_be_visible(timeout=20_000)
    offer.click()
    expect(page.locator(".sum")).to_contain_text("€")
    expect(page.locator("main")).to_contain_text(re.compile("5[.,]00"))
    page.locator("form[method=post] button.wide").click()
    expect(page).to_have_url(re.compile(r"/bookings/[0-9a-f-]{36}/$"))
    expect(page.locator("html")).to_have_attribute("lang", re.compile("it|en"))
    code: str = page.locator("[data-booking] dd.number").inner_text()
    # Its time has come; the round that opens windows is made every few seconds.
    for _ in range(60):
        if page.locator("[data-do=unlock]").count():
            return code
        page.wait_for_timeout(1000)
        page.reload()
    raise AssertionError(page.locator("[data-booking]").inner_text())


def photograph_a_scratch(page: Page) -> None:
    """No picture first, and what is none; then the scratch, with a word."""
    section = page.locator("section[aria-labelledby=found]")
    section.locator("[name=photo]").set_input_files(
        {"name": "scratch.jpg", "mimeType": "image/jpeg", "buffer": b"no picture at all"}
    )
    section.locator("button").click()
    expect(section.locator(".errorlist")).to_be_visible()
    section.locator("[name=photo]").set_input_files(picture("scratch"))
    section.locator("[name=note]").fill("left door")
    section.locator("button").click()
    expect(section.locator("img")).to_have_count(1)
    expect(section).to_contain_text("left door")
    assert section.locator("img").evaluate("img => img.decode().then(() => img.naturalWidth)") > 0


def blocked_by_the_next_one(house: House, page: Page, booking: str, code: str) -> None:
    """Somebody has the car after Nora; she is told what can be done instead."""
    start = clock.local(clock.now()) + datetime.timedelta(hours=3)
    other: Caller = resident(house, 0)
    wish = {
        "vehicle": code,
        "start": start.isoformat(),
        "end": (start + datetime.timedelta(hours=1)).isoformat(),
    }
    other.post("bookings", wish, status=201)
    page.goto(booking)
    page.locator("[name=end]").last.fill(f"{start:%Y-%m-%dT%H:%M}")
    page.locator("section[aria-labelledby=change] .button").last.click()
    expect(page.locator("form.notice.warning").first).to_be_visible()
    page.locator("form.notice.warning button").first.click()
    expect(page.locator("form.notice.warning")).to_have_count(0)


def wait_until_there(page: Page, trip: str, street: Street, code: str, bay: Place) -> None:
    """Until the car has told where it stands: what it told on the way is no place to end."""
    address = f"/api/v1/trips/{trip.rstrip('/').rsplit('/', 1)[1]}"
    for _ in range(60):
        seen = page.request.get(address).json()["vehicle"]
        if seen["lat"] and distance_m(Place(seen["lon"], seen["lat"]), bay) < 15:
            return
        street.touch(code)
        page.wait_for_timeout(500)
    raise AssertionError(seen)


def end_without_the_cable(page: Page, street: Street, code: str, say: Words) -> None:
    wanted = say("The car is not plugged in.")
    for _ in range(20):
        page.locator("[data-do=end]").click()
        expect(page.locator("[data-conditions]")).to_be_visible()
        if wanted in page.locator("[data-conditions]").inner_text():
            return
        street.touch(code)
        page.wait_for_timeout(500)
    raise AssertionError(page.locator("[data-conditions]").inner_text())


def end_ride(page: Page, street: Street, code: str) -> None:
    """Ask for the end until the page has gone on to the receipt; the lock may be quicker than a hand."""
    for _ in range(60):
        if "/receipt/" in page.url:
            return
        button = page.locator("[data-trip][data-state=running] [data-do=end]")
        if button.count():
            with suppress(PlaywrightTimeout):
                button.click(timeout=3_000)
        street.touch(code)
        page.wait_for_timeout(500)
    raise AssertionError(page.locator("[data-conditions]").inner_text())
