"""A reward for a ride, as Giulia meets it: on the list, on the card, on the ride, on the bill, in the wallet."""

import re

import pytest
from playwright.sync_api import expect

from mobility.simulator.geometry import Place
from tests.browser.conftest import DESK, PHONE, OpenPage, Shot, log_in, words_of
from tests.browser.steps import SLOW_MS, end_ride, expect_state, wait_until_free, wait_until_there
from tests.stories.cast import rider_of, vehicle_of
from tests.stories.people import credentials_of
from tests.stories.processes import House
from tests.stories.street import open_street

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

OFFER = """
import datetime
from bookings.rewards.models import RewardBudget
from fleet.incentives.models import IncentiveOffer, IncentivePolicy
from fleet.rebalancing.cells import cell_at
from fleet.vehicles.models import Vehicle
from mobility.core import clock
at, vehicle = clock.now(), Vehicle.objects.select_related("type").get(code="%(code)s")
terms = {"day_cents": 2000, "per_person_day": 9}
RewardBudget.objects.update_or_create(organisation_id=vehicle.organisation_id, defaults=terms)
IncentivePolicy.objects.update_or_create(
    organisation_id=vehicle.organisation_id, defaults={"enabled": True}
)
IncentiveOffer.objects.create(
    organisation_id=vehicle.organisation_id, city_id=vehicle.city_id, vehicle=vehicle,
    vehicle_kind=vehicle.kind, direction="start", need="stock", reward_cents=80, value_cents=200,
    van_cents=400, trips=0.7, places=1, made_at=at, lon=%(lon)s, lat=%(lat)s,
    valid_until=at + datetime.timedelta(minutes=60), cell=cell_at(lon=%(lon)s, lat=%(lat)s),
)
"""


@pytest.mark.parametrize(
    ("size", "locale", "where"), [(PHONE, "it", "phone"), (DESK, "en", "desk")]
)
def test_giulia_takes_the_scooter_that_is_in_the_way_and_pays_less(
    house: House, open_page: OpenPage, shot: Shot, size: dict[str, int], locale: str, where: str
) -> None:
    say, credentials = words_of(locale), credentials_of(house)
    wanted = vehicle_of(house, "scooter", f"reward-{where}")
    giulia = rider_of(house, f"reward-{where}")
    here = {"longitude": wanted.lon, "latitude": wanted.lat}
    page = open_page(size, locale=locale, geolocation=here, permissions=["geolocation"])
    with open_street(credentials, speed=8.0) as street:
        street.put(wanted.code)
        wait_until_free(page, wanted.code)
        told = {"code": wanted.code, "lon": wanted.lon, "lat": wanted.lat}
        house.run_once("offer", "manage.py", "shell", "-c", OFFER % told)
        page.goto("/accounts/login/?next=/")
        log_in(house, page, giulia.email)
        page.wait_for_url(re.compile(r"/$"))
        page.locator("[data-do=locate]").click()
        row = page.locator(f".nearby-row[data-id={wanted.code}]")
        expect(row.locator(".badge")).to_contain_text("0", timeout=SLOW_MS)
        shot(page, f"reward-{where}-1-list")
        page.goto(f"/book/{wanted.code}/")
        card = page.locator("[data-panel=card]")
        expect(card.locator("[data-f=reward]")).to_contain_text(re.compile("0[.,]80"))
        shot(page, f"reward-{where}-2-card")
        card.locator("[data-do=reserve]").click()
        expect(card.locator("[data-f=promise]")).to_contain_text(re.compile("0[.,]80"))
        shot(page, f"reward-{where}-3-reserved")

        card.locator("[data-do=unlock]").click()
        expect(page).to_have_url(re.compile(r"/trip/[0-9a-f-]{36}/$"), timeout=SLOW_MS)
        street.touch(wanted.code)
        sheet = page.locator("[data-trip]")
        expect_state(page, "running")
        expect(sheet.locator("[data-f=promise]")).to_contain_text(re.compile("0[.,]80"))
        shot(page, f"reward-{where}-4-riding")
        # Farther than the same cell of the demand's grid reaches: within it nothing has been moved.
        goal = Place(wanted.lon, wanted.lat + 0.01)
        street.drive(wanted.code, goal)
        wait_until_there(page, street, wanted.code, goal)
        end_ride(page, street, wanted.code)
        receipt = page.locator("[data-receipt]")
        expect(receipt).to_contain_text(say("Paid"), timeout=SLOW_MS)
        shot(page, f"reward-{where}-5-receipt")
        expect(receipt).to_contain_text(re.compile("[-−]\\s?(€\\s?)?0[.,]80"))
    page.goto("/wallet/rewards/")
    expect(page.locator("main")).to_contain_text(re.compile("0[.,]80"))
    shot(page, f"reward-{where}-6-wallet")
