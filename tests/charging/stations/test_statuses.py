"""What connectors report: the newest word by the station's clock counts."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charging.stations import services
from charging.stations.facts import StatusReport
from charging.stations.models import ChargingStation
from charging.stations.rules import MOST_TOLD, TOLD_WITHIN, telling
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


def told() -> list[tuple[str, str]]:
    rows = OutboxEvent.objects.filter(name="charging.connector_status_changed.v1").order_by("pk")
    return [(row.payload["old_status"], row.payload["status"]) for row in rows]


def flap(station: ChargingStation, times: int, *, at: datetime) -> None:
    """A connector that breaks and is well again, over and over, within a second."""
    for number in range(times):
        word = "Available" if number % 2 else "Faulted"
        services.record_statuses(reports=[report(station, word, at=at)], at=at)


def test_a_connector_that_flaps_is_told_of_a_few_times_and_then_how_it_is(
    make_station: MakeStation,
) -> None:
    station = make_station()
    flap(station, 201, at=NOON)
    assert len(told()) == MOST_TOLD
    assert connector_of(station).status == ConnectorStatus.FAULTED
    assert services.tell_statuses(at=NOON + timedelta(seconds=59)) == 0
    assert services.tell_statuses(at=NOON + TOLD_WITHIN) == 1
    assert told()[-1] == ("Available", "Faulted")
    assert services.tell_statuses(at=NOON + 2 * TOLD_WITHIN) == 0
    # Every piece of news begins where the last one ended: nobody hears of a change that was none.
    assert all(before[1] == after[0] for before, after in pairwise(told()))


def test_a_connector_that_was_quiet_is_told_of_at_once(make_station: MakeStation) -> None:
    station = make_station()
    flap(station, MOST_TOLD + 1, at=NOON)
    flap(station, 2, at=NOON + TOLD_WITHIN)
    assert len(told()) == MOST_TOLD + 2
    assert services.tell_statuses(at=NOON + 3 * TOLD_WITHIN) == 0


def test_what_others_are_told_does_not_wait_for_a_neighbour(make_station: MakeStation) -> None:
    wild, calm = make_station("WILD"), make_station("CALM")
    flap(wild, 100, at=NOON)
    before = len(told())
    services.record_statuses(reports=[report(calm, "Available")], at=NOON)
    assert told()[before:] == [("Unknown", "Available")]


@given(
    gaps=st.lists(st.floats(min_value=0, max_value=90), min_size=1, max_size=200),
)
def test_in_no_minute_of_the_count_more_are_told(gaps: list[float]) -> None:
    since, times, at = None, 0, NOON
    said: Counter[datetime] = Counter()
    for gap in gaps:
        at += timedelta(seconds=gap)
        may, since, times = telling(since=since, times=times, at=at)
        said[since] += may
        assert timedelta() <= at - since < TOLD_WITHIN
    assert max(said.values()) <= MOST_TOLD
