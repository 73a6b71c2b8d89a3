"""How often and how much: counted per person and address, and never at the mercy of what a client writes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.conf import settings as live
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from mobility.accounts.models import User
from mobility.core import limits
from mobility.core.checks import limits_are_readable
from tests.tenancy.test_api import names_of

Api = Callable[[User | None], APIClient]
DOOR = "/api/v1/reservations"
OUTSIDE = "203.0.113.9"


@pytest.fixture(autouse=True)
def _within_one_minute() -> Iterator[None]:
    with time_machine.travel("2026-05-01T10:00:05Z", tick=False):
        yield


@pytest.fixture
def few(settings: Any, db: None) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"reserve": ["2/min", "5/min"]}


def knock(client: APIClient, times: int, **meta: str) -> list[int]:
    return [client.post(DOOR, {}, **meta).status_code for _ in range(times)]


@pytest.mark.usefixtures("few")
def test_one_person_is_asked_to_wait_and_others_are_not(
    api: Api, giulia: User, piero: User
) -> None:
    phone = api(giulia)
    assert knock(phone, 2) == [400, 400]
    refused = phone.post(DOOR, {})
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert knock(api(piero), 1) == [400]
    assert phone.get(DOOR).status_code == 200, "only the writing door counts"
    with time_machine.travel("2026-05-01T10:01:00Z", tick=False):
        assert knock(phone, 1) == [400]


@pytest.mark.usefixtures("few")
def test_many_accounts_behind_one_address_are_counted_together(
    api: Api, giulia: User, piero: User, marco: User
) -> None:
    for person in (giulia, piero):
        assert knock(api(person), 2, REMOTE_ADDR=OUTSIDE) == [400, 400]
    assert knock(api(marco), 2, REMOTE_ADDR=OUTSIDE) == [400, 429]
    assert knock(api(marco), 1, REMOTE_ADDR="198.51.100.4") == [429], "marco himself, by now"


@pytest.mark.usefixtures("few")
def test_a_client_does_not_choose_its_own_address(
    api: Api, giulia: User, piero: User, marco: User
) -> None:
    people = [api(person) for person in (giulia, piero, marco)]
    seen = [
        client.post(
            DOOR, {}, REMOTE_ADDR=OUTSIDE, HTTP_X_FORWARDED_FOR=f"192.0.2.{number}"
        ).status_code
        for number, client in enumerate(2 * people)
    ]
    assert seen == [400] * 5 + [429]


def test_behind_a_proxy_only_what_it_added_counts(settings: Any, rf: RequestFactory) -> None:
    request = rf.get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=f"198.51.100.1, {OUTSIDE}")
    assert limits.client_address(request) == "10.0.0.1"
    settings.BEHIND_PROXY = True
    assert limits.client_address(request) == OUTSIDE


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ("127.0.0.1", None),
        ("::1", None),
        ("", None),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::8", "2001:db8:1:2::/64"),
    ],
)
def test_this_machine_does_not_count_and_a_household_counts_as_one(
    given: str, counted: str | None, rf: RequestFactory
) -> None:
    assert limits.client_address(rf.get("/", REMOTE_ADDR=given)) == counted


def test_guessing_one_password_from_many_addresses_is_slowed_down(
    api: Api, giulia: User, settings: Any
) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"sign-in": ["2/min", "60/min"]}
    tries = [
        api(None).post(
            "/api/v1/auth/token",
            {"email": email, "password": "x"},
            REMOTE_ADDR=f"203.0.113.{number}",
        )
        for number, email in enumerate(["giulia@demo.example", "Giulia@demo.example "] * 2)
    ]
    assert [answer.status_code for answer in tries] == [401, 401, 429, 429]


@pytest.mark.usefixtures("few")
def test_when_nobody_can_count_doors_stay_open(
    api: Api, giulia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "REDIS_URL", "unix:///nowhere.sock?db=0")
    limits._redis.cache_clear()
    try:
        assert knock(api(giulia), 4) == [400] * 4
    finally:
        limits._redis.cache_clear()


@pytest.mark.usefixtures("few")
def test_a_limit_can_be_off(api: Api, giulia: User, settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"reserve": ["off", "off"]}
    assert knock(api(giulia), 4, REMOTE_ADDR=OUTSIDE) == [400] * 4


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("page", ["/api/v1/pay/guessed", "/pay/guessed", "/charge/GUESSED/"])
def test_who_is_nobody_is_counted_by_address(
    page: str, method: str, client: Client, settings: Any, db: None
) -> None:
    limits_of_guests = {"pay-link": ["2/min"], "ad-hoc": ["2/min"]}
    settings.RATE_LIMITS = settings.RATE_LIMITS | limits_of_guests
    ask = getattr(client, method)
    answers = [ask(page, REMOTE_ADDR=OUTSIDE).status_code for _ in range(3)]
    assert answers == [404, 404, 429]
    assert ask(page, REMOTE_ADDR="198.51.100.4").status_code == 404, "a neighbour is not asked"


def test_a_single_figure_counts_a_person_wherever_they_call_from(
    api: Api, giulia: User, piero: User, settings: Any
) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"reserve": ["2/min"]}
    phone, other = api(giulia), api(piero)
    assert knock(phone, 2, REMOTE_ADDR=OUTSIDE) == [400, 400]
    assert knock(phone, 1, REMOTE_ADDR="198.51.100.4") == [429]
    assert knock(other, 2, REMOTE_ADDR=OUTSIDE) == [400, 400]


def test_every_limited_door_exists_and_every_limit_can_be_read() -> None:
    from bookings.payments import urls as payments
    from bookings.recharges import urls as recharges
    from mobility import urls

    names = names_of(urls.api)
    pages = {
        *(f"payments:{name}" for name in names_of(payments.pages)),
        *(f"recharges:{name}" for name in names_of(recharges.pages)),
    }
    for door, scope in live.RATE_LIMITED.items():
        method, _space, name = door.partition(" ")
        assert method in {"GET", "POST", "PUT", "PATCH", "DELETE"}
        assert name.removeprefix("api:") in names or name in pages, door
        assert scope in live.RATE_LIMITS, door
    assert live.RATE_LIMITS.keys() == set(live.RATE_LIMITED.values()), "none without a door"
    assert pages <= {door.partition(" ")[2] for door in live.RATE_LIMITED}, "all open by a secret"
    for figures in live.RATE_LIMITS.values():
        assert [limits.rate_of(words) for words in figures]
    with pytest.raises(ValueError, match="a rate"):
        limits.rate_of("ten a minute")
    assert {name.removeprefix("api:") for name in live.LONG_BODIES} <= names


def test_there_is_one_counter() -> None:
    """A door that counted by itself would be missing in the table, and would forget the address."""
    from mobility import urls

    def views_of(patterns: list[Any]) -> Iterator[Any]:
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                yield from views_of(pattern.url_patterns)
            else:
                yield getattr(pattern.callback, "cls", None)

    own = {view for view in views_of(urls.api) if view is not None}
    assert len(own) > 80
    assert {view for view in own if view.throttle_classes != [limits.DoorLimit]} == set()


@pytest.mark.django_db
def test_a_body_that_is_too_long_is_not_read(client: Client) -> None:
    body = json.dumps({"email": "a@b.it", "password": "x" * live.LONGEST_BODY})
    refused = client.post("/api/v1/auth/token", body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_figures_that_cannot_be_read_stop_the_start(settings: Any) -> None:
    assert limits_are_readable() == []
    settings.RATE_LIMITS = settings.RATE_LIMITS | {
        "reserve": ["30/minute"], "start": [], "pay-link": ["off"], "promo-codes": ["1/s", "2/day"],
    }  # fmt: skip
    found = [str(problem.msg) for problem in limits_are_readable()]
    assert [words.split(" ")[0] for words in found] == ["RATE_LIMIT_RESERVE", "RATE_LIMIT_START"]
    settings.RATE_LIMITS = {"reserve": ["1/s"]}
    assert [problem.id for problem in limits_are_readable()] == ["core.E002"]
    with pytest.raises(SystemCheckError):
        call_command("check")
