"""Limits that others put on stations, and what vehicles say they want."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from charging.devices.services import fitting
from charging.devices.states import Kept
from charging.energy import rules
from charging.energy.events import NeedsTold, SiteLoadChanged
from charging.energy.facts import EnergyFact, LimitClearedSaid, LimitSaid, NeedsSaid
from charging.energy.models import ChargingLimit, SiteLoad
from charging.energy.services.demands import ConnectorDemanded, DemandTooLate, demand_energy
from charging.sessions.models import ChargingSession
from charging.stations.models import ChargingStation
from charging.stations.services import NoSuchConnector
from mobility.core import outbox
from mobility.core.principals import charger_principal

# A vehicle that does not say when it leaves is in the hurry of somebody who shops.
_USUAL_STAY: Final = timedelta(hours=4)


def record_facts(*, facts: Sequence[EnergyFact], at: datetime) -> list[bool]:
    """Keep what stations tell of limits and needs; True where we will act on it.

    The sites concerned are planned anew.
    """
    answers = [_record(fact, at=at) for fact in facts]
    stations = {fact.station_id for fact in facts}
    sites = ChargingStation.objects.filter(pk__in=stations, site__load__managed=True)
    site_ids = set(sites.values_list("site_id", flat=True))
    outbox.publish(*[SiteLoadChanged(site_id=pk, why="limit") for pk in sorted(site_ids)], at=at)
    return answers


def _record(fact: EnergyFact, *, at: datetime) -> bool:
    if isinstance(fact, NeedsSaid):
        return _take_needs(fact, at=at)
    held = ChargingLimit.objects.in_force().filter(
        station_id=fact.station_id, evse=fact.evse_number, source=fact.source
    )
    if isinstance(fact, LimitClearedSaid):
        held.update(cleared_at=at)
        return True
    _replace(fact, at=at)
    return True


def _replace(fact: LimitSaid, *, at: datetime) -> None:
    values = {
        "limit_da": _limit_da(fact),
        "grid_critical": fact.grid_critical,
        "schedules": fact.schedules,
        "since": at,
    }
    held = ChargingLimit.objects.in_force().filter(station_id=fact.station_id)
    same = held.filter(evse=fact.evse_number, source=fact.source)
    if same.update(**values):
        return
    for one in fitting([fact], kept=held, kind=Kept.LIMITS, station_id=fact.station_id, at=at):
        ChargingLimit.objects.create(
            station_id=one.station_id, evse=one.evse_number, source=one.source, **values
        )


def _limit_da(fact: LimitSaid) -> int | None:
    named = []
    if fact.limit_a is not None:
        named.append(rules.current_of_amperes(amperes=fact.limit_a))
    if fact.limit_w is not None:
        named.append(rules.current_of_watts(power_w=fact.limit_w))
    return min(named, default=None)


def _take_needs(fact: NeedsSaid, *, at: datetime) -> bool:
    """Whether we will act on what a vehicle wants; it is told to the workers."""
    session = (
        ChargingSession.objects.open()
        .filter(station_id=fact.station_id, connector__evse__number=fact.evse_number)
        .select_related("station")
        .order_by("-id")
        .first()
    )
    if session is None or session.connector_id is None:
        return False
    if not SiteLoad.objects.filter(site=session.station.site_id, managed=True).exists():
        return False
    if fact.energy_wh is not None and fact.energy_wh > 0:
        # A worker makes the demand: the planner may hold its row just now.
        told = NeedsTold(
            session_id=str(session.public_id),
            connector_id=session.connector_id,
            station_identity=session.station.identity,
            energy_wh=min(fact.energy_wh, rules.MOST_WH),
            ready_by=fact.departure or at + _USUAL_STAY,
        )
        outbox.publish(told, at=at)
    return True


def take_needs(*, event: NeedsTold, at: datetime) -> None:
    """Make a vehicle's wish a demand, unless somebody wants something else there already."""
    with suppress(ConnectorDemanded, DemandTooLate, NoSuchConnector):
        demand_energy(
            connector_id=event.connector_id,
            owner_ref=f"session:{event.session_id}",
            energy_wh=event.energy_wh,
            ready_by=event.ready_by,
            at=at,
            by=charger_principal(event.station_identity),
        )
