"""Drafting a set: empty or out of another one, replaced as a whole, thrown away."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Mapping, Sequence

import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from fleet.zones.models import Zone, ZoneRule, ZoneSet
from fleet.zones.queries.features import revision_of
from fleet.zones.rules import Rule
from fleet.zones.states import SetState
from mobility.core import audit, geo
from mobility.core.errors import Conflict, NotFound
from mobility.core.principals import Principal

# Boundaries are kept to 1e-7 degrees (1 cm), the unit in which vehicles report: then the index in
# memory and the database mean the same line.
UNIT_DEGREES = 1e-7


class NoSuchSet(NotFound):
    code = "zone_set_not_found"
    message = _("There is no such set of zones.")


class DraftChanged(Conflict):
    code = "draft_changed"
    message = _(
        "Somebody else has changed this draft since you opened it. Open it again to see how."
    )


class NotADraft(Conflict):
    code = "not_a_draft"
    message = _("A published set of zones stays as it is. Make a draft out of it.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ZoneDraft:
    """A zone to be stored; its place in the sequence is its precedence."""

    code: str
    name: Mapping[str, str]
    kind: str
    boundary: MultiPolygon
    hub_id: int | None = None
    capacity: int | None = None
    rules: Sequence[Rule] = ()


@transaction.atomic
def create_draft(
    *,
    organisation_id: int,
    city_id: int,
    title: str,
    based_on: int | None = None,
    at: datetime.datetime,
    by: Principal,
) -> ZoneSet:
    """A draft for one organisation in one city, empty or with everything of the set `based_on`.

    Raises `NoSuchSet` when the set to start from belongs to another organisation or city.
    """
    draft = ZoneSet.objects.create(
        organisation_id=organisation_id,
        city_id=city_id,
        title=title,
        based_on_id=based_on,
        created_at=at,
        created_by=by,
    )
    if based_on is not None:
        own = ZoneSet.objects.of(organisation_id=organisation_id, city_id=city_id)
        if not own.filter(pk=based_on).exists():
            raise NoSuchSet
        _copy(based_on, draft)
    audit.record(by=by, action="create_draft", row=draft, at=at)
    return draft


@transaction.atomic
def replace_zones(
    *,
    set_id: int,
    zones: Sequence[ZoneDraft],
    global_rules: Sequence[Rule] = (),
    seen: str | None = None,
    at: datetime.datetime,
    by: Principal,
) -> ZoneSet:
    """Put `zones`, in order of precedence, in the place of all that a draft had (`NotADraft`).

    Boundaries may be broken: the check names what is wrong, and publishing refuses it. `seen` is the
    revision that was changed into these zones; where it is no longer the one that stands, what
    somebody else drew is kept (`DraftChanged`).
    """
    draft = locked_draft(set_id)
    ensure_seen(draft, seen=seen)
    Zone.objects.filter(zone_set=draft).delete()
    ZoneRule.objects.filter(zone_set=draft).delete()
    rows = Zone.objects.bulk_create(
        Zone(
            zone_set=draft,
            position=position,
            code=zone.code,
            name=dict(zone.name),
            kind=zone.kind,
            boundary=on_grid(zone.boundary),
            hub_id=zone.hub_id,
            capacity=zone.capacity,
        )
        for position, zone in enumerate(zones, start=1)
    )
    ZoneRule.objects.bulk_create(
        [
            *_rules(draft, None, global_rules),
            *(
                rule
                for row, zone in zip(rows, zones, strict=True)
                for rule in _rules(draft, row, zone.rules)
            ),
        ]
    )
    audit.record(by=by, action="replace_zones", row=draft, at=at, changes={"zones": len(rows)})
    return draft


@transaction.atomic
def discard_draft(*, set_id: int, at: datetime.datetime, by: Principal) -> None:
    """Throw a draft away (`NotADraft`)."""
    draft = locked_draft(set_id)
    audit.record(by=by, action="discard_draft", row=draft, at=at, changes={"title": draft.title})
    draft.delete()


def ensure_seen(draft: ZoneSet, *, seen: str | None) -> None:
    """Refuse (`DraftChanged`) what was not drawn over what stands in a locked draft now."""
    if seen is not None and seen != revision_of(draft):
        raise DraftChanged


def locked_draft(set_id: int) -> ZoneSet:
    """The draft, locked until the transaction ends; `NoSuchSet`, or `NotADraft`."""
    zone_set = ZoneSet.objects.select_for_update(of=("self",)).filter(pk=set_id).first()
    if zone_set is None:
        raise NoSuchSet
    if zone_set.state != SetState.DRAFT:
        raise NotADraft
    return zone_set


def on_grid(boundary: MultiPolygon) -> MultiPolygon:
    """The boundary rounded to `UNIT_DEGREES` and still sound; a broken one stays as it was drawn."""
    if not boundary.valid:
        return boundary
    shape = shapely.from_wkb(bytes(boundary.wkb))
    # Corner by corner keeps the line as it was drawn; where that breaks it, GEOS mends.
    snapped = shapely.set_precision(shape, UNIT_DEGREES, mode="pointwise")
    if not snapped.is_valid:
        snapped = shapely.set_precision(shape, UNIT_DEGREES)
    rounded = GEOSGeometry(memoryview(shapely.to_wkb(snapped)), srid=geo.WGS84)
    if isinstance(rounded, Polygon) and not rounded.empty:
        return MultiPolygon(rounded, srid=geo.WGS84)
    return rounded if isinstance(rounded, MultiPolygon) and not rounded.empty else boundary


def _rules(draft: ZoneSet, zone: Zone | None, rules: Sequence[Rule]) -> Iterable[ZoneRule]:
    for position, rule in enumerate(rules, start=1):
        yield ZoneRule(zone_set=draft, zone=zone, position=position, **_columns(rule))


def _columns(rule: Rule) -> dict[str, object]:
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in vars(rule).items()
    }


def _copy(source_id: int, draft: ZoneSet) -> None:
    """Everything of one set into another, as new rows in the same order."""
    zones = list(Zone.objects.filter(zone_set=source_id).order_by("position", "pk"))
    rules = list(ZoneRule.objects.filter(zone_set=source_id).order_by("position", "pk"))
    old_ids = [zone.pk for zone in zones]
    for zone in zones:
        zone.pk, zone.zone_set = None, draft
    new_ids = dict(zip(old_ids, (row.pk for row in Zone.objects.bulk_create(zones)), strict=True))
    for rule in rules:
        rule.pk, rule.zone_set = None, draft
        rule.zone_id = None if rule.zone_id is None else new_ids[rule.zone_id]
    ZoneRule.objects.bulk_create(rules)
