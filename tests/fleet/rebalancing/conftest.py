"""A small night: scooters lie where nobody asks, and are missed where everybody does."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any

import pytest

from fleet.rebalancing import services
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.vehicles.models import Vehicle, VehicleEvent
from mobility.accounts.models import Organisation, User
from mobility.core.principals import SYSTEM
from mobility.geography.models import City
from tests.fleet.fixtures import MakeVehicle

# Half past three on a Tuesday morning in Milan.
NIGHT = datetime.datetime(2026, 5, 5, 1, 30, tzinfo=datetime.UTC)
QUIET = (9.1800, 45.4700)
BUSY = (9.2050, 45.4510)
AWAY = (9.2300, 45.4400)

PARAMETERS = {"vans": 1, "van_capacity": 8, "history_days": 7}


@dataclasses.dataclass
class Night:
    """The vehicles of the night."""

    surplus: list[Vehicle]
    flat: list[Vehicle]


@pytest.fixture
def night(make_vehicle: MakeVehicle, milan: City) -> Night:
    """Ten scooters where nobody rides, two empty ones where people ride all day, with the history
    of a week that shows it."""
    surplus = [make_vehicle("scooter", *QUIET, code=f"SURPLUS{n}") for n in range(10)]
    flat = [make_vehicle("scooter", *BUSY, battery_pct=6, code=f"FLAT{n}") for n in range(2)]
    for vehicle in flat:
        vehicle.blocks.create(reason="low_battery", since=NIGHT, placed_by=SYSTEM)
    still = [event(vehicle, days(8), QUIET, "available", ["on_hours"]) for vehicle in surplus]
    VehicleEvent.objects.bulk_create(still + [row for each in flat for row in busy_week(each)])
    return Night(surplus=surplus, flat=flat)


def days(count: float) -> datetime.datetime:
    """So many days before the night."""
    return NIGHT - datetime.timedelta(days=count)


def event(
    vehicle: Vehicle,
    at: datetime.datetime,
    place: tuple[float, float],
    state: str,
    words: list[str],
) -> VehicleEvent:
    """A row of the state history."""
    return VehicleEvent(
        vehicle=vehicle, at=at, mds_state=state, mds_events=words, life_state="in_service",
        rental_state="free", link_state="online", lon=place[0], lat=place[1], by=SYSTEM,
    )  # fmt: skip


def busy_week(vehicle: Vehicle) -> list[VehicleEvent]:
    """Every day from 7 to 21: brought to the busy place each hour, gone ten minutes later."""
    rows = []
    for day in range(7, 0, -1):
        for hour in range(14):
            start = days(day) + datetime.timedelta(hours=4 + hour)
            ten = datetime.timedelta(minutes=10)
            rows.append(event(vehicle, start, BUSY, "available", ["provider_drop_off"]))
            rows.append(event(vehicle, start + ten, BUSY, "on_trip", ["trip_start"]))
            rows.append(event(vehicle, start + 3 * ten, AWAY, "removed", ["trip_end"]))
    return rows


@pytest.fixture
def draft(night: Night, ruote: Organisation) -> RebalancingPlan:
    """The plan of the night, computed."""
    return make_draft(ruote)


def make_draft(organisation: Organisation, **parameters: Any) -> RebalancingPlan:
    """A computed plan, the same on every machine."""
    plan = services.request_plan(
        organisation_id=organisation.pk,
        parameters={**PARAMETERS, **parameters},
        at=NIGHT,
        by=SYSTEM,
    )
    return services.compute_plan(plan_id=plan.pk, rounds=1_500, at=NIGHT, by=SYSTEM)


@pytest.fixture
def published(draft: RebalancingPlan) -> RebalancingPlan:
    """The plan in the crews' hands."""
    return services.publish_plan(plan_id=draft.pk, at=NIGHT, by=SYSTEM)


Claim = Callable[[RebalancingTask, User], RebalancingTask]


@pytest.fixture
def claim() -> Claim:
    """`claim(task, sara)`: Sara takes it."""

    def take(task: RebalancingTask, crew: User) -> RebalancingTask:
        return services.claim_task(
            task_id=task.pk, assignee_id=crew.pk, at=NIGHT, by=crew.principal
        )

    return take
