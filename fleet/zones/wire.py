"""Zones as programs and map tools write them: GeoJSON in, findings and sets out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from fleet.vehicles.states import Kind
from fleet.zones.models import ZoneSet
from fleet.zones.rules import Rule
from fleet.zones.rules.checking import Finding
from fleet.zones.services import ZoneDraft
from fleet.zones.states import ZoneKind
from mobility.core import geo
from mobility.core.errors import Invalid
from mobility.core.texts import validate_localized
from mobility.geography.models import Hub

MOST_ZONES = 2_000
MOST_CORNERS = 20_000
MOST_PROBLEMS = 50


class ZonesUnreadable(Invalid):
    """`extra["problems"]` name each feature, its field, and what is wrong."""

    code = "zones_unreadable"
    message = _("Some zones could not be read.")


class RuleIn(serializers.Serializer[Any]):
    """A rule as it is written; every field may be left out."""

    vehicle_kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=Kind.choices), required=False
    )
    vehicle_types = serializers.ListField(
        child=serializers.CharField(max_length=50), required=False
    )
    user_groups = serializers.ListField(child=serializers.CharField(max_length=40), required=False)
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7), required=False
    )
    start_time = serializers.TimeField(required=False, allow_null=True)
    end_time = serializers.TimeField(required=False, allow_null=True)
    ride_start_allowed = serializers.BooleanField(required=False, allow_null=True)
    ride_end_allowed = serializers.BooleanField(required=False, allow_null=True)
    ride_through_allowed = serializers.BooleanField(required=False, allow_null=True)
    station_parking = serializers.BooleanField(required=False, allow_null=True)
    maximum_speed_kmh = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=200
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Hours have two different ends or none."""
        start, end = attrs.get("start_time"), attrs.get("end_time")
        if (start is None) != (end is None) or (start is not None and start == end):
            raise serializers.ValidationError(
                {"end_time": [_("Hours need a beginning and another end.")]}
            )
        return attrs


class ZoneIn(serializers.Serializer[Any]):
    """The properties of a feature."""

    code = serializers.CharField(max_length=40)
    name = serializers.JSONField(validators=[validate_localized])
    kind = serializers.ChoiceField(choices=ZoneKind.choices)
    hub = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    capacity = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=10_000
    )
    rules = RuleIn(many=True, required=False)


class NewSetRequest(serializers.Serializer[Any]):
    """Whose draft, where, and what to begin with."""

    title = serializers.CharField(max_length=120)
    organisation = serializers.SlugField(
        required=False, help_text="Needed by those who work for several."
    )
    city = serializers.SlugField(required=False, help_text="Default: the only city.")
    based_on = serializers.UUIDField(
        required=False, allow_null=True, help_text="A set to copy; default: the one in force."
    )
    empty = serializers.BooleanField(default=False, help_text="Begin with nothing instead.")


class ZonesRequest(serializers.Serializer[Any]):
    """A GeoJSON FeatureCollection; its order is the order of precedence."""

    type = serializers.ChoiceField(choices=["FeatureCollection"])
    features = serializers.ListField(child=serializers.JSONField(), max_length=MOST_ZONES)
    global_rules = RuleIn(many=True, required=False)
    revision = serializers.CharField(
        max_length=50,
        required=False,
        help_text="What was read before it was changed; refused when it no longer stands.",
    )


class StartRequest(serializers.Serializer[Any]):
    """From when on."""

    starts_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="Default: at once."
    )


class PublishRequest(StartRequest):
    """From when on, and whether the warnings are meant."""

    acknowledge_warnings = serializers.BooleanField(default=False)


class ZoneSetOut(serializers.ModelSerializer[ZoneSet]):
    """A version of somebody's zones in a city; `zones_total` is annotated."""

    id = serializers.UUIDField(source="public_id")
    organisation = serializers.CharField(source="organisation.slug")
    city = serializers.CharField(source="city.slug")
    starts_at = serializers.DateTimeField(source="during.lower", allow_null=True, default=None)
    ends_at = serializers.DateTimeField(source="during.upper", allow_null=True, default=None)
    based_on = serializers.UUIDField(source="based_on.public_id", allow_null=True, default=None)
    zones_total = serializers.IntegerField()

    class Meta:
        model = ZoneSet
        fields = (
            "id", "organisation", "city", "title", "state", "version", "starts_at", "ends_at",
            "based_on", "created_at", "published_at", "zones_total",
        )  # fmt: skip


class FindingOut(serializers.Serializer[Any]):
    """One thing to look at before publishing."""

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=["error", "warning"])
    zone = serializers.CharField()
    other = serializers.CharField()
    lon = serializers.FloatField(allow_null=True)
    lat = serializers.FloatField(allow_null=True)
    params = serializers.JSONField()
    message = serializers.CharField()


class CheckOut(serializers.Serializer[Any]):
    """What the check found, errors first."""

    findings = FindingOut(many=True)
    revision = serializers.CharField(help_text="Of the zones that were checked.")


MESSAGES: Mapping[str, str | Promise] = {
    "broken_boundary": _("The boundary of %(zone)s is not sound: %(reason)s."),
    "sliver": _("A part of %(zone)s is tiny or very thin (%(area_m2)s m²)."),
    "outside_city": _("%(zone)s lies outside the city."),
    "beyond_city": _("%(share_pct)s %% of %(zone)s lie outside the city."),
    "slow_without_limit": _("%(zone)s is a slow zone without a speed limit."),
    "capacity_missing": _("The bay %(zone)s has no capacity."),
    "unknown_vehicle_type": _("A rule of %(zone)s names the vehicle type %(vehicle_type)s,"
                              " which does not exist."),
    "overlap": _("Where %(zone)s and %(other)s overlap, %(zone)s decides (%(attributes)s)."),
    "hidden": _("%(zone)s covers %(other)s and always decides before it (%(attributes)s)."),
    "bay_outside_area": _("The bay %(zone)s lies outside every service area."),
    "nothing_operating": _("There is no service area; the boundary of the city takes its place."),
}  # fmt: skip


def finding_body(finding: Finding) -> dict[str, Any]:
    """A finding for programs, with a sentence for the reader."""
    words = {**finding.params, "zone": finding.zone or "*", "other": finding.other}
    if "attributes" in words:
        words["attributes"] = ", ".join(words["attributes"])
    return {**dataclasses.asdict(finding), "message": str(MESSAGES[finding.code]) % words}


def read_rule(fields: Mapping[str, Any]) -> Rule:
    """A rule out of validated fields."""
    words: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value
        for name, value in fields.items()
    }
    return Rule(**words)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drawing:
    """Everything that a set is replaced with."""

    zones: Sequence[ZoneDraft]
    global_rules: Sequence[Rule]
    seen: str | None = None


def read_drawing(*, fields: Mapping[str, Any], city_id: int) -> Drawing:
    """The zones of a validated `ZonesRequest`; `ZonesUnreadable` names every feature that is not one.

    Broken boundaries are read, for the check to explain them; what is no area is not.
    """
    hubs = dict(Hub.objects.filter(city=city_id).values_list("code", "pk"))
    zones: list[ZoneDraft] = []
    problems: list[dict[str, Any]] = []
    for number, feature in enumerate(fields["features"]):
        try:
            zones.append(_zone(feature, hubs))
        except serializers.ValidationError as error:
            problems += [
                {"feature": number, "field": field, "detail": detail}
                for field, detail in flat(error.detail)
            ]
    problems += _repeated(zones)
    if problems:
        raise ZonesUnreadable(extra={"problems": problems[:MOST_PROBLEMS]})
    rules = tuple(map(read_rule, fields.get("global_rules", ())))
    return Drawing(zones=zones, global_rules=rules, seen=fields.get("revision"))


def read_area(geometry: object) -> MultiPolygon:
    """A GeoJSON Polygon or MultiPolygon in WGS 84; raises `ValidationError` for anything else."""
    try:
        shape: Any = shapely.force_2d(shapely.from_geojson(orjson.dumps(geometry)))
    except (shapely.GEOSException, TypeError) as error:
        raise serializers.ValidationError(
            {"geometry": [_("This is not a GeoJSON area.")]}
        ) from error
    if shape is None or shape.geom_type not in ("Polygon", "MultiPolygon") or shape.is_empty:
        raise serializers.ValidationError({"geometry": [_("This is not a GeoJSON area.")]})
    if shapely.get_num_coordinates(shape) > MOST_CORNERS:
        raise serializers.ValidationError({"geometry": [_("The boundary has too many corners.")]})
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise serializers.ValidationError({"geometry": [_("Give degrees, longitude first.")]})
    area = GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=geo.WGS84)
    return area if isinstance(area, MultiPolygon) else MultiPolygon(area, srid=geo.WGS84)


def _zone(feature: object, hubs: Mapping[str, int]) -> ZoneDraft:
    if not isinstance(feature, Mapping) or not isinstance(feature.get("properties"), Mapping):
        raise serializers.ValidationError({"properties": [_("This is not a GeoJSON feature.")]})
    reader = ZoneIn(data=feature["properties"])
    reader.is_valid(raise_exception=True)
    words = reader.validated_data
    hub = words.get("hub") or None
    if hub is not None and hub not in hubs:
        raise serializers.ValidationError({"hub": [_("There is no such hub in this city.")]})
    return ZoneDraft(
        code=words["code"],
        name=words["name"],
        kind=words["kind"],
        boundary=read_area(feature.get("geometry")),
        hub_id=hubs[hub] if hub else None,
        capacity=words.get("capacity"),
        rules=tuple(map(read_rule, words.get("rules", ()))),
    )


def _repeated(zones: Sequence[ZoneDraft]) -> list[dict[str, Any]]:
    seen: set[str] = set()
    problems = []
    for number, zone in enumerate(zones):
        if zone.code in seen:
            detail = str(_("This code occurs twice."))
            problems.append({"feature": number, "field": "code", "detail": detail})
        seen.add(zone.code)
    return problems


def flat(detail: Any, path: str = "") -> list[tuple[str, str]]:
    """Nested messages as pairs of a dotted field and a sentence."""
    if isinstance(detail, Mapping):
        return [
            pair
            for name, inner in detail.items()
            for pair in flat(inner, f"{path}.{name}" if path else str(name))
        ]
    if isinstance(detail, list):
        nested = any(isinstance(inner, Mapping | list) for inner in detail)
        return [
            pair
            for place, inner in enumerate(detail)
            for pair in flat(inner, f"{path}.{place}" if nested else path)
        ]
    return [(path, str(detail))]
