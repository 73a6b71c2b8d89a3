"""Which rule holds at a place: zones in order, rules in order, the first that says something.

Source: GBFS 3.0, geofencing_zones.json, "Precedence of rules": where zones overlap, the earlier
one in the list decides; within a zone the earlier rule that applies to the vehicle; each attribute
by itself; what no zone says is said by the global rules.

A vehicle stands under several *layers*, the city's set and its operator's. Each layer is read like
a feed of its own, and the vehicle must obey all: it may do what every layer allows, and ride as
fast as the slowest allows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fleet.zones.states import ZoneKind

if TYPE_CHECKING:
    import datetime

ATTRIBUTES = (
    "ride_start_allowed",
    "ride_end_allowed",
    "ride_through_allowed",
    "maximum_speed_kmh",
    "station_parking",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """What holds for some vehicles, riders and hours; None says nothing.

    `weekdays` by ISO (1 is Monday). Hours are of the city's wall clock, the end not included; an
    end before the start lies on the next day and belongs to the weekday on which it started.
    """

    vehicle_kinds: frozenset[str] = frozenset()
    vehicle_types: frozenset[str] = frozenset()
    user_groups: frozenset[str] = frozenset()
    weekdays: frozenset[int] = frozenset()
    start_time: datetime.time | None = None
    end_time: datetime.time | None = None
    ride_start_allowed: bool | None = None
    ride_end_allowed: bool | None = None
    ride_through_allowed: bool | None = None
    maximum_speed_kmh: int | None = None
    station_parking: bool | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """Who is judged: a vehicle by kind and type code, and its rider's group if it has a rider."""

    kind: str
    vehicle_type: str | None = None
    user_group: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ZoneInfo:
    """A zone without its shape: what it is, whom it binds, and its rules in order."""

    zone_id: int
    code: str
    kind: str
    organisation_id: int
    city_id: int
    binds_all_operators: bool
    hub_id: int | None = None
    rules: tuple[Rule, ...] = ()

    @property
    def vehicle_kinds(self) -> frozenset[str]:
        """Kinds that any rule names; empty when a rule holds for all."""
        if any(not rule.vehicle_kinds and not rule.vehicle_types for rule in self.rules):
            return frozenset()
        return frozenset(kind for rule in self.rules for kind in rule.vehicle_kinds)

    @property
    def vehicle_types(self) -> frozenset[str]:
        """Type codes that any rule names; empty when a rule holds for all."""
        if any(not rule.vehicle_kinds and not rule.vehicle_types for rule in self.rules):
            return frozenset()
        return frozenset(code for rule in self.rules for code in rule.vehicle_types)

    @property
    def max_speed_kmh(self) -> int | None:
        """The lowest limit of any rule, in km/h: for maps; who judges asks `effective`."""
        limits = [rule.maximum_speed_kmh for rule in self.rules if rule.maximum_speed_kmh]
        return min(limits, default=None)

    def binds(self, *, organisation_id: int, city_id: int) -> bool:
        """Whether a vehicle of this operator in this city stands under the zone's set."""
        own = self.binds_all_operators or self.organisation_id == organisation_id
        return own and self.city_id == city_id

    def concerns(self, subject: Subject) -> bool:
        """Whether any rule is for this vehicle and rider, at whatever hour."""
        return any(is_for(rule, subject=subject) for rule in self.rules)


# What a zone of a kind means where its editor wrote no rules. A slow zone without a limit means
# nothing, which the check refuses.
DEFAULTS: Mapping[str, Rule] = {
    ZoneKind.OPERATING: Rule(
        ride_start_allowed=True, ride_end_allowed=True, ride_through_allowed=True
    ),
    ZoneKind.NO_RIDE: Rule(
        ride_start_allowed=False, ride_end_allowed=False, ride_through_allowed=False
    ),
    ZoneKind.NO_PARK: Rule(ride_end_allowed=False),
    ZoneKind.SLOW: Rule(),
    ZoneKind.BAY: Rule(ride_start_allowed=True, ride_end_allowed=True),
}
# Beyond every service area of a set that has one: nothing starts or ends there.
OUTSIDE = Rule(ride_start_allowed=False, ride_end_allowed=False)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layer:
    """One set as a vehicle at a place meets it: the zones around the place in order, and the rest.

    `has_area`: whether the set has a service area for this vehicle anywhere.
    """

    zones: Sequence[ZoneInfo] = ()
    global_rules: Sequence[Rule] = ()
    has_area: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class RideRules:
    """What a vehicle may do at a place; `decided_by` names the zone behind each attribute.

    An attribute that no zone decided is absent from `decided_by`.
    """

    ride_start_allowed: bool = True
    ride_end_allowed: bool = True
    ride_through_allowed: bool = True
    maximum_speed_kmh: int | None = None
    station_parking: bool = False
    decided_by: Mapping[str, int] = dataclasses.field(default_factory=dict)


def effective(*, layers: Sequence[Layer], subject: Subject, local: datetime.datetime) -> RideRules:
    """The rules at a place for `subject`, at the city's wall clock `local`.

    1. In each layer: the first zone in order, in it the first rule that applies and names the
       attribute; then the layer's global rules; then `OUTSIDE` where the layer has a service area.
    2. Between layers the stricter answer wins, on a tie the earlier layer is named.
    """
    values: dict[str, bool | int] = {}
    decided_by: dict[str, int] = {}
    for attribute in ATTRIBUTES:
        answers = [
            _first(layer, attribute=attribute, subject=subject, local=local) for layer in layers
        ]
        said = [(value, zone_id) for value, zone_id in answers if value is not None]
        if not said:
            continue
        value, zone_id = min(said, key=lambda one: _leave(attribute, one[0]))
        values[attribute] = value
        if zone_id is not None:
            decided_by[attribute] = zone_id
    return RideRules(decided_by=decided_by, **values)  # type: ignore[arg-type] # by attribute


def says(
    rules: Sequence[Rule], *, attribute: str, subject: Subject, local: datetime.datetime
) -> bool | int | None:
    """What the first of `rules` that applies says about `attribute`; None when none does."""
    for rule in rules:
        value: bool | int | None = getattr(rule, attribute)
        if value is not None and applies(rule, subject=subject, local=local):
            return value
    return None


def applies(rule: Rule, *, subject: Subject, local: datetime.datetime) -> bool:
    """Whether a rule is for this vehicle and rider, at this time of the wall clock.

    On the night when the clock goes back an hour of the window is lived twice; when it goes
    forward, the hour that does not exist is not lived.
    """
    return is_for(rule, subject=subject) and _in_hours(rule, local)


def is_for(rule: Rule, *, subject: Subject) -> bool:
    """Whether a rule is for this vehicle and rider; a rule that names nobody is for everybody."""
    for_all = not rule.vehicle_kinds and not rule.vehicle_types
    named = subject.kind in rule.vehicle_kinds or subject.vehicle_type in rule.vehicle_types
    return (for_all or named) and (not rule.user_groups or subject.user_group in rule.user_groups)


def fallback(
    *, layer: Layer, attribute: str, subject: Subject, local: datetime.datetime
) -> bool | int | None:
    """What holds in a layer where no zone says anything."""
    beyond = (*layer.global_rules, OUTSIDE) if layer.has_area else layer.global_rules
    return says(beyond, attribute=attribute, subject=subject, local=local)


def _first(
    layer: Layer, *, attribute: str, subject: Subject, local: datetime.datetime
) -> tuple[bool | int | None, int | None]:
    for zone in layer.zones:
        value = says(zone.rules, attribute=attribute, subject=subject, local=local)
        if value is not None:
            return value, zone.zone_id
    return fallback(layer=layer, attribute=attribute, subject=subject, local=local), None


def _leave(attribute: str, value: int) -> int:
    """How much leave a value (a limit, or a yes or no) gives; less is stricter."""
    return 1 - value if attribute == "station_parking" else value


def _in_hours(rule: Rule, local: datetime.datetime) -> bool:
    start, end = rule.start_time, rule.end_time
    today = local.isoweekday()
    if start is None or end is None:
        return not rule.weekdays or today in rule.weekdays
    now = local.time()
    if start < end:
        return start <= now < end and (not rule.weekdays or today in rule.weekdays)
    yesterday = (today - 2) % 7 + 1
    began = today if now >= start else yesterday if now < end else None
    return began is not None and (not rule.weekdays or began in rule.weekdays)
