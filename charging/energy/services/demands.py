"""Energy demands: made by whoever needs a vehicle charged, met by sessions at their connector.

DomainError
├── Conflict  ConnectorDemanded
└── Invalid   DemandTooLate
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from charging.energy.events import EnergyDemandFinished, SiteLoadChanged
from charging.energy.facts import EnergyWish
from charging.energy.models import EnergyDemand, SiteLoad
from charging.energy.states import DemandState
from charging.sessions.models import ChargingSession
from charging.stations.models import Connector
from charging.stations.services import NoSuchConnector
from mobility.core import audit, outbox
from mobility.core.errors import Conflict, Invalid
from mobility.core.models import AuditEntry
from mobility.core.principals import SYSTEM, Principal
from mobility.core.transitions import move_many


class ConnectorDemanded(Conflict):
    """Somebody else's demand waits at this connector."""

    code = "connector_demanded"
    message = _("Somebody else already waits for energy at this connector.")


class DemandTooLate(Invalid):
    """The time by which it should be there is over."""

    code = "demand_too_late"
    message = _("The time by which the energy should be there is over already.")


@transaction.atomic
def demand_energy(
    *,
    connector_id: int,
    owner_ref: str,
    energy_wh: int,
    ready_by: datetime,
    at: datetime,
    by: Principal,
    priority: int = 5,
) -> EnergyDemand:
    """Want `energy_wh` (Wh) at a connector by `ready_by`; priority 1 comes before 9.

    The same owner's waiting demand is changed, what it got so far counts. The site is planned
    anew. Raises NoSuchConnector, ConnectorDemanded, DemandTooLate.
    """
    wish = EnergyWish(
        connector_id=connector_id,
        owner_ref=owner_ref,
        energy_wh=energy_wh,
        ready_by=ready_by,
        priority=priority,
    )
    taken = _change([wish], [], at=at, by=by)
    if not taken:
        raise ConnectorDemanded
    return taken[0]


@transaction.atomic
def withdraw_demand(*, demand: EnergyDemand, at: datetime, by: Principal) -> EnergyDemand:
    """The energy is not needed any more; a demand that is over stays as it is."""
    _change([], [demand.pk], at=at, by=by)
    return EnergyDemand.objects.select_related("connector").get(pk=demand.pk)


@transaction.atomic
def change_demands(
    *,
    wishes: Sequence[EnergyWish],
    withdrawn: Collection[int] = (),
    at: datetime,
    by: Principal,
) -> set[int]:
    """Withdraw the demands with these ids and take these wishes, one a connector, all at once.

    Each site is planned anew once, however much changes there. Answers the connectors whose wish
    was taken; at the others somebody else's demand waits. Raises NoSuchConnector, DemandTooLate.
    """
    return {demand.connector_id for demand in _change(wishes, withdrawn, at=at, by=by)}


def _change(
    wishes: Sequence[EnergyWish], withdrawn: Collection[int], *, at: datetime, by: Principal
) -> list[EnergyDemand]:
    """1. Lock the sites, as their planner does, then the connectors. 2. Withdraw. 3. Take wishes."""
    if any(wish.ready_by <= at for wish in wishes):
        raise DemandTooLate
    gone = EnergyDemand.objects.waiting().filter(pk__in=withdrawn)
    of_gone = gone.values_list("connector__evse__station__site_id", flat=True)
    there = Connector.objects.filter(pk__in=[wish.connector_id for wish in wishes])
    sites = {*of_gone, *there.values_list("evse__station__site_id", flat=True)}
    list(SiteLoad.objects.select_for_update().filter(site__in=sites).order_by("site"))
    connectors = {row.pk: row for row in there.select_for_update(of=("self",)).order_by("pk")}
    if any(wish.connector_id not in connectors for wish in wishes):
        raise NoSuchConnector
    held = gone.select_for_update(of=("self",)).select_related("connector").order_by("pk")
    _finish(list(held), to=DemandState.WITHDRAWN, at=at, by=by)
    taken = _take(wishes, connectors, at=at, by=by)
    outbox.publish(*[SiteLoadChanged(site_id=pk, why="demand") for pk in sorted(sites)], at=at)
    return taken


def _take(
    wishes: Sequence[EnergyWish],
    connectors: Mapping[int, Connector],
    *,
    at: datetime,
    by: Principal,
) -> list[EnergyDemand]:
    """The demands that wishes have become; none where somebody else's waits."""
    rows = EnergyDemand.objects.waiting().select_for_update(of=("self",))
    waiting = {
        row.connector_id: row for row in rows.filter(connector__in=connectors).order_by("pk")
    }
    made, changed, late = [], [], []
    for wish in wishes:
        row = waiting.get(wish.connector_id)
        if row is not None and row.owner_ref != wish.owner_ref:
            continue
        if row is not None and row.state == DemandState.OPEN:
            changed.append(_changed(row, wish))
            continue
        if row is not None:
            late.append(row)
        made.append(_changed(EnergyDemand(owner_ref=wish.owner_ref, created_at=at), wish))
    for row in (*changed, *made, *late):
        row.connector = connectors[row.connector_id]
    _finish(late, to=DemandState.WITHDRAWN, at=at, by=by)
    EnergyDemand.objects.bulk_update(changed, ["energy_wh", "ready_by", "priority"])
    taken = [*changed, *EnergyDemand.objects.bulk_create(made)]
    entries = [audit.entry(by=by, action="demand_energy", row=row, at=at) for row in taken]
    AuditEntry.objects.bulk_create(entries)
    return taken


def _changed(row: EnergyDemand, wish: EnergyWish) -> EnergyDemand:
    row.connector_id, row.energy_wh = wish.connector_id, wish.energy_wh
    row.ready_by, row.priority = wish.ready_by, wish.priority
    return row


def count_delivery(
    *, demand: EnergyDemand, session: ChargingSession | None, at: datetime
) -> EnergyDemand:
    """Add what the session at the connector brought since the last look; in the caller's transaction.

    A demand that has its energy is met; one whose time is over without it is missed, and goes on
    waiting as the most urgent of all.
    """
    gained = 0 if session is None else _gained(demand, session)
    if session is not None and (demand.session_id != session.pk or gained > 0):
        demand.session, demand.baseline_wh = session, session.energy_wh
        demand.delivered_wh += gained
        demand.save(update_fields=["session", "baseline_wh", "delivered_wh"])
    if demand.delivered_wh >= demand.energy_wh:
        _finish([demand], to=DemandState.MET, at=at, by=SYSTEM)
    elif demand.state == DemandState.OPEN and demand.ready_by <= at:
        _finish([demand], to=DemandState.MISSED, at=at, by=SYSTEM)
    return demand


def _gained(demand: EnergyDemand, session: ChargingSession) -> int:
    """Wh since the last look; what a session brought before the demand met it counts for nobody."""
    met_before = demand.session_id == session.pk
    return max(session.energy_wh - demand.baseline_wh, 0) if met_before else 0


def _finish(rows: Sequence[EnergyDemand], *, to: str, at: datetime, by: Principal) -> None:
    moved = move_many(rows, to=to, at=at, by=by, finished_at=at)
    events = [
        EnergyDemandFinished(
            demand_id=str(row.public_id),
            connector_id=str(row.connector.public_id),
            owner_ref=row.owner_ref,
            state=row.state,
            delivered_wh=row.delivered_wh,
        )
        for row in moved
    ]
    outbox.publish(*events, at=at)
