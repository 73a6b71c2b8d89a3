"""Numbers that pass the schema and fit nowhere: refused by name, or taken as the most there can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from charging.devices.models import LocalList
from charging.energy.models import ChargingLimit
from charging.sessions.models import InboxMessage
from charging.stations.models import StationCommand
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.peer import TIME
from tests.protocols.asking import ask, connected, exchange, over
from tests.protocols.versions import TWO, V21, V201

Eventually = Callable[..., Any]
Payload = dict[str, Any]
HUGE = (2**63, 2**64 - 1, 1e30)
PLACE = {"component": {"name": "Made"}, "variable": {"name": "Up"}}


def event(**numbers: Any) -> Payload:
    told = {
        "eventId": 1,
        "timestamp": TIME,
        "trigger": "Alerting",
        "actualValue": "1",
        "eventNotificationType": "HardWiredNotification",
        **PLACE,
        **numbers,
    }
    return {"generatedAt": TIME, "seqNo": 0, "eventData": [told]}


def monitor(version: str, **numbers: Any) -> Payload:
    watch = {"id": 1, "transaction": False, "value": 1, "type": "Delta", "severity": 1, **numbers}
    if version == V21:
        watch["eventNotificationType"] = "CustomMonitor"
    return {
        "requestId": 1,
        "seqNo": 0,
        "generatedAt": TIME,
        "monitor": [{**PLACE, "variableMonitoring": [watch]}],
    }


def display(number: Any) -> Payload:
    shown = {"id": number, "priority": "AlwaysFront", "message": {"format": "UTF8", "content": "x"}}
    return {"requestId": 1, "messageInfo": [shown]}


def report(**evse: Any) -> Payload:
    place = {"component": {"name": "Made", "evse": {"id": 1, **evse}}, "variable": {"name": "Up"}}
    item = {**place, "variableAttribute": [{"value": "1"}]}
    return {"requestId": 1, "seqNo": 0, "generatedAt": TIME, "reportData": [item]}


def absurd(version: str) -> list[tuple[str, Payload]]:
    """Every message with a number of its own, each time with one that fits nowhere."""
    found: list[tuple[str, Payload]] = []
    for number in HUGE:
        found += [
            ("NotifyEvent", event(eventId=number)),
            ("NotifyEvent", event(cause=number)),
            ("NotifyEvent", event(variableMonitoringId=number)),
            ("NotifyMonitoringReport", monitor(version, id=number)),
            ("NotifyDisplayMessages", display(number)),
            ("NotifyReport", report(id=number)),
            ("NotifyReport", report(connectorId=number)),
        ]
    return [*found, ("NotifyReport", report(id=-1)), ("NotifyReport", report(connectorId=-1))]


@pytest.mark.parametrize("version", TWO)
def test_a_number_that_fits_nowhere_is_refused_by_name(grid: Grid, version: str) -> None:
    """And not as a failure of ours, which costs all stations of the same commit their company."""
    station = grid.station()
    peer = grid.dial(station, version)
    for action, payload in absurd(version):
        assert peer.error(action, payload) == "PropertyConstraintViolation", (action, payload)
    assert not InboxMessage.objects.filter(station=station).exists()


def test_so_are_those_of_streams(grid: Grid) -> None:
    peer = grid.dial(grid.station(), V21)
    for data in ({"id": 2**31}, {"id": -1}, {"variableMonitoringId": 2**31}):
        stream = {"id": 1, "variableMonitoringId": 1, "params": {}, **data}
        wish = {"constantStreamData": stream}
        assert peer.error("OpenPeriodicEventStream", wish) == "PropertyConstraintViolation", data


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize("limit", [1e18, 1e300, 1.7e308])
def test_a_limit_beyond_all_measure_is_the_highest_there_is(
    grid: Grid, version: str, limit: float
) -> None:
    station = grid.station()
    periods = [{"startPeriod": 0, "limit": limit}]
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    said = {"chargingLimit": {"chargingLimitSource": "EMS"}, "chargingSchedule": [schedule]}
    assert grid.dial(station, version).result("NotifyChargingLimit", said) == {}
    assert ChargingLimit.objects.get(station=station).limit_da == 2**31 - 1


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("get_list_version", {}, {"versionNumber": 2**40}),
        (
            "get_variables",
            {"variables": [{"component": "Made", "name": "Up"}]},
            {
                "getVariableResult": [
                    {
                        "attributeStatus": "Accepted",
                        "attributeValue": "1",
                        "component": {"name": "Made", "evse": {"id": 2**63}},
                        "variable": {"name": "Up"},
                    }
                ]
            },
        ),
        (
            "set_monitoring",
            {
                "body": {
                    "setMonitoringData": [{"value": 1, "type": "Delta", "severity": 1, **PLACE}]
                }
            },
            {
                "setMonitoringResult": [
                    {"status": "Accepted", "type": "Delta", "severity": 1, "id": 2**63, **PLACE}
                ]
            },
        ),
    ],
)
def test_an_absurd_answer_ends_its_command(
    grid: Grid, eventually: Eventually, action: str, payload: Payload, answer: Payload
) -> None:
    station, peer = connected(grid, V201)
    command = ask(station, action, payload)
    exchange(peer, answer)
    ended = over(command, eventually)
    assert (ended.state, ended.result["reason"]) == ("failed", "invalid_answer")
    assert not LocalList.objects.filter(station=station).exists()


@pytest.mark.parametrize("version", TWO)
def test_an_answer_nested_beyond_reason_is_none(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "clear_cache")
    call = peer.receive()
    deep = "[" * 900 + "]" * 900
    answer = f'[3,"{call[1]}",{{"status":"Accepted","customData":{{"vendorId":"x","d":{deep}}}}}]'
    peer.send(answer)
    ended = over(command, eventually)
    assert ended.state == "timed_out"
    # The next one is not kept waiting.
    following = ask(station, "clear_cache")
    exchange(peer, {"status": "Accepted"})
    assert over(following, eventually).state == "accepted"
    assert not StationCommand.objects.filter(station=station, state="sent").exists()
