"""A station that swaps batteries is asked, and both halves of the swap are kept (2.1, block S)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from charging.devices.models import BatterySwap
from tests.charging.ocpp.conftest import Grid
from tests.protocols.asking import ask, connected, exchange, over
from tests.protocols.versions import V21, V201


def half(number: int, event: str) -> dict[str, Any]:
    return {
        "requestId": number,
        "eventType": event,
        "idToken": {"idToken": "04AA", "type": "ISO14443"},
        "batteryData": [{"evseId": 1, "serialNumber": "B-7", "soC": 12.5, "soH": 97}],
    }


def test_a_swap_is_asked_for_and_kept_once(grid: Grid, eventually: Callable[..., Any]) -> None:
    station, peer = connected(grid, V21)
    command = ask(station, "battery_swap", {"token_uid": "04AA", "token_kind": "rfid"})
    action, told = exchange(peer, {"status": "Accepted"})
    assert (action, told["requestId"]) == ("RequestBatterySwap", command.pk)
    assert over(command, eventually).state == "accepted"
    for event in ("BatteryIn", "BatteryOut", "BatteryOut"):
        assert peer.result("BatterySwap", half(command.pk, event)) == {}
    rows = BatterySwap.objects.filter(station=station).order_by("pk")
    assert [(row.number, row.event, row.uid) for row in rows] == [
        (command.pk, "BatteryIn", "04AA"),
        (command.pk, "BatteryOut", "04AA"),
    ]
    assert rows[0].batteries[0]["serialNumber"] == "B-7"


@pytest.mark.parametrize("version", [V201])
def test_an_older_version_has_no_word_for_it(grid: Grid, version: str) -> None:
    _station, peer = connected(grid, version)
    assert peer.error("BatterySwap", half(1, "BatteryIn")) == "NotImplemented"
