"""Luca puts a charger into service: what he reads on his page, a charger types into its first words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from websockets.exceptions import InvalidStatus

from tests.browser.conftest import DESK, LAPTOP, PHONE, OpenPage, Shot, words_of
from tests.browser.one_charger import Charger, charger, now, stamp
from tests.browser.steps import SLOW_MS, sit_down
from tests.stories.processes import House

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

ADD = "/admin/charging/chargingstation/add/"


def fill_in(page: Page, identity: str) -> None:
    """The form for a charger with one cable at a new site."""
    page.locator("[name=name]").fill(f"Via {identity}")
    page.locator("[name=lat]").fill("45.44")
    page.locator("[name=lon]").fill("9.20")
    page.locator("[name=identity]").fill(identity)
    page.locator("[name=connectors-0-count]").fill("1")


def ticked(page: Page, step: str) -> None:
    """The step of the checklist is done, without anybody reloading the page."""
    row = page.locator(f"[data-step={step}]")
    row.scroll_into_view_if_needed()
    expect(row).to_have_attribute("data-done", "yes", timeout=SLOW_MS)


@pytest.mark.parametrize(
    ("size", "locale", "name"), [(DESK, "en", "charger"), (PHONE, "it", "charger-phone")]
)
def test_luca_puts_a_charger_into_service_and_sees_it_come_alive(
    house: House, open_page: OpenPage, shot: Shot, size: dict[str, int], locale: str, name: str
) -> None:
    say, page = words_of(locale), open_page(size, locale=locale)
    sit_down(house, page, "luca@demo.example", ADD)
    fill_in(page, name.upper())
    shot(page, f"{name}-1-new")
    page.get_by_role("button", name=say("Create and show the password")).click()
    secret = page.locator("#secret").inner_text()
    address = page.locator("#address-1").inner_text()
    shot(page, f"{name}-2-first-contact")
    with pytest.raises(InvalidStatus), charger(address, name.upper(), "not the password"):
        pass
    # What is out of sight, on a phone, is not asked for.
    page.locator("[data-step=handshake]").scroll_into_view_if_needed()
    expect(page.locator("[data-step=handshake]")).to_contain_text(
        say("The password is wrong. Type it again, or make a new one on this page."),
        timeout=SLOW_MS,
    )
    shot(page, f"{name}-3-refused")
    with charger(address, name.upper(), secret) as unit:
        ticked(page, "handshake")
        boot = unit.say("BootNotification", chargePointVendor="Test", chargePointModel="One")
        assert boot["status"] == "Accepted"
        ticked(page, "boot")
        unit.tell_status("Available")
        ticked(page, "status")
        unit.say("Heartbeat")
        ticked(page, "heartbeat")
        house.run_once("token", "manage.py", "add_token", f"TAG-{name}"[:20])
        begun = unit.say(
            "StartTransaction",
            connectorId=1,
            idTag=f"TAG-{name}"[:20],
            meterStart=0,
            timestamp=now(),
        )
        ticked(page, "session")
        unit.say(
            "MeterValues",
            connectorId=1,
            transactionId=begun["transactionId"],
            meterValue=[{"timestamp": now(), "sampledValue": [{"value": "0"}]}],
        )
        ticked(page, "readings")
        shot(page, f"{name}-4-done")
        page.get_by_role("link", name=say("To the station's page")).click()
        expect(page.locator("#part-frames")).to_contain_text(
            say("The station started"), timeout=SLOW_MS
        )
        shot(page, f"{name}-5-station")
        page.locator("#charger-ask").get_by_role("button", name=say("Restart the station")).click()
        unit.obey("Reset", status="Accepted")
        expect(page.locator("[data-newest]")).to_have_attribute(
            "data-newest", "accepted", timeout=SLOW_MS
        )
        page.locator("#part-frames").scroll_into_view_if_needed()
        shot(page, f"{name}-6-frames")
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0
    page.get_by_role("link", name=say("Power of the site")).click()
    expect(page.locator(".charger-chart")).to_be_visible()
    shot(page, f"{name}-7-power")


# The demo city's prices begin with the city; a charge that began two hours ago wants some before.
PRICED_BEFORE = """
from datetime import UTC, datetime
from charging.tariffs import services
from charging.tariffs.models import TariffVersion
from mobility.core import clock
from mobility.core.principals import SYSTEM
start = datetime(2020, 1, 1, tzinfo=UTC)
if not TariffVersion.objects.valid_at(start).exists():
    for version in TariffVersion.objects.valid_at(clock.now()):
        draft = services.draft_version(
            tariff_id=version.tariff_id, components=version.components, valid_from=start,
            valid_until=version.valid.lower, at=clock.now(), by=SYSTEM,
        )
        services.publish_version(version_id=draft.pk, at=clock.now(), by=SYSTEM)
"""


@contextmanager
def put_into_service(page: Page, house: House, identity: str) -> Iterator[Charger]:
    """A charger of Luca's own that stands on its line, introduced and free."""
    sit_down(house, page, "luca@demo.example", ADD)
    fill_in(page, identity)
    page.locator(".submit-row input.default").click()
    secret = page.locator("#secret").inner_text()
    with charger(page.locator("#address-1").inner_text(), identity, secret) as unit:
        unit.say("BootNotification", chargePointVendor="Test", chargePointModel="One")
        unit.tell_status("Available")
        yield unit


def publish_a_tariff(page: Page, shot: Shot, name: str, *, year: int) -> None:
    """A price by night and one by day, looked at before anybody pays them."""
    page.goto("/admin/charging/tariffversion/add/")
    page.locator("[name=tariff]").select_option(index=1)
    page.locator("[name=valid_from]").fill(f"{year}-01-01T00:00")
    for place, (cents, start, end) in enumerate((("30", "22:00", "07:00"), ("55", "", ""))):
        line = page.locator(".charger-price").nth(place)
        if line.get_attribute("open") is None:
            line.locator("summary").click()
        page.locator(f"[name=lines-{place}-kind]").select_option("energy")
        page.locator(f"[name=lines-{place}-unit_cents]").fill(cents)
        page.locator(f"[name=lines-{place}-start_time]").fill(start)
        page.locator(f"[name=lines-{place}-end_time]").fill(end)
    page.locator("[name=count]").click()
    # Twenty kilowatt-hours in an afternoon at 55 cents.
    expect(page.locator("#bills")).to_contain_text("11")
    page.locator("#bills").scroll_into_view_if_needed()
    shot(page, f"{name}-a-bills")
    page.locator("[name=publish]").click()
    expect(page.locator("#bills")).to_be_visible()
    expect(page.locator(".charger-tariff")).to_have_count(0)
    shot(page, f"{name}-b-published")


def charge_from_the_page(page: Page, unit: Charger, tag: str) -> None:
    """Started and stopped from the desk: what the charger answers is awaited and shown."""
    start = page.locator("#charger-ask form", has=page.locator("[name=action][value=remote_start]"))
    start.locator("[name=token]").fill(tag)
    start.locator("button").click()
    unit.obey("RemoteStartTransaction", status="Accepted")
    expect(page.locator("[data-newest]")).to_have_attribute(
        "data-newest", "accepted", timeout=SLOW_MS
    )
    began = datetime.now(UTC) - timedelta(hours=2)
    begun = unit.say(
        "StartTransaction",
        connectorId=1,
        idTag=tag,
        meterStart=1000,
        timestamp=stamp(began),
    )
    number = begun["transactionId"]
    for minutes, register_wh in ((30, 6_000), (60, 12_000), (110, 12_000)):
        unit.say(
            "MeterValues",
            connectorId=1,
            transactionId=number,
            meterValue=[
                {
                    "timestamp": stamp(began + timedelta(minutes=minutes)),
                    "sampledValue": [{"value": str(register_wh)}],
                }
            ],
        )
    stop = page.locator("#part-now button[form=charger-stop]")
    page.locator("#part-now").scroll_into_view_if_needed()
    expect(stop).to_have_count(1, timeout=SLOW_MS)
    stop.click()
    unit.obey("RemoteStopTransaction", status="Accepted")
    unit.say(
        "StopTransaction",
        transactionId=number,
        meterStop=12_000,
        timestamp=now(),
        reason="Remote",
    )


def see_to_a_fault(page: Page, unit: Charger, shot: Shot, name: str) -> None:
    """A fault is a ticket; Luca takes it, and closes it when the charger is well again."""
    unit.tell_status("Faulted", "GroundFailure")
    tickets = page.locator("#part-tickets")
    tickets.scroll_into_view_if_needed()
    expect(tickets).to_contain_text("GroundFailure", timeout=SLOW_MS)
    shot(page, f"{name}-e-ticket")
    tickets.locator("button[value^=take]").click()
    expect(page.locator("#part-tickets [data-ticket=in_work]")).to_have_count(1)
    unit.tell_status("Available")
    # What is out of sight is not asked for.
    page.locator("#part-now").scroll_into_view_if_needed()
    expect(page.locator("#part-now [data-status=Available]")).to_have_count(1, timeout=SLOW_MS)
    page.locator("#part-tickets [name=note]").fill("RCD replaced")
    page.locator("#part-tickets button[value^=repaired]").click()
    expect(page.locator("#part-tickets [data-ticket=closed]")).to_have_count(1)
    expect(page.locator("#part-tickets")).to_contain_text("RCD replaced")


@pytest.mark.parametrize(
    ("size", "locale", "name"),
    [(LAPTOP, "en", "operator"), (PHONE, "it", "operator-phone")],
)
def test_luca_s_way_from_a_tariff_to_the_month_s_money(
    house: House,
    open_page: OpenPage,
    shot: Shot,
    size: dict[str, int],
    locale: str,
    name: str,
) -> None:
    page = open_page(size, locale=locale)
    tag = f"TAG-{name}"[:20]
    house.run_once("token", "manage.py", "add_token", tag)
    house.run_once("prices", "manage.py", "shell", "-c", PRICED_BEFORE)
    with put_into_service(page, house, name.upper()) as unit:
        station = page.url.replace("first-contact/", "change/")
        publish_a_tariff(page, shot, name, year=2031 if size != PHONE else 2032)
        page.goto(station)
        charge_from_the_page(page, unit, tag)
        records = page.locator("#part-records")
        records.scroll_into_view_if_needed()
        expect(records).to_contain_text("CDR-", timeout=SLOW_MS)
        expect(records).not_to_contain_text(re.compile(r"(?<!\d)0[.,]00"))
        shot(page, f"{name}-c-record")
        page.locator("#part-sessions").scroll_into_view_if_needed()
        shot(page, f"{name}-d-sessions")
        see_to_a_fault(page, unit, shot, name)
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0
    for link in page.locator(".charger-nav a").all():
        address = link.get_attribute("href") or ""
        if not address.startswith("#"):
            assert page.request.get(address).ok, address
    page.goto(station.replace("change/", "connectors/"))
    shot(page, f"{name}-f-connectors")
    page.goto("/admin/charging/chargingstation/statements/")
    shot(page, f"{name}-g-month")
    files = page.locator(".charger-files a")
    for place in range(3):
        assert page.request.get(files.nth(place).get_attribute("href") or "").ok
    text = page.request.get(files.nth(1).get_attribute("href") or "").text()
    assert name.upper() in text
