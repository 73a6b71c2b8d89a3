"""Luca issues cards, blocks them and binds them to places; nobody else does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from charging.sessions import services
from charging.sessions.models import Token
from charging.stations.models import ChargingStation, Evse
from mobility.accounts.models import User
from mobility.core import clock

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]
URL = "/api/v1/charging/tokens"


def test_a_card_is_issued_blocked_and_opened_again(api: Api, luca: User) -> None:
    client = api(luca)
    issued = client.post(URL, {"uid": "04abcd", "group": "VANS", "is_master": True})
    assert (issued.status_code, issued.json()["uid"], issued.json()["is_master"]) == (
        201,
        "04ABCD",
        True,
    )
    card = f"{URL}/{issued.json()['id']}"
    assert client.post(f"{card}/block").json()["state"] == "blocked"
    assert client.post(f"{card}/unblock").json()["state"] == "accepted"
    assert [row["uid"] for row in client.get(URL).json()["results"]] == ["04ABCD"]


def test_a_card_is_bound_to_places_of_one_s_own(
    api: Api, luca: User, station: ChargingStation, foreign: ChargingStation
) -> None:
    client = api(luca)
    card = f"{URL}/{client.post(URL, {'uid': '04PLACE'}).json()['id']}/places"
    bound = client.post(card, {"sites": [], "evses": ["CP1/2"]}, format="json")
    assert bound.json()["only_evses"] == [Evse.objects.get(station=station, number=2).pk]
    for evse in ("CP1/9", "OTHER/1", "CP1", "CP1/x", "/"):
        refused = client.post(card, {"evses": [evse]}, format="json")
        assert (refused.status_code, refused.json()["code"]) == (404, "no_such_charging_place")
    site = {"sites": [str(foreign.site.public_id)]}
    assert client.post(card, site, format="json").status_code == 404
    assert client.post(card, {}, format="json").json()["only_evses"] == []


def test_nobody_takes_over_another_s_card(api: Api, luca: User, scossa: User, giulia: User) -> None:
    services.ensure_token(uid="04GIULIA", owner_ref=giulia.principal, at=clock.now())
    api(scossa).post(URL, {"uid": "04SCOSSA"})
    for uid in ("04giulia", "04scossa"):
        refused = api(luca).post(URL, {"uid": uid})
        assert (refused.status_code, refused.json()["code"]) == (409, "token_taken")
    assert api(luca).get(URL).json()["results"] == []
    assert Token.objects.get(uid="04GIULIA").owner_ref == giulia.principal
    assert api(giulia).get(URL).status_code == 403
