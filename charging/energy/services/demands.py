"""Energy demands: made by whoever needs a vehicle charged, met by sessions at their connector.

DomainError
├── Conflict  ConnectorDemanded
└── Invalid   DemandTooLate
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from charging.energy.events import EnergyDemandFinished, SiteLoadChanged
from charging.energy.models import EnergyDemand
from charging.energy.states import DemandState
from charging.sessions.models import ChargingSession
from charging.stations.models import Connector
from charging.stations.services import NoSuchConnector
from mobility.core import audit, outbox
from mobility.core.errors import Conflict, Invalid
from mobility.core.principals import SYSTEM, Principal
from mobility.core.transitions import move


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
    if ready_by <= at:
        raise DemandTooLate
    connector = (
        Connector.objects.select_for_update(of=("self",))
        .select_related("evse__station")
        .filter(pk=connector_id)
        .first()
    )
    if connector is None:
        raise NoSuchConnector
    demand = EnergyDemand.objects.waiting().filter(connector=connector).first()
    if demand is not None and demand.owner_ref != owner_ref:
        raise ConnectorDemanded
    wish = {"energy_wh": energy_wh, "ready_by": ready_by, "priority": priority}
    if demand is None or demand.state == DemandState.MISSED:
        if demand is not None:
            _finish(demand, to=DemandState.WITHDRAWN, at=at, by=by)
        demand = EnergyDemand.objects.create(
            connector=connector, owner_ref=owner_ref, created_at=at, **wish
        )
    else:
        EnergyDemand.objects.filter(pk=demand.pk).update(**wish)
        demand.refresh_from_db()
    audit.record(by=by, action="demand_energy", row=demand, at=at)
    _replan([connector.evse.station.site_id], at=at)
    return demand


@transaction.atomic
def withdraw_demand(*, demand: EnergyDemand, at: datetime, by: Principal) -> EnergyDemand:
    """The energy is not needed any more; a demand that is over stays as it is."""
    row = EnergyDemand.objects.select_for_update().get(pk=demand.pk)
    if row.state in (DemandState.OPEN, DemandState.MISSED):
        _finish(row, to=DemandState.WITHDRAWN, at=at, by=by)
        _replan([row.connector.evse.station.site_id], at=at)
    return row


def count_delivery(
    *, demand: EnergyDemand, session: ChargingSession | None, at: datetime
) -> EnergyDemand:
    """Add what the session at the connector brought since the last look; in the caller's transaction.

    A demand that has its energy is met; one whose time is over without it is missed, and goes on
    waiting as the most urgent of all.
    """
    if session is not None:
        if demand.session_id != session.pk:
            demand.session, demand.baseline_wh = session, session.energy_wh
        gained = session.energy_wh - demand.baseline_wh
        if gained > 0:
            demand.delivered_wh += gained
            demand.baseline_wh = session.energy_wh
        demand.save(update_fields=["session", "baseline_wh", "delivered_wh"])
    if demand.delivered_wh >= demand.energy_wh:
        _finish(demand, to=DemandState.MET, at=at, by=SYSTEM)
    elif demand.state == DemandState.OPEN and demand.ready_by <= at:
        _finish(demand, to=DemandState.MISSED, at=at, by=SYSTEM)
    return demand


def _finish(demand: EnergyDemand, *, to: str, at: datetime, by: Principal) -> None:
    move(demand, to=to, at=at, by=by, finished_at=at)
    event = EnergyDemandFinished(
        demand_id=str(demand.public_id),
        connector_id=str(demand.connector.public_id),
        owner_ref=demand.owner_ref,
        state=demand.state,
        delivered_wh=demand.delivered_wh,
    )
    outbox.publish(event, at=at)


def _replan(site_ids: Iterable[int], *, at: datetime) -> None:
    events = [SiteLoadChanged(site_id=pk, why="demand") for pk in site_ids]
    outbox.publish(*events, at=at)
