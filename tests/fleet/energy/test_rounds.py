"""Rounds over all vehicles at plugs: few statements, one plan a site, and nobody has to wait."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from charging.energy.models import EnergyDemand, SiteLoad
from charging.sessions.models import ChargingSession
from fleet.energy.queries import owner_ref
from fleet.energy.services import sync_demands
from mobility.core import clock, locks
from mobility.core.models import OutboxEvent
from tests.fleet.energy.conftest import PlugIn


def beside(deed: Callable[[], object]) -> threading.Thread:
    """`deed` on a connection of its own; whoever starts it waits for its end."""

    def run() -> None:
        try:
            deed()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def waiting() -> set[str]:
    return set(EnergyDemand.objects.waiting().values_list("owner_ref", flat=True))


def plans_wanted() -> int:
    return OutboxEvent.objects.filter(name="charging.site_load_changed.v1").count()


@pytest.mark.django_db
def test_a_round_costs_by_the_site_and_not_by_the_vehicle(plug_in_many: PlugIn) -> None:
    plug_in_many(40, sites=2)
    with CaptureQueriesContext(connection) as first:
        assert sync_demands(at=clock.now())["demanded"] == 40
    assert len(first) <= 50
    assert EnergyDemand.objects.waiting().count() == 40
    assert plans_wanted() == 2
    with CaptureQueriesContext(connection) as steady:
        assert sync_demands(at=clock.now()) == {
            "demanded": 0,
            "kept": 40,
            "withdrawn": 0,
            "occupied": 0,
        }
    assert len(steady) <= 5
    assert not [sent for sent in steady.captured_queries if "advisory" in sent["sql"]]
    assert plans_wanted() == 2


@pytest.mark.django_db
def test_all_that_left_are_withdrawn_with_one_plan(plug_in_many: PlugIn) -> None:
    plug_in_many(10, sites=1)
    sync_demands(at=clock.now())
    ChargingSession.objects.update(state="ended")
    assert sync_demands(at=clock.now())["withdrawn"] == 10
    assert not EnergyDemand.objects.waiting().exists()
    assert plans_wanted() == 2
    finished = OutboxEvent.objects.filter(name="charging.energy_demand_finished.v1")
    assert {event.payload["state"] for event in finished} == {"withdrawn"}
    assert finished.count() == 10


@pytest.mark.django_db(transaction=True)
def test_a_round_that_waits_at_one_site_holds_up_no_other(plug_in_many: PlugIn) -> None:
    """Two sites; the planner works at the first, so the round over all has to wait there."""
    slow, quick = plug_in_many(2, sites=2)
    with transaction.atomic():
        list(SiteLoad.objects.select_for_update().order_by("site")[:1])
        round_over_all = beside(lambda: sync_demands(at=clock.now()))
        round_over_all.join(0.5)
        plugged_in = beside(lambda: sync_demands(vehicle_ids=[quick.pk], at=clock.now()))
        plugged_in.join(10)
        assert not plugged_in.is_alive()
        assert round_over_all.is_alive()
        assert waiting() == {owner_ref(quick)}
    round_over_all.join(10)
    assert waiting() == {owner_ref(slow), owner_ref(quick)}


@pytest.mark.django_db(transaction=True)
def test_who_left_while_a_round_waited_is_asked_nothing_for(plug_in_many: PlugIn) -> None:
    """The round's first look finds the car at its plug; when its turn comes the car is gone."""
    (car,) = plug_in_many(1)
    with transaction.atomic():
        locks.advisory(f"fleet-energy:{owner_ref(car)}")
        round_over_all = beside(lambda: sync_demands(at=clock.now()))
        round_over_all.join(0.5)
        assert round_over_all.is_alive()
        ChargingSession.objects.update(state="ended")
    round_over_all.join(10)
    assert waiting() == set()


@pytest.mark.django_db(transaction=True)
def test_who_leaves_while_a_round_asks_for_it_is_withdrawn(plug_in_many: PlugIn) -> None:
    """The round has looked and waits for the planner; the car's leaving waits for the round."""
    (car,) = plug_in_many(1)
    with transaction.atomic():
        list(SiteLoad.objects.select_for_update())
        round_over_all = beside(lambda: sync_demands(at=clock.now()))
        round_over_all.join(0.5)
        with_autocommit = beside(lambda: ChargingSession.objects.update(state="ended"))
        with_autocommit.join(10)
        left = beside(lambda: sync_demands(vehicle_ids=[car.pk], at=clock.now()))
        left.join(0.5)
        assert round_over_all.is_alive()
        assert left.is_alive()
    round_over_all.join(10)
    left.join(10)
    assert waiting() == set()
    assert EnergyDemand.objects.get().state == "withdrawn"
