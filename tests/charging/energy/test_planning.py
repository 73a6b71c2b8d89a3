"""A site's plan: shares on stations, plans for sessions, and the limit at every moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from charging.energy import services
from charging.energy.facts import LimitClearedSaid, LimitSaid, NeedsSaid
from charging.energy.models import ChargingProfile, EnergyDemand, SiteLoad
from charging.energy.services import planning
from charging.sessions import services as sessions
from charging.sessions.facts import SessionStart, SessionStop
from charging.sessions.models import ChargingSession
from charging.stations import services as stations
from charging.stations.facts import Closing, CommandResult
from charging.stations.models import ChargingStation, Site, StationCommand
from mobility.core import outbox
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import NOON, MakeStation, connector_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(make_station: MakeStation) -> tuple[ChargingStation, ChargingStation]:
    """Two stations of 32 A at one site that may draw 40 A on each phase."""
    both = tuple(make_station(name, max_power_w=22_080, online=True) for name in ("A", "B"))
    services.set_site_load(site=both[0].site, managed=True, limit_a=40, at=NOON, by=SYSTEM)
    return both[0], both[1]


def start(station: ChargingStation, at: datetime = NOON) -> ChargingSession:
    uid = f"CARD{station.pk}"
    sessions.ensure_token(uid=uid, at=at)
    fact = SessionStart(station_id=station.pk, evse_number=1, uid=uid, at=at, meter_start_wh=0)
    sessions.start_sessions(starts=[fact], at=at)
    return ChargingSession.objects.open().get(station=station)


def stop(session: ChargingSession, at: datetime, energy_wh: int = 0) -> None:
    fact = SessionStop(
        station_id=session.station_id,
        transaction_ref=session.transaction_ref,
        at=at,
        meter_stop_wh=energy_wh,
        reason="Local",
    )
    sessions.stop_sessions(stops=[fact], at=at)


def plan(station: ChargingStation, at: datetime = NOON) -> dict[int, int]:
    return services.plan_site(site_id=station.site_id, at=at)


def open_profiles() -> list[tuple[str, str, float]]:
    """Profiles on their way: station, purpose, amperes."""
    rows = StationCommand.objects.filter(action="set_profile", state="queued").order_by("id")
    return [
        (
            row.station.identity,
            row.payload["profile"]["purpose"],
            row.payload["profile"]["periods"][0]["limit"],
        )
        for row in rows
    ]


def answer(at: datetime = NOON, *, only: str = "", state: str = "accepted", **result: Any) -> None:
    """Let the stations answer all profiles on their way."""
    rows = StationCommand.objects.filter(action="set_profile", state="queued").order_by("id")
    if only:
        rows = rows.filter(station__identity=only)
    for row in rows:
        stations.mark_commands_sent(sent={row.pk: row.station.connection_epoch}, at=at)
        said = CommandResult(
            command_id=row.pk, state=state, result=result or {"status": "Accepted"}
        )
        stations.finish_commands(results=[said], at=at)
        row.refresh_from_db()
        # What the worker does when it hears of the end.
        services.note_profile_answer(command=row, at=at)


def settle(station: ChargingStation, at: datetime = NOON) -> dict[int, int]:
    """Plan and answer until nothing is on its way any more."""
    for _ in range(6):
        targets = plan(station, at)
        if not open_profiles():
            return targets
        answer(at)
    raise AssertionError(open_profiles())


def in_force(station: ChargingStation, purpose: str = "TxProfile") -> float | None:
    row = ChargingProfile.objects.filter(
        connector=connector_of(station), purpose=purpose, state="set", stack_level=0
    ).first()
    return None if row is None else row.limit_da / 10


def test_every_station_gets_its_fair_share_for_the_time_nobody_hears_of_us(
    pair: tuple[ChargingStation, ChargingStation],
) -> None:
    plan(pair[0])
    assert open_profiles() == [
        ("A", "TxDefaultProfile", 20.0),
        ("B", "TxDefaultProfile", 20.0),
    ]
    answer()
    plan(pair[0])
    assert open_profiles() == []
    [first, _second] = ChargingProfile.objects.order_by("pk")
    assert (first.state, first.confirmed_da, first.stack_level) == ("set", 200, 0)


def test_a_site_that_is_not_shared_out_hears_nothing(make_station: MakeStation) -> None:
    station = make_station(online=True)
    start(station)
    assert plan(station) == {}
    assert open_profiles() == []
    with pytest.raises(services.NoSiteLimit):
        services.set_site_load(site=station.site, managed=True, limit_a=None, at=NOON, by=SYSTEM)


def test_one_alone_gets_all_it_can_take_and_less_comes_before_more(
    pair: tuple[ChargingStation, ChargingStation],
) -> None:
    one, two = pair
    settle(one)
    start(one)
    settle(one)
    assert in_force(one) == 32.0
    start(two)
    plan(one)
    # Both shall have 20 A; B has what was left over, and gets more when A has gone down.
    assert open_profiles() == [("A", "TxProfile", 20.0), ("B", "TxProfile", 8.0)]
    answer()
    settle(one)
    assert (in_force(one), in_force(two)) == (20.0, 20.0)


def test_more_is_sent_only_when_less_is_confirmed(
    pair: tuple[ChargingStation, ChargingStation],
) -> None:
    one, two = pair
    settle(one)
    first = start(one)
    start(two)
    settle(one)
    hurry = NOON + timedelta(hours=1)
    services.demand_energy(
        connector_id=connector_of(two).pk,
        owner_ref="fleet:7",
        energy_wh=20_000,
        ready_by=hurry,
        at=NOON,
        by=SYSTEM,
    )
    assert plan(one) == {connector_of(one).pk: 80, connector_of(two).pk: 320}
    # Less for the session at A, and for whoever might come after it.
    assert open_profiles() == [("A", "TxProfile", 8.0), ("A", "TxDefaultProfile", 8.0)]
    answer(state="rejected", status="Rejected")
    plan(one)
    # A does not obey: what it may draw is not given away.
    assert open_profiles() == []
    assert in_force(two) == 20.0
    stop(first, NOON)
    settle(one)
    # It refused to be guarded, too: its share stays free for a newcomer, until it is asked again.
    assert in_force(two) == 20.0
    settle(one, NOON + timedelta(minutes=11))
    assert in_force(two) == 32.0


def test_a_plan_is_renewed_before_it_ends_and_only_then(
    pair: tuple[ChargingStation, ChargingStation],
) -> None:
    one, _two = pair
    settle(one)
    start(one)
    settle(one)
    plan(one, NOON + timedelta(minutes=3))
    assert open_profiles() == []
    later = NOON + timedelta(minutes=8)
    plan(one, later)
    # With it what a newcomer may draw at B meanwhile.
    assert open_profiles() == [("B", "TxDefaultProfile", 8.0), ("A", "TxProfile", 32.0)]
    answer(later)
    row = ChargingProfile.objects.get(purpose="TxProfile")
    assert row.confirmed_valid_to == later + timedelta(minutes=15)


def test_what_an_unreachable_station_may_draw_is_taken_off(
    pair: tuple[ChargingStation, ChargingStation],
) -> None:
    one, two = pair
    settle(one)
    start(one)
    settle(one)
    start(two)
    one.refresh_from_db()
    gone = Closing(station_id=one.pk, epoch=one.connection_epoch)
    stations.close_connections(closings=[gone], at=NOON)
    # A holds a plan of 32 A until it ends; then its share of 20 A.
    assert plan(two) == {connector_of(two).pk: 80}
    assert plan(two, NOON + timedelta(minutes=16)) == {connector_of(two).pk: 200}


def test_the_limit_of_somebody_else_holds_until_it_is_cleared(
    pair: tuple[ChargingStation, ChargingStation],
) -> None:
    one, _two = pair
    settle(one)
    start(one)
    settle(one)
    said = {"station_id": one.pk, "evse_number": 0, "source": "EMS", "at": NOON}
    services.record_facts(facts=[LimitSaid(**said, limit_a=10.0)], at=NOON)
    settle(one)
    assert in_force(one) == 10.0
    services.record_facts(facts=[LimitSaid(**said, limit_w=8_280.0)], at=NOON)
    settle(one)
    assert in_force(one) == 12.0
    services.record_facts(facts=[LimitClearedSaid(**said)], at=NOON)
    settle(one)
    assert in_force(one) == 32.0


def test_a_vehicle_that_names_its_needs_becomes_a_demand(
    pair: tuple[ChargingStation, ChargingStation],
) -> None:
    one, _two = pair
    needs = NeedsSaid(
        station_id=one.pk,
        evse_number=1,
        at=NOON,
        energy_wh=9_000,
        departure=NOON + timedelta(hours=2),
    )
    assert services.record_facts(facts=[needs], at=NOON) == [False]
    session = start(one)
    assert services.record_facts(facts=[needs], at=NOON) == [True]
    # The gateway only passes it on: the planner may hold the demand's row.
    assert not EnergyDemand.objects.exists()
    told = OutboxEvent.objects.filter(name="charging.needs_told.v1")
    outbox.deliver(ids=list(told.values_list("pk", flat=True)), at=NOON)
    demand = EnergyDemand.objects.get()
    assert (demand.energy_wh, demand.owner_ref) == (9_000, f"session:{session.public_id}")


@pytest.mark.parametrize(("said", "taken"), [(2**40, 2_000_000), (-5, None), (0, None)])
def test_what_no_vehicle_can_want_is_no_failure_of_ours(
    pair: tuple[ChargingStation, ChargingStation], said: int, taken: int | None
) -> None:
    one, _two = pair
    start(one)
    needs = NeedsSaid(station_id=one.pk, evse_number=1, at=NOON, energy_wh=said)
    services.record_facts(facts=[needs], at=NOON)
    told = OutboxEvent.objects.filter(name="charging.needs_told.v1")
    outbox.deliver(ids=list(told.values_list("pk", flat=True)), at=NOON)
    demand = EnergyDemand.objects.first()
    assert (demand.energy_wh if demand else None) == taken


def test_a_demand_is_met_by_what_the_session_brings(
    pair: tuple[ChargingStation, ChargingStation],
) -> None:
    one, _two = pair
    session = start(one)
    demand = services.demand_energy(
        connector_id=connector_of(one).pk,
        owner_ref="fleet:7",
        energy_wh=5_000,
        ready_by=NOON + timedelta(hours=1),
        at=NOON,
        by=SYSTEM,
    )
    plan(one)
    for energy, state in ((3_000, "open"), (5_000, "met")):
        ChargingSession.objects.filter(pk=session.pk).update(energy_wh=energy)
        plan(one, NOON + timedelta(minutes=30))
        demand.refresh_from_db()
        assert (demand.delivered_wh, demand.state) == (energy, state)
    told = OutboxEvent.objects.get(name="charging.energy_demand_finished.v1")
    assert (told.payload["state"], told.payload["owner_ref"]) == ("met", "fleet:7")


def test_a_demand_whose_time_is_over_is_missed_and_stays_the_most_urgent(
    pair: tuple[ChargingStation, ChargingStation],
) -> None:
    one, two = pair
    start(one)
    start(two)
    wish = {"energy_wh": 5_000, "at": NOON, "by": SYSTEM}
    late = services.demand_energy(
        connector_id=connector_of(two).pk,
        owner_ref="fleet:2",
        ready_by=NOON + timedelta(minutes=10),
        **wish,
    )
    services.demand_energy(
        connector_id=connector_of(one).pk,
        owner_ref="fleet:1",
        ready_by=NOON + timedelta(hours=3),
        **wish,
    )
    targets = plan(one, NOON + timedelta(minutes=11))
    late.refresh_from_db()
    assert late.state == "missed"
    assert targets[connector_of(two).pk] == 320
    services.withdraw_demand(demand=late, at=NOON, by=SYSTEM)
    assert plan(one)[connector_of(one).pk] == 320


def test_one_connector_serves_one_demand(pair: tuple[ChargingStation, ChargingStation]) -> None:
    wish: dict[str, Any] = {
        "connector_id": connector_of(pair[0]).pk,
        "ready_by": NOON + timedelta(hours=1),
        "at": NOON,
        "by": SYSTEM,
    }
    first = services.demand_energy(owner_ref="fleet:7", energy_wh=5_000, **wish)
    assert services.demand_energy(owner_ref="fleet:7", energy_wh=6_000, **wish) == first
    with pytest.raises(services.ConnectorDemanded):
        services.demand_energy(owner_ref="fleet:8", energy_wh=1, **wish)
    with pytest.raises(services.DemandTooLate):
        services.demand_energy(owner_ref="fleet:7", energy_wh=1, **{**wish, "ready_by": NOON})


def test_nobody_else_sends_profiles_where_we_share_out(
    pair: tuple[ChargingStation, ChargingStation],
) -> None:
    def by_hand(purpose: str) -> StationCommand:
        profile = {"id": 1, "stack_level": 3, "purpose": purpose, "unit": "A", "periods": []}
        return stations.queue_command(
            station_id=pair[0].pk,
            action="set_profile",
            payload={"profile": profile},
            idempotency_key=purpose,
            at=NOON,
            by=SYSTEM,
        )

    with pytest.raises(services.SiteIsShared):
        by_hand("TxDefaultProfile")
    # A limit of the whole station only lowers what it draws.
    assert by_hand("ChargingStationMaxProfile").state == "queued"


def test_too_little_for_all_lets_as_many_charge_as_can(make_station: MakeStation) -> None:
    three = [make_station(name, max_power_w=22_080, online=True) for name in ("A", "B", "C")]
    services.set_site_load(site=three[0].site, managed=True, limit_a=13, at=NOON, by=SYSTEM)
    settle(three[0])
    for number, station in enumerate(three):
        start(station, NOON + timedelta(seconds=number))
    targets = settle(three[0])
    assert [targets[connector_of(station).pk] for station in three] == [65, 65, 0]


def test_a_started_session_plans_its_site(
    pair: tuple[ChargingStation, ChargingStation], relay: Callable[[], int]
) -> None:
    one, _two = pair
    relay()
    answer()
    relay()
    start(one)
    relay()
    assert ("A", "TxProfile", 20.0) in open_profiles()
    answer()
    relay()
    assert ("A", "TxProfile", 32.0) in open_profiles()


def test_two_planners_take_turns(transactional_db: None, make_station: MakeStation) -> None:
    """Both would read the same holds and give the free current away twice; the row makes them wait."""
    both = [make_station(name, max_power_w=22_080, online=True) for name in ("A", "B")]
    site = both[0].site
    services.set_site_load(site=site, managed=True, limit_a=40, at=NOON, by=SYSTEM)
    seen: list[str] = []

    def planner() -> None:
        try:
            services.plan_site(site_id=site.pk, at=NOON)
            seen.append("planned")
        finally:
            connection.close()

    with transaction.atomic():
        SiteLoad.objects.select_for_update().get(site=site)
        thread = threading.Thread(target=planner)
        thread.start()
        thread.join(0.3)
        assert seen == []
    thread.join(5)
    assert seen == ["planned"]
    planner_again = services.plan_site(site_id=site.pk, at=NOON)
    assert planner_again == {}
    # The second found the first one's profiles on their way and sent none of its own.
    assert StationCommand.objects.filter(action="set_profile").count() == 2


def test_a_site_that_cannot_be_planned_keeps_no_other_waiting(
    pair: tuple[ChargingStation, ChargingStation], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Site.objects.create(
        city=pair[0].site.city,
        organisation=pair[0].site.organisation,
        name={"en": "Elsewhere"},
        location=pair[0].site.location,
    )
    services.set_site_load(site=other, managed=True, limit_a=40, at=NOON, by=SYSTEM)
    real, asked = planning.plan_site, []

    def plan_or_fail(*, site_id: int, at: datetime) -> dict[int, int]:
        asked.append(site_id)
        if site_id == pair[0].site_id:
            raise ValueError("this one cannot be planned")
        return real(site_id=site_id, at=at)

    monkeypatch.setattr(planning, "plan_site", plan_or_fail)
    assert services.plan_due_sites(at=NOON) == 1
    assert asked == [pair[0].site_id, other.pk]
    # The one that was planned longest ago, or never, comes first.
    SiteLoad.objects.filter(site=pair[0].site_id).update(planned_at=NOON + timedelta(minutes=1))
    asked.clear()
    services.plan_due_sites(at=NOON + timedelta(minutes=10))
    assert asked == [other.pk, pair[0].site_id]
