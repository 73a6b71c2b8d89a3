"""F2: something moves that nobody rides, a zone is wanted at once, and money needs a second person."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from mobility.simulator.geometry import Place
from tests.browser.conftest import DESK, PHONE, OpenPage, Shot, Words, words_of
from tests.browser.steps import SLOW_MS, sit_down, until, wait_until_free
from tests.stories.cast import rider_of, vehicle_of
from tests.stories.people import Caller, credentials_of, sign_in
from tests.stories.processes import House
from tests.stories.street import open_street

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

MOVED = "/admin/alarms/?kind=moved_without_trip"
PASSWORD = "una frase lunga per Paola"
# A colleague of Marco's.
BEGIN = """
from fleet.vehicles.models import Vehicle
from mobility.accounts import services as accounts
from mobility.accounts.models import Membership, User
vehicle = Vehicle.objects.get(code="%(code)s")
paola, fresh = User.objects.get_or_create(email="paola@demo.example", defaults={"name": "Paola"})
if fresh:
    paola.set_password("%(password)s")
    paola.save()
    Membership.objects.create(
        user=paola, organisation_id=vehicle.organisation_id, role="fleet_operator"
    )
"""
LIMIT = """
from bookings.payments.models import PaymentPolicy
from fleet.vehicles.models import Vehicle
organisation = Vehicle.objects.first().organisation_id
PaymentPolicy.objects.update_or_create(
    organisation_id=organisation, defaults={"refund_limit_cents": %d}
)
"""
CREDIT = """
from bookings.payments.services import top_up
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User
from mobility.core import clock
giulia = User.objects.get(email="%s")
organisation = Vehicle.objects.first().organisation_id
top_up(
    user_id=giulia.pk, organisation_id=organisation, cents=1000, method_id=None, at=clock.now(),
    by=giulia.principal,
)
"""


@pytest.mark.parametrize(
    ("size", "locale", "where"), [(DESK, "en", "desk"), (PHONE, "it", "phone")]
)
def test_f2_marco_finds_what_moved_draws_a_zone_and_asks_for_a_second_word(
    house: House, open_page: OpenPage, shot: Shot, size: dict[str, int], locale: str, where: str
) -> None:
    say, credentials = words_of(locale), credentials_of(house)
    # Afterwards it is off the street, and stands elsewhere.
    scooter = vehicle_of(house, "scooter", f"moved-{where}")
    code, here = scooter.code, Place(scooter.lon, scooter.lat + 0.001)
    begin = BEGIN % {"code": code, "password": PASSWORD}
    house.run_once("begin", "manage.py", "shell", "-c", begin)
    page = open_page(size, locale=locale)
    page.on("dialog", lambda dialog: dialog.accept())
    with open_street(credentials, speed=1.0) as street:
        street.put(code, place=here)
        sit_down(house, page, "marco@demo.example", MOVED)
        alarm = page.locator(f"[data-vehicle='{code}']").first
        # Only what has told where it stands can be seen to leave that place.
        wait_until_free(page, code, at=here)
        street.carry(code, Place(here.lon, here.lat + 0.004))

        def raised() -> bool:  # two words from elsewhere, and the round of the list
            street.touch(code)
            return bool(alarm.count())

        until(page, raised, what="the alarm")
        alarm.locator("[data-do=take]").click()
        expect(alarm.locator("[data-do=take]")).to_be_hidden()
        ring_until_it_answers(alarm, say)
        shot(page, f"control-{where}-1-alarm")
        alarm.locator("[data-do=missing]").click()
        expect(alarm.locator("[data-alert]")).to_have_text(
            say("Marked as missing; its case is open."), timeout=SLOW_MS
        )
        page.goto(f"/admin/vehicle/{code}/")
        timeline = page.locator("[data-timeline]")
        expect(timeline).to_contain_text(say("Alarm"))
        expect(page.locator("[data-f=life]")).to_have_text(
            re.compile(say("missing"), re.IGNORECASE)
        )
        shot(page, f"control-{where}-2-timeline")
        seen = page.request.get(f"/api/v1/vehicles/{code}").json()
        assert (seen["available"], seen.get("lat")) == (False, None), "residents see it no more"
        page.goto(MOVED)
        expect(page.locator("[data-list]")).not_to_have_attribute("aria-busy", "true")
        with suppress(PlaywrightTimeout):  # it may have ended by itself: the scooter rests
            alarm.locator("[data-do=close-alarm]").click(timeout=3_000)
        expect(alarm).to_be_hidden()

    with zones_as_they_were(house):
        a_zone_from_draft_to_force_and_back(page, say, shot, where)
    with small_refunds_alone(house):
        money_with_four_eyes(house, page, open_page, shot, where)
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wider <= 0


@contextmanager
def zones_as_they_were(house: House) -> Iterator[None]:
    """Nobody else finds a zone in the middle of the city that a broken story left there."""
    marco = sign_in(house, "marco@demo.example")
    before = zone_set_in_force(marco)
    try:
        yield
    finally:
        left = marco.get("zones")["features"]
        if any(one["properties"]["code"].startswith("fair-") for one in left):
            marco.post(f"fleet/zone-sets/{before}/rollback")


def zone_set_in_force(marco: Caller) -> str:
    sets = marco.get("fleet/zone-sets")["results"]
    own = [one for one in sets if one["organisation"] == "ruote" and one["starts_at"]]
    return str(next(one["id"] for one in own if one["ends_at"] is None))


@contextmanager
def small_refunds_alone(house: House) -> Iterator[None]:
    """As long as this lasts, ten cents are all that one person may give back."""
    house.run_once("limit", "manage.py", "shell", "-c", LIMIT % 10)
    try:
        yield
    finally:
        house.run_once("limit", "manage.py", "shell", "-c", LIMIT % 5000)


def ring_until_it_answers(alarm: Locator, say: Words) -> None:
    alarm.locator("[data-do=honk]").click()
    expect(alarm.locator("[data-alert]")).to_have_text(
        say("Done: the vehicle confirms."), timeout=SLOW_MS
    )


def a_zone_from_draft_to_force_and_back(page: Page, say: Words, shot: Shot, where: str) -> None:
    """Drafted over the zones in force, checked, published, and taken back to what was before."""
    page.goto("/admin/zones/")
    page.locator("[data-new] [name=title]").fill(f"Control {where}")
    page.locator("[data-new] button").click()
    page.wait_for_url(re.compile(r"/admin/zones/[0-9a-f-]{36}/$"))
    expect(page.locator("#map")).to_have_attribute("data-ready", "yes", timeout=SLOW_MS)
    page.locator("[data-kind]").select_option("no_park")
    page.locator("[data-do=square]").click()
    page.locator("[data-form] [name=code]").fill(f"fair-{where}")
    page.locator("[data-form] [name=code]").press("Tab")
    page.locator("[data-do=save]").click()
    findings = page.locator("[data-findings] li").first
    expect(findings).to_be_visible(timeout=SLOW_MS)
    shot(page, f"control-{where}-3-checked")
    publish = page.locator("[data-publish]")
    publish.locator("[name=acknowledged]").check()
    publish.locator("button").click()
    rollback = page.locator("[data-rollback]")
    expect(rollback).to_be_visible(timeout=SLOW_MS)
    assert f"fair-{where}" in zones(page)

    page.goto("/admin/zones/")
    before = page.locator("tr[data-id]", has=page.locator("[data-do=rollback]")).first
    before.locator("[data-do=rollback]").click()
    page.wait_for_url(re.compile(r"/admin/zones/[0-9a-f-]{36}/$"))
    assert f"fair-{where}" not in zones(page)
    shot(page, f"control-{where}-4-taken-back")


def zones(page: Page) -> list[str]:
    answer = page.request.get("/api/v1/zones").json()
    return [one["properties"]["code"] for one in answer["features"]]


def money_with_four_eyes(
    house: House, page: Page, open_page: OpenPage, shot: Shot, where: str
) -> None:
    """Above the limit Marco's word is not enough, and his own second one does not count."""
    giulia = rider_of(house, f"money-{where}")
    house.run_once("credit", "manage.py", "shell", "-c", CREDIT % giulia.email)
    page.goto(f"/admin/support/?q={giulia.email}")
    page.locator(".desk-list a", has_text=giulia.email).first.click()
    payment = page.locator("#payments details").first
    until(page, lambda: bool(payment.count()), what="a payment", reload=True)
    payment.locator("summary").click()
    payment.locator("[name=amount]").fill("0.20")
    payment.locator("[name=reason]").fill(f"four eyes {where}")
    payment.locator("button").click()
    row = page.locator("#refunds tr", has_text=f"four eyes {where}")
    expect(row).to_be_visible()
    expect(row.locator("button")).to_have_count(0)
    shot(page, f"control-{where}-5-second-person")
    address = page.url
    paola = open_page(DESK)
    paola.goto("/admin/")
    paola.locator("input[name=login]").fill("paola@demo.example")
    paola.locator("input[name=password]").fill(PASSWORD)
    paola.locator("input[name=password]").press("Enter")
    paola.wait_for_url("**/admin/")
    paola.goto(address)
    theirs = paola.locator("#refunds tr", has_text=f"four eyes {where}")
    theirs.locator("[value=approve]").click()
    expect(paola.get_by_text("Approved: the money goes back.")).to_be_visible()
    expect(theirs.locator("button")).to_have_count(0)
