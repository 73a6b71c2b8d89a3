"""What vehicles at a plug want, written down where chargers share out their power.

Charging knows no vehicles: it gets so much energy by a time at a connector, under a name.
"""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Collection

import structlog
from django.db import transaction

from charging.energy.models import EnergyDemand
from charging.energy.services.demands import ConnectorDemanded, demand_energy, withdraw_demand
from fleet.energy.models import ChargeNeed
from fleet.energy.queries import OWNER, Plugged, owner_ref, plugged
from fleet.energy.rules import Need, Wish, is_right, wish_of
from fleet.vehicles.models import Vehicle
from mobility.core import locks
from mobility.core.principals import Principal, system_principal

log = structlog.get_logger(__name__)
CHARGER = system_principal("fleet-energy")


def note_need(
    *, hold_id: int, battery_pct: int, ready_by: datetime.datetime, at: datetime.datetime
) -> ChargeNeed:
    """Whoever holds a vehicle for later needs it so full by then; noting twice is changing it."""
    need, _new = ChargeNeed.objects.update_or_create(
        hold_id=hold_id,
        defaults={
            "battery_pct": min(100, max(1, battery_pct)),
            "ready_by": ready_by,
            "noted_at": at,
        },
    )
    return need


def sync_demands(
    *,
    at: datetime.datetime,
    vehicle_ids: Collection[int] | None = None,
    by: Principal = CHARGER,
) -> dict[str, int]:
    """Bring what chargers are asked for in line with what vehicles at them want now.

    1. A plugged vehicle wants what its next promise needs by its hour, else the everyday charge.
    2. A demand that is about right is left alone. 3. One of a vehicle that has enough, or has
    left, is withdrawn. `vehicle_ids` looks at these only.
    """
    counts: Counter[str] = Counter()
    with transaction.atomic():
        # Two rounds at once would ask twice.
        locks.advisory("fleet-energy")
        there = plugged(vehicle_ids=vehicle_ids)
        needs = _needs(there, at=at)
        standing = _standing(vehicle_ids)
        for vehicle_id, plug in there.items():
            wish = wish_of(
                battery_wh=plug.vehicle.type.battery_wh,
                battery_pct=plug.battery_pct,
                needs=needs[vehicle_id],
                at=at,
            )
            mine = standing.pop(owner_ref(plug.vehicle), [])
            counts[_bring_in_line(plug, wish, mine, at=at, by=by)] += 1
        for demands in standing.values():
            for demand in demands:
                withdraw_demand(demand=demand, at=at, by=by)
                counts["withdrawn"] += 1
    return {name: counts[name] for name in ("demanded", "kept", "withdrawn", "occupied")}


def _needs(there: dict[int, Plugged], *, at: datetime.datetime) -> dict[int, list[Need]]:
    found: defaultdict[int, list[Need]] = defaultdict(list)
    rows = ChargeNeed.objects.waiting(at=at).filter(hold__vehicle__in=list(there))
    for vehicle_id, pct, ready_by in rows.values_list("hold__vehicle", "battery_pct", "ready_by"):
        found[vehicle_id].append(Need(battery_pct=pct, ready_by=ready_by))
    return found


def _standing(vehicle_ids: Collection[int] | None) -> dict[str, list[EnergyDemand]]:
    demands = EnergyDemand.objects.waiting().filter(owner_ref__startswith=OWNER)
    if vehicle_ids is not None:
        vehicles = Vehicle.objects.filter(pk__in=vehicle_ids)
        demands = demands.filter(owner_ref__in=[owner_ref(vehicle) for vehicle in vehicles])
    found: defaultdict[str, list[EnergyDemand]] = defaultdict(list)
    for demand in demands.order_by("pk"):
        found[demand.owner_ref].append(demand)
    return found


def _bring_in_line(
    plug: Plugged,
    wish: Wish | None,
    mine: list[EnergyDemand],
    *,
    at: datetime.datetime,
    by: Principal,
) -> str:
    """What was done: demanded, kept, withdrawn, or occupied by somebody else's demand."""
    here = next((one for one in mine if one.connector_id == plug.connector_id), None)
    for demand in mine:
        if demand is not here or wish is None:
            withdraw_demand(demand=demand, at=at, by=by)
    if wish is None:
        return "withdrawn" if mine else "kept"
    delivered = here.delivered_wh if here else 0
    if here is not None and is_right(
        wish=wish,
        left_wh=here.energy_wh - delivered,
        ready_by=here.ready_by,
        priority=here.priority,
        battery_wh=plug.vehicle.type.battery_wh,
    ):
        return "kept"
    try:
        demand_energy(
            connector_id=plug.connector_id,
            owner_ref=owner_ref(plug.vehicle),
            energy_wh=delivered + wish.energy_wh,
            ready_by=wish.ready_by,
            priority=wish.priority,
            at=at,
            by=by,
        )
    except ConnectorDemanded:
        # Its rider said by when they want to leave; they know it better than we do.
        log.info("fleet.connector_demanded", connector=plug.connector_id)
        return "occupied"
    return "demanded"
