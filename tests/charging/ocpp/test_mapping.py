"""Wire shapes become facts and commands become words, for both versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from charging.ocpp import v16, v201
from charging.ocpp.deeds import Asked, Deed, Dialect, Unspeakable, Verb
from charging.ocpp.rpc.errors import RpcError
from charging.ocpp.rpc.schemas import schemas_of
from charging.ocpp.wire import instant, instant_text, meter_wh, number
from charging.sessions.facts import (
    AuthorizationStatus,
    AuthorizationVerdict,
    EventAnswer,
    EventKind,
    StartAnswer,
    StopAnswer,
)
from charging.stations.facts import BootAnswer, CommandToSend

AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
TEXT = "2026-05-01T10:00:00Z"
YES = AuthorizationVerdict(status=AuthorizationStatus.ACCEPTED, expires_at=AT, group="FAMILY")


def deed(dialect: Dialect, action: str, payload: dict[str, Any]) -> Deed:
    """What the call becomes; the payload must be valid, as the gateway would have checked."""
    schemas_of(dialect.version).check_request(action=action, payload=payload)
    outcome = dialect.inbound[action](Asked(7, payload, AT))
    assert isinstance(outcome, Deed)
    return outcome


def answer(dialect: Dialect, action: str, outcome: Deed, given: object) -> dict[str, Any]:
    """The reply, which must be valid too."""
    reply = outcome.reply(given)
    schemas_of(dialect.version).check_response(action=action, payload=reply)
    return reply


def command(action: str, payload: dict[str, Any], **place: int | None) -> CommandToSend:
    return CommandToSend(
        command_id=5,
        public_id="x",
        station_id=7,
        identity="CP1",
        action=action,
        evse_number=place.get("evse"),
        connector_number=place.get("connector"),
        payload=payload,
        expires_at=AT + timedelta(seconds=30),
    )


class TestWire:
    """Instants and numbers."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-05-01T10:00:00Z", AT),
            ("2026-05-01T12:00:00+02:00", AT),
            ("2026-05-01T10:00:00.123456789Z", AT.replace(microsecond=123456)),
        ],
    )
    def test_instants_are_utc(self, text: str, expected: datetime) -> None:
        assert instant(text) == expected
        assert instant(text).tzinfo is UTC

    @pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "2026-06-30T23:59:60Z"])
    def test_an_instant_python_cannot_hold_is_refused(self, text: str) -> None:
        with pytest.raises(RpcError):
            instant(text)

    def test_we_write_z_and_milliseconds(self) -> None:
        assert instant_text(AT) == "2026-05-01T10:00:00.000Z"

    @pytest.mark.parametrize("text", ["", ",5", "12,5", "NaN", "inf", "abc", "0x10"])
    def test_what_is_no_number_is_none(self, text: str) -> None:
        assert number(text) is None

    def test_numbers_are_read(self) -> None:
        assert number(" 12.50 ") == 12.5
        assert number("-3") == -3.0
        assert meter_wh(2**63) == 2**53
        assert meter_wh(-(2**63)) == -(2**53)


class TestV16:
    """OCPP 1.6."""

    def test_boot(self) -> None:
        outcome = deed(
            v16.DIALECT,
            "BootNotification",
            {
                "chargePointVendor": "ACME",
                "chargePointModel": "M",
                "chargeBoxSerialNumber": "S1",
                "firmwareVersion": "1.2",
            },
        )
        assert (outcome.verb, outcome.fact.vendor, outcome.fact.serial) == (Verb.BOOT, "ACME", "S1")
        given = BootAnswer(registration="pending", interval_s=60)
        assert answer(v16.DIALECT, "BootNotification", outcome, given) == {
            "status": "Pending",
            "currentTime": "2026-05-01T10:00:00.000Z",
            "interval": 60,
        }

    def test_start(self) -> None:
        payload = {"connectorId": 2, "idTag": "04ab", "meterStart": 1000, "timestamp": TEXT}
        outcome = deed(v16.DIALECT, "StartTransaction", payload)
        fact = outcome.fact
        assert (fact.station_id, fact.evse_number, fact.uid, fact.at) == (7, 2, "04ab", AT)
        given = StartAnswer(transaction_ref="42", verdict=YES)
        assert answer(v16.DIALECT, "StartTransaction", outcome, given) == {
            "transactionId": 42,
            "idTagInfo": {
                "status": "Accepted",
                "expiryDate": "2026-05-01T10:00:00.000Z",
                "parentIdTag": "FAMILY",
            },
        }

    @pytest.mark.parametrize("number", [-1, 0, 40_000])
    def test_a_start_needs_a_connector_that_can_be(self, number: int) -> None:
        payload = {"connectorId": number, "idTag": "x", "meterStart": 0, "timestamp": TEXT}
        with pytest.raises(RpcError):
            deed(v16.DIALECT, "StartTransaction", payload)

    def test_stop_with_transaction_data(self) -> None:
        value = {
            "timestamp": TEXT,
            "sampledValue": [{"value": "1500", "context": "Transaction.End"}],
        }
        payload = {
            "transactionId": -1,
            "meterStop": 1500,
            "timestamp": TEXT,
            "transactionData": [value],
        }
        outcome = deed(v16.DIALECT, "StopTransaction", payload)
        fact = outcome.fact
        assert (fact.transaction_ref, fact.reason, fact.uid) == ("-1", "Local", None)
        assert fact.readings[0].raw == value
        assert fact.readings[0].samples[0].value == 1500.0
        assert answer(v16.DIALECT, "StopTransaction", outcome, StopAnswer()) == {}
        told = answer(v16.DIALECT, "StopTransaction", outcome, StopAnswer(verdict=YES))
        assert told["idTagInfo"]["status"] == "Accepted"

    @pytest.mark.parametrize(("wire", "reference"), [(42, "42"), (0, None), (-1, None)])
    def test_meter_values(self, wire: int, reference: str | None) -> None:
        samples = [
            {"value": "12.5", "unit": "kWh", "measurand": "Energy.Active.Import.Register"},
            {"value": "AB12", "format": "SignedData"},
            {"value": "x"},
        ]
        payload = {
            "connectorId": 1,
            "transactionId": wire,
            "meterValue": [{"timestamp": TEXT, "sampledValue": samples}],
        }
        fact = deed(v16.DIALECT, "MeterValues", payload).fact
        assert fact.transaction_ref == reference
        values = [(s.value, s.unit) for s in fact.readings[0].samples]
        assert values == [(12.5, "kWh"), (None, ""), (None, "")]

    def test_status_without_a_timestamp_is_of_now(self) -> None:
        payload = {"connectorId": 0, "errorCode": "NoError", "status": "Available"}
        fact = deed(v16.DIALECT, "StatusNotification", payload).fact
        assert (fact.at, fact.error_code, fact.evse_number) == (AT, "", 0)

    @pytest.mark.parametrize(
        ("action", "payload", "place", "said"),
        [
            (
                "remote_start",
                {"token_uid": "04AB", "remote_start_id": 5},
                {"evse": 2},
                ("RemoteStartTransaction", {"idTag": "04AB", "connectorId": 2}),
            ),
            (
                "remote_stop",
                {"transaction_ref": "42"},
                {},
                ("RemoteStopTransaction", {"transactionId": 42}),
            ),
            ("reset", {"kind": "hard"}, {}, ("Reset", {"type": "Hard"})),
            ("unlock", {}, {"evse": 2}, ("UnlockConnector", {"connectorId": 2})),
            (
                "change_availability",
                {"operative": False},
                {},
                ("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
            ),
            (
                "trigger",
                {"message": "status"},
                {"evse": 1},
                ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}),
            ),
            (
                "reserve",
                {"reservation_id": 9, "token_uid": "APP1", "until": TEXT},
                {"evse": 2},
                (
                    "ReserveNow",
                    {
                        "connectorId": 2,
                        "expiryDate": TEXT,
                        "idTag": "APP1",
                        "reservationId": 9,
                    },
                ),
            ),
            (
                "cancel_reservation",
                {"reservation_id": 9},
                {"evse": 2},
                ("CancelReservation", {"reservationId": 9}),
            ),
        ],
    )
    def test_commands(
        self,
        action: str,
        payload: dict[str, Any],
        place: dict[str, int],
        said: tuple[str, dict[str, Any]],
    ) -> None:
        assert v16.DIALECT.say(command(action, payload, **place)) == said
        schemas_of(v16.DIALECT.version).check_request(action=said[0], payload=said[1])

    def test_what_16_cannot_say(self) -> None:
        with pytest.raises(Unspeakable):
            v16.DIALECT.say(command("remote_start", {"token_uid": "x" * 21}))
        with pytest.raises(Unspeakable):
            v16.DIALECT.say(command("remote_stop", {"transaction_ref": "a-uuid"}))

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("Accepted", "accepted"),
            ("Scheduled", "accepted"),
            ("Unlocked", "accepted"),
            ("Rejected", "rejected"),
            ("NotSupported", "rejected"),
        ],
    )
    def test_answers(self, status: str, state: str) -> None:
        result = v16.DIALECT.hear(command("reset", {}), {"status": status})
        assert (result.state, result.result) == (state, {"status": status})


EVENT = {
    "eventType": "Started",
    "timestamp": TEXT,
    "triggerReason": "Authorized",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "T1", "chargingState": "Charging", "remoteStartId": 9},
    "evse": {"id": 1, "connectorId": 2},
    "idToken": {"idToken": "04AB", "type": "ISO14443"},
    "meterValue": [
        {
            "timestamp": TEXT,
            "sampledValue": [{"value": 1.5, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}],
        },
    ],
}


class TestV201:
    """OCPP 2.0.1."""

    def test_boot(self) -> None:
        payload = {
            "reason": "PowerUp",
            "chargingStation": {"model": "M", "vendorName": "V", "firmwareVersion": "1.2"},
        }
        outcome = deed(v201.DIALECT, "BootNotification", payload)
        assert (outcome.fact.reason, outcome.fact.firmware) == ("PowerUp", "1.2")
        given = BootAnswer(registration="accepted", interval_s=300)
        assert answer(v201.DIALECT, "BootNotification", outcome, given)["status"] == "Accepted"

    def test_transaction_event(self) -> None:
        outcome = deed(v201.DIALECT, "TransactionEvent", EVENT)
        fact = outcome.fact
        assert (fact.kind, fact.transaction_ref, fact.seq_no) == (EventKind.STARTED, "T1", 0)
        assert (fact.evse_number, fact.connector_number) == (1, 2)
        assert (fact.uid, fact.token_kind, fact.remote_start_id) == ("04AB", "ISO14443", 9)
        sample = fact.readings[0].samples[0]
        assert (sample.value, sample.multiplier, sample.unit) == (1.5, 3, "Wh")

    def test_the_cost_is_told_where_it_is_known(self) -> None:
        outcome = deed(v201.DIALECT, "TransactionEvent", EVENT)
        given = EventAnswer(verdict=YES, cost_cents=0)
        reply = answer(v201.DIALECT, "TransactionEvent", outcome, given)
        assert reply["totalCost"] == 0
        assert reply["idTokenInfo"]["groupIdToken"] == {"idToken": "FAMILY", "type": "Central"}
        assert answer(v201.DIALECT, "TransactionEvent", outcome, EventAnswer()) == {}
        given = EventAnswer(cost_cents=1234)
        assert answer(v201.DIALECT, "TransactionEvent", outcome, given) == {"totalCost": 12.34}

    @pytest.mark.parametrize("seq_no", [-1, 2**31])
    def test_a_sequence_number_is_a_counter(self, seq_no: int) -> None:
        with pytest.raises(RpcError):
            deed(v201.DIALECT, "TransactionEvent", {**EVENT, "seqNo": seq_no})

    def test_an_absurd_power_of_ten_leaves_no_number(self) -> None:
        value = {"value": 1.5, "unitOfMeasure": {"multiplier": 4000}}
        payload = {"evseId": 1, "meterValue": [{"timestamp": TEXT, "sampledValue": [value]}]}
        fact = deed(v201.DIALECT, "MeterValues", payload).fact
        assert fact.readings[0].samples[0].value is None

    @pytest.mark.parametrize(
        ("action", "payload", "place", "said"),
        [
            (
                "remote_start",
                {"token_uid": "APP1", "token_kind": "app", "remote_start_id": 5},
                {"evse": 2},
                (
                    "RequestStartTransaction",
                    {
                        "idToken": {"idToken": "APP1", "type": "Central"},
                        "remoteStartId": 5,
                        "evseId": 2,
                    },
                ),
            ),
            (
                "remote_stop",
                {"transaction_ref": "T1"},
                {},
                ("RequestStopTransaction", {"transactionId": "T1"}),
            ),
            ("reset", {"kind": "soft"}, {}, ("Reset", {"type": "OnIdle"})),
            (
                "unlock",
                {},
                {"evse": 2, "connector": 1},
                ("UnlockConnector", {"evseId": 2, "connectorId": 1}),
            ),
            (
                "change_availability",
                {"operative": True},
                {"evse": 1},
                ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 1}}),
            ),
            (
                "trigger",
                {"message": "meter_values"},
                {},
                ("TriggerMessage", {"requestedMessage": "MeterValues"}),
            ),
            (
                "reserve",
                {
                    "reservation_id": 9,
                    "token_uid": "APP1",
                    "token_kind": "Central",
                    "until": TEXT,
                },
                {"evse": 2},
                (
                    "ReserveNow",
                    {
                        "id": 9,
                        "expiryDateTime": TEXT,
                        "idToken": {"idToken": "APP1", "type": "Central"},
                        "evseId": 2,
                    },
                ),
            ),
            (
                "cancel_reservation",
                {"reservation_id": 9},
                {},
                ("CancelReservation", {"reservationId": 9}),
            ),
        ],
    )
    def test_commands(
        self,
        action: str,
        payload: dict[str, Any],
        place: dict[str, int],
        said: tuple[str, dict[str, Any]],
    ) -> None:
        assert v201.DIALECT.say(command(action, payload, **place)) == said
        schemas_of(v201.DIALECT.version).check_request(action=said[0], payload=said[1])

    def test_rfid_cards_are_iso14443(self) -> None:
        payload = {"token_uid": "04AB", "token_kind": "rfid", "remote_start_id": 5}
        _, said = v201.DIALECT.say(command("remote_start", payload))
        assert said["idToken"]["type"] == "ISO14443"


@pytest.mark.parametrize("dialect", [v16.DIALECT, v201.DIALECT])
def test_every_action_in_the_tables_exists(dialect: Dialect) -> None:
    assert set(dialect.inbound) <= schemas_of(dialect.version).actions
