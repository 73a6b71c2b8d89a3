"""Sockets come and go; the newest owns the station, and what an old one still says changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from charging.stations import queries, services
from charging.stations.facts import BootReport, Closing, Handshake, Opening
from charging.stations.models import ChargingStation, RefusedHandshake, StationCommand
from charging.stations.rules import hash_password, password_matches
from charging.stations.states import CommandState, Registration
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import NOON, MakeStation

pytestmark = pytest.mark.django_db


def opening(station: ChargingStation, gateway: str = "g1") -> Opening:
    return Opening(station_id=station.pk, ocpp_version="ocpp1.6", gateway=gateway)


def test_the_newest_socket_owns_the_station(make_station: MakeStation) -> None:
    station = make_station()
    old, new = services.open_connections(openings=[opening(station)] * 2, at=NOON)
    [newest] = services.open_connections(openings=[opening(station, "g2")], at=NOON)
    assert (old, new, newest) == (1, 2, 3)

    services.close_connections(
        closings=[Closing(station_id=station.pk, epoch=old)],
        at=NOON + timedelta(seconds=1),
    )
    station.refresh_from_db()
    assert (station.connected_at, station.gateway) == (NOON, "g2")

    services.close_connections(closings=[Closing(station_id=station.pk, epoch=newest)], at=NOON)
    station.refresh_from_db()
    assert (station.connected_at, station.gateway, station.disconnected_at) == (None, "", NOON)


def test_a_gateway_that_comes_back_holds_nothing(make_station: MakeStation) -> None:
    mine, other = make_station("CP1"), make_station("CP2")
    services.open_connections(openings=[opening(mine, "g1"), opening(other, "g2")], at=NOON)
    assert services.release_gateway(gateway="g1", at=NOON) == 1
    online = ChargingStation.objects.filter(connected_at__isnull=False)
    assert [station.identity for station in online] == ["CP2"]


def test_silence_makes_a_station_offline_socket_or_not(make_station: MakeStation) -> None:
    station = make_station(online=True)
    assert station.is_online(at=NOON + timedelta(minutes=15))
    assert not station.is_online(at=NOON + timedelta(minutes=16))
    later = NOON + timedelta(minutes=10)
    services.touch_stations(seen={station.pk: later}, at=later)
    services.touch_stations(seen={station.pk: NOON}, at=later)
    station.refresh_from_db()
    assert station.last_seen_at == later


def test_a_command_dies_with_the_socket_it_went_over(make_station: MakeStation) -> None:
    station = make_station(online=True)
    command = services.queue_command(
        station_id=station.pk,
        action="reset",
        payload={"kind": "soft"},
        idempotency_key="k",
        at=NOON,
        by=SYSTEM,
    )
    assert services.mark_commands_sent(sent={command.pk: 1}, at=NOON) == {command.pk}
    services.close_connections(closings=[Closing(station_id=station.pk, epoch=1)], at=NOON)
    command = StationCommand.objects.get()
    assert (command.state, command.result) == (CommandState.FAILED, {"reason": "connection_lost"})


def test_a_boot_is_answered_by_registration(make_station: MakeStation) -> None:
    accepted, pending = make_station("CP1"), make_station("CP2")
    services.set_registration(station_id=pending.pk, to=Registration.PENDING, at=NOON, by=SYSTEM)
    boots = [
        BootReport(station_id=pk, vendor="Ve\x00ndor", model="M" * 80, details={"x": "\x00"})
        for pk in (accepted.pk, pending.pk, 999_999)
    ]
    answers = services.record_boots(boots=boots, at=NOON)
    assert [answer.registration for answer in answers] == ["accepted", "pending", "rejected"]
    found = queries.credentials_by_identity(identities=["CP1", "CP2"])
    assert [found[identity].booted for identity in ("CP1", "CP2")] == [True, False]
    accepted.refresh_from_db()
    assert (accepted.vendor, len(accepted.model)) == ("Vendor", 50)


def test_refused_handshakes_are_kept_whatever_they_say() -> None:
    handshake = Handshake(identity="\x00" * 300, path="/x" * 400, reason="unknown", remote="::1")
    services.record_refused_handshakes(handshakes=[handshake], at=NOON)
    assert RefusedHandshake.objects.get().reason == "unknown"
    assert services.forget_refused_handshakes(at=NOON + timedelta(days=13)) == 0
    assert services.forget_refused_handshakes(at=NOON + timedelta(days=15)) == 1


@pytest.mark.parametrize("password", ["short", "sixteen-or-more-characters", "pässwörd-mit-umlaut"])
def test_only_the_password_opens(password: str) -> None:
    stored = hash_password(password=password, salt="salt")
    assert password_matches(password=password.encode(), hashes=("", stored))
    assert not password_matches(password=b"another-password-of-length", hashes=(stored,))
    assert password not in stored


def test_a_key_opens_as_bytes_and_as_digits_of_either_case() -> None:
    key = "0123456789abcdef0123456789ABCDEF01234567".lower()
    stored = hash_password(password=key, salt="salt")
    for sent in (key.encode(), key.upper().encode(), bytes.fromhex(key)):
        assert password_matches(password=sent, hashes=(stored,))
    assert not password_matches(password=bytes.fromhex(key)[:-1], hashes=(stored,))


def test_a_new_password_closes_the_door_to_the_old(make_station: MakeStation) -> None:
    station = make_station()
    new = services.reset_password(station_id=station.pk, at=NOON, by=SYSTEM)
    hashes = queries.credentials_by_identity(identities=["CP1"])["CP1"].password_hashes
    assert password_matches(password=new.encode(), hashes=hashes)
    assert not password_matches(password=station.secret.encode(), hashes=hashes)


def test_a_command_dies_with_a_gateway_that_was_killed_when_its_station_is_back(
    make_station: MakeStation,
) -> None:
    """The killed gateway said nothing, and the station came back to another one."""
    station = make_station()
    services.open_connections(openings=[opening(station, "g1")], at=NOON)

    def ask(key: str) -> StationCommand:
        return services.queue_command(
            station_id=station.pk, action="clear_cache", idempotency_key=key, at=NOON, by=SYSTEM
        )

    unanswered, following = ask("a"), ask("b")
    services.mark_commands_sent(sent={unanswered.pk: 1}, at=NOON)
    services.open_connections(openings=[opening(station, "g2")], at=NOON)
    unanswered.refresh_from_db()
    assert (unanswered.state, unanswered.result) == ("failed", {"reason": "connection_lost"})
    [next_one] = services.take_commands(gateway="g2", at=NOON)
    assert next_one.command_id == following.pk
    # What goes over the new socket is the new socket's.
    services.mark_commands_sent(sent={following.pk: 2}, at=NOON)
    services.open_connections(openings=[opening(make_station("CP2"), "g2")], at=NOON)
    following.refresh_from_db()
    assert following.state == "sent"
