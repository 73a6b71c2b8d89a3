"""Configuration and device model: asked in portions, reassembled, never guessed at."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest

from charging.devices import services
from charging.devices.models import DeviceVariable, Report
from charging.stations.models import ChargingStation
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.peer import TIME, Peer
from tests.protocols.asking import Eventually, ask, connected, exchange, over
from tests.protocols.versions import TWO, V16, V201

HEARTBEAT = {"component": "OCPPCommCtrlr", "name": "HeartbeatInterval"}


def read(station: ChargingStation, *variables: dict[str, Any], change: bool = False) -> list[Any]:
    verb = services.write_variables if change else services.read_variables
    return verb(
        station=station,
        variables=variables,
        idempotency_key=ids.short_code(10),
        at=clock.now(),
        by=SYSTEM,
    )


def value(station: ChargingStation, name: str) -> str | None:
    return DeviceVariable.objects.get(station=station, name=name).value


def limit_items(station: ChargingStation, instance: str, most: int) -> None:
    DeviceVariable.objects.create(
        station=station,
        component="DeviceDataCtrlr",
        name="ItemsPerMessage",
        instance=instance,
        value=str(most),
        at=clock.now(),
    )


@pytest.mark.parametrize("version", TWO)
def test_more_variables_than_one_call_takes_go_in_several(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    limit_items(station, "GetVariables", 4)
    names = [{"component": "EVSE", "name": f"V{number}"} for number in range(10)]
    commands = read(station, *names, names[0])
    asked = []
    for _ in commands:
        call = peer.receive()
        data = call[3]["getVariableData"]
        asked.append([one["variable"]["name"] for one in data])
        result = [{**one, "attributeStatus": "Accepted", "attributeValue": "1"} for one in data]
        peer.answer(call, {"getVariableResult": result})
    assert [len(part) for part in asked] == [4, 4, 2]
    # No variable is named twice, though it was asked for twice.
    assert sorted(chain.from_iterable(asked)) == sorted(f"V{number}" for number in range(10))
    assert {over(command, eventually).state for command in commands} == {"accepted"}
    assert DeviceVariable.objects.filter(station=station, component="EVSE", value="1").count() == 10


@pytest.mark.parametrize("version", [V16])
def test_more_keys_than_a_16_station_tells_at_once_are_asked_in_several_calls(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    DeviceVariable.objects.create(
        station=station, component="", name="GetConfigurationMaxKeys", value="2", at=clock.now()
    )
    names = [f"Key{number}" for number in range(5)]
    commands = read(station, *({"name": name} for name in names))
    asked = []
    for _ in commands:
        call = peer.receive()
        asked.append(call[3]["key"])
        keys = [{"key": name, "readonly": True, "value": "1"} for name in call[3]["key"]]
        peer.answer(call, {"configurationKey": keys})
    assert asked == [names[:2], names[2:4], names[4:]]
    assert {over(command, eventually).state for command in commands} == {"accepted"}


@pytest.mark.parametrize("version", TWO)
def test_a_change_is_kept_and_a_refused_one_leaves_the_old_value(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    for status, wanted in (("Accepted", "60"), ("Rejected", "60"), ("RebootRequired", "90")):
        asked = {"Accepted": "60", "Rejected": "70", "RebootRequired": "90"}[status]
        [command] = read(station, {**HEARTBEAT, "value": asked}, change=True)
        call = peer.receive()
        [data] = call[3]["setVariableData"]
        assert data.pop("attributeValue") == asked
        peer.answer(call, {"setVariableResult": [{**data, "attributeStatus": status}]})
        row = over(command, eventually)
        assert row.state == ("rejected" if status == "Rejected" else "accepted")
        assert value(station, "HeartbeatInterval") == wanted


def test_one_variable_with_two_values_is_no_request(grid: Grid, version: str) -> None:
    station, _peer = connected(grid, version)
    with pytest.raises(services.VariableRepeated):
        read(station, {**HEARTBEAT, "value": "1"}, {**HEARTBEAT, "value": "2"}, change=True)


@pytest.mark.parametrize("version", [V16])
def test_the_keys_of_16_are_read_all_at_once_and_changed_one_by_one(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    [command] = read(station)
    keys = [
        {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
        {"key": "NumberOfConnectors", "readonly": True, "value": "2"},
        {"key": "AuthorizationKey", "readonly": False, "value": "x"},
    ]
    answer = {"configurationKey": keys, "unknownKey": ["Nonsense"]}
    assert exchange(peer, answer) == ("GetConfiguration", {})
    assert over(command, eventually).state == "accepted"
    assert value(station, "NumberOfConnectors") == "2"
    assert DeviceVariable.objects.get(station=station, name="Nonsense").problem
    pair = [
        {"name": "HeartbeatInterval", "value": "60"},
        {"name": "ConnectionTimeOut", "value": "90"},
    ]
    commands = read(station, *pair, change=True)
    said = [exchange(peer, {"status": "Accepted"}) for _ in commands]
    assert [payload["key"] for _word, payload in said] == ["HeartbeatInterval", "ConnectionTimeOut"]
    for command in commands:
        over(command, eventually)
    assert value(station, "HeartbeatInterval") == "60"
    # A password is no value to keep.
    assert not DeviceVariable.objects.filter(station=station, name="AuthorizationKey").exists()


def report(peer: Peer, number: int, seq_no: int, *, last: bool) -> None:
    peer.result(
        "NotifyReport",
        {
            "requestId": number,
            "generatedAt": TIME,
            "seqNo": seq_no,
            "tbc": not last,
            "reportData": [
                {
                    "component": {"name": "Part", "evse": {"id": 1}},
                    "variable": {"name": f"N{seq_no}"},
                    "variableAttribute": [{"value": str(seq_no), "mutability": "ReadOnly"}],
                    "variableCharacteristics": {"dataType": "integer", "supportsMonitoring": False},
                },
            ],
        },
    )


def base_report(peer: Peer, station: ChargingStation, eventually: Eventually) -> Report:
    command = ask(station, "get_base_report", {"base": "full"})
    word, payload = exchange(peer, {"status": "Accepted"})
    assert (word, payload["requestId"]) == ("GetBaseReport", command.pk)
    over(command, eventually)
    return Report.objects.get(command=command)


@pytest.mark.parametrize("version", TWO)
def test_a_report_of_fifty_parts_out_of_order_and_twice_is_put_together(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    row = base_report(peer, station, eventually)
    numbers = [*range(50), 7, 49]
    random.Random(7).shuffle(numbers)
    for number in numbers:
        report(peer, row.number, number, last=number == 49)
    row.refresh_from_db()
    assert (row.state, row.parts_count, row.missing) == ("complete", 50, [])
    items = services.report_items(report=row)
    assert [item["variable"]["name"] for item in items] == [f"N{n}" for n in range(50)]
    assert value(station, "N31") == "31"


@pytest.mark.parametrize("version", TWO)
def test_a_lost_part_is_reported_and_may_still_come(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    row = base_report(peer, station, eventually)
    for number in (0, 1, 3, 4):
        report(peer, row.number, number, last=number == 4)
    row.refresh_from_db()
    assert (row.state, row.missing) == ("receiving", [2])
    services.give_up_reports(at=clock.now() + timedelta(minutes=5))
    row.refresh_from_db()
    assert (row.state, row.missing) == ("incomplete", [2])
    report(peer, row.number, 2, last=False)
    row.refresh_from_db()
    assert (row.state, row.missing) == ("complete", [])


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize(
    ("status", "state"),
    [("Rejected", "refused"), ("NotSupported", "refused"), ("EmptyResultSet", "empty")],
)
def test_a_report_that_will_not_come_says_so(
    grid: Grid, eventually: Eventually, version: str, status: str, state: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "get_base_report", {"base": "summary"})
    exchange(peer, {"status": status})
    over(command, eventually)
    assert Report.objects.get(command=command).state == state


@pytest.mark.parametrize("version", TWO)
def test_monitors_and_what_they_notice_are_kept(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    place = {"component": {"name": "EVSE"}, "variable": {"name": "Temperature"}}
    data = {**place, "value": 60, "type": "UpperThreshold", "severity": 2}
    command = ask(station, "set_monitoring", {"body": {"setMonitoringData": [data]}})
    said = {**place, "type": "UpperThreshold", "severity": 2, "id": 5, "status": "Accepted"}
    exchange(peer, {"setMonitoringResult": [said]})
    assert over(command, eventually).state == "accepted"
    [monitor] = station.monitors.all()
    assert (monitor.number, monitor.value, monitor.severity) == (5, 60.0, 2)
    event = {
        **place,
        "eventId": 1,
        "timestamp": TIME,
        "trigger": "Alerting",
        "actualValue": "61",
        "eventNotificationType": "CustomMonitor",
        "variableMonitoringId": 5,
    }
    for _ in range(2):
        payload = {"generatedAt": TIME, "seqNo": 0, "eventData": [event]}
        assert peer.result("NotifyEvent", payload) == {}
    [kept] = station.device_events.all()
    assert (kept.actual_value, kept.severity) == ("61", 2)
    command = ask(station, "clear_monitoring", {"body": {"id": [5]}})
    exchange(peer, {"clearMonitoringResult": [{"id": 5, "status": "Accepted"}]})
    over(command, eventually)
    monitor.refresh_from_db()
    assert monitor.cleared_at is not None


@pytest.mark.parametrize("version", TWO)
def test_displays_and_customer_information_come_in_parts_without_or_with_numbers(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "get_displays", {"body": {}})
    exchange(peer, {"status": "Accepted"})
    over(command, eventually)
    for number in (1, 2):
        message = {"format": "UTF8", "content": f"Ciao {number}"}
        info = {"id": number, "priority": "InFront", "message": message}
        payload = {"requestId": command.pk, "messageInfo": [info], "tbc": number == 1}
        peer.result("NotifyDisplayMessages", payload)
    assert Report.objects.get(command=command).state == "complete"
    assert station.display_messages.filter(shown=True).count() == 2
    body = {"report": True, "clear": False, "customerIdentifier": "giulia"}
    command = ask(station, "customer_information", {"body": body})
    exchange(peer, {"status": "Accepted"})
    over(command, eventually)
    payload = {"requestId": command.pk, "data": "none", "seqNo": 0, "generatedAt": TIME}
    peer.result("NotifyCustomerInformation", payload)
    row = Report.objects.get(command=command)
    assert (row.state, services.report_items(report=row)) == ("complete", [{"data": "none"}])


SECRET = "not-for-any-table"


@pytest.mark.parametrize(
    ("version", "asked", "answer"),
    [
        (
            V16,
            [],
            {
                "configurationKey": [
                    {"key": "AuthorizationKey", "readonly": False, "value": SECRET},
                    {"key": "HeartbeatInterval", "readonly": False, "value": "60"},
                ]
            },
        ),
        (
            V201,
            [HEARTBEAT],
            {
                "getVariableResult": [
                    {
                        "attributeStatus": "Accepted",
                        "attributeValue": SECRET,
                        "component": {"name": "SecurityCtrlr"},
                        "variable": {"name": "BasicAuthPassword"},
                    }
                ]
            },
        ),
    ],
)
def test_a_password_that_a_station_blurts_out_is_kept_nowhere(
    grid: Grid, eventually: Eventually, version: str, asked: list[Any], answer: dict[str, Any]
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "get_variables", {"variables": asked})
    exchange(peer, answer)
    ended = over(command, eventually)
    assert ended.state == "accepted"
    assert SECRET not in str(ended.result)
    assert not DeviceVariable.objects.filter(station=station, value=SECRET).exists()
    if version == V16:
        assert "60" in str(ended.result)


def test_nor_is_one_in_a_report(grid: Grid, eventually: Eventually) -> None:
    station, peer = connected(grid, V201)
    command = ask(station, "get_base_report", {"base": "full"})
    exchange(peer, {"status": "Accepted"})
    told = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
        "variableAttribute": [{"value": SECRET}],
    }
    part = {"requestId": command.pk, "seqNo": 0, "generatedAt": TIME, "reportData": [told]}
    peer.result("NotifyReport", part)
    report = eventually(Report.objects.filter(station=station, state="complete").first)
    assert SECRET not in str(services.report_items(report=report))
