"""A vehicle that begins to charge beside a full site: the limit holds before we have heard of it."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from random import Random

import pytest
from django.db import connection, transaction

from charging.devices.models import DeviceVariable
from charging.energy import services
from charging.energy.models import ChargingProfile, SiteLoad
from charging.sessions.models import ChargingSession
from charging.stations import services as stations
from charging.stations.facts import CommandResult
from charging.stations.models import ChargingStation, Connector, Site, StationCommand
from mobility.core.principals import SYSTEM
from tests.charging.energy.test_planning import (
    answer,
    in_force,
    open_profiles,
    plan,
    settle,
    start,
    stop,
)
from tests.charging.fixtures import NOON, MakeStation, connector_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(make_station: MakeStation) -> list[ChargingStation]:
    """Three stations of 32 A at a site that may draw 40 A on each phase."""
    found = [make_station(name, max_power_w=22_080, online=True) for name in ("A", "B", "C")]
    services.set_site_load(site=found[0].site, managed=True, limit_a=40, at=NOON, by=SYSTEM)
    return found


def guard(station: ChargingStation) -> ChargingProfile | None:
    rows = ChargingProfile.objects.filter(connector=connector_of(station), stack_level=1)
    return rows.first()


def test_beside_a_full_site_a_newcomer_draws_nothing_until_it_has_a_plan(
    three: list[ChargingStation],
) -> None:
    one, two, three_ = three
    settle(one)
    start(one)
    start(two)
    settle(one)
    assert (in_force(one), in_force(two)) == (20.0, 20.0)
    held = guard(three_)
    assert held is not None
    assert (held.state, held.confirmed_da) == ("set", 0)
    # Its share for the time we are gone is still there, below.
    assert in_force(three_, "TxDefaultProfile") == 13.4
    start(three_)
    plan(one)
    sent = {name: limit for name, purpose, limit in open_profiles() if purpose == "TxProfile"}
    assert sent == {"A": 13.3, "B": 13.3, "C": 0.0}
    answer()
    settle(one)
    assert sorted((in_force(one), in_force(two), in_force(three_))) == [13.3, 13.3, 13.4]


def test_a_guard_ends_by_itself_when_nobody_hears_of_us(three: list[ChargingStation]) -> None:
    one, two, three_ = three
    settle(one)
    start(one)
    settle(one)
    row = StationCommand.objects.filter(
        station=two, payload__profile__stack_level=1
    ).latest("pk")  # fmt: skip
    told = row.payload["profile"]
    assert (told["purpose"], told["kind"]) == ("TxDefaultProfile", "Relative")
    assert told["valid_to"] == "2026-05-04T10:15:00Z"
    # As long as it is heard it is renewed before; then the share is taken off.
    plan(one, NOON + timedelta(minutes=8))
    assert {name for name, _purpose, _limit in open_profiles()} >= {"B", "C"}
    assert three_.site_id == one.site_id


def test_a_station_that_takes_no_guard_keeps_its_share_free(three: list[ChargingStation]) -> None:
    one, _two, three_ = three
    DeviceVariable.objects.create(
        station=three_, name="ChargeProfileMaxStackLevel", value="0", at=NOON
    )
    settle(one)
    start(one)
    targets = settle(one)
    # C may begin with 13.3 A unheard, so A gets no more than what leaves room for that.
    assert guard(three_) is None
    assert targets == {connector_of(one).pk: 266}


def test_a_refused_guard_counts_as_none(three: list[ChargingStation]) -> None:
    one, _two, three_ = three
    settle(one)
    start(one)
    plan(one)
    answer(only="C", state="rejected", status="Rejected")
    answer()
    targets = settle(one)
    assert targets == {connector_of(one).pk: 267}
    held = guard(three_)
    assert held is not None
    assert held.state == "rejected"


def test_the_connectors_of_one_evse_are_one_place(make_station: MakeStation) -> None:
    """A fast charger with CCS and CHAdeMO on one EVSE serves one vehicle at a time."""
    station = make_station("FAST", max_power_w=11_040, online=True)
    first = connector_of(station)
    other = Connector.objects.create(
        evse=first.evse, number=2, power_type="AC_3_PHASE", max_power_w=22_080
    )
    services.set_site_load(site=station.site, managed=True, limit_a=60, at=NOON, by=SYSTEM)
    settle(station)
    rows = ChargingProfile.objects.filter(connector__evse=first.evse)
    assert [(row.connector_id, row.limit_da) for row in rows] == [(first.pk, 320)]
    session = start(station)
    ChargingSession.objects.filter(pk=session.pk).update(connector=other)
    assert settle(station) == {first.pk: 320}
    ChargingSession.objects.filter(pk=session.pk).update(connector=first)
    assert settle(station) == {first.pk: 160}


class Stations:
    """Stations as they behave: a plan before the guard, the guard before the share."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.known: dict[int, dict[tuple[str, int], tuple[int, datetime | None, str]]] = {}

    def take(self, command: StationCommand) -> None:
        profile = command.payload["profile"]
        until = profile.get("valid_to")
        self.known.setdefault(command.station_id, {})[
            profile["purpose"], profile["stack_level"]
        ] = (
            round(profile["periods"][0]["limit"] * 10),
            datetime.fromisoformat(until) if until else None,
            profile.get("transaction_ref", ""),
        )

    def drawn_da(self, at: datetime) -> int:
        """What all sessions together draw at an instant, each as much as it may."""
        return sum(
            self.allowed_da(session, at)
            for session in ChargingSession.objects.open().filter(station__site=self.site)
        )

    def allowed_da(self, session: ChargingSession, at: datetime) -> int:
        held = self.known.get(session.station_id, {})
        for place in (("TxProfile", 0), ("TxDefaultProfile", 1), ("TxDefaultProfile", 0)):
            limit, until, reference = held.get(place, (0, NOON, ""))
            fits = place[0] != "TxProfile" or reference == session.transaction_ref
            if place in held and fits and (until is None or until > at):
                return limit
        return 320


def begin_or_end(station: ChargingStation, at: datetime, luck: Random) -> None:
    running = ChargingSession.objects.open().filter(station=station).first()
    if running is None:
        start(station, at)
    elif luck.random() < 0.5:
        stop(running, at)


@pytest.mark.parametrize("seed", range(4))
def test_the_limit_holds_at_every_moment_of_a_busy_day(
    three: list[ChargingStation], seed: int
) -> None:
    """Sessions begin and end unheard, answers come in any order, some never, plans late."""
    luck, site = Random(seed), three[0].site
    street = Stations(site)

    def let_answer(share: float, at: datetime) -> None:
        rows = list(StationCommand.objects.filter(action="set_profile", state="queued"))
        luck.shuffle(rows)
        for row in rows:
            if luck.random() > share:
                continue
            stations.mark_commands_sent(sent={row.pk: row.station.connection_epoch}, at=at)
            street.take(row)
            lost = luck.random() < 0.1
            state = "timed_out" if lost else "accepted"
            said = CommandResult(command_id=row.pk, state=state, result={"status": "Accepted"})
            stations.finish_commands(results=[said], at=at)
            row.refresh_from_db()
            services.note_profile_answer(command=row, at=at)
            assert street.drawn_da(at) <= 400

    for _ in range(6):
        plan(three[0])
        let_answer(1.0, NOON)
    at = NOON
    for number in range(25):
        at += timedelta(seconds=luck.choice([1, 5, 60, 150]))
        station = luck.choice(three)
        begin_or_end(station, at, luck)
        assert street.drawn_da(at) <= 400
        plan(station, at)
        let_answer(0.3 if number % 2 else 1.0, at)
        stations.expire_commands(at=at + timedelta(minutes=2))
        for row in StationCommand.objects.filter(action="set_profile", state="expired"):
            services.note_profile_answer(command=row, at=at)


@pytest.mark.django_db(transaction=True)
def test_an_answer_never_waits_for_the_planner(make_station: MakeStation) -> None:
    """The writer of the gateway is one thread for all stations."""
    station = make_station("A", max_power_w=22_080, online=True)
    services.set_site_load(site=station.site, managed=True, limit_a=40, at=NOON, by=SYSTEM)
    plan(station)
    command = StationCommand.objects.get()
    stations.mark_commands_sent(sent={command.pk: station.connection_epoch}, at=NOON)
    ended: list[str] = []

    def write() -> None:
        try:
            said = CommandResult(command_id=command.pk, state="accepted", result={})
            stations.finish_commands(results=[said], at=NOON)
            ended.append("written")
        finally:
            connection.close()

    with transaction.atomic():
        SiteLoad.objects.select_for_update().get(site=station.site)
        list(ChargingProfile.objects.select_for_update())
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(5)
        assert ended == ["written"]
    services.note_profile_answer(command=StationCommand.objects.get(), at=NOON)
    assert ChargingProfile.objects.get().state == "set"
