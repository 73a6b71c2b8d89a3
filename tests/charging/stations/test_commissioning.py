"""Luca commissions a charger from the command line; nobody needs a restart."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from charging.sessions.models import Token
from charging.sessions.services import authorize
from charging.stations import queries
from charging.stations.models import ChargingStation, Connector, Site
from charging.stations.rules import password_matches
from mobility.accounts.models import Organisation
from mobility.core import clock
from mobility.geography.models import City
from tests.charging.fixtures import NOON

pytestmark = pytest.mark.django_db


def run(*words: str) -> dict[str, object]:
    out = StringIO()
    call_command(*words, "--json", stdout=out, stderr=StringIO())
    answer: dict[str, object] = json.loads(out.getvalue())
    return answer


def test_a_charger_is_added_with_url_and_password_shown_once(
    milan: City,
    colonnine: Organisation,
) -> None:
    answer = run("add_charger", "RDAM|123", "--connectors", "2", "--site", "Corso Lodi")
    assert str(answer["url"]).endswith("/ocpp/RDAM%7C123")
    credentials = queries.credentials_by_identity(identities=["RDAM|123"])["RDAM|123"]
    password = str(answer["password"]).encode()
    assert 16 <= len(password) <= 40
    assert password_matches(password=password, hashes=credentials.password_hashes)
    assert Connector.objects.filter(evse__station__identity="RDAM|123").count() == 2
    site = Site.objects.get()
    assert (site.name["it"], site.organisation, site.city) == ("Corso Lodi", colonnine, milan)


def test_it_works_on_an_empty_house() -> None:
    answer = run("add_charger", "CP1", "--password", "s", "--security-profile", "0")
    assert (answer["password"], answer["security_profile"]) == ("", 0)
    assert ChargingStation.objects.get().site.organisation.kind == "charge_point_operator"


def test_the_same_site_is_used_again_and_the_same_identity_refused() -> None:
    run("add_charger", "CP1", "--password", "a-password-of-my-own")
    run("add_charger", "CP2")
    assert Site.objects.count() == 1
    with pytest.raises(CommandError, match="CP1"):
        run("add_charger", "CP1")


@pytest.mark.parametrize("identity", ["", "with:colon", "x" * 49, " space", "line\nbreak"])
def test_an_identity_that_cannot_connect_is_refused(identity: str) -> None:
    with pytest.raises(CommandError):
        run("add_charger", identity)


@pytest.mark.parametrize("number", ["0", "65", "-1"])
def test_a_station_has_some_connectors(number: str) -> None:
    with pytest.raises(CommandError):
        run("add_charger", "CP1", "--connectors", number)
    assert ChargingStation.objects.count() == 0


def test_a_token_is_added_blocked_and_let_go_again() -> None:
    run("add_token", "04a1b2c3")
    assert authorize(uid="04A1b2C3", station_id=0, at=NOON).accepted
    assert run("add_token", "04A1B2C3", "--blocked")["state"] == "blocked"
    assert run("add_token", "04A1B2C3")["state"] == "accepted"
    assert Token.objects.count() == 1


def test_a_token_expires() -> None:
    run("add_token", "OLD", "--expires", "2020-01-01T00:00:00Z")
    run("add_token", "NEW", "--expires", "2999-01-01")
    now = clock.now()
    assert authorize(uid="OLD", station_id=0, at=now).status == "Expired"
    assert authorize(uid="NEW", station_id=0, at=now).status == "Accepted"


def test_a_token_needs_a_readable_identifier() -> None:
    for uid in ("", "X" * 37):
        with pytest.raises(CommandError):
            run("add_token", uid)
