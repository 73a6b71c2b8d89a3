"""Who may charge: tokens in any letter case, blocked, expired, concurrent, bound to places."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from charging.sessions.models import ChargingSession, Token
from charging.stations.models import Evse
from tests.charging.ocpp.conftest import Grid
from tests.protocols.transactions.charges import Charge, authorize, told
from tests.protocols.versions import TWO, V16


def test_a_token_is_the_same_in_any_letter_case(grid: Grid, version: str) -> None:
    Token.objects.get_or_create(uid="04ABCDEF", defaults={"created_at": datetime.now(UTC)})
    peer = grid.dial(grid.station(), version)
    assert told(version, authorize(peer, version, "04abCDef")) == "Accepted"


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"state": "blocked"}, "Blocked"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "Expired"),
        ({"state": "blocked", "expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "Blocked"),
        (None, "Invalid"),
    ],
)
def test_a_refused_token_hears_exactly_why(
    grid: Grid, version: str, values: dict[str, object] | None, status: str
) -> None:
    peer = grid.dial(grid.station(), version)
    token = "04FFFFFF" if values is None else grid.token(**values)
    assert told(version, authorize(peer, version, token)) == status


def test_the_group_of_a_token_is_told(grid: Grid, version: str) -> None:
    peer = grid.dial(grid.station(), version)
    answer = authorize(peer, version, grid.token(group="FAMILY"))
    if version == V16:
        assert answer["idTagInfo"]["parentIdTag"] == "FAMILY"
    else:
        assert answer["idTokenInfo"]["groupIdToken"]["idToken"] == "FAMILY"


def test_a_token_that_charges_elsewhere_is_concurrent(grid: Grid, version: str) -> None:
    token, parallel = grid.token(), grid.token(allows_parallel=True)
    here, there = (grid.dial(grid.station(), version) for _ in range(2))
    for uid, status in ((token, "ConcurrentTx"), (parallel, "Accepted")):
        Charge(here, version, uid, connector=1 if uid == token else 2).start()
        second = Charge(there, version, uid, connector=1 if uid == token else 2).start()
        assert told(version, second) == status


def test_a_start_verifies_again_and_gets_a_transaction_even_when_refused(
    grid: Grid, version: str
) -> None:
    station = grid.station()
    charge = Charge(grid.dial(station, version), version, "04NOBODY")
    answer = charge.start()
    assert told(version, answer) == "Invalid"
    if version == V16:
        assert answer["transactionId"] > 0
    session = charge.session(station)
    assert session.verdict == "Invalid"
    assert "unauthorised" in session.flags


def test_a_master_pass_ends_and_never_begins(grid: Grid, version: str) -> None:
    station = grid.station()
    master, token = grid.token(is_master=True, group="MASTERS"), grid.token()
    peer = grid.dial(station, version)
    assert told(version, authorize(peer, version, master)) == "Accepted"
    assert told(version, Charge(peer, version, master, connector=2).start()) == "Invalid"
    charge = Charge(peer, version, token)
    charge.start()
    if version == V16:
        charge.stop(30, 2000, idTag=master)
    else:
        charge.stop(30, 2000, idToken={"idToken": master, "type": "ISO14443"})
    session = charge.session(station)
    assert session.stop_token_uid == master
    assert "stopped_by_other" not in session.flags


def test_a_stranger_s_token_that_ends_a_charge_is_noted(grid: Grid, version: str) -> None:
    station = grid.station()
    owner, friend, stranger = grid.token(group="G"), grid.token(group="G"), grid.token()
    peer = grid.dial(station, version)
    for connector, (uid, noted) in enumerate(((friend, False), (stranger, True)), start=1):
        charge = Charge(peer, version, owner, connector=connector)
        charge.start()
        if version == V16:
            charge.stop(30, 2000, idTag=uid)
        else:
            charge.stop(30, 2000, idToken={"idToken": uid, "type": "ISO14443"})
        assert ("stopped_by_other" in charge.session(station).flags) is noted


@pytest.mark.parametrize("version", TWO)
def test_a_button_that_asks_for_no_token_is_accepted(grid: Grid, version: str) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    assert told(version, authorize(peer, version, "", kind="NoAuthorization")) == "Accepted"
    charge = Charge(peer, version, "", kind="NoAuthorization")
    assert told(version, charge.start()) == "Accepted"
    assert "unauthorised" not in charge.session(station).flags


def test_a_token_of_some_evses_charges_there_alone(grid: Grid, version: str) -> None:
    station, other = grid.station(), grid.station()
    second = Evse.objects.get(station=station, number=2)
    token = grid.token(only_evses=[second.pk])
    peer, foreign = grid.dial(station, version), grid.dial(other, version)
    here = authorize(peer, version, token)
    assert told(version, here) == "Accepted"
    if version != V16:
        assert here["idTokenInfo"]["evseId"] == [2]
    elsewhere = "Invalid" if version == V16 else "NotAtThisLocation"
    assert told(version, authorize(foreign, version, token)) == elsewhere
    assert told(version, Charge(peer, version, token, connector=1).start()) == elsewhere
    assert told(version, Charge(peer, version, token, connector=2).start()) == "Accepted"


def test_a_token_of_a_site_charges_at_all_its_stations(grid: Grid, version: str) -> None:
    token = grid.token(only_sites=[grid.site.pk])
    peer = grid.dial(grid.station(), version)
    answer = authorize(peer, version, token)
    assert told(version, answer) == "Accepted"
    assert "evseId" not in answer.get("idTokenInfo", {})


def test_a_token_that_expires_later_says_when(grid: Grid, version: str) -> None:
    token = grid.token(expires_at=datetime.now(UTC) + timedelta(days=1))
    answer = authorize(grid.dial(grid.station(), version), version, token)
    info = answer["idTagInfo" if version == V16 else "idTokenInfo"]
    assert info["expiryDate" if version == V16 else "cacheExpiryDateTime"].endswith("Z")
    assert ChargingSession.objects.filter(token_uid=token).count() == 0
