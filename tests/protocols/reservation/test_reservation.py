"""Reservations: asked with every word a station may answer, given up by the station itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mobility.core import clock
from mobility.core.models import OutboxEvent
from tests.charging.ocpp.conftest import Grid
from tests.protocols.asking import Eventually, ask, connected, exchange, over
from tests.protocols.versions import TWO, V16


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Accepted", "accepted"),
        ("Occupied", "rejected"),
        ("Faulted", "rejected"),
        ("Unavailable", "rejected"),
        ("Rejected", "rejected"),
    ],
)
def test_a_reservation_ends_as_the_station_says_and_the_word_is_published(
    grid: Grid, eventually: Eventually, version: str, word: str, state: str
) -> None:
    station, peer = connected(grid, version)
    until = (clock.now() + timedelta(minutes=15)).isoformat().replace("+00:00", "Z")
    payload = {"reservation_id": 7, "token_uid": "04AB", "until": until, "group": "FAMILY"}
    command = ask(station, "reserve", payload, evse=1, purpose_ref="kept:x")
    said, sent = exchange(peer, {"status": word})
    assert said == "ReserveNow"
    if version == V16:
        assert (sent["connectorId"], sent["idTag"], sent["parentIdTag"]) == (1, "04AB", "FAMILY")
        assert (sent["reservationId"], sent["expiryDate"]) == (7, until)
    else:
        assert (sent["evseId"], sent["idToken"]["idToken"]) == (1, "04AB")
        assert sent["groupIdToken"]["idToken"] == "FAMILY"
        assert (sent["id"], sent["expiryDateTime"]) == (7, until)
    assert over(command, eventually).state == state
    event = OutboxEvent.objects.filter(
        name="charging.command_finished.v1", payload__command_id=str(command.public_id)
    ).get()
    assert event.payload["result"]["status"] == word
    assert event.payload["purpose_ref"] == "kept:x"


@pytest.mark.parametrize(("word", "state"), [("Accepted", "accepted"), ("Rejected", "rejected")])
def test_a_cancelled_reservation(
    grid: Grid, eventually: Eventually, version: str, word: str, state: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "cancel_reservation", {"reservation_id": 7})
    assert exchange(peer, {"status": word}) == ("CancelReservation", {"reservationId": 7})
    assert over(command, eventually).state == state


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize("word", ["Expired", "Removed"])
def test_a_reservation_that_the_station_gives_up_is_told_on(
    grid: Grid, version: str, word: str
) -> None:
    station, peer = connected(grid, version)
    payload = {"reservationId": 70_000 + station.pk, "reservationUpdateStatus": word}
    assert peer.result("ReservationStatusUpdate", payload) == {}
    event = OutboxEvent.objects.get(
        name="charging.reservation_ended.v1",
        payload__reservation_id=payload["reservationId"],
    )
    assert event.payload["status"] == word
    assert event.payload["station_identity"] == station.identity
