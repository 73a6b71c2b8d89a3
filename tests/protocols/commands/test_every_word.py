"""Every command in every version: what goes on the wire, what the answer means, what cannot be said."""

from __future__ import annotations

from typing import Any

import pytest

from charging.ocpp import v16, v21, v201
from charging.ocpp.deeds import Unspeakable
from charging.ocpp.rpc.schemas import schemas_of
from charging.stations.facts import CommandToSend
from charging.stations.states import CommandAction
from mobility.core import clock
from tests.protocols.versions import ALL, V16, V21, V201

DIALECTS = {V16: v16.DIALECT, V201: v201.DIALECT, V21: v21.DIALECT}
COMPONENT = {"component": {"name": "EVSE"}, "variable": {"name": "Power"}}
HASH = {
    "hash_algorithm": "SHA256",
    "issuer_name_hash": "aa",
    "issuer_key_hash": "bb",
    "serial_number": "01",
}
PROFILE = {
    "id": 7,
    "stack_level": 0,
    "purpose": "TxProfile",
    "transaction_ref": "42",
    "unit": "A",
    "start": "2026-05-01T10:00:00Z",
    "valid_to": "2026-05-01T10:15:00Z",
    "periods": [{"start_s": 0, "limit": 16.04}],
}
DISPLAY = {
    "message": {
        "id": 1,
        "priority": "InFront",
        "message": {"format": "UTF8", "content": "Ciao"},
    }
}
MONITOR = {**COMPONENT, "value": 1, "type": "UpperThreshold", "severity": 3}
TARIFF = {"tariffId": "base", "currency": "EUR"}
NETWORK = {
    "configurationSlot": 1,
    "connectionData": {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://example.org",
        "messageTimeout": 30,
        "securityProfile": 2,
        "ocppInterface": "Wired0",
    },
}
FIRMWARE = {"location": "https://example.org/f", "retrieve_at": "2026-05-01T10:00:00Z"}
# action → (arguments, wire action in 1.6, in 2.0.1, in 2.1); None: the version has no word for it.
SPOKEN: dict[str, tuple[dict[str, Any], str | None, str | None, str | None]] = {
    "remote_start": (
        {"token_uid": "04AB", "remote_start_id": 9},
        "RemoteStartTransaction",
        "RequestStartTransaction",
        "RequestStartTransaction",
    ),
    "remote_stop": (
        {"transaction_ref": "42"},
        "RemoteStopTransaction",
        "RequestStopTransaction",
        "RequestStopTransaction",
    ),
    "reset": ({"kind": "soft"}, "Reset", "Reset", "Reset"),
    "unlock": ({}, *["UnlockConnector"] * 3),
    "change_availability": ({"operative": False}, *["ChangeAvailability"] * 3),
    "trigger": ({"message": "status"}, *["TriggerMessage"] * 3),
    "reserve": (
        {"reservation_id": 3, "token_uid": "04AB", "until": "2026-05-01T10:00:00Z", "group": "G"},
        *["ReserveNow"] * 3,
    ),
    "cancel_reservation": ({"reservation_id": 3}, *["CancelReservation"] * 3),
    "get_variables": (
        {"variables": [{"component": "OCPPCommCtrlr", "name": "HeartbeatInterval"}]},
        "GetConfiguration",
        "GetVariables",
        "GetVariables",
    ),
    "set_variables": (
        {"variables": [{"component": "OCPPCommCtrlr", "name": "HeartbeatInterval", "value": 60}]},
        "ChangeConfiguration",
        "SetVariables",
        "SetVariables",
    ),
    "set_password": ({"password": "1" * 20}, "ChangeConfiguration", "SetVariables", "SetVariables"),
    "get_list_version": ({}, *["GetLocalListVersion"] * 3),
    "send_list": (
        {"version": 2, "full": True, "entries": {"04AB": {"status": "Accepted"}, "04CD": None}},
        *["SendLocalList"] * 3,
    ),
    "clear_cache": ({}, *["ClearCache"] * 3),
    "set_profile": ({"profile": PROFILE}, *["SetChargingProfile"] * 3),
    "clear_profile": ({"profile_id": 7}, *["ClearChargingProfile"] * 3),
    "get_composite": ({"duration_s": 600, "unit": "A"}, *["GetCompositeSchedule"] * 3),
    "update_firmware": ({**FIRMWARE, "request_id": 4}, *["UpdateFirmware"] * 3),
    "get_log": (
        {"location": "https://example.org/up/", "request_id": 4},
        "GetDiagnostics",
        "GetLog",
        "GetLog",
    ),
    "install_certificate": (
        {"use": "csms_root", "certificate": "-----BEGIN CERTIFICATE-----"},
        *["InstallCertificate"] * 3,
    ),
    "delete_certificate": (HASH, *["DeleteCertificate"] * 3),
    "get_certificates": ({"use": "csms_root"}, *["GetInstalledCertificateIds"] * 3),
    "certificate_signed": ({"chain": "-----BEGIN CERTIFICATE-----"}, *["CertificateSigned"] * 3),
    "data_transfer": ({"vendor": "ACME", "data": "x"}, *["DataTransfer"] * 3),
    "get_base_report": ({"request_id": 4}, None, "GetBaseReport", "GetBaseReport"),
    "get_report": ({"request_id": 4, "body": {}}, None, "GetReport", "GetReport"),
    "set_monitoring": (
        {"body": {"setMonitoringData": [MONITOR]}},
        None,
        "SetVariableMonitoring",
        "SetVariableMonitoring",
    ),
    "clear_monitoring": (
        {"body": {"id": [1]}},
        None,
        "ClearVariableMonitoring",
        "ClearVariableMonitoring",
    ),
    "get_monitoring": ({"request_id": 4}, None, "GetMonitoringReport", "GetMonitoringReport"),
    "set_monitoring_base": (
        {"body": {"monitoringBase": "All"}},
        None,
        "SetMonitoringBase",
        "SetMonitoringBase",
    ),
    "set_monitoring_level": (
        {"body": {"severity": 4}},
        None,
        "SetMonitoringLevel",
        "SetMonitoringLevel",
    ),
    "get_transaction": ({}, None, "GetTransactionStatus", "GetTransactionStatus"),
    "set_display": ({"body": DISPLAY}, None, "SetDisplayMessage", "SetDisplayMessage"),
    "get_displays": ({"request_id": 4}, None, "GetDisplayMessages", "GetDisplayMessages"),
    "clear_display": ({"body": {"id": 1}}, None, "ClearDisplayMessage", "ClearDisplayMessage"),
    "customer_information": (
        {"request_id": 4, "body": {"report": True, "clear": False}},
        None,
        "CustomerInformation",
        "CustomerInformation",
    ),
    "get_profiles": (
        {"request_id": 4, "body": {"chargingProfile": {"stackLevel": 0}}},
        None,
        "GetChargingProfiles",
        "GetChargingProfiles",
    ),
    "set_network_profile": ({"body": NETWORK}, None, "SetNetworkProfile", "SetNetworkProfile"),
    "publish_firmware": (
        {"request_id": 4, "body": {"location": "https://example.org/f", "checksum": "0" * 32}},
        None,
        "PublishFirmware",
        "PublishFirmware",
    ),
    "unpublish_firmware": (
        {"body": {"checksum": "0" * 32}},
        None,
        "UnpublishFirmware",
        "UnpublishFirmware",
    ),
    "show_price": (
        {"token_uid": "04AB", "words": {"it": "45 cent/kWh"}, "language": "it"},
        "DataTransfer",
        None,
        None,
    ),
    "cost_updated": (
        {
            "transaction_ref": "42",
            "total_cost": 1.5,
            "meter_wh": 5000,
            "idle": False,
            "told_at": "2026-05-01T10:00:00Z",
            "terms": {"components": [{"kind": "energy", "unit_cents": "45"}]},
        },
        "DataTransfer",
        "CostUpdated",
        "CostUpdated",
    ),
    "final_cost": (
        {"transaction_ref": "42", "total_cost": 1.5, "words": {"it": "1,50 €"}, "language": "it"},
        "DataTransfer",
        None,
        None,
    ),
    "set_default_tariff": (
        {"body": {"evseId": 0, "tariff": TARIFF}},
        None,
        None,
        "SetDefaultTariff",
    ),
    "get_tariffs": ({"body": {"evseId": 0}}, None, None, "GetTariffs"),
    "clear_tariffs": ({"body": {"tariffIds": ["base"]}}, None, None, "ClearTariffs"),
    "change_tariff": (
        {"body": {"transactionId": "42", "tariff": TARIFF}},
        None,
        None,
        "ChangeTransactionTariff",
    ),
    "update_schedule": (
        {"body": {"chargingProfileId": 7, "scheduleUpdate": {"limit": 10}}},
        None,
        None,
        "UpdateDynamicSchedule",
    ),
    "priority_charging": (
        {"body": {"transactionId": "42", "activate": True}},
        None,
        None,
        "UsePriorityCharging",
    ),
    "allow_transfer": (
        {"body": {"transactionId": "42", "allowedEnergyTransfer": ["DC"]}},
        None,
        None,
        "NotifyAllowedEnergyTransfer",
    ),
    "set_der_control": (
        {"body": {"isDefault": True, "controlId": "1", "controlType": "FixedVar"}},
        None,
        None,
        "SetDERControl",
    ),
    "get_der_control": ({"request_id": 4}, None, None, "GetDERControl"),
    "clear_der_control": ({"body": {"isDefault": True}}, None, None, "ClearDERControl"),
    "afrr_signal": (
        {"body": {"timestamp": "2026-05-01T10:00:00Z", "signal": 1}},
        None,
        None,
        "AFRRSignal",
    ),
    "get_streams": ({}, None, None, "GetPeriodicEventStream"),
    "adjust_stream": ({"body": {"id": 1, "params": {}}}, None, None, "AdjustPeriodicEventStream"),
    "web_payment": (
        {"body": {"evseId": 1, "timeout": 60}},
        None,
        None,
        "NotifyWebPaymentStarted",
    ),
    "battery_swap": (
        {"request_id": 5, "token_uid": "04AA", "token_kind": "rfid"},
        None,
        None,
        "RequestBatterySwap",
    ),
}
CASES = [
    (version, action, arguments, words[number])
    for action, (arguments, *words) in SPOKEN.items()
    for number, version in enumerate(ALL)
]


def command(action: str, arguments: dict[str, Any]) -> CommandToSend:
    return CommandToSend(
        command_id=9,
        public_id="9",
        station_id=1,
        identity="CP1",
        action=action,
        evse_number=1,
        connector_number=1,
        payload=arguments,
        expires_at=clock.now(),
    )


def test_no_action_is_left_out() -> None:
    assert set(SPOKEN) == set(CommandAction.values)


@pytest.mark.parametrize(("version", "action", "arguments", "word"), CASES)
def test_a_command_is_said_as_the_version_writes_it_or_not_at_all(
    version: str, action: str, arguments: dict[str, Any], word: str | None
) -> None:
    dialect = DIALECTS[version]
    asked = command(action, arguments)
    if word is None:
        with pytest.raises(Unspeakable, match="not_in_this_version"):
            dialect.say(asked)
        return
    said, payload = dialect.say(asked)
    assert said == word
    schemas_of(dialect.version).check_request(action=said, payload=payload)


@pytest.mark.parametrize("version", ALL)
def test_a_session_plan_carries_its_transaction_and_never_poses_as_the_grid(version: str) -> None:
    say = DIALECTS[version].say
    _word, payload = say(command("set_profile", {"profile": PROFILE}))
    profile = payload.get("chargingProfile") or payload["csChargingProfiles"]
    assert str(profile["transactionId"]) == "42"
    schedule = profile["chargingSchedule"]
    schedule = schedule if isinstance(schedule, dict) else schedule[0]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 16.0}]
    grid = {**PROFILE, "purpose": "ChargingStationExternalConstraints"}
    with pytest.raises(Unspeakable, match="no_such_purpose"):
        say(command("set_profile", {"profile": grid}))
    with pytest.raises(Unspeakable):
        say(command("set_profile", {"profile": {**PROFILE, "transaction_ref": None}}))


def test_the_security_extension_of_16_has_messages_of_its_own() -> None:
    say = v16.DIALECT.say
    signed = {**FIRMWARE, "request_id": 4, "certificate": "PEM", "signature": "c2ln"}
    assert say(command("update_firmware", signed))[0] == "SignedUpdateFirmware"
    log = {"kind": "security", "location": "https://example.org/", "request_id": 4}
    assert say(command("get_log", log))[0] == "GetLog"
    trigger = {"message": "sign_certificate"}
    assert say(command("trigger", trigger))[0] == "ExtendedTriggerMessage"


@pytest.mark.parametrize("version", ALL)
def test_a_status_word_decides_and_absence_is_an_answer(version: str) -> None:
    hear = DIALECTS[version].hear
    reset = command("reset", {"kind": "soft"})
    assert hear(reset, {"status": "Accepted"}).state == "accepted"
    assert hear(reset, {"status": "Rejected"}).state == "rejected"
    cleared = command("clear_profile", {"profile_id": 7})
    assert hear(cleared, {"status": "Unknown"}).state == "accepted"
    found = hear(command("get_certificates", {"use": "csms_root"}), {"status": "NotFound"})
    assert (found.state, found.details) == ("accepted", {"certificates": []})
