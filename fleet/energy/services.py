"""What vehicles at a plug want, written down where chargers share out their power.

Charging knows no vehicles: it gets so much energy by a time at a connector, under a name.
"""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import structlog
from django.db import transaction

from charging.energy.facts import EnergyWish
from charging.energy.models import EnergyDemand
from charging.energy.services import change_demands
from fleet.energy.models import ChargeNeed
from fleet.energy.queries import OWNER, Plugged, owner_ref, plugs
from fleet.energy.rules import Need, Wish, is_right, wish_of
from fleet.vehicles.models import Vehicle
from mobility.core import locks, sweeps
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A vehicle: where it hangs, what it wants now, and the demands under its name."""

    ref: str
    plug: Plugged | None
    wish: Wish | None
    demands: list[EnergyDemand]
    asked_at: list[int]
    """The sites of its demands."""

    @property
    def here(self) -> EnergyDemand | None:
        """The demand at the plug it hangs on."""
        where = self.plug.connector_id if self.plug else None
        return next((one for one in self.demands if one.connector_id == where), None)

    @property
    def over(self) -> list[int]:
        """Demands at other plugs, and all of a vehicle that has enough."""
        kept = self.here if self.wish else None
        return [one.pk for one in self.demands if one is not kept]

    @property
    def wanted(self) -> EnergyWish | None:
        """What is to be asked for; None where nothing is wanted, or about that is asked already."""
        plug, wish, here = self.plug, self.wish, self.here
        if plug is None or wish is None:
            return None
        delivered = here.delivered_wh if here else 0
        if here is not None and is_right(
            wish=wish,
            left_wh=here.energy_wh - delivered,
            ready_by=here.ready_by,
            priority=here.priority,
            battery_wh=plug.vehicle.type.battery_wh,
        ):
            return None
        return EnergyWish(
            connector_id=plug.connector_id,
            owner_ref=self.ref,
            energy_wh=delivered + wish.energy_wh,
            ready_by=wish.ready_by,
            priority=wish.priority,
        )

    @property
    def in_line(self) -> bool:
        """Whether nothing is to be done."""
        return not self.over and self.wanted is None

    @property
    def sites(self) -> tuple[int, ...]:
        """The sites it concerns, in the order in which they are locked."""
        return tuple(sorted({*self.asked_at, *([self.plug.site_id] if self.plug else [])}))


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

    A round over all looks without any lock first. Where something is to be done, it is done site by
    site, each in a transaction of its own: so it keeps nobody waiting who plugs one in meanwhile.
    """
    if vehicle_ids is not None:
        done = _bring_in_line(_refs(vehicle_ids), at=at, by=by)
    else:
        done = _bring_all_in_line(at=at, by=by)
    return {name: done[name] for name in ("demanded", "kept", "withdrawn", "occupied")}


def _bring_all_in_line(*, at: datetime.datetime, by: Principal) -> Counter[str]:
    counts: Counter[str] = Counter()
    waiting: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
    for case in _cases(None, at=at):
        if case.in_line:
            counts["kept"] += 1
        else:
            waiting[case.sites].append(case.ref)
    for done in sweeps.each_alone(
        waiting.items(),
        lambda group: _bring_in_line(group[1], at=at, by=by),
        event="fleet.demands_not_synced",
        named=lambda group: group[0],
    ):
        counts += done
    return counts


@transaction.atomic
def _bring_in_line(refs: Collection[str], *, at: datetime.datetime, by: Principal) -> Counter[str]:
    """Look under the vehicles' locks and do what is to be done; how many were demanded and so on."""
    # Two at once would ask twice, and the slower one for what was true before.
    locks.advisory(*(f"fleet-energy:{ref}" for ref in refs))
    cases = _cases(refs, at=at)
    wishes = [case.wanted for case in cases if case.wanted is not None]
    over = [pk for case in cases for pk in case.over]
    taken = change_demands(wishes=wishes, withdrawn=over, at=at, by=by)
    occupied = [wish.connector_id for wish in wishes if wish.connector_id not in taken]
    if occupied:
        # Its rider said by when they want to leave; they know it better than we do.
        log.info("fleet.connectors_demanded", connectors=occupied)
    return Counter(
        demanded=len(taken),
        occupied=len(occupied),
        withdrawn=sum(1 for case in cases if case.over and case.wanted is None),
        kept=sum(1 for case in cases if case.in_line),
    )


def _refs(vehicle_ids: Collection[int]) -> set[str]:
    return {owner_ref(vehicle) for vehicle in Vehicle.objects.filter(pk__in=vehicle_ids)}


def _cases(refs: Collection[str] | None, *, at: datetime.datetime) -> list[_Case]:
    """Every plugged vehicle, and every other one under whose name a demand waits."""
    there = plugs(refs=refs)
    needs = _needs([plug.vehicle.pk for plug in there.values()], at=at)
    standing = _standing(refs)
    return [
        _Case(
            ref=ref,
            plug=there.get(ref),
            wish=_wish(there[ref], needs, at=at) if ref in there else None,
            demands=[demand for demand, _site in standing.get(ref, ())],
            asked_at=[site for _demand, site in standing.get(ref, ())],
        )
        for ref in [*there, *(standing.keys() - there.keys())]
    ]


def _wish(plug: Plugged, needs: Mapping[int, list[Need]], *, at: datetime.datetime) -> Wish | None:
    return wish_of(
        battery_wh=plug.vehicle.type.battery_wh,
        battery_pct=plug.battery_pct,
        needs=needs.get(plug.vehicle.pk, ()),
        at=at,
    )


def _needs(vehicle_ids: Collection[int], *, at: datetime.datetime) -> dict[int, list[Need]]:
    found: defaultdict[int, list[Need]] = defaultdict(list)
    rows = ChargeNeed.objects.waiting(at=at).filter(hold__vehicle__in=vehicle_ids)
    for vehicle_id, pct, ready_by in rows.values_list("hold__vehicle", "battery_pct", "ready_by"):
        found[vehicle_id].append(Need(battery_pct=pct, ready_by=ready_by))
    return found


def _standing(refs: Collection[str] | None) -> dict[str, list[tuple[EnergyDemand, int]]]:
    """The demands that wait under vehicles' names, each with its site."""
    demands = EnergyDemand.objects.waiting().filter(owner_ref__startswith=OWNER).order_by("pk")
    if refs is not None:
        demands = demands.filter(owner_ref__in=refs)
    sites = dict(demands.values_list("pk", "connector__evse__station__site"))
    found: defaultdict[str, list[tuple[EnergyDemand, int]]] = defaultdict(list)
    for demand in demands:
        # One that came between the two looks is the next round's.
        if demand.pk in sites:
            found[demand.owner_ref].append((demand, sites[demand.pk]))
    return found
