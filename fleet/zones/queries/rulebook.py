"""The rules of a published set, read once: such a set never changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q

from fleet.zones.models import Zone, ZoneRule, ZoneSet
from fleet.zones.rules import DEFAULTS, Rule, Subject, ZoneInfo
from fleet.zones.states import ZoneKind

if TYPE_CHECKING:
    import datetime

SetKey = tuple[int, int]
# Sets in force, the one to come, and some of the past that late points ask for.
MOST_SETS = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rulebook:
    """One set without shapes: zones in order of precedence, and what holds elsewhere."""

    set_id: int
    version: int
    organisation_id: int
    city_id: int
    binds_all_operators: bool
    zones: tuple[ZoneInfo, ...]
    global_rules: tuple[Rule, ...]

    def has_area(self, subject: Subject) -> bool:
        """Whether the set has a service area for such a vehicle, at whatever hour."""
        return any(
            zone.kind == ZoneKind.OPERATING and zone.concerns(subject) for zone in self.zones
        )


_known: dict[SetKey, Rulebook] = {}


def keys_in_force(*, at: datetime.datetime) -> list[SetKey]:
    """Which sets hold at a moment, by id and version; the city's own before the operators'."""
    sets = ZoneSet.objects.in_force(at).alias(of_operator=~Q(organisation=F("city__organisation")))
    ordered = sets.order_by("city", "of_operator", "organisation")
    return [(pk, version or 0) for pk, version in ordered.values_list("pk", "version")]


def rulebooks(*, keys: Sequence[SetKey]) -> list[Rulebook]:
    """The rules of the sets `keys`, in that order; queries only for those not read before."""
    books = {key: _known[key] for key in keys if key in _known}
    missing = [key for key in keys if key not in books]
    if missing:
        books |= _read(missing)
        _remember({key: books[key] for key in missing})
    return [books[key] for key in keys]


def read_rulebook(zone_set: ZoneSet) -> Rulebook:
    """The rules of one set as they stand now, drafts included; never remembered."""
    key = (zone_set.pk, zone_set.version or 0)
    return _read([key])[key]


def rule_of(row: ZoneRule) -> Rule:
    """A stored rule as the pure one."""
    return Rule(
        vehicle_kinds=frozenset(row.vehicle_kinds),
        vehicle_types=frozenset(row.vehicle_types),
        user_groups=frozenset(row.user_groups),
        weekdays=frozenset(row.weekdays),
        start_time=row.start_time,
        end_time=row.end_time,
        ride_start_allowed=row.ride_start_allowed,
        ride_end_allowed=row.ride_end_allowed,
        ride_through_allowed=row.ride_through_allowed,
        maximum_speed_kmh=row.maximum_speed_kmh,
        station_parking=row.station_parking,
    )


def _remember(books: Mapping[SetKey, Rulebook]) -> None:
    if len(_known) + len(books) > MOST_SETS:
        _known.clear()
    _known.update(books)


def _read(keys: Sequence[SetKey]) -> dict[SetKey, Rulebook]:
    ids = [set_id for set_id, _version in keys]
    sets = {row.pk: row for row in ZoneSet.objects.filter(pk__in=ids).select_related("city")}
    zones = (
        Zone.objects.filter(zone_set__in=ids).defer("boundary", "name").order_by("position", "pk")
    )
    rules = ZoneRule.objects.filter(zone_set__in=ids).order_by("position", "pk")
    zones_of, rules_of = _grouped(zones, "zone_set_id"), _grouped(rules, "zone_set_id")
    return {
        key: _rulebook(sets[key[0]], key, zones_of.get(key[0], []), rules_of.get(key[0], []))
        for key in keys
    }


def _rulebook(
    zone_set: ZoneSet, key: SetKey, zones: Iterable[Zone], rules: Iterable[ZoneRule]
) -> Rulebook:
    rules_of = _grouped(rules, "zone_id")
    binds_all = zone_set.organisation_id == zone_set.city.organisation_id
    return Rulebook(
        set_id=key[0],
        version=key[1],
        organisation_id=zone_set.organisation_id,
        city_id=zone_set.city_id,
        binds_all_operators=binds_all,
        zones=tuple(
            ZoneInfo(
                zone_id=zone.pk,
                code=zone.code,
                kind=zone.kind,
                organisation_id=zone_set.organisation_id,
                city_id=zone_set.city_id,
                binds_all_operators=binds_all,
                hub_id=zone.hub_id,
                rules=tuple(map(rule_of, rules_of.get(zone.pk, ()))) or (DEFAULTS[zone.kind],),
            )
            for zone in zones
        ),
        global_rules=tuple(map(rule_of, rules_of.get(None, ()))),
    )


def _grouped(rows: Iterable[Any], name: str) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for row in rows:
        groups.setdefault(getattr(row, name), []).append(row)
    return groups
