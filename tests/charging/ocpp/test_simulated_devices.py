"""The demo city's chargers answer what an operator may ask of a device, and do what they answered."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from charging.devices.models import DeviceVariable, FirmwareJob, LocalList, Report
from charging.devices.services import read_variables, write_variables
from charging.sessions.services import ask_station
from charging.stations.models import ChargingStation, StationCommand
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from mobility.simulator.chargers import charger, run_chargers
from mobility.simulator.chargers.device import Device, first_limit_w
from mobility.simulator.clock import SimClock
from mobility.simulator.credentials import ChargerSpec
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.peer import PASSWORD
from tests.protocols.asking import ask, over

Eventually = Callable[..., Any]
VERSIONS = ("ocpp1.6", "ocpp2.0.1")


@pytest.fixture(params=VERSIONS)
def station(
    request: pytest.FixtureRequest,
    grid: Grid,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ChargingStation]:
    """A simulated charger on the line; nobody walks in, and its jobs take no time."""
    monkeypatch.setattr(charger, "ARRIVAL_SPREAD_S", 0.0)
    monkeypatch.setattr(charger, "MEAN_IDLE_S", 10**9)
    monkeypatch.setattr(charger, "MEAN_DROP_S", 10**9)
    for half in ("v16_device", "v201_device"):
        monkeypatch.setattr(f"mobility.simulator.chargers.{half}._STAGE_S", 0.1)
    station = grid.station()
    spec = ChargerSpec(
        url=f"{grid.gateway.url}/{station.identity}",
        identity=station.identity,
        password=PASSWORD,
        protocol=request.param,
        connectors=2,
    )
    handle: list[Any] = []

    async def run() -> None:
        stop = asyncio.Event()
        handle.extend((asyncio.get_running_loop(), stop))
        clock = SimClock(speed=1.0)
        await run_chargers([spec], rng=random.Random(7), clock=clock, tokens=[], stop=stop)

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()

    def on_line() -> bool:
        station.refresh_from_db()
        return station.ocpp_version == request.param and station.firmware != ""

    assert eventually(on_line, seconds=15)
    yield station
    handle[0].call_soon_threadsafe(handle[1].set)
    thread.join(timeout=20)
    assert not thread.is_alive()


def wish(station: ChargingStation, action: str, **payload: Any) -> StationCommand:
    """As an operator's page asks."""
    return ask_station(
        station=station,
        wish={"action": action, "payload": payload},
        idempotency_key=ids.short_code(12),
        at=clock.now(),
        by=SYSTEM,
    )


def test_it_tells_and_changes_its_settings(
    station: ChargingStation, eventually: Eventually
) -> None:
    old = station.ocpp_version == "ocpp1.6"
    place = {} if old else {"component": "OCPPCommCtrlr"}
    now = {"idempotency_key": ids.short_code(12), "at": clock.now(), "by": SYSTEM}
    name = "HeartbeatInterval"
    [asked] = read_variables(station=station, variables=[{"name": name, **place}], **now)
    assert over(asked, eventually).state == "accepted"
    rows = DeviceVariable.objects.filter(station=station, name=name)
    assert [row.value for row in rows] == ["300"]
    for value, state in (("120", "accepted"), ("soon", "rejected")):
        told = {"name": name, "value": value, **place}
        [changed] = write_variables(
            station=station, variables=[told], **now | {"idempotency_key": ids.short_code(12)}
        )
        assert over(changed, eventually).state == state
    if not old:
        report = wish(station, "get_base_report", base="full")
        assert over(report, eventually).state == "accepted"
        assert eventually(
            lambda: Report.objects.filter(station=station, state="complete").exists(), seconds=10
        )
        assert DeviceVariable.objects.filter(station=station).count() > 15
    else:
        [everything] = read_variables(
            station=station, variables=[], **now | {"idempotency_key": ids.short_code(12)}
        )
        assert over(everything, eventually).state == "accepted"
        known = set(DeviceVariable.objects.filter(station=station).values_list("name", flat=True))
        assert {"SupportedFeatureProfiles", "NumberOfConnectors"} <= known


def test_it_installs_firmware_and_says_so_when_it_boots(
    station: ChargingStation, eventually: Eventually
) -> None:
    command = wish(
        station,
        "update_firmware",
        request_id=0,
        location="https://firmware.example/simulatore-9.9",
        retrieve_at=clock.now().isoformat(),
    )
    assert over(command, eventually).state == "accepted"
    assert eventually(
        lambda: FirmwareJob.objects.filter(station=station, state="Installed").exists(), seconds=15
    )

    def renewed() -> bool:
        station.refresh_from_db()
        return station.firmware == "simulatore-9.9"

    assert eventually(renewed, seconds=20)


def test_it_keeps_its_local_list(station: ChargingStation, eventually: Eventually) -> None:
    def said(version: int, *, full: bool) -> str:
        entries = {"04AA": {"status": "Accepted"}}
        payload = {"version": version, "full": full, "entries": entries}
        return over(ask(station, "send_list", payload), eventually).state

    assert said(3, full=True) == "accepted"
    said_version = over(ask(station, "get_list_version"), eventually).result
    assert 3 in said_version.values()
    assert said(2, full=False) != "accepted"
    assert said(4, full=False) == "accepted"
    assert LocalList.objects.filter(station=station).count() <= 1


def test_a_profile_leaves_less_power_and_clearing_it_gives_it_back(
    station: ChargingStation, eventually: Eventually
) -> None:
    profile = {
        "id": 7,
        "stack_level": 1,
        "purpose": "TxDefaultProfile",
        "kind": "Relative",
        "unit": "W",
        "periods": [{"start_s": 0, "limit": 5_000}],
    }
    set_it = ask(station, "set_profile", {"profile": profile}, evse=1)
    assert over(set_it, eventually).state == "accepted", StationCommand.objects.get(
        pk=set_it.pk
    ).result
    schedule = ask(station, "get_composite", {"duration_s": 3600, "unit": "W"}, evse=1)
    assert "5000" in str(over(schedule, eventually).result)
    clear = ask(station, "clear_profile", {"profile_id": 7})
    assert over(clear, eventually).state == "accepted"
    again = ask(station, "clear_profile", {"profile_id": 7})
    assert over(again, eventually).result.get("status", "Unknown") == "Unknown"


def test_a_kept_bay_lets_its_token_in_and_nobody_else(
    station: ChargingStation, eventually: Eventually
) -> None:
    until = (clock.now() + timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
    payload = {"reservation_id": 5, "token_uid": "MINE", "token_kind": "app", "until": until}
    assert over(ask(station, "reserve", payload, evse=1), eventually).state == "accepted"
    assert (
        over(ask(station, "reserve", payload | {"reservation_id": 6}, evse=1), eventually).state
        == "rejected"
    )
    start = {"token_uid": "OTHER", "token_kind": "app", "remote_start_id": 1}
    assert over(ask(station, "remote_start", start, evse=1), eventually).state == "rejected"
    assert over(ask(station, "cancel_reservation", {"reservation_id": 5}), eventually).state == (
        "accepted"
    )
    assert over(ask(station, "cancel_reservation", {"reservation_id": 5}), eventually).state == (
        "rejected"
    )


def test_it_answers_the_rest_too(station: ChargingStation, eventually: Eventually) -> None:
    plain = {
        "clear_cache": {},
        "data_transfer": {"vendor": "org.example", "data": "x"},
        "get_certificates": {"use": "csms_root"},
        "trigger": {"message": "firmware"},
    }
    newer = {
        "get_displays": {"request_id": 3, "body": {}},
        "get_profiles": {"request_id": 4, "body": {"chargingProfile": {}}},
        "get_monitoring": {"request_id": 5, "body": {}},
        "get_transaction": {},
        "cost_updated": {"transaction_ref": "t", "total_cost": 1.5},
        "customer_information": {
            "request_id": 6,
            "body": {"report": True, "clear": False, "customerIdentifier": "x"},
        },
        "set_monitoring_level": {"body": {"severity": 5}},
        "set_monitoring": {
            "body": {
                "setMonitoringData": [
                    {
                        "value": 5,
                        "type": "Delta",
                        "severity": 6,
                        "component": {"name": "OCPPCommCtrlr"},
                        "variable": {"name": "HeartbeatInterval"},
                    }
                ]
            }
        },
        "set_display": {
            "body": {
                "message": {
                    "id": 1,
                    "priority": "NormalCycle",
                    "message": {"format": "UTF8", "content": "Ciao"},
                }
            }
        },
    }
    asked = plain if station.ocpp_version == "ocpp1.6" else plain | newer
    said = {
        action: over(ask(station, action, payload), eventually).result
        for action, payload in asked.items()
    }
    assert not [
        (action, result)
        for action, result in said.items()
        if result.get("reason") in ("refused", "no_answer", "malformed", "invalid_answer")
        or "code" in result
    ], said


def test_a_device_forgets_and_remembers_by_itself() -> None:
    device = Device(bays=2, firmware="1")
    assert device.install(use="CSMSRootCertificate", pem="none") == "Rejected"
    assert device.delete({"serial_number": "1"}) == "NotFound"
    schedule = {
        "charging_rate_unit": "A",
        "charging_schedule_period": [{"start_period": 0, "limit": 10}],
    }
    one = {
        "charging_profile_purpose": "ChargePointMaxProfile",
        "stack_level": 0,
        "charging_schedule": schedule,
    }
    assert first_limit_w(one) == 6_900
    assert first_limit_w({}) is None
    device.profiles[1] = (0, one)
    assert (device.limit_w(1), device.limit_w(2)) == (3_450, 3_450)
    assert "local list version 0" in device.log_text("CP", clock.now())
