"""Smart charging over a real socket: plans with their transaction, one level each, no chatter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from charging.devices.models import DeviceVariable, Report
from charging.energy import services
from charging.energy.models import ChargingLimit, ChargingProfile, SiteLoad
from charging.sessions.models import ChargingSession
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.services import check_command
from charging.stations.speech import CommandImpossible, CommandMalformed
from mobility.core import clock, outbox
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.peer import Peer
from tests.protocols.asking import Eventually, ask, connected, exchange, over
from tests.protocols.versions import TWO, V16, V21, begin


@pytest.fixture
def quiet_site(grid: Grid) -> Iterator[Grid]:
    """No station of the test before is at the site, and it is left unmanaged."""
    ChargingStation.objects.filter(site=grid.site).update(connected_at=None)
    for station in ChargingStation.objects.filter(site=grid.site):
        station.evses.all().delete()
    yield grid
    SiteLoad.objects.all().delete()


def share_out(grid: Grid, limit_a: int) -> None:
    now = clock.now()
    services.set_site_load(site=grid.site, managed=True, limit_a=limit_a, at=now, by=SYSTEM)


def plan(grid: Grid) -> dict[int, int]:
    return services.plan_site(site_id=grid.site.pk, at=clock.now())


def take_profile(peer: Peer, version: str) -> dict[str, Any]:
    """Accept the next profile; the same fields whatever the version."""
    word, payload = exchange(peer, {"status": "Accepted"})
    assert word == "SetChargingProfile"
    place = payload["connectorId"] if version == V16 else payload["evseId"]
    profile = payload["csChargingProfiles" if version == V16 else "chargingProfile"]
    schedules = profile["chargingSchedule"]
    schedule = schedules if version == V16 else schedules[0]
    return {
        "place": place,
        "id": profile["chargingProfileId" if version == V16 else "id"],
        "purpose": profile["chargingProfilePurpose"],
        "level": profile["stackLevel"],
        "transaction": profile.get("transactionId"),
        "unit": schedule["chargingRateUnit"],
        "limits": [period["limit"] for period in schedule["chargingSchedulePeriod"]],
        "kind": profile["chargingProfileKind"],
        "valid_to": profile.get("validTo"),
    }


def test_shares_and_plans_reach_the_station(
    quiet_site: Grid, eventually: Eventually, version: str
) -> None:
    grid = quiet_site
    station, peer = connected(grid, version, connectors=1)
    share_out(grid, 20)
    plan(grid)
    share = take_profile(peer, version)
    assert (share["purpose"], share["place"], share["transaction"]) == ("TxDefaultProfile", 1, None)
    assert share["limits"] == [20.0]
    eventually(lambda: ChargingProfile.objects.filter(state="set").count() == 1)
    reference = begin_session(grid, peer, version)
    share_out(grid, 16)
    plan(grid)
    sent = [take_profile(peer, version) for _ in range(2)]
    own = next(one for one in sent if one["purpose"] == "TxProfile")
    assert (own["transaction"], own["level"], own["limits"]) == (reference, 0, [16.0])
    assert (own["kind"], own["unit"], own["place"]) == ("Absolute", "A", 1)
    assert own["valid_to"]
    # The new plan takes the old one's number: two never stand at one level.
    eventually(lambda: ChargingProfile.objects.filter(state="set", purpose="TxProfile").exists())
    share_out(grid, 10)
    plan(grid)
    again = [take_profile(peer, version) for _ in range(2)]
    assert next(one["id"] for one in again if one["purpose"] == "TxProfile") == own["id"]
    assert station.identity
    eventually(lambda: not ChargingProfile.objects.filter(state="asked").exists())


def begin_session(grid: Grid, peer: Peer, version: str) -> Any:
    action, payload = begin(version, grid.token())
    reply = peer.result(action, payload)
    return reply["transactionId"] if version == V16 else "T1"


@pytest.mark.parametrize(
    ("said", "unit", "limit"), [("Power", "W", 13_800), ("Current", "A", 20.0)]
)
def test_the_station_hears_the_unit_it_knows(
    quiet_site: Grid, eventually: Eventually, version: str, said: str, unit: str, limit: float
) -> None:
    grid = quiet_site
    station, peer = connected(grid, version, connectors=1)
    component, name, words = (
        ("", "ChargingScheduleAllowedChargingRateUnit", said)
        if version == V16
        else ("SmartChargingCtrlr", "RateUnit", unit)
    )
    DeviceVariable.objects.create(
        station=station, component=component, name=name, value=words, at=clock.now()
    )
    share_out(grid, 20)
    plan(grid)
    profile = take_profile(peer, version)
    assert (profile["unit"], profile["limits"]) == (unit, [limit])
    eventually(lambda: not ChargingProfile.objects.filter(state="asked").exists())


BY_HAND: dict[str, Any] = {
    "id": 9,
    "stack_level": 2,
    "purpose": "TxDefaultProfile",
    "kind": "Relative",
    "unit": "A",
    "periods": [{"start_s": 0, "limit": 16}, {"start_s": 600, "limit": 10}],
}


@pytest.mark.parametrize(
    "beyond",
    [
        {"periods": [{"start_s": at, "limit": 6} for at in (0, 60, 120)]},
        {"stack_level": 3},
        {"unit": "W"},
    ],
)
def test_a_profile_beyond_what_the_station_told_is_refused_and_one_within_is_sent(
    quiet_site: Grid, eventually: Eventually, version: str, beyond: dict[str, Any]
) -> None:
    station, peer = connected(quiet_site, version)
    told = (
        {
            ("", "ChargingScheduleMaxPeriods"): "2",
            ("", "ChargeProfileMaxStackLevel"): "2",
            ("", "ChargingScheduleAllowedChargingRateUnit"): "Current",
        }
        if version == V16
        else {
            ("SmartChargingCtrlr", "PeriodsPerSchedule"): "2",
            ("SmartChargingCtrlr", "ProfileStackLevel"): "2",
            ("SmartChargingCtrlr", "RateUnit"): "A",
        }
    )
    for (component, name), value in told.items():
        DeviceVariable.objects.create(
            station=station, component=component, name=name, value=value, at=clock.now()
        )
    with pytest.raises(services.ProfileBeyondStation):
        ask(station, "set_profile", {"profile": {**BY_HAND, **beyond}}, evse=1)
    command = ask(station, "set_profile", {"profile": BY_HAND}, evse=1)
    sent = take_profile(peer, version)
    assert (sent["level"], sent["unit"], sent["limits"]) == (2, "A", [16.0, 10.0])
    assert over(command, eventually).state == "accepted"
    assert not StationCommand.objects.filter(station=station).exclude(pk=command.pk).exists()


def test_a_station_at_a_site_that_is_not_shared_out_hears_of_no_profile(
    quiet_site: Grid, version: str
) -> None:
    _station, peer = connected(quiet_site, version, connectors=1)
    begin_session(quiet_site, peer, version)
    assert plan(quiet_site) == {}
    assert peer.silence(1.3)


@pytest.mark.parametrize("version", TWO)
def test_a_limit_of_others_is_kept_and_cleared(grid: Grid, version: str) -> None:
    station, peer = connected(grid, version)
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 12.5}],
    }
    said = {
        "evseId": 1,
        "chargingLimit": {"chargingLimitSource": "EMS", "isGridCritical": True},
        "chargingSchedule": [schedule],
    }
    assert peer.result("NotifyChargingLimit", said) == {}
    limit = ChargingLimit.objects.get(station=station)
    assert (limit.limit_da, limit.grid_critical, limit.evse) == (125, True, 1)
    cleared = {"chargingLimitSource": "EMS", "evseId": 1}
    assert peer.result("ClearedChargingLimit", cleared) == {}
    limit.refresh_from_db()
    assert limit.cleared_at is not None


@pytest.mark.parametrize("version", TWO)
def test_a_vehicles_needs_are_answered_by_whether_we_plan(
    quiet_site: Grid, eventually: Eventually, version: str
) -> None:
    grid = quiet_site
    station, peer = connected(grid, version, connectors=1)
    begin_session(grid, peer, version)
    ac = {"energyAmount": 9000, "evMinCurrent": 6, "evMaxCurrent": 32, "evMaxVoltage": 400}
    needs = {
        "evseId": 1,
        "chargingNeeds": {
            "requestedEnergyTransfer": "AC_three_phase",
            "acChargingParameters": ac,
            "departureTime": "2036-05-01T10:00:00Z",
        },
    }
    unplanned = "NoChargingProfile" if version == V21 else "Rejected"
    assert peer.result("NotifyEVChargingNeeds", needs) == {"status": unplanned}
    share_out(grid, 20)
    assert peer.result("NotifyEVChargingNeeds", needs) == {"status": "Accepted"}
    # The gateway passes it on, a worker makes it a demand.
    told = OutboxEvent.objects.filter(name="charging.needs_told.v1", handled_at=None)
    outbox.deliver(ids=list(told.values_list("pk", flat=True)), at=clock.now())
    session = ChargingSession.objects.get(station=station)
    demand = session.connector.energy_demands.get()
    assert (demand.energy_wh, demand.owner_ref) == (9000, f"session:{session.public_id}")


@pytest.mark.parametrize("version", TWO)
def test_profiles_on_the_station_are_fetched_in_parts(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "get_profiles", {"body": {"chargingProfile": {"stackLevel": 0}}})
    exchange(peer, {"status": "Accepted"})
    over(command, eventually)
    period = {"startPeriod": 0, "limit": 16}
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    for number in (1, 2):
        profile = {
            "id": number,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": [schedule],
        }
        payload = {
            "requestId": command.pk,
            "chargingLimitSource": "CSO",
            "chargingProfile": [profile],
            "evseId": number,
            "tbc": number == 1,
        }
        assert peer.result("ReportChargingProfiles", payload) == {}
    assert Report.objects.get(command=command).state == "complete"


def test_the_schedule_in_force_is_shown_in_our_words(
    grid: Grid, eventually: Eventually, version: str
) -> None:
    station, peer = connected(grid, version)
    command = ask(station, "get_composite", {"duration_s": 600, "unit": "A"}, evse=1)
    periods = [{"startPeriod": 0, "limit": 16.0}, {"startPeriod": 300, "limit": 8.0}]
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods, "duration": 600}
    start = "2026-05-01T10:00:00Z"
    answer: dict[str, Any] = {"status": "Accepted"}
    if version == V16:
        answer |= {"connectorId": 1, "scheduleStart": start, "chargingSchedule": schedule}
    else:
        answer |= {"schedule": {**schedule, "evseId": 1, "scheduleStart": start}}
    exchange(peer, answer)
    row = over(command, eventually)
    assert row.result["details"]["schedule"] == {
        "start": start,
        "unit": "A",
        "periods": [{"start_s": 0, "limit": 16.0}, {"start_s": 300, "limit": 8.0}],
    }


def test_what_a_version_cannot_say_is_refused_before_it_is_queued(grid: Grid, version: str) -> None:
    station, _peer = connected(grid, version)

    def check(action: str, payload: dict[str, Any]) -> None:
        with transaction.atomic():
            check_command(station=station, action=action, payload=payload, at=clock.now())

    with pytest.raises(CommandMalformed):
        check("get_composite", {"duration_s": "soon"})
    with pytest.raises(CommandImpossible):
        check("get_composite", {})
    if version == V16:
        with pytest.raises(CommandImpossible):
            check("get_base_report", {"base": "full", "request_id": 1})
    if version != V21:
        with pytest.raises(CommandImpossible):
            check("set_default_tariff", {"body": {}})
    check("clear_cache", {})
