"""R2: Nora's first booked car, from her licence to the invoice, on a phone and at a desk."""

import datetime
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from mobility.core import clock
from mobility.simulator.geometry import Place
from tests.browser.conftest import LAPTOP, PHONE, OpenPage, Shot, Words, words_of
from tests.browser.one_charger import charger, now
from tests.browser.steps import (
    SLOW_MS,
    end_ride,
    new_driver,
    picture,
    refused_because,
    submit,
    until,
    wait_until_there,
)
from tests.stories.cast import rider_of
from tests.stories.people import credentials_of
from tests.stories.processes import House
from tests.stories.street import open_street

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


@pytest.mark.parametrize(
    ("size", "locale", "where"), [(PHONE, "it", "phone"), (LAPTOP, "en", "laptop")]
)
def test_r2_nora_books_a_car_drives_plugs_it_in_and_gets_her_invoice(
    house: House, open_page: OpenPage, shot: Shot, size: dict[str, int], locale: str, where: str
) -> None:
    """Licence, whole price, booking, damage, unlock, longer, cable, end, receipt and deposit."""
    say, credentials = words_of(locale), credentials_of(house)
    page = open_page(size, locale=locale)
    new_driver(page, email=f"nora{secrets.randbelow(10**6)}@demo.example")
    post = next(one for one in credentials.chargers if one.identity == POST)
    with (
        cars_want_a_plug(house) as bay,
        open_street(credentials, speed=8.0) as street,
        charger(f"{house.ocpp_url}/{POST}", POST, post.password) as unit,
    ):
        unit.say("BootNotification", chargePointVendor="Test", chargePointModel="One")
        unit.tell_status("Available")
        for one in (spec for spec in credentials.devices if spec.kind == "car"):
            street.put(one.code, place=Place(bay.lon, bay.lat + 0.004))
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

        with booked_by_the_next_one(house, code) as start:
            told_what_can_be_done(page, booking, start)
            shot(page, f"ahead-{where}-4-longer")
        page.goto(trip)
        street.drive(code, bay)
        wait_until_there(page, street, code, bay)
        refused_because(page, street, code, say("The car is not plugged in."))
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


@contextmanager
def cars_want_a_plug(house: House) -> Iterator[Place]:
    """As long as this story lasts, whatever becomes of it; the place of a bay with a plug."""
    told = house.run_once("prepare", "manage.py", "shell", "-c", PREPARE % {"plug": True})
    lon, lat = map(float, re.findall(r"^bay (\S+) (\S+)$", told, re.MULTILINE)[0])
    try:
        yield Place(lon, lat)
    finally:
        house.run_once("after", "manage.py", "shell", "-c", PREPARE % {"plug": False})


def book_from_now(page: Page, say: Words) -> str:
    """Price and pre-authorisation before anything is booked; the code of the car."""
    page.goto("/bookings/new/")
    obstacles = page.locator(".obstacles")  # the checker works in a worker
    until(page, lambda: not obstacles.count(), what="the check of the licence", reload=True)
    begins = clock.now()
    start, end = clock.local(begins), clock.local(begins + datetime.timedelta(hours=2))
    page.locator("[name=start]").fill(f"{start:%Y-%m-%dT%H:%M}")
    page.locator("[name=end]").fill(f"{end:%Y-%m-%dT%H:%M}")
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
    unlock = page.locator("[data-do=unlock]")
    until(page, lambda: bool(unlock.count()), what="the window", reload=True)
    return code


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


@contextmanager
def booked_by_the_next_one(house: House, code: str) -> Iterator[datetime.datetime]:
    """Somebody has the car after Nora, from then on; who comes after this story finds it free again."""
    start = clock.now() + datetime.timedelta(hours=3)
    other = rider_of(house, "next-driver").phone
    wish = {
        "vehicle": code,
        "start": start.isoformat(),
        "end": (start + datetime.timedelta(hours=1)).isoformat(),
    }
    theirs = other.post("bookings", wish, status=201)
    try:
        yield clock.local(start)
    finally:
        other.post(f"bookings/{theirs['id']}/cancel")


def told_what_can_be_done(page: Page, booking: str, start: datetime.datetime) -> None:
    """Nora would like it for longer than it is free."""
    page.goto(booking)
    page.locator("[name=end]").last.fill(f"{start:%Y-%m-%dT%H:%M}")
    page.locator("section[aria-labelledby=change] .button").last.click()
    expect(page.locator("form.notice.warning").first).to_be_visible()
    page.locator("form.notice.warning button").first.click()
    expect(page.locator("form.notice.warning")).to_have_count(0)
