"""Addresses that nobody sends in good faith: refused like any other, and never a crash."""

import base64

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address",
    ["vehicles/SC%00", "quotes?vehicle=SC%00", "trips?state=%00", "recharges?state=%00"],
)
def test_a_nul_byte_finds_nothing(address, api, giulia):
    refused = api(giulia).get(f"/api/v1/{address}")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("place", ["p=x", "p=-1", "p=", "o=x"])
def test_a_cursor_that_is_not_ours_is_refused_or_finds_nothing(place, api, giulia):
    cursor = base64.b64encode(place.encode()).decode()
    answer = api(giulia).get("/api/v1/trips", {"cursor": cursor})
    assert answer.status_code in {200, 400}


def test_a_cursor_beyond_every_id_finds_everything(api, giulia):
    cursor = base64.b64encode(f"p={10**30}".encode()).decode()
    assert api(giulia).get("/api/v1/trips", {"cursor": cursor}).json()["results"] == []
