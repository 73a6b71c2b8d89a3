"""Calls of stations: rubbish, order, repetition, and who may speak before being accepted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from charging.ocpp import replies, v16
from charging.stations.models import ChargingStation, Connector
from tests.charging.ocpp.conftest import Grid, start_gateway
from tests.charging.ocpp.peer import Peer, boot_16, boot_201, start_16

Eventually = Callable[..., Any]
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}


class TestRubbish:
    """Nothing a station sends closes its socket or makes it deaf, frames too large apart."""

    @pytest.mark.parametrize(
        "raw",
        ['[2,"1","Heartbeat",{', "", "{}", "[" * 20_000, b"\xff\xfe\xfd", '[2,7,"Heartbeat",{}]'],
    )
    def test_what_cannot_be_read_is_answered_with_minus_one(self, grid: Grid, raw: str) -> None:
        for version, code in (
            ("ocpp2.0.1", "RpcFrameworkError"),
            ("ocpp1.6", "FormationViolation"),
        ):
            peer = grid.dial(grid.station(), version)
            peer.send(raw)
            answer = peer.receive()
            assert answer[:3] == [4, "-1", code]
            assert "currentTime" in peer.result("Heartbeat")

    def test_a_binary_frame_with_json_is_read(self, grid: Grid) -> None:
        peer = grid.dial(grid.station())
        peer.socket.send(b'[2,"b1","Heartbeat",{}]')
        assert peer.receive()[:2] == [3, "b1"]

    @pytest.mark.parametrize(
        ("action", "code"),
        [
            ("FooBar", "NotImplemented"),
            ("Reset", "NotSupported"),
            ("SetDisplayMessage", "NotSupported"),
            ("CertificateSigned", "NotSupported"),
        ],
    )
    def test_unknown_and_unsupported_are_not_the_same(
        self,
        grid: Grid,
        action: str,
        code: str,
    ) -> None:
        assert grid.dial(grid.station(), "ocpp2.0.1").error(action) == code

    def test_actions_of_16_too(self, grid: Grid) -> None:
        peer = grid.dial(grid.station())
        assert peer.error("FooBar") == "NotImplemented"
        assert peer.error("RemoteStartTransaction") == "NotSupported"
        assert peer.result("Heartbeat")

    def test_other_message_types(self, grid: Grid) -> None:
        peer = grid.dial(grid.station(), "ocpp2.0.1")
        peer.send([9, "x", "Heartbeat", {}])
        assert peer.receive()[:3] == [4, "x", "MessageTypeNotSupported"]
        peer.send([3, "nobody-asked", {}])
        peer.send([4, "nobody-asked", "GenericError", "", {}])
        peer.send([3])
        assert peer.silence(0.2)
        assert peer.result("Heartbeat")

    def test_a_null_payload_is_an_empty_one(self, grid: Grid) -> None:
        peer = grid.dial(grid.station())
        peer.send('[2,"n1","Heartbeat",null]')
        assert peer.receive()[:2] == [3, "n1"]

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"idTag": None}, "TypeConstraintViolation"),
            ({"connectorId": "1"}, "TypeConstraintViolation"),
            ({"idTag": "x" * 21}, "PropertyConstraintViolation"),
            ({"timestamp": "2026-05-01 10:00"}, "PropertyConstraintViolation"),
            ({"extra": 1}, "FormationViolation"),
            ({"connectorId": -1}, "PropertyConstraintViolation"),
            ({"idTag": "a\x00b"}, "PropertyConstraintViolation"),
        ],
    )
    def test_a_wrong_payload_is_named_in_16(
        self,
        grid: Grid,
        change: dict[str, object],
        code: str,
    ) -> None:
        assert grid.dial(grid.station()).error("StartTransaction", start_16("x", **change)) == code

    def test_a_missing_field(self, grid: Grid) -> None:
        assert grid.dial(grid.station()).error("StartTransaction", {"connectorId": 1}) == (
            "OccurenceConstraintViolation"
        )
        peer = grid.dial(grid.station(), "ocpp2.0.1")
        assert peer.error("BootNotification", {"reason": "PowerUp"}) == (
            "OccurrenceConstraintViolation"
        )

    def test_a_long_message_id_is_refused(self, grid: Grid) -> None:
        answer = grid.dial(grid.station(), "ocpp2.0.1").call("Heartbeat", {}, message_id="x" * 37)
        assert answer[0] == 4

    def test_a_megabyte_closes_1009_and_nobody_else_notices(self, grid: Grid) -> None:
        neighbour = grid.dial(grid.station())
        flooder = grid.dial(grid.station())
        flooder.send([2, "1", "DataTransfer", {"vendorId": "x", "data": "y" * 1_000_000}])
        assert neighbour.result("Heartbeat")
        assert flooder.closed_with() == 1009

    def test_the_answer_quotes_nothing_of_the_question(self, grid: Grid) -> None:
        peer = grid.dial(grid.station())
        answer = peer.call("StartTransaction", start_16("x", timestamp="SECRET"))
        assert "SECRET" not in json.dumps(answer)

    def test_a_fault_of_ours_is_an_answer_too(
        self,
        grid: Grid,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def broken(_: object) -> None:
            raise KeyError("secret internals")

        monkeypatch.setitem(v16.DIALECT.inbound, "Authorize", broken)  # type: ignore[index]
        monkeypatch.setattr(replies, "boot", broken)
        peer = grid.dial(grid.station())
        for action, payload in (("Authorize", {"idTag": "x"}), ("BootNotification", boot_16())):
            answer = peer.call(action, payload)
            assert answer[2:4] == ["InternalError", "The message could not be processed"]
        assert peer.result("Heartbeat")


class TestOrder:
    """One answer per call, in order, and the same answer for the same call."""

    def test_a_burst_is_answered_in_order(self, grid: Grid) -> None:
        peer = grid.dial(grid.station())
        sent = [f"b{number}" for number in range(6)]
        for number, message_id in enumerate(sent):
            if number == 3:
                peer.send([2, message_id, "FooBar", {}])
            elif number % 2:
                peer.send([2, message_id, "Heartbeat", {}])
            else:
                peer.send([2, message_id, "StatusNotification", STATUS])
        assert [peer.receive()[1] for _ in sent] == sent

    def test_the_same_frame_gets_the_same_bytes(self, grid: Grid) -> None:
        peer = grid.dial(grid.station())
        first = peer.call("Heartbeat", {}, message_id="same")
        assert peer.call("Heartbeat", {}, message_id="same") == first
        other = peer.result("DataTransfer", {"vendorId": "v"}, message_id="same")
        assert other == {"status": "UnknownVendorId"}

    def test_after_a_boot_old_ids_are_new(self, grid: Grid) -> None:
        peer = grid.dial(grid.station())
        first = peer.result("Heartbeat", {}, message_id="1")
        time.sleep(0.005)
        peer.result("BootNotification", boot_16(), message_id="2")
        assert peer.result("Heartbeat", {}, message_id="1") != first

    def test_a_question_over_a_new_socket_is_a_new_one(self, grid: Grid) -> None:
        station = grid.station()
        first = grid.dial(station).result("BootNotification", boot_16(), message_id="1")
        ChargingStation.objects.filter(pk=station.pk).update(registration="rejected")
        time.sleep(0.005)
        again = grid.dial(station).result("BootNotification", boot_16(), message_id="1")
        assert again["status"] == "Rejected"
        assert again["currentTime"] > first["currentTime"]

    def test_a_flood_is_read_more_slowly_than_it_is_sent(self, grid: Grid) -> None:
        slow = start_gateway(max_calls_per_s=20)
        try:
            peer = Peer.dial(slow.url, grid.station().identity)
            began = time.monotonic()
            for number in range(25):
                peer.send([2, f"f{number}", "Heartbeat", {}])
            for number in range(25):
                assert peer.receive()[1] == f"f{number}"
            assert time.monotonic() - began > 0.9
            peer.close()
        finally:
            slow.close()


def test_long_frames_are_read_as_slowly_as_many_short_ones(grid: Grid) -> None:
    """Each is parsed, checked and logged on the loop that all stations share."""
    slow = start_gateway(max_calls_per_s=20)
    try:
        peer = Peer.dial(slow.url, grid.station().identity)
        data = "x" * 200_000
        began = time.monotonic()
        for number in range(3):
            peer.send([2, f"f{number}", "DataTransfer", {"vendorId": "ACME", "data": data}])
        for number in range(3):
            assert peer.receive()[1] == f"f{number}"
        assert time.monotonic() - began > 0.9
        peer.close()
    finally:
        slow.close()


class TestRegistration:
    """Who has not been accepted may only introduce himself."""

    @pytest.mark.parametrize(
        ("version", "payload"),
        [("ocpp1.6", boot_16()), ("ocpp2.0.1", boot_201())],
    )
    def test_a_new_station_must_boot_first(
        self,
        grid: Grid,
        version: str,
        payload: dict[str, object],
    ) -> None:
        station = grid.station(booted_at=None)
        peer = grid.dial(station, version)
        assert peer.error("Heartbeat") == "SecurityError"
        answer = peer.result("BootNotification", payload)
        assert answer["status"] == "Accepted"
        assert answer["interval"] > 0
        assert answer["currentTime"].endswith("Z")
        assert peer.result("Heartbeat")
        assert ChargingStation.objects.get(pk=station.pk).vendor == "ACME"

    @pytest.mark.parametrize(
        ("registration", "word"),
        [("pending", "Pending"), ("rejected", "Rejected")],
    )
    def test_who_is_not_accepted_keeps_the_socket_and_nothing_else(
        self,
        grid: Grid,
        registration: str,
        word: str,
    ) -> None:
        station = grid.station(registration=registration)
        peer = grid.dial(station, "ocpp2.0.1")
        assert peer.result("BootNotification", boot_201())["status"] == word
        assert peer.error("Heartbeat") == "SecurityError"
        ChargingStation.objects.filter(pk=station.pk).update(registration="accepted")
        assert peer.result("BootNotification", boot_201())["status"] == "Accepted"
        assert peer.result("Heartbeat")

    def test_nothing_comes_unasked(self, grid: Grid) -> None:
        peer = grid.dial(grid.station())
        peer.result("BootNotification", boot_16())
        assert peer.silence(1.2)


class TestStatus:
    """A connector's newest word counts."""

    def word(self, station: ChargingStation, number: int = 1) -> str:
        return Connector.objects.get(evse__station=station, evse__number=number).status

    def test_an_older_status_changes_nothing(self, grid: Grid) -> None:
        station = grid.station()
        peer = grid.dial(station)
        peer.result("StatusNotification", {**STATUS, "timestamp": "2026-05-01T10:00:00Z"})
        assert self.word(station) == "Occupied"
        late = {**STATUS, "status": "Available", "timestamp": "2026-05-01T09:00:00Z"}
        peer.result("StatusNotification", late)
        assert self.word(station) == "Occupied"
        peer.result("StatusNotification", {**late, "timestamp": "2026-05-01T11:00:00Z"})
        assert self.word(station) == "Available"

    @pytest.mark.parametrize("connector", [0, 999])
    def test_connectors_we_do_not_know_are_answered(self, grid: Grid, connector: int) -> None:
        peer = grid.dial(grid.station())
        assert peer.result("StatusNotification", {**STATUS, "connectorId": connector}) == {}

    def test_201_status(self, grid: Grid) -> None:
        station = grid.station()
        grid.dial(station, "ocpp2.0.1").result(
            "StatusNotification",
            {
                "timestamp": "2026-05-01T10:00:00Z",
                "connectorStatus": "Faulted",
                "evseId": 2,
                "connectorId": 1,
            },
        )
        assert self.word(station, 2) == "Faulted"


@pytest.mark.parametrize(
    ("version", "action", "payload", "answer"),
    [
        ("ocpp1.6", "FirmwareStatusNotification", {"status": "Idle"}, {}),
        ("ocpp1.6", "DiagnosticsStatusNotification", {"status": "Idle"}, {}),
        ("ocpp1.6", "DataTransfer", {"vendorId": "x"}, {"status": "UnknownVendorId"}),
        ("ocpp1.6", "SignCertificate", {"csr": "x"}, {"status": "Rejected"}),
        ("ocpp2.0.1", "FirmwareStatusNotification", {"status": "Idle"}, {}),
        (
            "ocpp2.0.1",
            "SecurityEventNotification",
            {"type": "StartupOfTheDevice", "timestamp": "2026-05-01T10:00:00Z"},
            {},
        ),
        ("ocpp2.0.1", "DataTransfer", {"vendorId": "x"}, {"status": "UnknownVendorId"}),
    ],
)
def test_messages_that_only_want_an_answer(
    grid: Grid,
    version: str,
    action: str,
    payload: dict[str, object],
    answer: dict[str, object],
) -> None:
    assert grid.dial(grid.station(), version).result(action, payload) == answer
