"""The places of a site where a vehicle may draw current, with all that matters for its plan.

A place is an EVSE: it charges one vehicle at a time, whichever of its connectors is used. Currents
are tenths of an ampere on each phase.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from charging.devices import queries as devices
from charging.energy import rules
from charging.energy.models import ChargingLimit, ChargingProfile, EnergyDemand
from charging.energy.services.demands import count_delivery
from charging.energy.services.profiles import GUARD_LEVEL
from charging.energy.states import DEMAND_WAITING, ProfilePurpose, ProfileState
from charging.sessions.models import ChargingSession
from charging.stations.models import Connector


@dataclass(slots=True)
class Place:
    """An EVSE. Its profiles hang on `connector`, its first; `plug` is the one in use, or the strongest."""

    connector: Connector
    plug: Connector
    max_da: int
    session: ChargingSession | None = None
    demand: EnergyDemand | None = None
    default: ChargingProfile | None = None
    guard: ChargingProfile | None = None
    plan: ChargingProfile | None = None
    share_da: int = 0
    levels: bool = True
    """Whether the station takes a second default above the first."""

    @property
    def key(self) -> int:
        """Its first connector's id."""
        return self.connector.pk

    @property
    def online(self) -> bool:
        return self.connector.evse.station.connected_at is not None

    def static_da(self) -> int:
        """What it may draw when nobody hears of us: its share, if the station knows of it."""
        if self.default is None or self.default.confirmed_da is None:
            return self.max_da
        return max(self.default.confirmed_da, _asked(self.default))

    def unplanned_da(self, *, at: datetime) -> int:
        """What a vehicle may draw here before it has a plan: the guard, while it holds."""
        guarded = self.guarded_da(at=at)
        return self.static_da() if guarded is None else guarded

    def guarded_da(self, *, at: datetime) -> int | None:
        """The guard in force, or a higher one on its way; None where there is none."""
        guard = self.guard
        if guard is None or not in_force(guard, at=at):
            return None
        return max(guard.confirmed_da or 0, _asked(guard))

    def hold_da(self, *, at: datetime) -> int:
        """The most it may draw now: what is confirmed, or asked for and perhaps there.

        A place without a session counts too, and what comes after the session that is there: one
        may begin, and draws before we hear of it.
        """
        plan, session, unplanned = self.plan, self.session, self.unplanned_da(at=at)
        if plan is None or session is None or plan.transaction_ref != session.transaction_ref:
            return unplanned
        confirmed = plan.confirmed_da or 0 if in_force(plan, at=at) else 0
        return max(unplanned, confirmed, _asked(plan))


def in_force(profile: ChargingProfile, *, at: datetime) -> bool:
    """Whether the station confirmed it and it has not ended."""
    until = profile.confirmed_valid_to
    return profile.confirmed_da is not None and until is not None and until > at


def places_of(site_id: int, *, at: datetime) -> list[Place]:
    """All places of a site in the order of their connectors, deliveries counted."""
    connectors = list(
        Connector.objects.filter(evse__station__site_id=site_id)
        .select_related("evse__station")
        .order_by("evse_id", "number", "pk")
    )
    by_evse: dict[int, Place] = {}
    by_connector: dict[int, Place] = {}
    for connector in connectors:
        most = most_da(connector)
        place = by_evse.setdefault(connector.evse_id, Place(connector, connector, most))
        if most > place.max_da:
            place.plug, place.max_da = connector, most
        by_connector[connector.pk] = place
    _add_sessions(by_connector, {connector.pk: connector for connector in connectors})
    _add_demands(by_connector, at=at)
    _add_profiles(by_connector)
    places = sorted(by_evse.values(), key=lambda place: place.key)
    _add_levels(places)
    _apply_limits_of_others(places)
    return places


def most_da(connector: Connector) -> int:
    """The most a connector can draw on each phase."""
    return rules.max_current_da(power_w=connector.max_power_w, power_type=connector.power_type)


def _asked(profile: ChargingProfile) -> int:
    return profile.limit_da if profile.state == ProfileState.ASKED else 0


def _add_sessions(places: dict[int, Place], connectors: dict[int, Connector]) -> None:
    for session in ChargingSession.objects.open().filter(connector__in=places).order_by("pk"):
        used = session.connector_id or 0
        places[used].session = session
        places[used].plug = connectors[used]
        places[used].max_da = most_da(connectors[used])


def _add_demands(places: dict[int, Place], *, at: datetime) -> None:
    demands = EnergyDemand.objects.select_for_update(of=("self",)).select_related("connector")
    for demand in demands.waiting().filter(connector__in=places).order_by("pk"):
        place = places[demand.connector_id]
        counted = count_delivery(demand=demand, session=place.session, at=at)
        place.demand = counted if counted.state in DEMAND_WAITING else None


def _add_profiles(places: dict[int, Place]) -> None:
    for profile in ChargingProfile.objects.filter(connector__in=places):
        place = places[profile.connector_id]
        if profile.connector_id != place.key:
            continue
        if profile.purpose == ProfilePurpose.TX:
            place.plan = profile
        elif profile.purpose == ProfilePurpose.TX_DEFAULT and profile.stack_level == GUARD_LEVEL:
            place.guard = profile
        elif profile.purpose == ProfilePurpose.TX_DEFAULT:
            place.default = profile


def _add_levels(places: Iterable[Place]) -> None:
    stations = {place.connector.evse.station_id for place in places}
    highest: Final = devices.highest_levels(station_ids=list(stations))
    for place in places:
        place.levels = highest.get(place.connector.evse.station_id, GUARD_LEVEL) >= GUARD_LEVEL


def _apply_limits_of_others(places: list[Place]) -> None:
    """A station under a limit of others shares it equally among its sessions."""
    stations = {place.connector.evse.station_id for place in places}
    limits = ChargingLimit.objects.in_force().filter(
        station_id__in=stations, limit_da__isnull=False
    )
    for limit in limits:
        under = [
            place
            for place in places
            if place.connector.evse.station_id == limit.station_id
            and limit.evse in (0, place.connector.evse.number)
        ]
        busy = [place for place in under if place.session is not None] or under
        for place in under:
            place.max_da = min(place.max_da, (limit.limit_da or 0) // len(busy))
