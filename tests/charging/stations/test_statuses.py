"""What connectors report: the newest word by the station's clock counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from charging.stations import services
from charging.stations.facts import StatusReport
from charging.stations.models import ChargingStation
from charging.stations.states import ConnectorStatus
from mobility.core.models import OutboxEvent
from tests.charging.fixtures import NOON, MakeStation, connector_of

pytestmark = pytest.mark.django_db


def report(station: ChargingStation, status: str, minutes: int = 0, **more: object) -> StatusReport:
    facts = {"evse_number": 1, "at": NOON + timedelta(minutes=minutes), **more}
    return StatusReport(station_id=station.pk, status=status, **facts)


def tell(*reports: StatusReport) -> list[bool]:
    return services.record_statuses(reports=reports, at=NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("word", "status", "detail"),
    [
        ("Available", "Available", ""),
        ("Preparing", "Occupied", "Preparing"),
        ("Charging", "Occupied", "Charging"),
        ("SuspendedEV", "Occupied", "SuspendedEV"),
        ("SuspendedEVSE", "Occupied", "SuspendedEVSE"),
        ("Finishing", "Occupied", "Finishing"),
        ("Reserved", "Reserved", ""),
        ("Unavailable", "Unavailable", ""),
        ("Faulted", "Faulted", ""),
        ("Occupied", "Occupied", ""),
        ("Dancing", "Unknown", "Dancing"),
    ],
)
def test_both_versions_words_are_understood(
    make_station: MakeStation,
    word: str,
    status: str,
    detail: str,
) -> None:
    station = make_station()
    tell(report(station, word, error_code="NoError"))
    connector = connector_of(station)
    assert (connector.status, connector.status_detail) == (status, detail)
    assert connector.error_code == ""


def test_an_older_word_never_overwrites_a_newer_one(make_station: MakeStation) -> None:
    station = make_station()
    tell(report(station, "Charging", 5))
    tell(report(station, "Available", 4))
    tell(report(station, "Faulted", 3), report(station, "Finishing", 6), report(station, "X", 5))
    connector = connector_of(station)
    assert connector.status_detail == "Finishing"
    assert connector.status_at == NOON + timedelta(minutes=6)


def test_a_clock_running_ahead_does_not_freeze_the_status(make_station: MakeStation) -> None:
    station = make_station()
    tell(report(station, "Faulted", 60 * 24 * 365))
    services.record_statuses(
        reports=[report(station, "Available", 70)],
        at=NOON + timedelta(minutes=70),
    )
    assert connector_of(station).status == ConnectorStatus.AVAILABLE


def test_a_clock_that_is_set_back_a_little_does_not_freeze_the_status(
    make_station: MakeStation,
) -> None:
    """A station boots four minutes ahead, tells its status, and is told the time."""
    station = make_station()
    for word, told, at in (("Faulted", 4, 0), ("Available", 1, 1)):
        both = [report(station, word, told, evse_number=number) for number in (0, 1)]
        services.record_statuses(reports=both, at=NOON + timedelta(minutes=at))
    assert connector_of(station).status == ConnectorStatus.AVAILABLE
    station.refresh_from_db()
    assert station.status == ConnectorStatus.AVAILABLE


def test_connector_zero_is_the_station_and_unknown_ones_are_said_so(
    make_station: MakeStation,
) -> None:
    station = make_station()
    known = tell(
        report(station, "Faulted", evse_number=0, error_code="GroundFailure"),
        report(station, "Available", evse_number=9),
        report(station, "Available", evse_number=1, connector_number=1),
        report(station, "Available", evse_number=1, connector_number=2),
    )
    assert known == [True, False, True, False]
    station.refresh_from_db()
    assert (station.status, station.error_code) == ("Faulted", "GroundFailure")


def test_only_changes_are_published(make_station: MakeStation) -> None:
    station = make_station()
    tell(report(station, "Available", 1), report(station, "Charging", 2))
    tell(report(station, "SuspendedEV", 3))
    events = OutboxEvent.objects.filter(name="charging.connector_status_changed.v1")
    assert [event.payload["status"] for event in events] == ["Occupied"]


def test_a_batch_costs_a_constant_number_of_statements(
    make_station: MakeStation,
    django_assert_max_num_queries: object,
) -> None:
    fleet = [make_station(f"CP{number}", connectors=2) for number in range(8)]
    with django_assert_max_num_queries(5):
        tell(*[report(station, "Available", evse_number=n) for station in fleet for n in (0, 1, 2)])
