"""Luca puts a charger into service: what he reads on his page, a charger types into its first words."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.browser.conftest import DESK, PHONE, OpenPage
from tests.browser.test_desk import SLOW_MS, sit_down
from tests.stories.processes import House

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

Shot = Callable[[Page, str], Path]
ADD = "/admin/charging/chargingstation/add/"


class Charger:
    """A charger with one cable and OCPP 1.6, as simple as they come."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)

    def say(self, action: str, **payload: Any) -> dict[str, Any]:
        """Say something and wait for the answer."""
        number = f"m{next(self._numbers)}"
        self._socket.send(json.dumps([2, number, action, payload]))
        while True:
            frame = json.loads(self._socket.recv(timeout=20))
            if frame[:2] == [3, number]:
                answer: dict[str, Any] = frame[2]
                return answer

    def obey(self, action: str, **answer: Any) -> None:
        """Wait for a request and answer it."""
        while True:
            frame = json.loads(self._socket.recv(timeout=30))
            if frame[0] == 2:
                assert frame[2] == action
                self._socket.send(json.dumps([3, frame[1], answer]))
                return


@contextmanager
def charger(address: str, identity: str, password: str) -> Iterator[Charger]:
    """Dial in with what stood on the page."""
    word = b64encode(f"{identity}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {word}"}
    with connect(address, subprotocols=["ocpp1.6"], additional_headers=headers) as socket:
        yield Charger(socket)


def fill_in(page: Page, identity: str) -> None:
    """The form for a charger with two sockets at a new site."""
    page.get_by_label("Name of the new site").fill(f"Via {identity}")
    page.get_by_label("Latitude").fill("45.44")
    page.get_by_label("Longitude").fill("9.20")
    page.get_by_label("Identity").fill(identity)
    page.get_by_label("How many").first.fill("1")


def ticked(page: Page, step: str) -> None:
    """The step of the checklist is done, without anybody reloading the page."""
    row = page.locator(f"[data-step={step}]")
    row.scroll_into_view_if_needed()
    expect(row).to_have_attribute("data-done", "yes", timeout=SLOW_MS)


@pytest.mark.parametrize(("size", "name"), [(DESK, "charger"), (PHONE, "charger-phone")])
def test_luca_puts_a_charger_into_service_and_sees_it_come_alive(
    house: House, open_page: OpenPage, shot: Shot, size: dict[str, int], name: str
) -> None:
    page = open_page(size)
    sit_down(house, page, "luca@demo.example", ADD)
    fill_in(page, name.upper())
    shot(page, f"{name}-1-new")
    page.get_by_role("button", name="Create and show the password").click()
    secret = page.locator("#secret").inner_text()
    address = page.locator("#address-1").inner_text()
    shot(page, f"{name}-2-first-contact")
    with pytest.raises(InvalidStatus), charger(address, name.upper(), "not the password"):
        pass
    # What is out of sight, on a phone, is not asked for.
    page.locator("[data-step=handshake]").scroll_into_view_if_needed()
    expect(page.locator("[data-step=handshake]")).to_contain_text("wrong", timeout=SLOW_MS)
    shot(page, f"{name}-3-refused")
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    with charger(address, name.upper(), secret) as unit:
        ticked(page, "handshake")
        boot = unit.say("BootNotification", chargePointVendor="Test", chargePointModel="One")
        assert boot["status"] == "Accepted"
        ticked(page, "boot")
        unit.say(
            "StatusNotification",
            connectorId=1,
            errorCode="NoError",
            status="Available",
            timestamp=now,
        )
        ticked(page, "status")
        unit.say("Heartbeat")
        ticked(page, "heartbeat")
        house.run_once("token", "manage.py", "add_token", f"TAG-{name}"[:20])
        begun = unit.say(
            "StartTransaction", connectorId=1, idTag=f"TAG-{name}"[:20], meterStart=0, timestamp=now
        )
        ticked(page, "session")
        unit.say(
            "MeterValues",
            connectorId=1,
            transactionId=begun["transactionId"],
            meterValue=[{"timestamp": now, "sampledValue": [{"value": "0"}]}],
        )
        ticked(page, "readings")
        shot(page, f"{name}-4-done")
        page.get_by_role("link", name="To the station's page").click()
        expect(page.locator("#part-frames")).to_contain_text("The station started")
        shot(page, f"{name}-5-station")
        page.locator("#charger-ask").get_by_role("button", name="Restart the station").click()
        unit.obey("Reset", status="Accepted")
        expect(page.locator("[data-newest]")).to_have_attribute(
            "data-newest", "accepted", timeout=SLOW_MS
        )
        page.locator("#part-frames").scroll_into_view_if_needed()
        shot(page, f"{name}-6-frames")
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0
    page.get_by_role("link", name="Power of the site").click()
    expect(page.locator(".charger-chart")).to_be_visible()
    shot(page, f"{name}-7-power")
