"""Zones as vehicles meet them: entered, left, passed; each once, and none that was not."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connection, connections
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from fleet.telematics.models import (
    Alarm,
    Point,
    VehiclePresence,
    ZoneCrossing,
)
from fleet.telematics.services.drain import loop
from fleet.vehicles.models import Vehicle, VehicleCommand
from fleet.zones.models import ZoneSet
from mobility.core import clock
from mobility.core.models import OutboxEvent
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.telematics.reporting import (
    EAST_M,
    LAT,
    LON,
    MINUTE,
    NOON,
    NORTH_M,
    SECOND,
    Report,
    alarms,
    crossings,
    end_trip,
    hold_for,
    point,
    put,
    start_trip,
)
from tests.fleet.zones.drawing import START, MakeZone


def box(west_m: float, east_m: float, high_m: float = 200) -> tuple[float, float, float, float]:
    """From so many metres east of where vehicles are made to so many more, across their way."""
    return (
        LON + west_m * EAST_M,
        LAT - high_m * NORTH_M,
        LON + east_m * EAST_M,
        LAT + high_m * NORTH_M,
    )


@pytest.fixture
def ridden(make_vehicle: MakeVehicle) -> Vehicle:
    """A scooter on a trip since a minute before noon."""
    vehicle = make_vehicle(at=NOON - 60 * MINUTE)
    start_trip(vehicle, at=NOON - MINUTE)
    return vehicle


def ride(report: Report, vehicle: Vehicle, *east_m: float, start: int = 0) -> None:
    """A fix every ten seconds at these places, each stored by itself."""
    for number, metres in enumerate(east_m, start=start):
        report(vehicle, point(NOON + number * 10 * SECOND, east_m=metres, kmh=18))


def violations() -> list[str]:
    rows = OutboxEvent.objects.filter(name="fleet.zone_violated.v1").order_by("id")
    return [row.payload["kind"] for row in rows]


def test_a_ride_through_a_zone_enters_and_leaves_it_once(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("no_ride", box(100, 200), code="park")
    ride(report, ridden, 0, 50, 110, 150, 190, 210, 260)
    assert crossings(ridden) == [("enter", "park"), ("leave", "park")]
    enter = ZoneCrossing.objects.get(kind="enter")
    assert (enter.at, enter.on_trip, enter.speed_cms) == (NOON + 20 * SECOND, True, -1)
    assert enter.lon_e7 == round((LON + 110 * EAST_M) * 1e7)
    assert violations() == ["no_ride_entered"]


def test_one_batch_or_many_the_crossings_are_the_same(
    make_vehicle: MakeVehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("no_ride", box(100, 200), code="park")
    make_zone("slow", box(150, 400), code="school", maximum_speed_kmh=6)
    way = [0, 60, 120, 160, 180, 220, 300, 380, 420, 500, 900]
    found = []
    for size in (1, 3, len(way)):
        vehicle = make_vehicle(at=NOON - 60 * MINUTE)
        start_trip(vehicle, at=NOON - MINUTE)
        points = [point(NOON + n * 10 * SECOND, east_m=m) for n, m in enumerate(way)]
        for first in range(0, len(way), size):
            report(vehicle, *points[first : first + size])
        rows = ZoneCrossing.objects.filter(vehicle=vehicle).order_by("at", "zone_id", "kind")
        found.append(list(rows.values_list("zone_id", "kind", "at", "lon_e7")))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 4


def test_flapping_at_the_border_crosses_nothing(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("operating", box(-500, 100), code="area")
    ride(report, ridden, 50, 95, 105, 95, 105, 95, 60, 50)
    assert crossings(ridden) == []
    assert alarms(ridden) == []


def test_a_short_crossing_is_not_missed(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    """With a point inside, and between two points of which none is inside."""
    make_zone("no_ride", box(100, 130), code="yard")
    make_zone("no_ride", box(310, 330), code="alley")
    make_zone("operating", box(-900, 900), code="area")
    ride(report, ridden, 0, 60, 110, 170, 260, 360, 420)
    assert crossings(ridden) == [("passed", "yard"), ("passed", "alley")]
    assert ZoneCrossing.objects.get(zone__code="alley").at == NOON + 50 * SECOND


def test_after_a_gap_no_straight_way_is_assumed(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("no_ride", box(100, 130), code="yard")
    report(ridden, point(NOON), point(NOON + SECOND))
    report(ridden, point(NOON + 4 * MINUTE, east_m=300), point(NOON + 5 * MINUTE, east_m=310))
    assert crossings(ridden) == []


def test_a_jump_of_the_receiver_crosses_nothing(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("no_ride", box(5_000, 9_000), code="far")
    make_zone("operating", box(-500, 500), code="area")
    ride(report, ridden, 0, 40, 7_000, 80, 120)
    assert crossings(ridden) == []
    assert Point.objects.filter(vehicle_id=ridden.pk).count() == 5


def test_a_doubtful_fix_neither_enters_nor_leaves(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("no_ride", box(100, 200), code="park")
    ride(report, ridden, 0, 50)
    for second in (30, 40, 50):
        report(ridden, point(NOON + second * SECOND, east_m=150, accuracy_m=80))
    assert crossings(ridden) == []


def test_a_parked_scooter_drifts_over_a_border_unseen(
    make_vehicle: MakeVehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("operating", box(-500, 10), code="area")
    make_zone("no_ride", box(10, 500), code="park")
    parked = make_vehicle(at=NOON - 60 * MINUTE)
    ride(report, parked, 0, 25, 30, 35, 5, 30, 30)
    assert crossings(parked) == []
    assert alarms(parked) == []


def test_the_same_reports_again_change_nothing(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("no_ride", box(100, 200), code="park")
    for _ in range(2):
        ride(report, ridden, 0, 50, 110, 150, 190, 210, 260)
    assert crossings(ridden) == [("enter", "park"), ("leave", "park")]
    assert violations() == ["no_ride_entered"]


def test_new_zones_under_a_rider_are_no_crossing(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    """Published around a vehicle that stands in it: neither entered now, nor unknown later."""
    make_zone("operating", box(-500, 500), code="area")
    ride(report, ridden, 0, 10)
    make_zone("no_ride", box(-50, 100), code="market")
    ride(report, ridden, 20, 30, 40, start=2)
    assert crossings(ridden) == []
    ride(report, ridden, 120, 150, start=5)
    assert crossings(ridden) == [("leave", "market")]
    assert violations() == []


def test_zones_of_another_operator_and_for_other_vehicles_bind_nobody(
    ridden: Vehicle,
    report: Report,
    make_zone: MakeZone,
    comune: object,
    colonnine: object,
) -> None:
    make_zone("no_ride", box(100, 200), code="city", organisation=comune)
    make_zone("no_ride", box(100, 200), code="others", organisation=colonnine)
    make_zone(
        "no_ride", box(100, 200), code="cars", vehicle_kinds=["car"], ride_start_allowed=False
    )
    ride(report, ridden, 0, 50, 110, 150)
    assert crossings(ridden) == [("enter", "city")]


# --- the service area and the city ----------------------------------------------------------------


def test_leaving_the_service_area_raises_an_alarm_until_the_way_back(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("operating", box(-500, 100), code="area")
    ride(report, ridden, 0, 80, 140, 200, 260)
    assert alarms(ridden) == [("left_service_area", "open")]
    assert violations() == ["left_service_area"]
    ride(report, ridden, 90, 60, start=5)
    assert alarms(ridden) == [("left_service_area", "closed")]


def test_an_area_drawn_wider_ends_the_alarm_in_silence(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("operating", box(-500, 100), code="area")
    ride(report, ridden, 0, 80, 140, 200)
    assert alarms(ridden) == [("left_service_area", "open")]
    make_zone("operating", box(-500, 900), code="wider")
    ride(report, ridden, 260, start=4)
    assert alarms(ridden) == [("left_service_area", "closed")]
    assert crossings(ridden) == [("leave", "area")]


def test_without_any_zone_nobody_is_inside_or_outside(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    zone = make_zone("operating", box(-500, 100), code="area")
    make_zone("slow", box(100, 900), code="school", maximum_speed_kmh=6)
    ride(report, ridden, 0, 80, 140, 200)
    ZoneSet.objects.filter(pk=zone.zone_set_id).update(
        during=DateTimeTZRange(START, NOON + 35 * SECOND)
    )
    ride(report, ridden, 260, 300, start=4)
    assert alarms(ridden) == [("left_service_area", "closed")]
    assert VehiclePresence.objects.get(pk=ridden.pk).zones == []
    told = VehicleCommand.objects.filter(vehicle=ridden, kind="set_speed_limit").latest("id")
    assert told.parameters == {"max_kmh": None}


def test_two_areas_side_by_side_are_one(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("operating", box(-500, 100), code="west")
    make_zone("operating", box(90, 500), code="east")
    ride(report, ridden, 0, 80, 95, 98, 140, 200)
    assert crossings(ridden) == [("enter", "east"), ("leave", "west")]
    assert Alarm.objects.count() == 0


def test_saras_van_may_leave_the_area(
    make_vehicle: MakeVehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("operating", box(-500, 100), code="area")
    carried = make_vehicle(at=NOON - 60 * MINUTE)
    hold_for(carried, at=NOON - MINUTE, ref="task:1", purpose="crew")
    ride(report, carried, 0, 80, 140, 200, 260)
    assert crossings(carried) == [("leave", "area")]
    assert alarms(carried) == []


def test_beyond_the_city_the_vehicle_is_elsewhere(ridden: Vehicle, report: Report) -> None:
    """The city's line lies 7.4 km east; two fixes beyond it say so, two on this side end it."""
    way = [7_000, 7_300, 7_500, 7_350, 7_600, 7_700, 7_650, 7_300, 7_200]
    outside = []
    for number, metres in enumerate(way):
        report(ridden, point(NOON + number * MINUTE, east_m=metres, kmh=18))
        ridden.refresh_from_db()
        outside.append(ridden.outside_since is not None)
    assert outside == [False] * 5 + [True] * 3 + [False]


def test_where_a_ride_ended_the_next_one_goes_on(
    ridden: Vehicle, report: Report, make_zone: MakeZone
) -> None:
    make_zone("operating", box(-500, 100), code="area")
    ride(report, ridden, 0, 80, 140, 200)
    hold = ridden.holds.get()
    end_trip(hold, at=NOON + MINUTE)
    start_trip(ridden, at=NOON + 2 * MINUTE, ref="trip:2")
    ride(report, ridden, 90, 60, start=13)
    assert crossings(ridden) == [("leave", "area"), ("enter", "area")]


# --- two drains, one vehicle ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_no_points_left")
def test_two_drains_that_meet_in_one_vehicle_lose_and_double_nothing(
    make_vehicle: MakeVehicle,
    report: Report,
    make_zone: MakeZone,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A unit was swapped and the old one empties its buffer on another shard: both drains hold the
    same points for new. One commits first; the other is refused, compares, and goes on."""
    make_zone("no_ride", box(100, 200), code="park")
    now = clock.now()
    vehicle = make_vehicle(at=now - 60 * MINUTE)
    start_trip(vehicle, at=now - 2 * MINUTE)
    points = [
        point(now - MINUTE + n * 5 * SECOND, east_m=m) for n, m in enumerate((0, 90, 120, 150))
    ]
    report(vehicle, point(now - MINUTE - SECOND, east_m=-10), at=now - MINUTE)
    put(vehicle, *points, at=now)
    met = threading.Barrier(2, timeout=20)
    store = loop.store_batch

    def together(*args: object, careful: bool, **rest: object) -> object:
        if careful:
            return store(*args, careful=careful, **rest)
        met.wait()
        return store(*args, careful=careful, **rest)

    entries = loop.point_log().read(shard=0, count=10, wait_ms=1)
    monkeypatch.setattr(loop, "store_batch", together)
    results = []

    def drain(shard: int) -> None:
        results.append(loop.store_entries(shard=shard, entries=entries, at=now))
        connections.close_all()

    rivals = [threading.Thread(target=drain, args=(shard,)) for shard in (71, 72)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join(30)
    assert [done.stored for done in results] == [4, 4]
    assert Point.objects.filter(vehicle_id=vehicle.pk).count() == 5
    assert crossings(vehicle) == [("enter", "park")]
    assert VehiclePresence.objects.get(pk=vehicle.pk).zones


@pytest.fixture
def _no_points_left() -> Iterator[None]:
    """What was committed stays: the end of such a test empties only tables that have a model."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE fleet_point")
