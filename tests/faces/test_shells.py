"""The resident's pages before their scripts run: who may open them and what they bring."""

import json
import re
import uuid
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from mobility.accounts.models import User
from mobility.core import geo
from mobility.geography.models import City, Hub
from mobility.resident import urls

ID = uuid.UUID("018f3f3e-0000-7000-8000-000000000001")
PUBLIC = [
    "/",
    "/book/AB12CD/",
    f"/charge/at/{ID}/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
]
OWN = [
    f"/trip/{ID}/",
    f"/receipt/{ID}/",
    f"/charge/{ID}/",
    f"/charge/{ID}/receipt/",
    "/account/",
    "/bookings/",
    "/bookings/new/",
    "/wallet/",
    "/wallet/credit/",
    "/wallet/fees/",
    "/wallet/passes/",
    "/wallet/rewards/",
    "/wallet/receipts/",
    "/wallet/billing/",
    "/profile/",
    "/profile/about/",
    "/profile/papers/",
    "/profile/papers/licence/",
    "/profile/papers/identity/",
    "/profile/rules/",
    "/profile/consents/",
    "/profile/data/",
    "/profile/notifications/",
    "/profile/erase/",
    "/help/",
    "/help/new/",
]
# Of one thing of somebody's: not there for anybody else.
OF_SOMEBODY = [
    f"/rides/{ID}/",
    f"/help/{ID}/",
    f"/bookings/{ID}/",
    f"/wallet/credit/{ID}/",
    f"/wallet/credit/at/{ID}/",
]
# What only a form sends.
DEEDS = [
    f"/rides/{ID}/photo/",
    f"/rides/{ID}/photos/{ID}/appeal/",
    f"/bookings/{ID}/cancel/",
    f"/bookings/{ID}/photos/",
    f"/wallet/pay/{ID}/",
    "/wallet/cards/",
    f"/wallet/cards/{ID}/",
    f"/wallet/passes/{ID}/",
    f"/wallet/rewards/{ID}/",
    "/wallet/codes/",
    f"/wallet/receipts/{ID}/invoice/",
    f"/profile/notifications/devices/{ID}/",
]
# Addresses that the lists above do not name: the map's, and those that need more than an address.
ELSEWHERE = {"map", "book", "charge-at", "car-calendar", "offer", "card-back", "worker", "offline"}


@pytest.fixture
def browser(db: None) -> Client:
    return Client(headers={"accept-language": "en"})


@pytest.fixture
def signed_in(browser: Client, giulia: User) -> Client:
    browser.force_login(giulia, backend="django.contrib.auth.backends.ModelBackend")
    return browser


class Inline(HTMLParser):
    """Collects what a strict content security policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        data = values.get("type") in {"application/json", "module"}
        if tag == "style" or (tag == "script" and "src" not in values and not data):
            self.found.append(tag)
        self.found += [
            f"{tag} {name}" for name in values if name == "style" or name.startswith("on")
        ]
        if values.get("id"):
            self.ids.append(str(values["id"]))


def read(html: str) -> Inline:
    parser = Inline()
    parser.feed(html)
    return parser


def facts(html: str) -> dict[str, Any]:
    block = re.search(r'<script id="page" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert block
    found: dict[str, Any] = json.loads(block[1])
    return found


@pytest.mark.parametrize("address", PUBLIC)
def test_anybody_may_look(browser: Client, address: str) -> None:
    answer = browser.get(address)

    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", [*PUBLIC[:3], *OWN])
def test_pages_hold_nothing_that_the_policy_blocks(signed_in: Client, address: str) -> None:
    page = read(signed_in.get(address).content.decode())

    assert page.found == []
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("address", OWN)
def test_own_pages_ask_to_log_in_and_come_back(browser: Client, address: str) -> None:
    answer = browser.get(address)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/accounts/login/?next={address}"


@pytest.mark.parametrize("address", OF_SOMEBODY)
def test_what_is_somebody_elses_is_not_there(signed_in: Client, address: str) -> None:
    assert signed_in.get(address).status_code == 404


@pytest.mark.parametrize("address", [*OF_SOMEBODY, *DEEDS])
def test_nothing_is_done_for_nobody(browser: Client, address: str) -> None:
    answer = browser.post(address)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/accounts/login/?next={address}"


def test_every_page_of_residents_is_looked_at_here() -> None:
    named = {resolve(address).url_name for address in [*OWN, *OF_SOMEBODY, *DEEDS]}

    assert {pattern.name for pattern in urls.urlpatterns} == named | ELSEWHERE


# Session and person, then what the page is about: numbers that may fall and must not grow.
QUERIES = {
    "/bookings/": 4,
    "/bookings/new/": 7,
    "/wallet/": 10,
    "/wallet/passes/": 6,
    "/wallet/receipts/": 4,
    "/wallet/rewards/": 5,
    "/profile/": 3,
    "/profile/papers/": 8,
    "/help/": 6,
}


@pytest.mark.parametrize(("address", "most"), QUERIES.items())
def test_own_pages_ask_the_database_seldom(
    signed_in: Client, django_assert_max_num_queries: Any, address: str, most: int
) -> None:
    signed_in.get(address)
    with django_assert_max_num_queries(most):
        signed_in.get(address)


def test_the_page_knows_which_vehicle_its_address_names(browser: Client) -> None:
    told = facts(browser.get("/book/AB12CD/").content.decode())

    assert told["vehicle"] == "AB12CD"
    assert told["signed_in"] is False
    assert told["login_url"] == "/accounts/login/"


def test_logging_in_leads_back_to_the_same_vehicle(browser: Client, giulia: User) -> None:
    giulia.set_password("correct horse battery")
    giulia.save()

    answer = browser.post(
        "/accounts/login/?next=/book/AB12CD/",
        {"login": giulia.email, "password": "correct horse battery", "next": "/book/AB12CD/"},
    )

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/book/AB12CD/"


def test_the_map_opens_where_the_mobility_areas_are(browser: Client, milan: City) -> None:
    assert facts(browser.get("/").content.decode())["map"]["lon"] == pytest.approx(9.19)
    for number, lon in enumerate((9.20, 9.22)):
        Hub.objects.create(
            city=milan, code=str(number), name={"it": "Area"}, location=geo.point(lon, 45.45)
        )

    assert facts(browser.get("/").content.decode())["map"] == {
        "lon": 9.21,
        "lat": 45.45,
        "zoom": 14.2,
    }


def test_the_language_switch_changes_the_page(browser: Client) -> None:
    assert '<html lang="en">' in browser.get("/").content.decode()

    browser.post("/i18n/setlang/", {"language": "it", "next": "/"})

    assert '<html lang="it">' in browser.get("/").content.decode()


def test_a_page_costs_as_many_queries_as_it_always_did(signed_in: Client) -> None:
    signed_in.get("/")
    with CaptureQueriesContext(connection) as asked:
        signed_in.get("/")

    # Session, person, their roles (is the desk theirs?), mobility areas, city.
    assert len(asked) <= 5


def test_a_lost_visitor_is_led_to_the_map(browser: Client) -> None:
    answer = browser.get("/nowhere/")

    assert answer.status_code == 404
    assert b"There is nothing at this address" in answer.content


def test_a_fault_of_ours_is_a_page_for_people_and_a_problem_for_programs(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("the inside of the house")

    monkeypatch.setattr("mobility.resident.views.map_start", broken)
    monkeypatch.setattr("mobility.geography.queries.hub_features", broken)
    browser = Client(raise_request_exception=False, headers={"accept-language": "en"})

    page, problem = browser.get("/"), browser.get("/api/v1/hubs")

    assert (page.status_code, problem.status_code) == (500, 500)
    assert b"Something went wrong on our side" in page.content
    assert b"the inside of the house" not in page.content
    assert problem.json()["code"] == "internal_error"
