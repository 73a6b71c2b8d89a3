"""Planning a site: who may draw how much now, and which profiles say so.

DomainError
└── Invalid  NoSiteLimit
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from charging.devices import queries as devices
from charging.energy import rules
from charging.energy.events import SiteLoadChanged
from charging.energy.models import ChargingProfile, SiteLoad
from charging.energy.queries import forget_managed_sites
from charging.energy.services.places import Place, places_of
from charging.energy.services.profiles import GUARD_LEVEL, VALID_FOR, send_profile
from charging.energy.states import ProfilePurpose, ProfileState
from charging.stations.models import Connector, Site
from mobility.core import audit, outbox, sweeps
from mobility.core.errors import Invalid
from mobility.core.principals import Principal

# Renewed long before it ends, so that one lost call does not cost a session its plan.
_RENEW_BEFORE: Final = VALID_FOR / 2
_PLAN_EVERY: Final = timedelta(minutes=3)
# A station that refused a profile is asked again after a while, not at each plan.
_ASK_AGAIN_AFTER: Final = timedelta(minutes=10)
# What a profile's command ended with when the station said nothing.
_SILENT: Final = frozenset({"no_answer", "connection_lost", "not_sent_in_time", "offline"})


class NoSiteLimit(Invalid):
    """Nothing to share out: the site has no limit."""

    code = "no_site_limit"
    message = _("Give the site a limit in amperes, or its grid connection one in watts, first.")


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
    2. Every EVSE gets its fair share as a default, in force when nobody hears of us.
    3. Stations we cannot reach keep what they have; it is taken off the limit. So is the share of
       those that take no guard.
    4. The rest is shared out earliest deadline first. What is left over is what a vehicle may draw
       that begins at a free place before we hear of it: that place's guard, a second default
       above the first, which ends by itself.
    5. All is sent so that the limit holds in between, whoever answers first or never.

    Answers connector id → tenths of an ampere per phase; empty for a site that is not shared out.
    """
    load = SiteLoad.objects.select_for_update().filter(site=site_id, managed=True).first()
    limit_da = _limit_da(load, Site.objects.get(pk=site_id)) if load is not None else None
    if load is None or limit_da is None:
        return {}
    places = places_of(site_id, at=at)
    units = devices.rate_units(station_ids=[p.connector.evse.station_id for p in places])
    shares = rules.static_shares(
        limit_da=limit_da, most={place.key: place.max_da for place in places}
    )
    for place in places:
        place.share_da = shares[place.key]
        _send_default(place, unit=_unit(place, units), at=at)
    budget_da = limit_da - _beyond_us(places, at=at)
    busy = {p.key: p for p in places if p.online and p.session is not None}
    targets = rules.allocate(limit_da=budget_da, wants=[_want(place) for place in busy.values()])
    idle = {p.key: p for p in places if p.online and p.session is None and _takes_guard(p, at=at)}
    guards = _guards(idle, left_da=budget_da - sum(targets.values()))
    steps = rules.step(
        targets={**targets, **guards},
        holds={key: place.hold_da(at=at) for key, place in {**busy, **idle}.items()},
        budget_da=budget_da,
        order=[
            *(want.key for want in sorted(map(_want, busy.values()), key=lambda want: want.turn)),
            *idle,
        ],
        shares=shares,
    )
    for key, place in idle.items():
        _send_guard(place, steps[key], unit=_unit(place, units), at=at)
    for key, place in busy.items():
        _send_plan(place, steps[key], unit=_unit(place, units), at=at)
        if _takes_guard(place, at=at):
            # Whoever comes after it may draw as much as is given to this place anyway.
            after = _usable(min(place.share_da, steps[key]))
            _send_guard(place, after, unit=_unit(place, units), at=at)
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


def _beyond_us(places: list[Place], *, at: datetime) -> int:
    """What may be drawn where no word of ours comes in time.

    At stations without a connection a session may begin unheard, and guards and plans end; at free
    places whose station takes no guard it begins with its share.
    """
    away = sum(max(p.hold_da(at=at), p.static_da()) for p in places if not p.online)
    unguarded = sum(
        p.hold_da(at=at)
        for p in places
        if p.online and p.session is None and not _takes_guard(p, at=at)
    )
    return away + unguarded


def _takes_guard(place: Place, *, at: datetime) -> bool:
    """Whether the station can be told what a newcomer may draw; not one that refused just now."""
    return place.levels and not _refused_lately(place.guard, at=at)


def _refused_lately(profile: ChargingProfile | None, *, at: datetime) -> bool:
    """Whether the station said no a short while ago; silence is no answer, and is asked again."""
    return (
        profile is not None
        and profile.state == ProfileState.REJECTED
        and profile.problem not in _SILENT
        and profile.sent_at is not None
        and profile.sent_at > at - _ASK_AGAIN_AFTER
    )


def _guards(idle: dict[int, Place], *, left_da: int) -> dict[int, int]:
    """What a newcomer may draw at each free place: together no more than is left over."""
    each = max(left_da, 0) // max(len(idle), 1)
    return {key: _usable(min(place.share_da, each)) for key, place in idle.items()}


def _usable(current: int) -> int:
    """With less than a vehicle can use it draws nothing until it has a plan, a moment later."""
    return current if current >= rules.MIN_DA else 0


def _want(place: Place) -> rules.Want:
    session, demand = place.session, place.demand
    # Only places with a session want anything; this narrows the type.
    assert session is not None
    most = place.max_da
    full = "SuspendedEV" in (session.charging_state, place.plug.status_detail)
    return rules.Want(
        key=place.key,
        # A vehicle that takes nothing keeps the least it could start again with.
        max_da=min(most, rules.MIN_DA) if full else most,
        started_at=session.started_at or session.heard_at,
        ready_by=demand.ready_by if demand else None,
        priority=demand.priority if demand else 5,
    )


def _send_default(place: Place, *, unit: str, at: datetime) -> None:
    known = place.default
    if not place.online:
        return
    if known is not None and known.limit_da == place.share_da:
        if known.state == ProfileState.SET or _refused_lately(known, at=at):
            return
        if _just_asked(known, place.share_da, at=at):
            return
    place.default = send_profile(
        connector=place.connector,
        power_type=place.plug.power_type,
        purpose=ProfilePurpose.TX_DEFAULT,
        limit_da=place.share_da,
        unit=unit,
        at=at,
    )


def _send_guard(place: Place, current: int, *, unit: str, at: datetime) -> None:
    """Tell a free place what a newcomer may draw; less at once, more only where it helps."""
    in_force_da, guard = place.guarded_da(at=at), place.guard
    if in_force_da is None:
        # Without a guard the share counts, which the station has or is just being told.
        wanted = current < place.share_da and not _just_asked(guard, current, at=at)
    elif current < in_force_da:
        wanted = not _just_asked(guard, current, at=at)
    else:
        # A guard of the whole share may lapse: the share is what holds then.
        helps = current > in_force_da and (in_force_da < rules.MIN_DA or current >= place.share_da)
        ends = guard is None or guard.valid_to is None or guard.valid_to <= at + _RENEW_BEFORE
        wanted = (helps or (ends and current < place.share_da)) and not _just_asked(
            guard, current, at=at
        )
    if wanted:
        send_profile(
            connector=place.connector,
            power_type=place.plug.power_type,
            purpose=ProfilePurpose.TX_DEFAULT,
            level=GUARD_LEVEL,
            limit_da=current,
            unit=unit,
            at=at,
            valid_for=VALID_FOR,
        )


def _just_asked(profile: ChargingProfile | None, current: int, *, at: datetime) -> bool:
    """Whether exactly this is on its way already."""
    return (
        profile is not None
        and profile.state == ProfileState.ASKED
        and profile.limit_da == current
        and profile.sent_at is not None
        and profile.sent_at > at - _RENEW_BEFORE
    )


def _send_plan(place: Place, current: int, *, unit: str, at: datetime) -> None:
    if place.session is not None and _is_news(place, current, at=at):
        send_profile(
            connector=place.connector,
            power_type=place.plug.power_type,
            purpose=ProfilePurpose.TX,
            limit_da=current,
            unit=unit,
            at=at,
            valid_for=VALID_FOR,
            transaction_ref=place.session.transaction_ref,
        )


def _is_news(place: Place, current: int, *, at: datetime) -> bool:
    """Whether the station does not have this yet, or not for much longer."""
    plan, session = place.plan, place.session
    if plan is None or session is None or plan.transaction_ref != session.transaction_ref:
        return True
    if plan.state == ProfileState.REJECTED and plan.limit_da == current:
        return not _refused_lately(plan, at=at)
    ends = plan.valid_to is None or plan.valid_to <= at + _RENEW_BEFORE
    return plan.limit_da != current or (ends and plan.state == ProfileState.SET)


def _unit(place: Place, units: dict[int, str]) -> str:
    """Amperes, unless the station takes only watts; DC chargers are asked in watts."""
    said = units.get(place.connector.evse.station_id, "")
    if place.plug.power_type == Connector.PowerType.DC and rules.takes_unit("W", said=said):
        return "W"
    return "A" if rules.takes_unit("A", said=said) else "W"
