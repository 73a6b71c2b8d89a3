"""What stands on a route sheet, for paper of either kind."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from charging.desk.rules import qr_path
from fleet.rebalancing import queries
from fleet.rebalancing.models import RebalancingPlan, RebalancingTask
from fleet.rebalancing.states import TaskKind
from fleet.vehicles.states import Kind
from mobility.core import clock
from mobility.core.money import format_money
from mobility.core.texts import pick


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One line of the route."""

    number: int
    what: str
    where: str
    when: str
    reason: str
    value: str
    locked: bool


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A van's day on one paper."""

    title: str
    organisation: str
    van: int
    crew: str
    made_at: datetime.datetime
    made: str
    version: int
    load: tuple[str, ...]
    aboard: tuple[str, ...]
    stops: tuple[Stop, ...]
    value: str
    address: str
    qr_side: int
    qr_code: str


def make_sheet(
    *, plan: RebalancingPlan, van: int, address: str, at: datetime.datetime
) -> Sheet | None:
    """The sheet of a van as the plan stands now, in the active language; None without such a van.

    `address` opens this very route on a phone; it is printed as a square code.
    """
    tour = next((one for one in queries.tours_of(plan) if one.van == van), None)
    if tour is None:
        return None
    places = {cell: pick(name) for cell, name in queries.hub_names().items()}
    side, code = qr_path(address)
    tasks = queries.tour_sheet(plan, van=van)
    return Sheet(
        title=tour.name or _("Van %(number)s") % {"number": van + 1},
        organisation=str(plan.organisation),
        van=van,
        crew=(tour.crew.name or tour.crew.email) if tour.crew else "",
        made_at=at,
        made=f"{clock.local(at):%d.%m.%Y %H:%M}",
        version=plan.version,
        load=tuple(_load(tour)),
        aboard=tuple(f"{Kind(kind).label}: {count}" for kind, count in tour.aboard.items()),
        stops=tuple(
            _stop(number, task, place=places.get(task.cell, ""))
            for number, task in enumerate(tasks, start=1)
        ),
        value=format_money(tour.value_cents),
        address=address,
        qr_side=side,
        qr_code=code,
    )


def _load(tour: queries.Tour) -> list[str]:
    """What to put into the van before it leaves."""
    return [
        ngettext(
            "%(count)s charged battery for %(model)s (%(wh)s Wh)",
            "%(count)s charged batteries for %(model)s (%(wh)s Wh each)",
            load.packs,
        )
        % {"count": load.packs, "model": pick(load.name) or load.model, "wh": load.capacity_wh}
        for load in tour.load
    ]


def _stop(number: int, task: RebalancingTask, *, place: str) -> Stop:
    when = getattr(task, "planned_at", None) or task.due_at
    return Stop(
        number=number,
        what=_what(task),
        where=place or f"{task.lat:.5f}, {task.lon:.5f}",
        when=f"{clock.local(when):%H:%M}" if when else "",
        reason=queries.reason_text(task),
        value=format_money(task.value_cents),
        locked=task.locked or task.forced,
    )


def _what(task: RebalancingTask) -> str:
    label = TaskKind(task.kind).label
    if task.vehicle is not None:
        return f"{label}: {task.vehicle.code} ({pick(task.vehicle.type.name)})"
    return f"{label}: {task.quantity} × {Kind(task.vehicle_kind).label}"
