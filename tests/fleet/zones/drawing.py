"""Zones for every room's tests: drawn one by one, in force at once."""

import datetime
from collections.abc import Callable

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from fleet.zones.models import Zone, ZoneRule, ZoneSet
from fleet.zones.states import SetState, ZoneKind
from mobility.accounts.models import Organisation
from mobility.core.geo import WGS84
from mobility.geography.models import City

Box = tuple[float, float, float, float]
MakeZone = Callable[..., Zone]

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
AT = datetime.datetime(2026, 5, 4, 12, 0, tzinfo=datetime.UTC)

# Around Porta Romana. Here 0.0001 degrees are 7.8 m from west to east and 11.1 m from south to north.
OPERATING: Box = (9.18, 45.44, 9.22, 45.46)
# The special before the general, because the first zone that says something decides.
KIND_ORDER = (
    ZoneKind.BAY,
    ZoneKind.NO_RIDE,
    ZoneKind.NO_PARK,
    ZoneKind.SLOW,
    ZoneKind.OPERATING,
)


@pytest.fixture
def make_zone(milan: City, ruote: Organisation) -> MakeZone:
    """`make_zone("no_park", (west, south, east, north))`, by default of Ruote, since 2026.

    `rule` fields become its one written rule: `make_zone("slow", box, maximum_speed_kmh=6,
    vehicle_kinds=["scooter"])`.
    """

    def make(
        kind: str,
        box: Box,
        *,
        organisation: Organisation | None = None,
        city: City | None = None,
        name: dict[str, str] | None = None,
        code: str | None = None,
        capacity: int | None = None,
        start: datetime.datetime = START,
        **rule: object,
    ) -> Zone:
        return draw_zone(
            kind,
            box,
            organisation=organisation or ruote,
            city=city or milan,
            name=name or {"it": kind},
            code=code,
            capacity=capacity,
            start=start,
            rule=rule,
        )

    return make


def draw_zone(
    kind: str,
    box: Box,
    *,
    organisation: Organisation,
    city: City,
    start: datetime.datetime,
    name: dict[str, str],
    code: str | None = None,
    capacity: int | None = None,
    rule: dict[str, object] | None = None,
) -> Zone:
    """One more zone in the set that is in force, which no service would allow."""
    zone_set = ZoneSet.objects.of(organisation_id=organisation.pk, city_id=city.pk).last()
    if zone_set is None:
        zone_set = ZoneSet.objects.create(
            organisation=organisation, city=city, title="Test", created_at=start, created_by="test"
        )
    _reopen(zone_set)
    number = zone_set.zones.count() + 1
    zone = Zone.objects.create(
        zone_set=zone_set,
        position=1_000 * KIND_ORDER.index(kind) + number,
        code=code or f"{kind}-{number}",
        name=name,
        kind=kind,
        boundary=MultiPolygon(Polygon.from_bbox(box), srid=WGS84),
        capacity=capacity,
    )
    if rule:
        ZoneRule.objects.create(zone_set=zone_set, zone=zone, position=1, **rule)
    # A new number, so that nobody goes on with the rules remembered for the old one.
    ZoneSet.objects.filter(pk=zone_set.pk).update(
        state=SetState.PUBLISHED,
        version=number,
        during=DateTimeTZRange(start, None),
        published_at=start,
    )
    return zone


def _reopen(zone_set: ZoneSet) -> None:
    ZoneSet.objects.filter(pk=zone_set.pk).update(
        state=SetState.DRAFT, version=None, during=None, published_at=None
    )
