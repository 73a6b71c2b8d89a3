"""One station's page: what happens there, what was said, what was asked, and who may look."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from charging.certificates.models import StationCertificate
from charging.certificates.states import CertificateKind
from charging.desk.states import PartName
from charging.devices.models import DeviceVariable, FirmwareJob, LogJob
from charging.frames.facts import FrameSeen, QuirkUse
from charging.frames.services import ensure_partitions, note_quirks, record_frames
from charging.sessions.models import ChargingSession
from charging.stations import services as stations
from charging.stations.facts import CommandResult, Handshake
from charging.stations.models import ChargingStation, StationCommand
from mobility.accounts.models import User
from mobility.core import clock
from tests.charging.desk.conftest import BASE

pytestmark = pytest.mark.django_db


def part(desk: Client, station: ChargingStation, name: str) -> str:
    """What a part of the page says now."""
    answer = desk.get(f"{BASE}/{station.pk}/parts/", {"part": f"{name}~"})
    assert answer.status_code == 200
    html: str = answer.json()[name]["html"]
    return html


def say(station: ChargingStation, direction: str, kind: int, action: str, body: str) -> FrameSeen:
    """A frame as the gateway hands it on."""
    return FrameSeen(
        station.pk, clock.now(), direction, 1, "ocpp1.6", kind, "m1", action, body.encode()
    )


def test_the_last_messages_stand_there_both_ways_in_plain_words(
    station: ChargingStation, foreign: ChargingStation, desk: Client
) -> None:
    ensure_partitions(at=clock.now())
    boot = '[2,"m1","BootNotification",{"chargePointVendor":"V"}]'
    asked = '[2,"m2","Reset",{"type":"Soft"}]'
    record_frames(
        frames=[
            say(station, "in", 2, "BootNotification", boot),
            say(station, "out", 2, "Reset", asked),
            say(foreign, "in", 2, "Heartbeat", '[2,"theirs","Heartbeat",{}]'),
        ]
    )
    html = part(desk, station, PartName.FRAMES)
    assert html.count("<details>") == 2
    assert 'data-direction="in"' in html
    assert 'data-direction="out"' in html
    assert "chargePointVendor" in html
    assert "theirs" not in html


def test_what_was_forgiven_is_counted_there(station: ChargingStation, desk: Client) -> None:
    use = QuirkUse(
        station_id=station.pk, quirk="enum_case", times=7, at=clock.now(), example="available"
    )
    note_quirks(uses=[use])
    html = part(desk, station, PartName.QUIRKS)
    assert "<td>7</td>" in html
    assert "available" in html


def test_a_command_is_followed_to_its_answer(station: ChargingStation, desk: Client) -> None:
    desk.post(f"{BASE}/{station.pk}/command/", {"action": "reset", "kind": "soft", "key": "k"})
    waiting = part(desk, station, PartName.COMMANDS)
    assert 'data-newest="queued"' in waiting
    command = StationCommand.objects.get()
    epoch = ChargingStation.objects.get(pk=station.pk).connection_epoch
    stations.mark_commands_sent(sent={command.pk: epoch}, at=clock.now())
    done = CommandResult(command_id=command.pk, state="accepted", result={"status": "Accepted"})
    stations.finish_commands(results=[done], at=clock.now())
    assert 'data-newest="accepted"' in part(desk, station, PartName.COMMANDS)


def test_a_session_with_a_gap_says_which_messages_are_missing(
    station: ChargingStation, desk: Client
) -> None:
    ChargingSession.objects.update(seq_missing=[3, 4])
    html = part(desk, station, PartName.SESSIONS)
    assert "3, 4" in html
    assert "charger-gap" in html


def test_one_form_stops_any_of_the_sessions(station: ChargingStation, desk: Client) -> None:
    session = ChargingSession.objects.get()
    assert str(session.public_id) in part(desk, station, PartName.NOW)
    wish = {"action": "remote_stop", "session": str(session.public_id), "key": "k:stop"}
    for _press in range(2):
        desk.post(f"{BASE}/{station.pk}/command/", wish)
    assert StationCommand.objects.get().payload == {"transaction_ref": session.transaction_ref}


def test_certificates_stand_there_with_their_end(station: ChargingStation, desk: Client) -> None:
    now = clock.now()
    StationCertificate.objects.create(
        station=station,
        kind=CertificateKind.STATION,
        serial="abc123",
        subject="CN=CP1",
        pem="-",
        valid_from=now,
        valid_until=now + timedelta(days=12, hours=1),
        issued_at=now,
    )
    html = part(desk, station, PartName.SAFETY)
    assert "abc123" in html
    assert "12" in html
    assert "data-ending" in html


def test_variables_and_jobs_stand_there(station: ChargingStation, desk: Client) -> None:
    now = clock.now()
    DeviceVariable.objects.create(
        station=station, name="HeartbeatInterval", value="<b>300</b>", at=now
    )
    FirmwareJob.objects.create(station=station, location="https://f.example/fw", asked_at=now)
    html = part(desk, station, PartName.DEVICE)
    assert "HeartbeatInterval" in html
    assert "&lt;b&gt;300" in html
    assert "https://f.example/fw" in html


@pytest.mark.parametrize(
    ("question", "fields", "action"),
    [
        ("read_configuration", {}, "get_variables"),
        ("change_variable", {"name": "HeartbeatInterval", "value": "60"}, "set_variables"),
        ("update_firmware", {"location": "https://f.example/fw"}, "update_firmware"),
        ("bring_log", {"kind": "diagnostics"}, "get_log"),
        ("rotate_password", {}, "set_password"),
    ],
)
def test_more_is_asked_by_a_form_and_becomes_one_command(
    station: ChargingStation,
    desk: Client,
    question: str,
    fields: dict[str, str],
    action: str,
) -> None:
    told = {"question": question, "key": "k", **fields}
    for _press in range(2):
        assert desk.post(f"{BASE}/{station.pk}/question/", told).status_code == 302
    assert list(StationCommand.objects.values_list("action", flat=True)) == [action]
    assert FirmwareJob.objects.count() == (action == "update_firmware")
    assert LogJob.objects.count() == (action == "get_log")


def test_a_security_profile_rises_and_never_falls(station: ChargingStation, desk: Client) -> None:
    for profile in ("2", "1", "nonsense"):
        told = {"question": "raise_profile", "profile": profile}
        desk.post(f"{BASE}/{station.pk}/question/", told)
    station.refresh_from_db()
    assert (station.security_profile, station.next_security_profile) == (1, 2)
    assert desk.post(f"{BASE}/{station.pk}/question/", {"question": "x"}).status_code == 302
    assert StationCommand.objects.count() == 0


def test_a_script_gets_only_what_looks_different(station: ChargingStation, desk: Client) -> None:
    address = f"{BASE}/{station.pk}/parts/"
    first = desk.get(address, {"part": ["refused~", "commands~", "nonsense~"]}).json()
    assert set(first) == {"refused", "commands"}
    known = [f"{name}~{one['digest']}" for name, one in first.items()]
    assert desk.get(address, {"part": known}).json() == {}
    handshake = Handshake(identity="CP1", path="/", reason="no_subprotocol", remote="10.0.0.9")
    stations.record_refused_handshakes(handshakes=[handshake], at=clock.now())
    assert set(desk.get(address, {"part": known}).json()) == {"refused"}


def test_the_page_asks_as_much_of_the_database_however_much_happened(
    station: ChargingStation, desk: Client
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert desk.get(f"{BASE}/{station.pk}/change/").status_code == 200
        return len(seen)

    queries()
    before = queries()
    for number in range(5):
        desk.post(
            f"{BASE}/{station.pk}/command/", {"action": "reset", "kind": "soft", "key": f"{number}"}
        )
        refused = Handshake(identity="CP1", path="/", reason="wrong_user", remote="10.0.0.9")
        stations.record_refused_handshakes(handshakes=[refused], at=clock.now())
    desk.get(f"{BASE}/{station.pk}/change/")
    assert queries() == before


@pytest.mark.parametrize("door", ["first-contact", "parts", "change"])
def test_another_operators_pages_are_not_there(
    foreign: ChargingStation, station: ChargingStation, desk: Client, door: str
) -> None:
    answer = desk.get(f"{BASE}/{foreign.pk}/{door}/?part=now~")
    assert answer.status_code in (302, 404)
    assert b"OTHER" not in answer.content


def test_another_operators_station_site_and_money_stay_closed(
    foreign: ChargingStation, station: ChargingStation, desk: Client
) -> None:
    wish = {"question": "bring_log", "kind": "security", "action": "reset"}
    for door in ("question", "command", "password"):
        assert desk.post(f"{BASE}/{foreign.pk}/{door}/", wish).status_code == 404
    assert desk.get(f"{BASE}/site/{foreign.site_id}/power/").status_code == 404
    page = desk.get(f"{BASE}/statements/", {"organisation": "scossa"})
    assert page.context["operator"].slug != "scossa"
    assert StationCommand.objects.count() == 0


def test_the_officer_of_the_city_sees_hardware_and_no_business(
    station: ChargingStation, elena: User, client: Client
) -> None:
    client.force_login(elena)
    every = {"part": [f"{name}~" for name in PartName.values]}
    told = client.get(f"{BASE}/{station.pk}/parts/", every).json()
    assert set(told) == {"now"}
    assert "CARD" not in told["now"]["html"]
    assert client.get(f"{BASE}/{station.pk}/first-contact/").status_code == 403
    assert client.get(f"{BASE}/site/{station.site_id}/power/").status_code == 403
    assert client.get(f"{BASE}/statements/").status_code == 404
    assert client.get(f"{BASE}/add/").status_code == 403
    assert client.post(f"{BASE}/{station.pk}/question/", {"question": "x"}).status_code == 403


def test_strangers_and_riders_are_sent_away(
    station: ChargingStation, giulia: User, client: Client
) -> None:
    for door in ("add", "statements", f"{station.pk}/parts", f"{station.pk}/first-contact"):
        assert client.get(f"{BASE}/{door}/").status_code == 302
    client.force_login(giulia)
    for door in ("add", "statements", f"{station.pk}/parts", f"{station.pk}/first-contact"):
        assert client.get(f"{BASE}/{door}/").status_code in (302, 403)
