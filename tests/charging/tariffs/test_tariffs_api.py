"""Luca writes a tariff, publishes it, and reads what drivers will be told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from mobility.accounts.models import User

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]
URL = "/api/v1/charging/tariffs"
NIGHT = [
    {
        "kind": "energy",
        "unit_cents": "30",
        "when": {"start_time": "22:00", "end_time": "06:00"},
    },
    {"kind": "energy", "unit_cents": "60"},
]


def draft(client: APIClient, tariff: str, **changes: object) -> object:
    body = {"components": NIGHT, "valid_from": "2030-01-01T00:00:00Z", **changes}
    return client.post(f"{URL}/{tariff}/versions", body, format="json")


def test_a_tariff_is_named_drafted_and_published(api: Api, luca: User) -> None:
    client = api(luca)
    named = client.post(URL, {"code": "night", "name": {"it": "Notte"}}, format="json")
    assert named.status_code == 201, named.content
    tariff = named.json()["id"]
    drafted = draft(client, tariff, min_cents=100)
    assert (drafted.status_code, drafted.json()["state"]) == (201, "draft")
    assert "22:00–06:00" in drafted.json()["words"][0]
    published = client.post(f"{URL}/{tariff}/publish", {"number": 1}, format="json")
    assert (published.status_code, published.json()["state"]) == (200, "published")
    again = client.post(f"{URL}/{tariff}/publish", {"number": 1}, format="json")
    assert again.status_code == 409
    [version] = client.get(f"{URL}/{tariff}").json()["versions"]
    assert (version["number"], version["min_cents"]) == (1, 100)


def test_nonsense_is_refused_with_its_reason(api: Api, luca: User) -> None:
    client = api(luca)
    tariff = client.post(URL, {"code": "n", "name": {"it": "N"}}, format="json").json()["id"]
    bad = [{"kind": "energy", "unit_cents": "30", "when": {"start_time": "late"}}]
    refused = draft(client, tariff, components=bad)
    assert (refused.status_code, refused.json()["code"]) == (422, "tariff_not_readable")
    refused = draft(client, tariff, min_cents=500, max_cents=400)
    assert refused.json()["code"] == "tariff_not_readable"
    assert draft(client, tariff, valid_until="2029-01-01T00:00:00Z").status_code in {400, 422}
    twice = client.post(URL, {"code": "n", "name": {"it": "N"}}, format="json")
    assert (twice.status_code, twice.json()["code"]) == (409, "tariff_code_taken")


def test_another_operator_s_tariff_is_not_there(api: Api, luca: User, scossa: User) -> None:
    named = api(luca).post(URL, {"code": "mine", "name": {"it": "Mia"}}, format="json").json()
    foreign = api(scossa)
    assert foreign.get(URL).json()["results"] == []
    assert draft(foreign, named["id"]).status_code == 404
    assert foreign.post(f"{URL}/{named['id']}/publish", {"number": 1}).status_code == 404
