"""Zones as GeoJSON, for maps and for editing."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

import orjson
from django.contrib.gis.db.models.functions import AsGeoJSON
from django.db.models import Max

from fleet.zones.models import Zone, ZoneRule, ZoneSet
from fleet.zones.queries.rulebook import keys_in_force, rulebooks
from fleet.zones.rules import Rule, ZoneInfo
from mobility.core.texts import pick

# Six decimals are 11 cm: finer than any boundary is drawn. Who edits gets the seven that are kept.
SHOWN_DECIMALS = 6
KEPT_DECIMALS = 7
RULE_FIELDS = (
    "vehicle_kinds", "vehicle_types", "user_groups", "weekdays", "start_time", "end_time",
    "ride_start_allowed", "ride_end_allowed", "ride_through_allowed", "station_parking",
    "maximum_speed_kmh",
)  # fmt: skip


NO_FEATURES: dict[str, Any] = {"type": "FeatureCollection", "features": []}


def zone_features(*, at: datetime.datetime, city_slug: str | None = None) -> dict[str, Any]:
    """The zones in force at a moment as a GeoJSON FeatureCollection (RFC 7946), in order of
    precedence; names in the active language."""
    books = rulebooks(keys=keys_in_force(at=at))
    infos = {zone.zone_id: zone for book in books for zone in book.zones}
    zones = Zone.objects.filter(zone_set__in=[book.set_id for book in books])
    if city_slug is not None:
        zones = zones.filter(zone_set__city__slug=city_slug)
    zones = zones.select_related("zone_set__city", "zone_set__organisation", "hub")
    drawn = {zone.pk: zone for zone in _drawn(zones, SHOWN_DECIMALS)}
    features = [_shown(drawn[pk], info) for pk, info in infos.items() if pk in drawn]
    return {"type": "FeatureCollection", "features": features}


def zones_tag(*, at: datetime.datetime) -> str:
    """A short text that changes when other zones come into force."""
    return ".".join(f"{set_id}-{version}" for set_id, version in keys_in_force(at=at)) or "none"


def set_features(*, zone_set: ZoneSet) -> dict[str, Any]:
    """One set whole, as it can be given back to `replace_zones`: zones with their written rules,
    the rules for everywhere else as `global_rules`, and the `revision` that was read."""
    # Read first: what is drawn in between must not pass for what this reader saw.
    revision = revision_of(zone_set)
    rules: dict[int | None, list[dict[str, Any]]] = {}
    for rule in ZoneRule.objects.filter(zone_set=zone_set).order_by("position", "pk"):
        rules.setdefault(rule.zone_id, []).append(_rule(rule))
    zones = Zone.objects.filter(zone_set=zone_set).select_related("hub").order_by("position", "pk")
    return {
        "type": "FeatureCollection",
        "revision": revision,
        "global_rules": rules.get(None, []),
        "features": [_kept(zone, rules.get(zone.pk, [])) for zone in _drawn(zones, KEPT_DECIMALS)],
    }


def revision_of(zone_set: ZoneSet) -> str:
    """A short text that is another one after every replacement, whose rows are all new."""
    zones = Zone.objects.filter(zone_set=zone_set).aggregate(newest=Max("pk"))
    rules = ZoneRule.objects.filter(zone_set=zone_set).aggregate(newest=Max("pk"))
    return f"{zones['newest'] or 0}-{rules['newest'] or 0}"


def _drawn(zones: Any, decimals: int) -> Iterable[Any]:
    return zones.annotate(drawing=AsGeoJSON("boundary", precision=decimals)).defer("boundary")  # type: ignore[no-any-return]


def _shown(zone: Any, info: ZoneInfo) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": zone.pk,
        "geometry": orjson.loads(zone.drawing),
        "properties": {
            "city": zone.zone_set.city.slug,
            "organisation": zone.zone_set.organisation.slug,
            "code": zone.code,
            "name": pick(zone.name),
            "kind": zone.kind,
            "vehicle_kinds": sorted(info.vehicle_kinds),
            "vehicle_types": sorted(info.vehicle_types),
            "max_speed_kmh": info.max_speed_kmh,
            "hub": zone.hub.code if zone.hub else None,
            "capacity": zone.capacity,
            "rules": [_rule(rule) for rule in info.rules],
        },
    }


def _kept(zone: Any, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": zone.pk,
        "geometry": orjson.loads(zone.drawing),
        "properties": {
            "code": zone.code,
            "name": zone.name,
            "kind": zone.kind,
            "hub": zone.hub.code if zone.hub else None,
            "capacity": zone.capacity,
            "rules": rules,
        },
    }


def _rule(rule: Rule | ZoneRule) -> dict[str, Any]:
    """The fields that say something."""
    words: dict[str, Any] = {}
    for name in RULE_FIELDS:
        value = getattr(rule, name)
        if value is None or value in ([], frozenset()):
            continue
        if isinstance(value, frozenset):
            value = sorted(value)
        words[name] = _clock_text(value) if isinstance(value, datetime.time) else value
    return words


def _clock_text(hour: datetime.time) -> str:
    """Minutes, as people write them, unless that would lose something: 23:59:59 stays so."""
    whole = hour == hour.replace(second=0, microsecond=0)
    return hour.isoformat("minutes" if whole else "auto")
