"""Marco keeps vans, depots, closed hours and travel times; plans keep to them."""

import datetime
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from fleet.rebalancing import queries, services
from fleet.rebalancing.cells import cell_at
from fleet.rebalancing.rules.parameters import Parameters
from fleet.rebalancing.services.travelling import travel_times
from fleet.rebalancing.states import DropReason, Reason, TaskKind, TaskState
from fleet.vans.gateway import RoadUnavailable, driving_minutes
from fleet.vans.models import ClosedHours, Depot, TravelTable, Van
from fleet.vans.services import TableUnreadable, forget_road_tables
from fleet.vans.states import TravelSource
from mobility.core import geo
from mobility.core.principals import SYSTEM
from mobility.geography.models import Hub
from tests.fleet.rebalancing.conftest import AWAY, BUSY, NIGHT, QUIET

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def depot(ruote, milan):
    return Depot.objects.create(
        organisation=ruote, city=milan, name="Lambrate", lon=9.2400, lat=45.4800
    )


@pytest.fixture
def make_van(ruote, milan, depot):
    def make(name="Ducato", **fields):
        return Van.objects.create(
            organisation=ruote, city=milan, name=name, **{"start": depot, **fields}
        )

    return make


def plan_for(organisation, *, at=NIGHT, **parameters):
    plan = services.request_plan(
        organisation_id=organisation.pk,
        parameters={"history_days": 7, **parameters},
        at=at,
        by=SYSTEM,
    )
    return services.compute_plan(plan_id=plan.pk, rounds=1_200, at=at, by=SYSTEM)


def codes(plan):
    return [note["code"] for note in plan.summary["notes"]]


def area(lon, lat, size=0.002):
    west, east, south, north = lon - size, lon + size, lat - size, lat + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


# --- vans and depots ------------------------------------------------------------------------------
def test_a_plan_drives_the_operators_own_vans(night, ruote, make_van):
    make_van("Ape", scooters=2, packs=0)
    make_van("Doblo", scooters=3, packs=5, shift_start=datetime.time(5), shift_minutes=120)
    make_van("Retired", active=False)
    plan = plan_for(ruote)
    fleet = plan.parameters["fleet"]
    assert [van["name"] for van in fleet] == ["Ape", "Doblo"]
    assert fleet[0]["begins"] == NIGHT.isoformat()
    # Five o'clock in Milan is three in Greenwich.
    assert fleet[1]["begins"] == (NIGHT + 1.5 * HOUR).isoformat()
    tasks = list(plan.tasks.order_by("van", "sequence"))
    assert tasks
    assert {task.van for task in tasks if task.kind == TaskKind.SWAP_BATTERY} <= {1}
    for van, room in ((0, 2), (1, 3)):
        aboard = 0
        for task in (each for each in tasks if each.van == van):
            aboard += {"move_pickup": 1, "move_dropoff": -task.quantity}.get(task.kind, 0)
            assert 0 <= aboard <= room
            assert task.planned_at >= NIGHT
    assert all(task.planned_at >= NIGHT + 1.5 * HOUR for task in tasks if task.van == 1)


def test_a_wish_for_so_many_vans_leaves_the_rows_alone(night, ruote, make_van):
    make_van()
    assert plan_for(ruote, vans=1).parameters["fleet"] == []


def test_a_shift_keeps_to_the_hours_of_its_depots(night, ruote, make_van, depot):
    """Shut from 4:30 to 22:00: whoever starts at 3:30 has an hour; and nothing when shut already."""
    depot.opens, depot.closes = datetime.time(22), datetime.time(4, 30)
    depot.save()
    make_van()
    van = queries.specs_of(organisation_id=ruote.pk, city_id=depot.city_id, at=NIGHT)[0]
    assert (van.begins, van.ends) == (NIGHT, NIGHT + HOUR)
    later = NIGHT + 2 * HOUR
    waits = queries.specs_of(organisation_id=ruote.pk, city_id=depot.city_id, at=later)[0]
    # From ten in the evening on, for its four hours.
    assert waits.begins == datetime.datetime(2026, 5, 5, 20, 0, tzinfo=datetime.UTC)
    assert waits.ends == waits.begins + 4 * HOUR


def test_a_van_that_ends_where_all_is_shut_has_no_time(night, ruote, milan, make_van, depot):
    shut = Depot.objects.create(
        organisation=ruote, city=milan, name="Bovisa", lon=9.16, lat=45.50,
        opens=datetime.time(22), closes=datetime.time(23),
    )  # fmt: skip
    make_van(end=shut)
    plan = plan_for(ruote)
    assert plan.tasks.count() == 0
    assert "no_shift" in codes(plan)
    assert any("shift" in text for text in queries.note_texts(plan))


def test_a_running_shift_is_half_over(ruote, make_van, depot):
    make_van(shift_start=datetime.time(2, 30), shift_minutes=120)
    van = queries.specs_of(organisation_id=ruote.pk, city_id=depot.city_id, at=NIGHT)[0]
    assert (van.begins, van.ends) == (NIGHT - HOUR, NIGHT + HOUR)
    assert van.clock(at=NIGHT, spent=0.0) == (0.0, 60.0)


def test_a_van_drives_only_on_its_days(ruote, make_van, depot):
    """The night is a Tuesday; the van drives on Fridays."""
    make_van(shift_start=datetime.time(6), weekdays=[5])
    van = queries.specs_of(organisation_id=ruote.pk, city_id=depot.city_id, at=NIGHT)[0]
    assert van.begins == datetime.datetime(2026, 5, 8, 4, 0, tzinfo=datetime.UTC)


def test_what_an_earlier_plan_left_on_the_van_is_brought_on(night, ruote, make_van, sara):
    make_van()
    first = plan_for(ruote)
    services.publish_plan(plan_id=first.pk, at=NIGHT, by=SYSTEM)
    for task in first.tasks.filter(kind=TaskKind.MOVE_PICKUP)[:3]:
        services.claim_task(task_id=task.pk, assignee_id=sara.pk, at=NIGHT, by=sara.principal)
        services.complete_task(task_id=task.pk, at=NIGHT, by=sara.principal)
    services.close_plan(plan_id=first.pk, at=NIGHT, by=SYSTEM)
    second = plan_for(ruote)
    moved = second.tasks.filter(kind=TaskKind.MOVE_PICKUP).count()
    brought = sum(task.quantity for task in second.tasks.filter(kind=TaskKind.MOVE_DROPOFF))
    assert brought == moved + 3


# --- hours and room -------------------------------------------------------------------------------
def test_nobody_works_in_closed_hours(night, ruote, milan, make_van):
    """The busy place is closed until six in the morning, and the shift ends at half past seven."""
    ClosedHours.objects.create(
        organisation=ruote, city=milan, name="Corso Lodi",
        area=geo_multi(area(*BUSY)), since=datetime.time(20), until=datetime.time(6),
    )  # fmt: skip
    make_van()
    plan = plan_for(ruote)
    opens = datetime.datetime(2026, 5, 5, 4, 0, tzinfo=datetime.UTC)
    busy = [task for task in plan.tasks.all() if task.cell == cell_at(lon=BUSY[0], lat=BUSY[1])]
    assert busy
    assert all(task.planned_at >= opens for task in busy)
    assert any(task.planned_at < opens for task in plan.tasks.all())


def test_where_it_is_closed_all_night_nothing_is_planned(night, ruote, milan, make_van):
    ClosedHours.objects.create(
        organisation=ruote, city=milan, name="Corso Lodi",
        area=geo_multi(area(*BUSY)), since=datetime.time(0), until=datetime.time(23, 59),
    )  # fmt: skip
    make_van()
    plan = plan_for(ruote)
    assert not plan.tasks.filter(cell=cell_at(lon=BUSY[0], lat=BUSY[1])).exists()


def test_no_more_is_brought_than_finds_room(night, ruote, milan, make_vehicle):
    """A hub of five bays, three of them taken: two find room."""
    Hub.objects.create(
        city=milan, code="H1", name={"it": "Lodi"}, location=geo.point(*BUSY), capacity=5
    )
    standing = make_vehicle("scooter", *BUSY, code="BROKEN")
    standing.blocks.create(reason="damage", since=NIGHT, placed_by=SYSTEM)

    def brought():
        """With a crew that costs next to nothing."""
        plan = plan_for(ruote, vans=1, crew_cents_per_hour=200)
        busy = plan.tasks.filter(kind=TaskKind.MOVE_DROPOFF, cell=cell_at(lon=BUSY[0], lat=BUSY[1]))
        return sum(task.quantity for task in busy)

    # Two empty ones of the night stand there too.
    assert brought() == 2
    Hub.objects.update(capacity=3)
    assert brought() == 0
    Hub.objects.update(capacity=None)
    assert brought() > 2


def test_broken_scooters_are_unloaded_at_the_workshop_to_make_room(
    night, ruote, milan, make_van, depot, make_vehicle
):
    """Room for four; six broken ones on the way pay for themselves, and so do the moves."""
    Depot.objects.create(
        organisation=ruote, city=milan, name="Officina", lon=9.1850, lat=45.4650, workshop=True
    )
    make_van(scooters=4, shift_minutes=400)
    for number in range(6):
        broken = make_vehicle("scooter", QUIET[0] + 0.001, QUIET[1], code=f"BROKEN{number}")
        broken.blocks.create(reason="damage", since=NIGHT, placed_by=SYSTEM)
    plan = plan_for(ruote, workshop_trips=20.0)
    tasks = list(plan.tasks.order_by("sequence"))
    unloads = [task for task in tasks if task.kind == TaskKind.UNLOAD]
    assert sum(task.reason == Reason.MAINTENANCE for task in tasks) - len(unloads) == 6
    assert unloads
    assert unloads[0].reason_params == {"workshop": "Officina"}
    aboard = 0
    for task in tasks:
        aboard += {"move_pickup": 1, "move_dropoff": -task.quantity, "unload": -task.quantity}.get(
            task.kind, 0
        )
        assert 0 <= aboard <= 4
    assert queries.reason_text(unloads[0]) == str(Reason.MAINTENANCE.label)


def test_an_empty_car_is_driven_to_a_free_charger_near_a_hub(
    night, ruote, milan, make_vehicle, make_connector_near
):
    Hub.objects.create(city=milan, code="H1", name={"it": "Lodi"}, location=geo.point(*BUSY))
    make_connector_near(*BUSY)
    cars = [make_vehicle("car", *AWAY, battery_pct=4, code=f"CAR{n}") for n in range(2)]
    for car in cars:
        car.blocks.create(reason="low_battery", since=NIGHT, placed_by=SYSTEM)
    plan = plan_for(ruote, vans=1, driven_cents={"car": 900})
    (task,) = plan.tasks.filter(kind=TaskKind.DRIVE_TO_CHARGE)  # one connector, one car
    assert task.vehicle in cars
    assert task.reason == Reason.LOW_BATTERY
    assert task.reason_params["minutes"] > 5
    assert task.value_cents > task.cost_cents > 0
    assert task.reason_params["hub"] in queries.reason_text(task)
    assert task.planned_at
    parameters = Parameters.from_json(plan.parameters)
    assert queries.overtaken(queries.tasks_of(plan), parameters=parameters) == {}
    task.vehicle.blocks.update(until=NIGHT)
    task.vehicle.latest.battery_pct = 90
    task.vehicle.latest.save()
    assert queries.overtaken(queries.tasks_of(plan), parameters=parameters) == {
        task.pk: DropReason.CHARGED
    }
    assert not plan_for(ruote, vans=1).tasks.filter(kind=TaskKind.DRIVE_TO_CHARGE).exists()


# --- travel times ---------------------------------------------------------------------------------
class Road(ThreadingHTTPServer):
    """A road service: three minutes a kilometre, no way over `wall` (a longitude)."""

    wall = 99.0
    broken = ""
    most = 100

    def __init__(self):
        super().__init__(("127.0.0.1", 0), RoadHandler)
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class RoadHandler(BaseHTTPRequestHandler):
    def log_message(self, *_args):
        """Silence."""

    def do_GET(self):
        road, address = self.server, urlsplit(self.path)
        road.asked.append(self.path)
        points = [tuple(map(float, at.split(","))) for at in address.path.split("/")[-1].split(";")]
        query = parse_qs(address.query)
        every = range(len(points))
        rows, columns = (
            [int(n) for n in query[name][0].split(";")] if name in query else list(every)
            for name in ("sources", "destinations")
        )
        if road.broken == "refuses" or len(points) > road.most:
            self.send_error(400)
            return
        durations = [[self.seconds(points[a], points[b]) for b in columns] for a in rows]
        if road.broken == "short":
            durations = durations[:-1]
        body = json.dumps({"code": "Ok", "durations": durations}).encode()
        if road.broken == "nonsense":
            body = b"<html>"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def seconds(self, a, b):
        if (a[0] < self.server.wall) != (b[0] < self.server.wall):
            return None
        return geo.haversine_m(a[0], a[1], b[0], b[1]) / 1000 * 180.0


@pytest.fixture
def road(settings):
    server = Road()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.ROUTING_URL = server.url
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_large_table_is_asked_for_in_blocks(road):
    chance = np.random.default_rng(1)
    points = [(float(lon), float(lat)) for lon, lat in chance.uniform(9.0, 9.3, (23, 2))]
    whole = driving_minutes(url=road.url, points=points, most=100, seconds=5)
    road.asked.clear()
    road.most = 10
    blocks = driving_minutes(url=road.url, points=points, most=10, seconds=5)
    assert np.allclose(whole, blocks)
    assert len(road.asked) == 25
    one_way = geo.haversine_m(*points[3], *points[20]) / 1000 * 3
    assert blocks[3, 20] == pytest.approx(one_way, rel=1e-3)


@pytest.mark.parametrize("broken", ["refuses", "short", "nonsense"])
def test_a_service_that_answers_badly_is_one_that_does_not_answer(road, broken):
    road.broken = broken
    with pytest.raises(RoadUnavailable):
        driving_minutes(url=road.url, points=[QUIET, BUSY], most=100, seconds=2)


def test_time_for_the_road_service_is_limited(road):
    with pytest.raises(RoadUnavailable):
        driving_minutes(url=road.url, points=[QUIET] * 400, most=4, seconds=0.05)
    with pytest.raises(RoadUnavailable):
        driving_minutes(url="http://127.0.0.1:9", points=[QUIET, BUSY], most=100, seconds=1)


def test_a_plan_drives_on_roads_and_its_revision_asks_nobody(night, ruote, road):
    plan = plan_for(ruote, vans=1)
    assert road.asked
    assert plan.travel.source == TravelSource.ROAD
    assert codes(plan) == []
    services.publish_plan(plan_id=plan.pk, at=NIGHT, by=SYSTEM)
    road.asked.clear()
    again = services.revise_plan(plan_id=plan.pk, rounds=800, at=NIGHT, by=SYSTEM)
    assert road.asked == []
    assert again.travel == plan.travel
    assert again.tasks.filter(state=TaskState.OPEN).exists()


def test_without_a_road_service_straight_lines_do_and_it_is_said(night, ruote, road):
    road.broken = "nonsense"
    plan = plan_for(ruote, vans=1)
    assert plan.tasks.exists()
    assert plan.travel is None
    assert codes(plan) == ["straight_lines"]
    assert "straight lines" in queries.note_texts(plan)[0]


def test_a_place_without_a_way_is_left_out_and_said(night, ruote, road, make_vehicle):
    """A river without a bridge between the depot and the busy place: the near side is served."""
    road.wall = (QUIET[0] + BUSY[0]) / 2
    plan = plan_for(ruote, vans=1, depot_lon=QUIET[0], depot_lat=QUIET[1])
    assert "unreachable" in codes(plan)
    assert "travel_holes" in codes(plan)
    assert not plan.tasks.filter(cell=cell_at(lon=BUSY[0], lat=BUSY[1])).exists()
    assert len(queries.note_texts(plan)) == 2


def test_what_must_be_done_beyond_the_river_is_told(night, ruote, road, make_vehicle):
    road.wall = (QUIET[0] + BUSY[0]) / 2
    plan = plan_for(ruote, vans=1, depot_lon=QUIET[0], depot_lat=QUIET[1])
    far = make_vehicle("scooter", *AWAY, battery_pct=90, code="BLOCKING")
    task = services.add_task(
        plan_id=plan.pk, vehicle_code=far.code, kind="move_pickup", at=NIGHT, by=SYSTEM
    )
    plan.travel = services.travelling.keep_table(
        organisation_id=ruote.pk, city_id=plan.city_id, name="river", source=TravelSource.ROAD,
        points=[QUIET, BUSY, AWAY], at=NIGHT, by=SYSTEM, holes=4,
        packed=services.travelling.TravelTimes.of_pairs(
            points=[QUIET, BUSY, AWAY], pairs={(1, 2): 5.0}
        ).packed(),
    )  # fmt: skip
    plan.save()
    plan = services.revise_plan(plan_id=plan.pk, rounds=500, at=NIGHT, by=SYSTEM)
    task.refresh_from_db()
    assert task.state == TaskState.OPEN
    assert "forced_not_served" in codes(plan)


def test_old_answers_of_the_road_service_are_forgotten(night, ruote, road):
    plan = plan_for(ruote, vans=1)
    assert forget_road_tables(at=NIGHT + 29 * 24 * HOUR) == 0
    assert forget_road_tables(at=NIGHT + 31 * 24 * HOUR) == 1
    plan.refresh_from_db()
    assert plan.travel is None


def coded(milan):
    for code, place in (("Q", QUIET), ("B", BUSY), ("A", AWAY)):
        Hub.objects.create(city=milan, code=code, name={"it": code}, location=geo.point(*place))


def test_an_imported_table_is_used_and_its_holes_are_bridged(night, ruote, milan, road):
    coded(milan)
    table = services.import_travel_table(
        organisation_id=ruote.pk, city_id=milan.pk, name="Comune",
        text="from,to,minutes\nQ,B,11\nB,A,7.5\nQ,A,\n", at=NIGHT, by=SYSTEM,
    )  # fmt: skip
    assert table.holes == 0
    assert travel_times(table).minutes[0].tolist() == [0.0, 11.0, 18.5]
    plan = plan_for(ruote, vans=1)
    assert plan.travel == table
    assert road.asked == []
    TravelTable.objects.update(active=False)
    assert plan_for(ruote, vans=1).travel.source == TravelSource.ROAD


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,b\n", "columns"),
        ("from,to,minutes\nQ,X,3\n", "code"),
        ("from,to,minutes\nQ,B,soon\n", "number"),
        ("from,to,minutes\nQ,B,-1\n", "cannot be"),
        ("from,to,minutes\nQ,B,\n", "no pair"),
    ],
)
def test_a_table_that_cannot_be_read_says_where(milan, ruote, text, why):
    coded(milan)
    with pytest.raises(TableUnreadable) as refusal:
        services.import_travel_table(
            organisation_id=ruote.pk, city_id=milan.pk, name="x", text=text, at=NIGHT, by=SYSTEM
        )
    assert why in refusal.value.detail
    assert not TravelTable.objects.exists()


# --- the admin ------------------------------------------------------------------------------------
def desk_of(person):
    client = Client(headers={"accept-language": "en"})
    client.force_login(person)
    return client


def url(model, page, *args):
    return reverse(f"admin:fleet_{model._meta.model_name}_{page}", args=args)


def test_marco_keeps_vans_and_closed_hours_in_the_admin(ruote, milan, marco, sara, depot):
    desk = desk_of(marco)
    van = {
        "organisation": ruote.pk, "city": milan.pk, "name": "Ducato", "active": "on", "scooters": 10,
        "bicycles": 6, "packs": 12, "start": depot.pk, "shift_minutes": 240, "weekdays": ["1", "2", "3"],
    }  # fmt: skip
    answer = desk.post(url(Van, "add"), van)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert Van.objects.get().capacity == {"scooter": 10, "bicycle": 6}
    hours = {
        "organisation": ruote.pk, "city": milan.pk, "name": "Brera", "area": json.dumps(area(*BUSY)),
        "since": "10:00", "until": "20:00", "weekdays": [],
    }  # fmt: skip
    assert desk.post(url(ClosedHours, "add"), hours).status_code == 302
    assert ClosedHours.objects.get().area.valid
    wrong = desk.post(url(ClosedHours, "add"), {**hours, "area": "somewhere"})
    assert "area" in wrong.context["adminform"].form.errors
    assert desk.get(url(Van, "changelist")).status_code == 200
    crew = desk_of(sara)
    assert crew.get(url(Van, "changelist")).status_code == 200
    assert crew.post(url(Van, "add"), van).status_code == 403


def test_marco_imports_travel_times_in_the_admin(ruote, milan, marco, tmp_path):
    from django.core.files.uploadedfile import SimpleUploadedFile

    coded(milan)
    desk = desk_of(marco)

    def send(text):
        file = SimpleUploadedFile("times.csv", text.encode(), "text/csv")
        fields = {"organisation": ruote.pk, "city": milan.pk, "name": "Comune", "csv": file}
        return desk.post(url(TravelTable, "add"), fields)

    refused = send("from,to,minutes\nQ,X,3\n")
    assert "X" in str(refused.context["adminform"].form.errors["csv"])
    assert send("from,to,minutes\nQ,B,3\nA,A,0\n").status_code == 302
    table = TravelTable.objects.get()
    assert (table.source, table.holes) == (TravelSource.IMPORTED, 4)
    assert desk.post(url(TravelTable, "change", table.pk), {}).status_code == 302
    table.refresh_from_db()
    assert table.active is False


def geo_multi(shape):
    from django.contrib.gis.geos import GEOSGeometry, MultiPolygon

    return MultiPolygon(GEOSGeometry(json.dumps(shape), srid=4326), srid=4326)


@pytest.fixture
def make_connector_near(milan):
    """A site with one station and one free connector."""
    from charging.stations.models import ChargingStation, Connector, Evse, Site

    def make(lon, lat):
        site = Site.objects.create(
            organisation=milan.organisation, name={"it": "Lodi TIBB"}, location=geo.point(lon, lat)
        )
        station = ChargingStation.objects.create(site=site, identity="LODI-1")
        evse = Evse.objects.create(station=station, number=1)
        return Connector.objects.create(evse=evse, number=1, status="Available")

    return make
