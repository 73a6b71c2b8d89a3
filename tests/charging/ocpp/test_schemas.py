"""Payloads against the published schemas, and the fault each mistake is."""

from __future__ import annotations

from typing import Any

import pytest

from charging.ocpp.rpc.errors import Fault, RpcError
from charging.ocpp.rpc.schemas import schemas_of
from charging.ocpp.rpc.versions import Version

START = {
    "connectorId": 1,
    "idTag": "04A1B2C3",
    "meterStart": 0,
    "timestamp": "2026-05-01T10:00:00Z",
}
BOOT = {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}}


def fault_of(version: Version, action: str, payload: dict[str, Any]) -> RpcError:
    with pytest.raises(RpcError) as caught:
        schemas_of(version).check_request(action=action, payload=payload)
    return caught.value


@pytest.mark.parametrize(
    ("version", "count"),
    [(Version.V16, 39), (Version.V201, 64)],
)
def test_every_action_has_a_request_and_a_response(version: Version, count: int) -> None:
    schemas = schemas_of(version)
    assert len(schemas.actions) == count
    for action in schemas.actions:
        with pytest.raises(RpcError):
            schemas.check_response(action=action, payload={"surprise": 1})


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"idTag": "x" * 21}, Fault.PROPERTY),
        ({"connectorId": "1"}, Fault.TYPE),
        ({"connectorId": 1.5}, Fault.TYPE),
        ({"meterStart": None}, Fault.TYPE),
        ({"timestamp": "2026-05-01 10:00"}, Fault.PROPERTY),
        ({"timestamp": "yesterday"}, Fault.PROPERTY),
        ({"surprise": 1}, Fault.FORMAT),
    ],
)
def test_a_wrong_16_start_is_named(change: dict[str, Any], fault: Fault) -> None:
    assert fault_of(Version.V16, "StartTransaction", {**START, **change}).fault is fault


def test_a_missing_field_is_an_occurrence() -> None:
    payload = {name: value for name, value in START.items() if name != "idTag"}
    assert fault_of(Version.V16, "StartTransaction", payload).fault is Fault.OCCURRENCE


def test_a_right_start_passes() -> None:
    schemas_of(Version.V16).check_request(action="StartTransaction", payload=START)


def test_201_names_its_own() -> None:
    assert fault_of(Version.V201, "BootNotification", {**BOOT, "reason": "Joy"}).fault is (
        Fault.PROPERTY
    )
    assert fault_of(Version.V201, "BootNotification", {"reason": "PowerUp"}).fault is (
        Fault.OCCURRENCE
    )
    assert fault_of(Version.V201, "BootNotification", {**BOOT, "extra": 1}).fault is Fault.FORMAT
    schemas_of(Version.V201).check_request(action="BootNotification", payload=BOOT)


def test_the_description_quotes_nothing_that_was_sent() -> None:
    secret = "do-not-echo-me"
    error = fault_of(Version.V16, "StartTransaction", {**START, "timestamp": secret})
    assert secret not in error.description
    assert error.description == "timestamp: format"
