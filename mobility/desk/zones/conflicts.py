"""What a draft of zones runs into: what is published, the hubs, and who is riding now.

The check of a draft (`fleet.zones`) looks at the drawing alone. This one looks at the city around it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import shapely
from django.contrib.gis.db.models.functions import AsWKB
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from fleet.rebalancing.cells import cell_at, centre_of
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import Kind, RentalState
from fleet.zones.models import Zone, ZoneSet
from fleet.zones.queries.rulebook import read_rulebook
from fleet.zones.rules import Layer, RideRules, Subject, ZoneInfo, effective
from fleet.zones.rules.checking import OVERLAP_M2, collisions, in_metres
from fleet.zones.states import ZoneKind
from mobility.core import clock
from mobility.geography.models import Hub

if TYPE_CHECKING:
    import datetime

    from shapely.geometry.base import BaseGeometry

# Who is under way: a rule that changes under them is noticed by them first.
RIDING = (RentalState.ON_TRIP, RentalState.PAUSED, RentalState.ENDING)
MOST = 200

MESSAGES: Mapping[str, str | Promise] = {
    "zone_added": _("%(zone)s is new."),
    "zone_removed": _("%(zone)s is in force now and not in this draft."),
    "zone_changed": _("%(zone)s is not as it is in force now."),
    "other_set": _("%(zone)s and %(other)s of %(owner)s say different things (%(attributes)s);"
                   " the stricter one holds."),
    "hub_closed": _("No ride could end at %(hub)s any more."),
    "bay_lost": _("The hub %(hub)s has a bay now and would have none."),
    "riders_caught": _("%(count)s under way where %(zone)s would not let them end or ride on."),
    "riders_outside": _("%(count)s under way where no ride could end any more."),
}  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conflict:
    """One thing that publishing would change or break, and where; `serious` asks for a second look."""

    code: str
    serious: bool
    zone: str = ""
    lon: float | None = None
    lat: float | None = None
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def message(self) -> str:
        """The sentence for a person, in the active language."""
        return str(MESSAGES[self.code]) % {**self.params, "zone": self.zone}


class Drawn:
    """A set with its shapes, to be asked about places."""

    def __init__(self, zone_set: ZoneSet) -> None:
        """Read it; three queries."""
        self.zone_set = zone_set
        self.book = read_rulebook(zone_set)
        rows: Any = Zone.objects.filter(zone_set=zone_set).annotate(drawing=AsWKB("boundary"))
        shapes = {row.pk: shapely.from_wkb(bytes(row.drawing)) for row in rows.defer("boundary")}
        self.hubs = {row.hub_id: row.code for row in rows if row.kind == ZoneKind.BAY}
        self.shapes: list[BaseGeometry] = [
            shapely.make_valid(shapes[info.zone_id]) for info in self.book.zones
        ]
        self.tree = shapely.STRtree(self.shapes)

    def at(self, place: BaseGeometry, *, subject: Subject, local: datetime.datetime) -> RideRules:
        """What this set alone says at a place."""
        around = sorted(self.tree.query(place, predicate="intersects").tolist())
        layer = Layer(
            zones=[self.book.zones[number] for number in around],
            global_rules=self.book.global_rules,
            has_area=self.book.has_area(subject),
        )
        return effective(layers=[layer], subject=subject, local=local)

    def named(self, zone_id: int | None) -> str:
        """The code of one of its zones."""
        return next((one.code for one in self.book.zones if one.zone_id == zone_id), "")

    def by_code(self) -> dict[str, tuple[ZoneInfo, BaseGeometry]]:
        """Its zones by their codes."""
        return {
            one.code: (one, shape) for one, shape in zip(self.book.zones, self.shapes, strict=True)
        }


def conflicts(*, zone_set: ZoneSet, at: datetime.datetime) -> list[Conflict]:
    """What publishing this set at `at` would change, the serious first; a constant number of queries
    for each set that is in force in the city.

    1. Against the version in force: what is new, gone, or different.
    2. Against the city's zones, or for the city against the operators': pairs that disagree.
    3. Hubs where no ride could end any more, or that lose their bay.
    4. Riders under way who would stand where they may not end or ride on, and may now.
    """
    draft = Drawn(zone_set)
    published = ZoneSet.objects.filter(city=zone_set.city_id).in_force(at).exclude(pk=zone_set.pk)
    present = [Drawn(one) for one in published.select_related("organisation", "city")]
    now = next(
        (one for one in present if one.zone_set.organisation_id == zone_set.organisation_id), None
    )
    others = [one for one in present if one is not now and _meet(draft, one)]
    found = [
        *_differences(draft, now),
        *(conflict for other in others for conflict in _disagreements(draft, other)),
        *_hubs(draft, now, at=at),
        *_riders(draft, now, at=at),
    ]
    return sorted(found, key=lambda one: (not one.serious, one.code, one.zone))[:MOST]


def _meet(draft: Drawn, other: Drawn) -> bool:
    """Two operators' zones bind different vehicles; one of them has to be the city's."""
    return draft.book.binds_all_operators or other.book.binds_all_operators


def _differences(draft: Drawn, now: Drawn | None) -> Iterable[Conflict]:
    if now is None:
        return
    here, there = draft.by_code(), now.by_code()
    for code in sorted(here.keys() | there.keys()):
        (info, shape), (was, before) = here.get(code, (None, None)), there.get(code, (None, None))
        if was is None or info is None:
            what = "zone_added" if was is None else "zone_removed"
            yield _conflict(what, code, shape if was is None else before)
        elif (info.kind, info.rules, info.hub_id) != (was.kind, was.rules, was.hub_id) or not (
            shapely.equals(shape, before)
        ):
            yield _conflict("zone_changed", code, shape)


def _disagreements(draft: Drawn, other: Drawn) -> Iterable[Conflict]:
    if not draft.shapes or not other.shapes:
        return
    pairs = other.tree.query(draft.shapes, predicate="intersects")
    for mine, theirs in sorted(zip(*pairs.tolist(), strict=True)):
        one, two = draft.book.zones[mine], other.book.zones[theirs]
        # A service area is the ground of a set; every exception to it disagrees with it, and is meant.
        if ZoneKind.OPERATING in (one.kind, two.kind):
            continue
        attributes = collisions(one.rules, two.rules)
        common = shapely.intersection(draft.shapes[mine], other.shapes[theirs])
        if attributes and in_metres(common).area > OVERLAP_M2:
            yield _conflict(
                "other_set",
                one.code,
                common,
                serious=True,
                other=two.code,
                owner=str(other.zone_set.organisation),
                attributes=", ".join(attributes),
            )


def _hubs(draft: Drawn, now: Drawn | None, *, at: datetime.datetime) -> Iterable[Conflict]:
    local = clock.local(at)
    subjects = [Subject(kind=kind) for kind in Kind.values]
    for hub in Hub.objects.filter(city=draft.zone_set.city_id):
        spot = shapely.Point(hub.location.x, hub.location.y)
        params = {"hub": str(hub)}
        if now is not None and hub.pk in now.hubs and hub.pk not in draft.hubs:
            yield _conflict("bay_lost", now.hubs[hub.pk], spot, serious=True, **params)
        if any(_may_end(draft, spot, subject, local) for subject in subjects):
            continue
        if now is None or any(_may_end(now, spot, subject, local) for subject in subjects):
            yield _conflict("hub_closed", "", spot, serious=True, **params)


def _riders(draft: Drawn, now: Drawn | None, *, at: datetime.datetime) -> Iterable[Conflict]:
    local = clock.local(at)
    riding = Vehicle.objects.filter(
        city=draft.zone_set.city_id, rental_state__in=RIDING, latest__isnull=False
    )
    if not draft.book.binds_all_operators:
        riding = riding.filter(organisation=draft.zone_set.organisation_id)
    caught: dict[str, list[shapely.Point]] = {}
    for vehicle in riding.select_related("type", "latest"):
        spot = shapely.Point(vehicle.latest.lon, vehicle.latest.lat)
        subject = Subject(kind=vehicle.type.kind, vehicle_type=vehicle.type.code)
        will = draft.at(spot, subject=subject, local=local)
        was = now.at(spot, subject=subject, local=local) if now else RideRules()
        lost = [
            name
            for name in ("ride_through_allowed", "ride_end_allowed")
            if getattr(was, name) and not getattr(will, name)
        ]
        if lost:
            caught.setdefault(draft.named(will.decided_by.get(lost[0])), []).append(spot)
    drawn = draft.by_code()
    for zone, spots in caught.items():
        # Where somebody rides at this moment is nobody's to see who draws zones.
        if zone in drawn:
            yield _conflict("riders_caught", zone, drawn[zone][1], serious=True, count=len(spots))
        else:
            yield _conflict(
                "riders_outside", zone, _roughly(spots[0]), serious=True, count=len(spots)
            )


def _roughly(spot: shapely.Point) -> shapely.Point:
    """The middle of the cell of half a kilometre that a point lies in."""
    return shapely.Point(centre_of(cell_at(lon=spot.x, lat=spot.y)))


def _may_end(drawn: Drawn, spot: BaseGeometry, subject: Subject, local: datetime.datetime) -> bool:
    return drawn.at(spot, subject=subject, local=local).ride_end_allowed


def _conflict(
    code: str, zone: str, where: BaseGeometry | None, *, serious: bool = False, **params: Any
) -> Conflict:
    spot = None if where is None else shapely.point_on_surface(where)
    known = spot is not None and not spot.is_empty
    return Conflict(
        code=code,
        serious=serious,
        zone=zone,
        lon=round(spot.x, 6) if known and spot is not None else None,
        lat=round(spot.y, 6) if known and spot is not None else None,
        params=params,
    )


def bodies(found: Sequence[Conflict]) -> list[dict[str, Any]]:
    """The conflicts as the editor's script reads them."""
    return [
        {
            "code": one.code,
            "severity": "warning" if one.serious else "info",
            "zone": one.zone,
            "lon": one.lon,
            "lat": one.lat,
            "message": one.message,
        }
        for one in found
    ]
