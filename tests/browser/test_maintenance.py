"""A loose brake, from Giulia's telephone to Sara's: reported, taken in, checked, put right; and Marco's alarms."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, OpenPage, Shot, log_in
from tests.browser.steps import SLOW_MS, sit_down, wait_until_free
from tests.stories.cast import vehicle_of
from tests.stories.people import credentials_of
from tests.stories.processes import House
from tests.stories.street import open_street

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(400),
]


ALARM = """
from fleet.telematics.models import Alarm
from fleet.vehicles.models import Vehicle
from mobility.core import clock
at = clock.now()
for kind, severity in (("moved_without_trip", "critical"), ("silence", "warning"), ("tilt", "info")):
    vehicle = Vehicle.objects.get(code="%s")
    # In a slow house the vehicle may have been missed already.
    Alarm.objects.exclude(state="closed").get_or_create(
        vehicle=vehicle, kind=kind,
        defaults={"severity": severity, "opened_at": at, "last_seen_at": at},
    )
"""


def test_a_loose_brake_goes_from_giulias_telephone_to_saras_and_is_put_right(
    house: House, open_page: OpenPage, shot: Shot
) -> None:
    scooter = vehicle_of(house, "scooter", "brake")
    with open_street(credentials_of(house), speed=8.0) as street:
        street.put(scooter.code)
        giulia = open_page(PHONE)
        giulia.goto("/account/")
        log_in(house, giulia, "giulia@demo.example")
        wait_until_free(giulia, scooter.code)
        giulia.goto(f"/book/{scooter.code}/")
        giulia.get_by_role("button", name="Report a problem").click(timeout=SLOW_MS)
        dialog = giulia.get_by_role("dialog")
        dialog.get_by_label("What is wrong?").select_option("brakes")
        dialog.get_by_label("What did you notice? (optional)").fill("The front one does not grip")
        shot(giulia, "maintenance-1-report-phone")
        dialog.get_by_role("button", name="Send").click()
        thanks = dialog.locator("[data-alert]")
        expect(thanks).to_contain_text("Your case number is", timeout=SLOW_MS)
        number = re.findall(r"[A-Z2-9]{8}", thanks.inner_text())[0]
        shot(giulia, "maintenance-2-thanks-phone")
        giulia.goto("/account/")
        expect(giulia.locator("[data-faults]")).to_contain_text(number)
        expect(giulia.locator("[data-faults]")).to_contain_text("Being seen to")
        shot(giulia, "maintenance-3-account-phone")

        sara = open_page(PHONE)
        sit_down(house, sara, "sara@demo.example", "/admin/work-orders/")
        order = sara.locator("li[data-id]", has_text=scooter.code)
        expect(order).to_contain_text("The front one does not grip")
        order.get_by_role("button", name="Into the workshop").click()
        order.get_by_role("button", name="Check and finish").click()
        order.get_by_label("Minutes of work").fill("15")
        shot(sara, "maintenance-4-checklist-phone")
        order.get_by_role("button", name="Done").click()
        expect(order.locator("[data-alert]")).to_contain_text("Still to check")
        for item in order.get_by_role("radiogroup").all():
            item.get_by_label("In order", exact=True).check()
        order.get_by_role("button", name="Done").click()
        expect(order).to_have_count(0)

        sara.goto(f"/admin/vehicle/{scooter.code}/")
        timeline = sara.locator("[data-timeline]")
        expect(timeline).to_contain_text("Work ended")
        expect(timeline).to_contain_text(number)
        shot(sara, "maintenance-5-timeline-phone")
        sara.get_by_text("Report a fault").click()
        sara.get_by_label("What is wrong?").select_option("lights")
        sara.get_by_role("button", name="Report", exact=True).click()
        expect(sara.locator("[data-alert]")).to_contain_text("Noted as case")
        expect(timeline).to_contain_text("Lights")
        giulia.reload()
        expect(giulia.locator("[data-faults]")).to_contain_text("Put right")


def test_marco_takes_and_closes_alarms_with_the_keyboard(
    house: House, open_page: OpenPage, shot: Shot
) -> None:
    code = vehicle_of(house, "scooter", "alarms").code
    house.run_once("alarms", "manage.py", "shell", "-c", ALARM % code)
    page = open_page(DESK)
    sit_down(house, page, "marco@demo.example", "/admin/")
    page.get_by_role("link", name=re.compile("Alarm: Moved without a trip")).click()
    expect(page).to_have_url(re.compile(r"/admin/alarms/\?kind=moved_without_trip$"))
    alarm = page.locator(f"li[data-vehicle='{code}']")
    take = alarm.get_by_role("button", name="Take it")
    take.focus()
    page.keyboard.press("Enter")
    expect(alarm).to_contain_text("yours")
    shot(page, "maintenance-6-alarms")
    page.get_by_label("Kind").select_option("")
    expect(alarm).to_have_count(3)
    moved = alarm.filter(has_text="Moved without a trip")
    moved.get_by_role("button", name="Close").focus()
    page.keyboard.press("Enter")
    expect(moved).to_have_count(0)
    phone = open_page(PHONE)
    sit_down(house, phone, "sara@demo.example", "/admin/alarms/")
    expect(phone.locator("[data-list]")).not_to_have_attribute("aria-busy", "true")
    shot(phone, "maintenance-7-alarms-phone")
