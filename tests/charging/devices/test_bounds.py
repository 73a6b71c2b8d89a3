"""A station that tells without end fills nobody's database, and what was not kept is counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from charging.certificates import services as certificates
from charging.certificates.facts import SecurityReport
from charging.certificates.models import SecurityEvent
from charging.devices import services
from charging.devices.facts import EventsSaid, PartSaid, SwapSaid, VariableSaid
from charging.devices.models import (
    BatterySwap,
    DeviceEvent,
    DeviceVariable,
    DisplayMessage,
    Overflow,
    Report,
    VariableMonitor,
)
from charging.devices.services import bounds, reports
from charging.energy import services as energy
from charging.energy.facts import LimitClearedSaid, LimitSaid
from charging.energy.models import ChargingLimit
from charging.stations import services as stations
from charging.stations.facts import StreamOpened
from charging.stations.models import ChargingStation, EventStream, StationCommand
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import NOON, MakeStation

pytestmark = pytest.mark.django_db


@pytest.fixture
def station(make_station: MakeStation, monkeypatch: pytest.MonkeyPatch) -> ChargingStation:
    """Luca's charger, where three of each kind are enough."""
    for kind in bounds.MOST:
        monkeypatch.setitem(bounds.MOST, kind, 3)
    return make_station(online=True)


def overflow(station: ChargingStation, kind: str) -> int:
    return sum(Overflow.objects.filter(station=station, kind=kind).values_list("times", flat=True))


def variables(*names: str, value: str = "1") -> list[VariableSaid]:
    return [VariableSaid(component="Made", name=name, value=value) for name in names]


def test_unsolicited_variables_have_a_bound_and_known_ones_stay_current(
    station: ChargingStation,
) -> None:
    for names in ("ab", "cd", "de"):
        services.keep_variables(station_id=station.pk, said=variables(*names), at=NOON)
    assert list(DeviceVariable.objects.order_by("name").values_list("name", flat=True)) == [*"abc"]
    assert overflow(station, "variables") == 3
    services.keep_variables(station_id=station.pk, said=variables("a", value="2"), at=NOON)
    assert DeviceVariable.objects.get(name="a").value == "2"


def test_monitors_displays_events_and_swaps_have_a_bound(station: ChargingStation) -> None:
    place: dict[str, Any] = {"component": {"name": "C"}, "variable": {"name": "V"}}
    watch = [{"id": n, "type": "Delta", "severity": 1, **place} for n in range(5)]
    services.keep_monitors(station_id=station.pk, monitors=watch, at=NOON)
    services.keep_monitors(station_id=station.pk, monitors=watch[:2], at=NOON)
    services.keep_displays(
        station_id=station.pk, messages=[{"id": number} for number in range(4)], at=NOON
    )
    event = {"trigger": "Alerting", "actualValue": "1", "eventNotificationType": "x", **place}
    told = tuple((NOON, {"eventId": number, **event}) for number in range(7))
    fact = EventsSaid(station_id=station.pk, at=NOON, items=told)
    services.record_facts(facts=[fact], at=NOON)
    swaps = [
        SwapSaid(station_id=station.pk, number=number, event="BatteryIn", uid="04AA", batteries=[])
        for number in range(4)
    ]
    services.record_facts(facts=swaps, at=NOON)
    for model in (VariableMonitor, DisplayMessage, DeviceEvent, BatterySwap):
        assert model.objects.filter(station=station).count() == 3
    found = {kind: overflow(station, kind) for kind in ("monitors", "displays", "events", "swaps")}
    assert found == {"monitors": 2, "displays": 1, "events": 4, "swaps": 1}
    # The bound of events is one of a day.
    tomorrow = NOON + timedelta(days=1, seconds=1)
    services.record_facts(facts=[fact], at=tomorrow)
    assert DeviceEvent.objects.count() == 3
    more = EventsSaid(station_id=station.pk, at=NOON, items=((tomorrow, {"eventId": 9, **event}),))
    services.record_facts(facts=[more], at=tomorrow + timedelta(days=1))
    assert DeviceEvent.objects.count() == 4


def test_critical_security_events_do_not_drown_in_noise_and_have_a_bound_too(
    station: ChargingStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates.events, "MOST_CRITICAL", 5)

    def told(kind: str, count: int) -> None:
        reports = [
            SecurityReport(station_id=station.pk, kind=kind, at=NOON + timedelta(seconds=second))
            for second in range(count)
        ]
        certificates.record_security_events(reports=reports, at=NOON)

    told("Noise", 9)
    told("TamperDetectionActivated", 5)
    assert SecurityEvent.objects.filter(critical=False).count() == 3
    assert SecurityEvent.objects.filter(critical=True).count() == 5
    assert overflow(station, "security") == 6
    # A station that lies raises no alarms without end.
    told("TamperDetectionActivated", 5)
    told("ResetOrReboot", 4)
    assert SecurityEvent.objects.filter(critical=True).count() == 5
    assert OutboxEvent.objects.filter(name="charging.security_alarm.v1").count() == 5


def test_limits_of_others_have_a_bound_and_are_forgotten_when_lifted(
    station: ChargingStation, settings: Any
) -> None:
    said = [
        LimitSaid(station_id=station.pk, evse_number=number, source="EMS", at=NOON, limit_a=10)
        for number in range(5)
    ]
    energy.record_facts(facts=said, at=NOON)
    assert ChargingLimit.objects.count() == 3
    assert overflow(station, "limits") == 2
    lifted = LimitClearedSaid(station_id=station.pk, evse_number=0, source="EMS", at=NOON)
    energy.record_facts(facts=[lifted], at=NOON)
    late = NOON + timedelta(days=settings.OCPP_RECORDS_DAYS, seconds=1)
    assert energy.forget_records(at=late) == 1
    assert ChargingLimit.objects.count() == 2


def test_streams_have_a_bound_that_their_station_hears_of(
    station: ChargingStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charging.stations.services.streams.MOST_STREAMS", 2)
    opened = [StreamOpened(station_id=station.pk, number=number) for number in range(3)]
    assert stations.open_streams(streams=opened, at=NOON) == [True, True, False]
    stations.close_streams(streams=opened[:1], at=NOON)
    assert stations.open_streams(streams=opened[2:], at=NOON) == [True]
    assert EventStream.objects.filter(closed_at__isnull=True).count() == 2


def part(report: Report, number: int | None, *, last: bool = False, item: str = "") -> None:
    said = PartSaid(
        station_id=report.station_id,
        kind=report.kind,
        number=report.number,
        at=NOON,
        last=last,
        items=[{"data": item or str(number)}],
        seq_no=number,
    )
    services.take_part(part=said, at=NOON)
    report.refresh_from_db()


def report_of(station: ChargingStation) -> Report:
    return Report.objects.create(station=station, number=7, kind="base", asked_at=NOON)


def test_a_part_costs_the_same_however_many_came_before(make_station: MakeStation) -> None:
    report = report_of(make_station())
    spent = []
    for number in range(60):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            part(report, number)
        spent.append(len(seen))
        # Nothing looks over the parts again: each query is of one row.
        assert not [q for q in seen.captured_queries if "COUNT(" in q["sql"].upper()]
    assert len(set(spent[1:])) == 1
    part(report, 61)
    part(report, 61)
    part(report, 62, last=True)
    assert (report.state, report.missing, report.parts_count) == ("receiving", [60], 62)
    part(report, 60)
    assert (report.state, report.missing, report.last_no) == ("complete", [], 62)


def test_the_number_of_a_part_is_believed_within_reason(station: ChargingStation) -> None:
    report = report_of(station)
    part(report, 2_000_000_000, last=True)
    part(report, -1)
    assert (report.parts_count, report.state) == (0, "asked")
    assert overflow(station, "parts") == 2
    for word in ("a", "b", "a", "b"):
        part(report, None, item=word)
    assert report.parts_count == 2
    part(report, None, item="c", last=True)
    assert report.state == "complete"


def test_a_report_has_a_size_and_says_what_did_not_fit(
    station: ChargingStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MOST_REPORT_BYTES", 2_000)
    report = report_of(station)
    part(report, 0, item="a" * 900)
    for _again in range(3):
        part(report, 0, item="a" * 900)
    part(report, 1, item="b" * 1_200)
    assert (report.parts_count, overflow(station, "parts")) == (1, 1)
    part(report, 2, item="c" * 900, last=True)
    assert (report.parts_count, report.state, report.missing) == (2, "receiving", [1])
    services.give_up_reports(at=NOON + timedelta(hours=1))
    report.refresh_from_db()
    assert (report.state, report.missing) == ("incomplete", [1])
    assert report.size_bytes <= 2_000


def test_what_is_old_is_forgotten_and_nothing_else(station: ChargingStation, settings: Any) -> None:
    for key in ("old", "new"):
        stations.queue_command(
            station_id=station.pk, action="clear_cache", idempotency_key=key, at=NOON, by=SYSTEM
        )
    StationCommand.objects.filter(idempotency_key="old").update(state="accepted")
    report_of(station)
    late = NOON + timedelta(days=settings.OCPP_RECORDS_DAYS, seconds=1)
    assert stations.forget_commands(at=NOON) == 0
    assert stations.forget_commands(at=late) == 1
    # One that never ended is for the sweep that ends it.
    assert StationCommand.objects.get().idempotency_key == "new"
    assert services.forget_records(at=NOON) == 0
    assert services.forget_records(at=late) == 1
    assert not Report.objects.exists()
