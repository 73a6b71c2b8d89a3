"""Every address refuses rubbish alike: as a problem with a code, never with a crash, a page or a guess."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, reverse
from rest_framework.test import APIClient

from mobility import urls
from mobility.accounts.models import User
from tests.contract.conftest import undone
from tests.doors import METHODS, methods_of
from tests.tenancy.conftest import WholeCity
from tests.tenancy.test_api import DETAILS, LISTS

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

Call = Callable[[str], Any]

# In the long group every door is asked all that it does not have, in the short one by turns.
LONG = bool(os.environ.get("CI"))
NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def root(whole_city: WholeCity, api: Callable[[User | None], APIClient]) -> APIClient:
    """The platform's administrator, whom no door turns away."""
    user = whole_city.people["piero"]
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    return api(user)


def addresses(city: WholeCity) -> Iterator[tuple[str, str]]:
    """Every address of the API by name, with ids that exist where rows are known."""
    for name, parts in sorted(doors(urls.api)):
        row = DETAILS.get(name, ("",))[0]
        known = {"public_id": city.refs().get(row, NOBODY), "number": 1, "provider": "local"}
        values = {part: known.get(part, "TENANT1") for part in parts}
        yield name, reverse(f"api:{name}", kwargs=values)


def doors(
    patterns: list[URLPattern | URLResolver], held: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names of addresses with the names of what stands in them."""
    for one in patterns:
        pattern: Any = one.pattern
        own = pattern.converters if hasattr(pattern, "_route") else pattern.regex.groupindex
        parts = (*held, *(part for part in own if part != "format"))
        if isinstance(one, URLResolver):
            yield from doors(one.url_patterns, parts)
        elif one.name:
            yield one.name, parts


def refusals(calls: Iterable[tuple[str, Call]], statuses: set[int]) -> list[Any]:
    """Calls whose answer is none of `statuses`, or an error that is no problem with a code."""
    wrong = []
    for address, call in calls:
        with undone():
            answer = call(address)
        status, kind = answer.status_code, answer.headers.get("Content-Type", "")
        plain = status >= 400 and (kind != "application/problem+json" or not answer.json()["code"])
        if status not in statuses or plain:
            wrong.append((address, status, kind))
    return wrong


# What a door may answer to somebody it lets in: the thing asked for, or a refusal that it names.
FINE = {200, 201, 202, 204, 304}
NO = {400, 401, 402, 403, 404, 405, 409, 410, 415, 422}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{broken", "application/json"),
        (b"[1, 2]", "application/json"),
        (rb'{"\u0000": "\u0000"}', "application/json"),
        (b"hello", "text/plain"),
    ],
)
def test_what_is_no_object_is_refused(
    body: bytes, kind: str, root: APIClient, whole_city: WholeCity
) -> None:
    def send(address: str) -> Any:
        return root.generic("POST", address, body, content_type=kind)

    calls = [(one, send) for _, one in addresses(whole_city) if "post" in methods_of(one)]
    assert len(calls) > 80
    assert refusals(calls, FINE | NO) == []


def test_a_method_that_a_door_does_not_have_is_405(root: APIClient, whole_city: WholeCity) -> None:
    calls: list[tuple[str, Call]] = []
    for number, (_name, address) in enumerate(addresses(whole_city)):
        missing = [method for method in METHODS if method not in methods_of(address)]
        asked = missing if LONG else missing[number % len(missing) :][:1]
        calls += [(address, getattr(root, method)) for method in asked]
    assert len(calls) > 150
    assert refusals(calls, {405}) == []


def test_who_is_nobody_gets_no_page_and_no_crash(
    whole_city: WholeCity, api: Callable[[User | None], APIClient]
) -> None:
    nobody = api(None)
    calls = [
        (address, partial(getattr(nobody, method), data={}))
        for _, address in addresses(whole_city)
        for method in methods_of(address)
    ]
    assert refusals(calls, FINE | NO) == []


def test_a_page_that_is_none_is_refused_by_every_list(
    root: APIClient, whole_city: WholeCity
) -> None:
    pages = (
        "cursor=rubbish",
        "cursor=cD14",
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=x",
        "limit=",
    )
    paged = [name for name in LISTS if "next" in root.get(reverse(f"api:{name}")).json()]
    assert len(paged) > 15
    for name in paged:
        for page in pages:
            answer = root.get(f"{reverse(f'api:{name}')}?{page}")
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_fields"), name


def test_a_state_that_does_not_exist_is_refused_by_every_list(
    root: APIClient, whole_city: WholeCity
) -> None:
    """A filter that is not understood must not quietly show everything, or nothing."""
    for name in ("trips", "recharges", "charging-session-list", "fleet-tasks", "fleet-faults"):
        answer = root.get(reverse(f"api:{name}"), {"state": "imagined"})
        assert answer.status_code == 400, name


def test_an_address_that_does_not_exist_is_a_problem_for_every_method(
    api: Callable[[User | None], APIClient],
) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    for address in ("/api/v1/trips/not-an-id/end", "/api/v1/stations/two%0Alines", "/api/"):
        for method in METHODS:
            answer = getattr(browser, method)(address, {})
            told = (answer.status_code, answer.json()["code"])
            assert told == (404, "not_found"), (address, method)
