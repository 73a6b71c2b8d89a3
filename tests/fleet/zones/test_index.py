"""Zones in memory give the answers of the database, borders included."""

import datetime

import numpy as np
import pytest
import shapely
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.zones import index
from fleet.zones.index import ZoneIndex
from fleet.zones.index.raster import MOST_CELLS, SHIFT, build
from fleet.zones.models import Zone, ZoneSet
from fleet.zones.rules import Subject, ZoneInfo
from mobility.accounts.models import Organisation, User
from mobility.core import geo
from mobility.geography.models import City
from tests.fleet.zones.conftest import AT, OPERATING, START, MakeZone

HERE = (91_900_000, 454_500_000)


def info(number: int) -> ZoneInfo:
    return ZoneInfo(
        zone_id=number,
        code=str(number),
        kind="no_park",
        organisation_id=1,
        city_id=1,
        binds_all_operators=True,
    )


def index_of(shapes: list[shapely.Geometry]) -> ZoneIndex:
    """An index of shapes given in 1e-7 degrees, where shapely is exact too."""
    degrees = [shapely.transform(shape, lambda spots: spots / 1e7) for shape in shapes]
    return ZoneIndex(zones=[info(row) for row in range(len(shapes))], shapes=degrees, version=1)


# Coordinates on a coarse grid, so that points fall on borders, corners and lines of cells.
steps = st.integers(-12, 12)
strides = st.sampled_from([1, 341, 1024])


@st.composite
def polygons(draw: st.DrawFn) -> shapely.Polygon:
    """A star of 3 to 9 corners, sometimes with a hole; maybe several cells wide, maybe 20 cm."""
    stride = draw(strides)
    middle_x, middle_y = HERE[0] + 4096 * draw(steps), HERE[1] + 4096 * draw(steps)
    corners = draw(st.lists(st.tuples(steps, steps), min_size=3, max_size=9, unique=True))
    ring = sorted(corners, key=lambda one: np.arctan2(one[1], one[0]))
    shape = shapely.Polygon([(middle_x + stride * x, middle_y + stride * y) for x, y in ring])
    hole = shapely.box(middle_x - stride, middle_y - stride, middle_x + stride, middle_y + stride)
    if draw(st.booleans()) and shapely.is_valid(shape) and shape.contains_properly(hole):
        shape = shape.difference(hole)
    return shape


areas = st.lists(polygons().filter(shapely.is_valid), min_size=1, max_size=4)


def spots_near(draw_from: list[shapely.Polygon], chance: np.random.Generator) -> np.ndarray:
    """Corners, middles of edges, points a step beside them, and points anywhere around."""
    corners = shapely.get_coordinates(draw_from)
    middles = (corners[:-1] + corners[1:]) / 2
    anywhere = chance.integers(-60_000, 60_000, (200, 2)) + HERE
    beside = corners + chance.integers(-2, 3, corners.shape)
    on_lines = (corners // 4096) * 4096 + np.array(HERE) % 4096
    return np.rint(np.concatenate((corners, middles, anywhere, beside, on_lines))).astype(np.int32)


@settings(max_examples=60, deadline=None)
@given(shapes=areas, seed=st.integers(0, 2**32 - 1))
def test_points_lie_where_exact_geometry_says(shapes: list[shapely.Polygon], seed: int) -> None:
    spots = spots_near(shapes, np.random.default_rng(seed))
    points, rows = index_of(shapes).locate(spots[:, 0], spots[:, 1])
    expected = [
        (point, row)
        for point, spot in enumerate(shapely.points(spots.astype(float)))
        for row, shape in enumerate(shapes)
        if shape.covers(spot)
    ]
    assert list(zip(points.tolist(), rows.tolist(), strict=True)) == expected


@settings(max_examples=60, deadline=None)
@given(shapes=areas, seed=st.integers(0, 2**32 - 1))
def test_segments_cross_where_exact_geometry_says(shapes: list[shapely.Polygon], seed: int) -> None:
    chance = np.random.default_rng(seed)
    spots = spots_near(shapes, chance)
    ends = spots[chance.permutation(len(spots))]
    segments, rows = index_of(shapes).crossed(spots[:, 0], spots[:, 1], ends[:, 0], ends[:, 1])
    lines = shapely.linestrings(np.stack((spots, ends), axis=1).astype(float))
    expected = [
        (number, row)
        for number, line in enumerate(lines)
        for row, shape in enumerate(shapes)
        if shape.intersects(line)
    ]
    assert list(zip(segments.tolist(), rows.tolist(), strict=True)) == expected


def test_a_short_crossing_without_a_point_inside_is_seen() -> None:
    x, y = HERE
    strip = shapely.box(x, y, x + 300, y + 3_000_000)  # two metres wide, 33 km long
    zones = index_of([strip])
    assert zones.locate([x - 500, x + 800], [y + 77_000, y + 78_000])[0].size == 0
    segments, rows = zones.crossed([x - 500], [y + 77_000], [x + 800], [y + 78_000])
    assert (segments.tolist(), rows.tolist()) == ([0], [0])
    assert zones.crossed([x - 500], [y + 77_000], [x - 1], [y + 78_000])[0].size == 0


def test_a_vehicle_that_stands_still_crosses_what_it_stands_in() -> None:
    x, y = HERE
    zones = index_of([shapely.box(x, y, x + 9_000, y + 9_000)])
    segments, _rows = zones.crossed([x + 5, x - 5], [y + 5, y], [x + 5, x - 5], [y + 5, y])
    assert segments.tolist() == [0]


def test_far_away_there_is_nothing() -> None:
    zones = index_of([shapely.box(*HERE, HERE[0] + 5_000, HERE[1] + 5_000)])
    corners = np.array([-1_800_000_000, 1_800_000_000, 0, HERE[0]], np.int32)
    assert zones.locate(corners, np.array([-900_000_000, 900_000_000, 0, 0], np.int32))[0].size == 0


def test_no_zones_at_all() -> None:
    zones = index_of([])
    assert zones.locate([HERE[0]], [HERE[1]])[0].size == 0
    assert zones.crossed([HERE[0]], [HERE[1]], [0], [0])[0].size == 0


def test_a_whole_country_keeps_within_bounds_and_its_cities_fine() -> None:
    country, bay = shapely.Point(12.5, 42).buffer(5), shapely.box(9.19, 45.45, 9.2, 45.46)
    fine, coarse = build([country, bay])
    assert (fine.rows.tolist(), fine.grid.shift) == ([1], SHIFT)
    assert (coarse.rows.tolist(), coarse.grid.shift > SHIFT) == ([0], True)
    assert len(coarse.grid.cells) <= MOST_CELLS + 1
    assert coarse.nbytes < 110_000_000


def test_wide_and_near_zones_answer_together() -> None:
    x, y = HERE
    wide = shapely.box(x - 40_000_000, y - 40_000_000, x + 40_000_000, y + 40_000_000)
    near = shapely.box(x, y, x + 9_000, y + 9_000)
    zones = index_of([near, wide, near])
    points, rows = zones.locate([x - 5, x + 5, x - 40_000_001], [y, y + 5, y])
    assert (points.tolist(), rows.tolist()) == ([0, 1, 1, 1], [1, 0, 1, 2])
    segments, crossed = zones.crossed([x - 5, x - 5], [y, y], [x - 4, x + 5], [y, y])
    assert (segments.tolist(), crossed.tolist()) == ([0, 1, 1, 1], [1, 0, 1, 2])
    lines = ([x - 5, x - 5], [y, y], [x - 4, x + 5], [y, y])
    segments, crossed = zones.crossed(*lines, among=np.array([False, True, True]))
    assert (segments.tolist(), crossed.tolist()) == ([0, 1, 1], [1, 1, 2])


def test_cities_far_apart_and_thousands_of_bays_stay_fine() -> None:
    chance = np.random.default_rng(1)
    corners = np.concatenate(
        (
            chance.uniform((9, 45.3), (9.3, 45.6), (2_000, 2)),
            chance.uniform((15, 37), (15.2, 37.2), (2_000, 2)),
        )
    )
    (raster,) = build(shapely.box(*corners.T, *(corners + 0.0003).T).tolist())
    assert raster.grid.shift == SHIFT
    assert raster.nbytes < 12_000_000


def test_an_area_smaller_than_a_unit_is_a_point() -> None:
    x, y = HERE
    zones = index_of([shapely.box(x + 0.1, y + 0.1, x + 0.2, y + 0.2)])
    assert zones.locate([x, x + 1], [y, y])[0].tolist() == [0]


# --- against the database -------------------------------------------------------------------------


def covered_in_postgis(lon_e7: np.ndarray, lat_e7: np.ndarray) -> set[tuple[int, int]]:
    statement = (
        "SELECT point.n - 1, zone.id FROM unnest(%s::int[], %s::int[])"
        " WITH ORDINALITY AS point (lon, lat, n) JOIN fleet_zone zone ON ST_Covers(zone.boundary,"
        " ST_SetSRID(ST_MakePoint(point.lon / 1e7, point.lat / 1e7), 4326))"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [lon_e7.tolist(), lat_e7.tolist()])
        return set(cursor.fetchall())


def star(chance: np.random.Generator, *, reach: float) -> MultiPolygon:
    corners = int(chance.integers(4, 30))
    turns = np.sort(chance.uniform(0, 2 * np.pi, corners))
    far = reach * chance.uniform(0.4, 1, corners)
    lon = chance.uniform(9.1, 9.26) + 1.4 * far * np.cos(turns)
    lat = chance.uniform(45.4, 45.52) + far * np.sin(turns)
    ring = np.round(np.stack((lon, lat), axis=1), 7)
    shape = shapely.make_valid(shapely.Polygon(ring)).buffer(0)
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return MultiPolygon([Polygon(*map(list, _rings(part))) for part in parts], srid=geo.WGS84)


def _rings(part: shapely.Polygon) -> list[list[tuple[float, float]]]:
    return [list(ring.coords) for ring in (part.exterior, *part.interiors)]


@pytest.fixture
def city_of_zones(make_zone: MakeZone) -> ZoneSet:
    """60 zones of all sizes, drawn at random but always the same."""
    zone_set = make_zone("operating", OPERATING).zone_set
    ZoneSet.objects.filter(pk=zone_set.pk).update(
        state="draft", version=None, during=None, published_at=None
    )
    chance = np.random.default_rng(7)
    Zone.objects.bulk_create(
        Zone(
            zone_set=zone_set,
            position=number,
            code=f"star-{number}",
            name={"it": "Stella"},
            kind="no_park",
            boundary=star(chance, reach=chance.choice([0.001, 0.005, 0.015])),
        )
        for number in range(60)
    )
    ZoneSet.objects.filter(pk=zone_set.pk).update(
        state="published", version=2, during=(START, None), published_at=START
    )
    return zone_set


def test_100_000_points_lie_in_the_zones_that_postgis_says(city_of_zones: ZoneSet) -> None:
    chance = np.random.default_rng(3)
    lon = chance.integers(90_600_000, 93_000_000, 100_000).astype(np.int32)
    lat = chance.integers(453_800_000, 455_400_000, 100_000).astype(np.int32)
    zones = index.current(at=AT)
    points, rows = zones.locate(lon, lat)
    ids = [zones.zones[row].zone_id for row in rows]
    found = set(zip(points.tolist(), ids, strict=True))
    assert len(found) == len(points) > 10_000
    assert found == covered_in_postgis(lon, lat)


def test_corners_and_straight_borders_belong_to_the_zone_as_in_postgis(
    make_zone: MakeZone,
) -> None:
    zone = make_zone("no_park", (9.19, 45.45, 9.2, 45.46))
    lon = np.array([91_900_000, 92_000_000, 91_950_000, 91_900_000, 91_899_999], np.int32)
    lat = np.array([454_500_000, 454_600_000, 454_500_000, 454_533_333, 454_533_333], np.int32)
    points, _rows = index.current(at=AT).locate(lon, lat)
    assert points.tolist() == [0, 1, 2, 3]
    assert covered_in_postgis(lon, lat) == {(number, zone.pk) for number in range(4)}


# --- what is in force -----------------------------------------------------------------------------


def test_what_is_in_force_is_asked_with_one_query(
    make_zone: MakeZone, django_assert_num_queries: object
) -> None:
    make_zone("operating", OPERATING)
    first = index.current(at=AT)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert index.current(at=AT) is first


def test_a_publication_brings_another_index(make_zone: MakeZone) -> None:
    make_zone("operating", OPERATING)
    before = index.current(at=AT)
    make_zone("no_park", (9.19, 45.45, 9.2, 45.46))
    after = index.current(at=AT)
    assert (len(before.zones), len(after.zones)) == (1, 2)
    assert before.version != after.version
    assert index.current(at=START - datetime.timedelta(days=1)).zones == ()


def test_the_citys_zones_stand_before_the_operators(
    make_zone: MakeZone, comune: Organisation, ruote: Organisation, rivale: User, milan: City
) -> None:
    own = make_zone("operating", OPERATING)
    make_zone("operating", OPERATING, organisation=rivale.memberships.get().organisation)
    citys = make_zone("no_park", OPERATING, organisation=comune)
    zones = index.current(at=AT)
    assert zones.zones[0].zone_id == citys.pk
    assert zones.row_of[own.pk] > 0
    binding = {
        zone.zone_id
        for zone in zones.zones
        if zone.binds(organisation_id=ruote.pk, city_id=milan.pk)
    }
    assert binding == {own.pk, citys.pk}


def test_a_scooter_slows_down_where_both_sets_say_so(
    make_zone: MakeZone, comune: Organisation, ruote: Organisation, milan: City
) -> None:
    make_zone("operating", OPERATING)
    square = (9.19, 45.45, 9.2, 45.456)
    citys = make_zone("slow", square, organisation=comune, maximum_speed_kmh=6)
    make_zone("slow", square, maximum_speed_kmh=15, vehicle_kinds=["scooter"])
    zones = index.current(at=AT)
    _points, rows = zones.locate([91_950_000], [454_520_000])

    def rules(kind: str) -> object:
        return zones.rules_at(
            rows=rows.tolist(),
            subject=Subject(kind=kind),
            organisation_id=ruote.pk,
            city_id=milan.pk,
            at=AT,
        )

    scooter = rules("scooter")
    assert scooter.maximum_speed_kmh == 6  # type: ignore[attr-defined]
    assert scooter.decided_by["maximum_speed_kmh"] == citys.pk  # type: ignore[attr-defined]
    assert scooter.ride_end_allowed is True  # type: ignore[attr-defined]


def test_hours_are_kept_by_the_minute(
    make_zone: MakeZone, ruote: Organisation, milan: City
) -> None:
    make_zone("slow", OPERATING, maximum_speed_kmh=10, start_time="22:00", end_time="05:00")
    zones = index.current(at=AT)

    def limit(at: datetime.datetime) -> int | None:
        return zones.rules_at(
            rows=(0,),
            subject=Subject(kind="car"),
            organisation_id=ruote.pk,
            city_id=milan.pk,
            at=at,
        ).maximum_speed_kmh

    night = datetime.datetime(2026, 5, 4, 20, 0, tzinfo=datetime.UTC)  # 22:00 in Milan
    assert limit(night - datetime.timedelta(seconds=1)) is None
    assert limit(night) == limit(night + datetime.timedelta(hours=6, minutes=59)) == 10
    assert limit(night + datetime.timedelta(hours=7)) is None


def test_elsewhere_is_beyond_the_citys_own_line(milan: City) -> None:
    cities = index.jurisdictions()
    assert [zone.city_id for zone in cities.zones] == [milan.pk]
    points, _rows = cities.locate([91_900_000, 95_000_000], [454_500_000, 454_500_000])
    assert points.tolist() == [0]
    assert index.jurisdictions() is cities
    City.objects.update(boundary=None)
    assert index.jurisdictions().zones == ()
