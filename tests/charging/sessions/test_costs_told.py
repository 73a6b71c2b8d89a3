"""What running charges cost by now is told to those chargers that can show it, each in its turn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from charging.sessions import services
from charging.sessions.models import ChargingSession
from charging.stations.facts import BootReport, CommandResult
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.services import (
    finish_commands,
    mark_commands_sent,
    open_connection,
    record_boots,
)
from charging.tariffs.services import ensure_tariff
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import NOON, MakeStation
from tests.charging.sessions.test_numbered_events import event, tell

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
PER_MINUTE = [{"kind": "energy", "unit_cents": "50"}, {"kind": "time", "unit_cents": "1"}]


def charging(make_station: MakeStation, identity: str, *, minutes: int = 0) -> ChargingStation:
    """A 2.0.1 station with a session that has drawn a kilowatt-hour, `minutes` after the others."""
    station = make_station(identity)
    open_connection(station_id=station.pk, ocpp_version="ocpp2.0.1", gateway="t", at=NOON)
    for number in (0, 1):
        tell(event(station, number, transaction_ref=identity))
    ChargingSession.objects.filter(station=station).update(
        heard_at=NOON + timedelta(minutes=10 + minutes)
    )
    return station


def prices(station: ChargingStation, components: list[dict[str, str]]) -> None:
    ensure_tariff(
        organisation_id=station.site.organisation_id,
        code="base",
        name={"it": "Base"},
        components=components,
        valid_from=NOON - MINUTE,
        is_default=True,
        at=NOON - MINUTE,
        by=SYSTEM,
    )


@pytest.fixture
def priced(make_station: MakeStation) -> None:
    services.ensure_token(uid="04A1B2C3", allows_parallel=True, at=NOON)
    prices(make_station("PRICED"), PER_MINUTE)


def asked(minutes: int, **options: int) -> list[str]:
    """Who is asked so many minutes after noon."""
    known = set(StationCommand.objects.values_list("pk", flat=True))
    services.tell_costs(every=MINUTE, at=NOON + timedelta(minutes=minutes), **options)
    fresh = StationCommand.objects.exclude(pk__in=known).order_by("pk")
    return list(fresh.values_list("station__identity", flat=True))


def test_nobody_waits_behind_those_who_are_silent_longer(
    priced: None, make_station: MakeStation
) -> None:
    for number in range(3):
        charging(make_station, f"CS{number}", minutes=number)
    rounds = [asked(20 + number, limit=1) for number in range(4)]
    assert rounds == [["CS0"], ["CS1"], ["CS2"], ["CS0"]]


def test_a_cost_that_did_not_rise_is_not_told_again(make_station: MakeStation) -> None:
    services.ensure_token(uid="04A1B2C3", at=NOON)
    prices(make_station("PRICED"), [{"kind": "energy", "unit_cents": "50"}])
    charging(make_station, "CS0")
    assert [asked(20), asked(22), asked(40)] == [["CS0"], [], []]


def test_one_that_cannot_show_it_is_left_alone_until_it_boots(
    priced: None, make_station: MakeStation
) -> None:
    station = charging(make_station, "CS0")
    boot = BootReport(station_id=station.pk, vendor="V", model="M")
    record_boots(boots=[boot], at=NOON)
    assert asked(20) == ["CS0"]
    command = StationCommand.objects.get()
    station.refresh_from_db()
    mark_commands_sent(sent={command.pk: station.connection_epoch}, at=NOON + timedelta(minutes=20))
    refusal = CommandResult(command_id=command.pk, state="rejected", result={"reason": "refused"})
    finish_commands(results=[refusal], at=NOON + timedelta(minutes=20))
    assert asked(25) == []
    record_boots(boots=[boot], at=NOON + timedelta(minutes=26))
    assert asked(30) == ["CS0"]


def test_while_nothing_flowed_nothing_is_due_and_nothing_is_told(
    priced: None, make_station: MakeStation
) -> None:
    """As in the final price: a charger that gives nothing earns nothing by the minute."""
    station = charging(make_station, "CS0")
    ChargingSession.objects.filter(station=station).update(energy_wh=50)
    asked(20)
    assert [row.payload["total_cost"] for row in StationCommand.objects.all()] == [0]
    assert asked(60) == []
