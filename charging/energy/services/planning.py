"""Planning a site: who may draw how much now, and which profiles say so.

DomainError
└── Invalid  NoSiteLimit
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from charging.devices import queries as devices
from charging.energy import rules
from charging.energy.events import SiteLoadChanged
from charging.energy.models import ChargingLimit, ChargingProfile, EnergyDemand, SiteLoad
from charging.energy.queries import forget_managed_sites
from charging.energy.services.demands import count_delivery
from charging.energy.services.profiles import VALID_FOR, send_profile
from charging.energy.states import DEMAND_WAITING, ProfilePurpose, ProfileState
from charging.sessions.models import ChargingSession
from charging.stations.models import Connector, Site
from mobility.core import audit, outbox, sweeps
from mobility.core.errors import Invalid
from mobility.core.principals import Principal

# Renewed long before it ends, so that one lost call does not cost a session its plan.
_RENEW_BEFORE: Final = VALID_FOR / 2
_PLAN_EVERY: Final = timedelta(minutes=3)
# A station that refused a profile is asked again after a while, not at each plan.
_ASK_AGAIN_AFTER: Final = timedelta(minutes=10)


class NoSiteLimit(Invalid):
    """Nothing to share out: the site has no limit."""

    code = "no_site_limit"
    message = _("Give the site a limit in amperes, or its grid connection one in watts, first.")


@dataclass(slots=True)
class _Place:
    """A connector with what matters for the plan."""

    connector: Connector
    max_da: int
    session: ChargingSession | None = None
    demand: EnergyDemand | None = None
    default: ChargingProfile | None = None
    plan: ChargingProfile | None = None
    share_da: int = 0

    @property
    def online(self) -> bool:
        return self.connector.evse.station.connected_at is not None

    def unplanned_da(self) -> int:
        """What it may draw without a plan of its own: its share, if the station knows of it."""
        if self.default is None or self.default.confirmed_da is None:
            return self.max_da
        return max(self.default.confirmed_da, self._asked(self.default))

    def hold_da(self, *, at: datetime) -> int:
        """The most it may draw now: what is confirmed, or asked for and perhaps there."""
        if self.session is None:
            return 0
        plan = self.plan
        if plan is None or plan.transaction_ref != self.session.transaction_ref:
            return self.unplanned_da()
        valid = plan.confirmed_valid_to is not None and plan.confirmed_valid_to > at
        confirmed = plan.confirmed_da if valid and plan.confirmed_da is not None else None
        base = self.unplanned_da() if confirmed is None else confirmed
        return max(base, self._asked(plan))

    @staticmethod
    def _asked(profile: ChargingProfile) -> int:
        return profile.limit_da if profile.state == ProfileState.ASKED else 0


@transaction.atomic
def set_site_load(
    *, site: Site, managed: bool, limit_a: int | None, at: datetime, by: Principal
) -> SiteLoad:
    """Share out what a site may draw (`limit_a` amperes per phase), or leave it alone.

    Without `limit_a` the limit follows from the grid connection's watts. Raises NoSiteLimit.
    """
    SiteLoad.objects.get_or_create(site=site)
    load = SiteLoad.objects.select_for_update().get(site=site)
    load.managed, load.limit_a, load.changed_at = managed, limit_a, at
    if managed and _limit_da(load, site) is None:
        raise NoSiteLimit
    load.save(update_fields=["managed", "limit_a", "changed_at"])
    # Now for this transaction's own events, at the commit for those who asked in between.
    forget_managed_sites()
    transaction.on_commit(forget_managed_sites)
    changes = {"managed": managed, "limit_a": limit_a}
    audit.record(by=by, action="set_site_load", row=site, at=at, changes=changes)
    outbox.publish(SiteLoadChanged(site_id=site.pk, why="limit"), at=at)
    return load


@transaction.atomic
def plan_site(*, site_id: int, at: datetime) -> dict[int, int]:
    """Decide who may draw how much at a site, and send what that changes.

    1. One planner at a time: the site's row is locked.
    2. Every connector gets its fair share as a default, in force when nobody hears of us.
    3. Stations we cannot reach keep what they have; it is taken off the limit.
    4. The rest is shared out earliest deadline first, and sent so that the limit holds in between.

    Answers connector id → tenths of an ampere per phase; empty for a site that is not shared out.
    """
    load = SiteLoad.objects.select_for_update().filter(site=site_id, managed=True).first()
    limit_da = _limit_da(load, Site.objects.get(pk=site_id)) if load is not None else None
    if load is None or limit_da is None:
        return {}
    places = _places(site_id, at=at)
    units = devices.rate_units(station_ids=[p.connector.evse.station_id for p in places])
    shares = rules.static_shares(
        limit_da=limit_da, most={place.connector.pk: place.max_da for place in places}
    )
    for place in places:
        place.share_da = shares[place.connector.pk]
        _send_default(place, unit=_unit(place, units), at=at)
    targets = _share_out(places, limit_da=limit_da, at=at)
    _send_plans(places, targets, limit_da=limit_da, units=units, at=at)
    load.plan = {str(pk): current for pk, current in targets.items()}
    load.planned_at = at
    load.save(update_fields=["plan", "planned_at"])
    return targets


def plan_due_sites(*, at: datetime) -> int:
    """Plan sites that nobody planned for a while, the longest ago first; returns how many.

    A site that cannot be planned is logged and does not keep the others waiting.
    """
    due = SiteLoad.objects.filter(managed=True).exclude(planned_at__gt=at - _PLAN_EVERY)
    longest_ago = due.order_by(F("planned_at").asc(nulls_first=True), "pk")
    planned = sweeps.each_alone(
        list(longest_ago.values_list("site_id", flat=True)[:200]),
        lambda site_id: plan_site(site_id=site_id, at=at),
        event="charging.planning_failed",
        named=lambda site_id: site_id,
    )
    return sum(1 for _targets in planned)


def _limit_da(load: SiteLoad, site: Site) -> int | None:
    if load.limit_a is not None:
        return load.limit_a * 10
    if site.grid_limit_w:
        return rules.current_of_watts(power_w=site.grid_limit_w)
    return None


def _places(site_id: int, *, at: datetime) -> list[_Place]:
    connectors = (
        Connector.objects.filter(evse__station__site_id=site_id)
        .select_related("evse__station")
        .order_by("pk")
    )
    places = {
        connector.pk: _Place(
            connector=connector,
            max_da=rules.max_current_da(
                power_w=connector.max_power_w, power_type=connector.power_type
            ),
        )
        for connector in connectors
    }
    for session in ChargingSession.objects.open().filter(connector__in=places).order_by("pk"):
        places[session.connector_id or 0].session = session
    demands = EnergyDemand.objects.select_for_update(of=("self",)).select_related("connector")
    for demand in demands.waiting().filter(connector__in=places).order_by("pk"):
        place = places[demand.connector_id]
        counted = count_delivery(demand=demand, session=place.session, at=at)
        place.demand = counted if counted.state in DEMAND_WAITING else None
    for profile in ChargingProfile.objects.filter(connector__in=places):
        if profile.purpose == ProfilePurpose.TX:
            places[profile.connector_id].plan = profile
        elif profile.purpose == ProfilePurpose.TX_DEFAULT:
            places[profile.connector_id].default = profile
    _apply_limits_of_others(list(places.values()))
    return list(places.values())


def _apply_limits_of_others(places: list[_Place]) -> None:
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


def _share_out(places: list[_Place], *, limit_da: int, at: datetime) -> dict[int, int]:
    """Connector → current for all sessions we reach; what we cannot reach is taken off first."""
    reached = [place for place in places if place.online and place.session is not None]
    return rules.allocate(
        limit_da=limit_da - _out_of_reach(places, at=at),
        wants=[_want(place) for place in reached],
    )


def _out_of_reach(places: list[_Place], *, at: datetime) -> int:
    """What stations without a connection may draw: a session may begin there unheard."""
    return sum(
        max(place.hold_da(at=at), place.unplanned_da()) for place in places if not place.online
    )


def _want(place: _Place) -> rules.Want:
    session, demand = place.session, place.demand
    # Only places with a session want anything; this narrows the type.
    assert session is not None
    most = place.max_da
    full = "SuspendedEV" in (session.charging_state, place.connector.status_detail)
    return rules.Want(
        key=place.connector.pk,
        # A vehicle that takes nothing keeps the least it could start again with.
        max_da=min(most, rules.MIN_DA) if full else most,
        started_at=session.started_at or session.heard_at,
        ready_by=demand.ready_by if demand else None,
        priority=demand.priority if demand else 5,
    )


def _send_default(place: _Place, *, unit: str, at: datetime) -> None:
    known = place.default
    if not place.online:
        return
    if known is not None and known.limit_da == place.share_da:
        fresh = known.sent_at is not None and known.sent_at > at - _ASK_AGAIN_AFTER
        if known.state == ProfileState.SET or fresh:
            return
    place.default = send_profile(
        connector=place.connector,
        purpose=ProfilePurpose.TX_DEFAULT,
        limit_da=place.share_da,
        unit=unit,
        at=at,
    )


def _send_plans(
    places: list[_Place],
    targets: dict[int, int],
    *,
    limit_da: int,
    units: dict[int, str],
    at: datetime,
) -> None:
    reached = {place.connector.pk: place for place in places if place.connector.pk in targets}
    wants = sorted((_want(place) for place in reached.values()), key=lambda want: want.turn)
    holds = {key: place.hold_da(at=at) for key, place in reached.items()}
    steps = rules.step(
        targets=targets,
        holds=holds,
        budget_da=limit_da - _out_of_reach(places, at=at),
        order=[want.key for want in wants],
    )
    for key, current in steps.items():
        place = reached[key]
        if _is_news(place, current, at=at) and place.session is not None:
            send_profile(
                connector=place.connector,
                purpose=ProfilePurpose.TX,
                limit_da=current,
                unit=_unit(place, units),
                at=at,
                transaction_ref=place.session.transaction_ref,
            )


def _is_news(place: _Place, current: int, *, at: datetime) -> bool:
    """Whether the station does not have this yet, or not for much longer."""
    plan, session = place.plan, place.session
    if plan is None or session is None or plan.transaction_ref != session.transaction_ref:
        return True
    if plan.state == ProfileState.REJECTED and plan.limit_da == current:
        return plan.sent_at is None or plan.sent_at <= at - _ASK_AGAIN_AFTER
    ends = plan.valid_to is None or plan.valid_to <= at + _RENEW_BEFORE
    return plan.limit_da != current or (ends and plan.state == ProfileState.SET)


def _unit(place: _Place, units: dict[int, str]) -> str:
    """Amperes, unless the station takes only watts; DC chargers are asked in watts."""
    said = units.get(place.connector.evse.station_id, "")
    takes_amps = not said or "Current" in said or "A" in said.split(",")
    takes_watts = not said or "Power" in said or "W" in said.split(",")
    if place.connector.power_type == Connector.PowerType.DC and takes_watts:
        return "W"
    return "A" if takes_amps else "W"
