"""Rules on the map of Milan, as people know them."""

import datetime
from collections.abc import Callable

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from fleet.zones.models import Zone
from mobility.accounts.models import Organisation
from mobility.core.geo import WGS84
from mobility.geography.models import City

Box = tuple[float, float, float, float]
MakeZone = Callable[..., Zone]

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
AT = datetime.datetime(2026, 5, 4, 12, 0, tzinfo=datetime.UTC)

# Around Porta Romana. Here 0.0001 degrees are 7.8 m from west to east and 11.1 m from south to north.
OPERATING: Box = (9.18, 45.44, 9.22, 45.46)


@pytest.fixture
def make_zone(milan: City, ruote: Organisation) -> MakeZone:
    """`make_zone("no_park", (west, south, east, north))`, by default of Ruote and without an end."""

    def make(
        kind: str,
        box: Box,
        *,
        organisation: Organisation | None = None,
        start: datetime.datetime = START,
        end: datetime.datetime | None = None,
        **fields: object,
    ) -> Zone:
        return Zone.objects.create(
            organisation=organisation or ruote,
            city=milan,
            code=f"{kind}-{Zone.objects.count()}",
            name=fields.pop("name", {"it": kind}),
            kind=kind,
            boundary=MultiPolygon(Polygon.from_bbox(box), srid=WGS84),
            during=DateTimeTZRange(start, end),
            **fields,
        )

    return make
