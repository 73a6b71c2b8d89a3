"""How far a trip went: from stored points, corrected by late ones, never by what came first."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.db import connection, connections, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.telematics import records, tasks
from fleet.telematics.events import TrackCorrected
from fleet.telematics.log import RedisPointLog
from fleet.telematics.models import TripTrack
from fleet.telematics.rules.way import LINE_TOLERANCE_M, way_of
from fleet.telematics.services import tracks
from fleet.telematics.services.drain import drain_all
from fleet.telematics.store import closing, point_store
from fleet.vehicles import services as vehicles
from fleet.vehicles.events import TripEnded
from fleet.vehicles.models import Vehicle
from mobility.core import clock, outbox
from mobility.core.geo import haversine_m
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.telematics.test_drain import point, send

if TYPE_CHECKING:
    from fleet.telematics.records import Points

NOON = datetime.datetime(2026, 5, 4, 12, 0, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)
MINUTE = datetime.timedelta(minutes=1)
METRE = 128.2  # 1e-7 degrees of longitude in Milan

# --- the pure rule ----------------------------------------------------------------------------------


def ride(
    *metres: float, every_s: int = 10, speed_cms: int = 500, vehicle_id: int = 7, north: float = 0
) -> Points:
    """Points `metres` east of home, one every `every_s` seconds."""
    points = np.full(len(metres), records.UNKNOWN, dtype=records.OWNED_POINT)
    points["vehicle_id"] = vehicle_id
    points["at_us"] = records.to_us(NOON) + np.arange(len(metres)) * every_s * 1_000_000
    points["received_us"] = points["at_us"]
    points["lon_e7"] = 91_900_000 + np.rint(np.array(metres) * METRE)
    points["lat_e7"] = 454_600_000 + round(north * 89.9)
    points["speed_cms"] = speed_cms
    return points


def metres_of(points: Points, *, limit_mps: float = 40) -> float:
    return way_of(points, limit_mps=limit_mps).distance_m


def test_metres_along_a_street() -> None:
    assert metres_of(ride(*range(0, 501, 50))) == pytest.approx(500, rel=0.002)
    assert metres_of(ride()) == metres_of(ride(7)) == 0


def test_one_jump_of_the_receiver_counts_nothing_and_costs_nothing() -> None:
    """The way goes on from the last fix that was believed."""
    assert metres_of(ride(0, 50, 9_000, 100, 150)) == pytest.approx(150, rel=0.002)


def test_a_receiver_that_begins_far_off_counts_nothing_for_coming_home() -> None:
    assert metres_of(ride(9_000, 0, 50, 100)) == pytest.approx(50, abs=1)


def test_a_vehicle_carried_off_while_silent_counts_from_where_it_is() -> None:
    assert metres_of(ride(0, 50, 9_000, 9_050, 9_100)) == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize(("told", "wander_m"), [(0, 28), (-1, 13)])
def test_drift_of_a_parked_vehicle_counts_nothing(told: int, wander_m: int) -> None:
    rng = np.random.default_rng(1)
    drift = np.append([0], rng.uniform(-wander_m / 2, wander_m / 2, 500))
    assert metres_of(ride(*drift, speed_cms=told)) == 0


def test_a_receiver_in_a_street_canyon_is_given_the_doubt_it_tells() -> None:
    points = ride(*[0, 70, -20, 60] * 20, speed_cms=0)
    assert metres_of(points) > 1000
    points["accuracy_dm"] = 900
    assert metres_of(points) == 0


def test_a_vehicle_without_a_speed_sensor_is_followed_all_the_same() -> None:
    for told in (-1, 0):
        assert metres_of(ride(*range(0, 1001, 20), speed_cms=told)) == pytest.approx(1000, abs=31)


def test_walking_pace_that_is_told_counts_every_step() -> None:
    assert metres_of(ride(*range(0, 61, 3), every_s=3, speed_cms=100)) == pytest.approx(60, abs=0.5)


@settings(max_examples=60, deadline=None)
@given(
    wiggles=st.lists(st.floats(-40, 40), min_size=1, max_size=60),
    step=st.integers(5, 80),
)
def test_the_kept_line_is_never_far_from_the_points(wiggles: list[float], step: int) -> None:
    points = ride(*(place * step for place in range(len(wiggles))))
    points["lat_e7"] += np.rint(np.array(wiggles) * 89.9).astype(np.int32)
    corners = np.array(way_of(points, limit_mps=60).corners)
    assert len(corners) <= max(2, len(points))
    for row in points:
        lon, lat = row["lon_e7"] / 1e7, row["lat_e7"] / 1e7
        assert distance_to_line_m(lon, lat, corners) <= LINE_TOLERANCE_M + 0.1


def distance_to_line_m(lon: float, lat: float, corners: Any) -> float:
    east = haversine_m(lon, lat, lon + 0.001, lat) * 1000
    north = haversine_m(lon, lat, lon, lat + 0.001) * 1000
    xs, ys = (corners[:, 0] - lon) * east, (corners[:, 1] - lat) * north
    best = float(np.hypot(xs, ys).min())
    for x0, y0, x1, y1 in zip(xs, ys, xs[1:], ys[1:], strict=False):
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        if length:
            along = min(max(-(x0 * (x1 - x0) + y0 * (y1 - y0)) / length, 0), 1)
            best = min(best, float(np.hypot(x0 + along * (x1 - x0), y0 + along * (y1 - y0))))
    return best


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    copies=st.integers(1, 3),
    cuts=st.lists(st.integers(1, 60), max_size=8),
)
def test_any_shuffle_gives_the_same_points_way_and_chunk(
    seed: int, copies: int, cuts: list[int]
) -> None:
    """Pure: pieces of a shuffled, repeated ride, merged one after the other."""
    points = ride(*np.cumsum(np.random.default_rng(3).integers(0, 90, 80)))
    order = np.random.default_rng(seed).permutation(np.tile(np.arange(len(points)), copies))
    known = points[:0]
    for piece in np.split(order, np.cumsum(cuts)):
        known = closing.merged(known, points[piece])
    assert np.array_equal(known, points)
    assert way_of(known, limit_mps=40) == way_of(points, limit_mps=40)


# --- tracks of trips --------------------------------------------------------------------------------


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    return make_vehicle(at=NOON - 60 * MINUTE)


def keep(vehicle: Vehicle, points: Points, *, late: bool = False) -> None:
    """Store points as the drain does."""
    points = points.copy()
    points["vehicle_id"] = vehicle.pk
    none = points[:0]
    with transaction.atomic():
        tracks_of_day = (
            records.from_us(int(points["at_us"][0])),
            records.from_us(int(points["at_us"][-1])),
        )
        point_store().append(fresh=none if late else points, late=points if late else none)
        if late:
            tracks.note_late_points(spans=[(vehicle.pk, *tracks_of_day)], at=NOON)


@pytest.fixture(autouse=True)
def _today(request: pytest.FixtureRequest) -> None:
    if "db" in request.fixturenames or "scooter" in request.fixturenames:
        request.getfixturevalue("db")
        from fleet.telematics.services import ensure_partitions

        ensure_partitions(at=NOON)


STREET = ride(*range(0, 1001, 25))
ENDED = NOON + 400 * SECOND


def end_trip(vehicle: Vehicle, *, ref: str = "trip:1", ended_at: datetime.datetime = ENDED) -> None:
    with transaction.atomic():
        outbox.publish(
            TripEnded(vehicle_id=vehicle.pk, trip_ref=ref, started_at=NOON, ended_at=ended_at),
            at=ended_at,
        )


def corrections() -> list[dict[str, Any]]:
    rows = OutboxEvent.objects.filter(name=TrackCorrected.name).order_by("id")
    return [row.payload for row in rows]


def test_a_trip_gets_its_track_when_it_has_ended(
    scooter: Vehicle, relay: Callable[[], int]
) -> None:
    keep(scooter, STREET)
    end_trip(scooter)
    relay()
    end_trip(scooter)
    relay()
    track = TripTrack.objects.get()
    assert (track.trip_ref, track.vehicle_id) == ("trip:1", scooter.pk)
    assert (track.distance_m, track.points, track.version) == (1000, len(STREET), 1)
    assert len(track.line) == 2
    assert track.settled_at is None
    assert corrections() == []


def test_a_trip_without_any_report_has_no_line(scooter: Vehicle) -> None:
    track = tracks.record_track(
        trip_ref="trip:1", vehicle_id=scooter.pk, started_at=NOON, ended_at=ENDED, at=ENDED
    )
    assert (track.distance_m, track.points, track.line) == (0, 0, None)


def test_stragglers_are_waited_for_before_a_track_is_settled(
    scooter: Vehicle, relay: Callable[[], int]
) -> None:
    """The last points of the ride are stored a moment after it was closed."""
    keep(scooter, STREET[:-8])
    end_trip(scooter)
    relay()
    assert TripTrack.objects.get().distance_m == 800
    keep(scooter, STREET[-8:])
    assert tracks.correct_tracks(at=ENDED + MINUTE) == 0
    assert tracks.correct_tracks(at=ENDED + 15 * MINUTE) == 1
    track = TripTrack.objects.get()
    assert (track.distance_m, track.version) == (1000, 2)
    assert track.settled_at == ENDED + 15 * MINUTE
    assert corrections() == [
        {
            "trip_ref": "trip:1",
            "vehicle_id": scooter.pk,
            "distance_m_before": 800,
            "distance_m_after": 1000,
        }
    ]
    assert tracks.correct_tracks(at=ENDED + 30 * MINUTE) == 0


def test_points_that_come_hours_later_correct_the_track_once(
    scooter: Vehicle, relay: Callable[[], int]
) -> None:
    """10:05 was there before 10:01: a gap around a corner is filled, and the way grows."""
    corner = ride(*range(0, 501, 25), north=0)
    detour = corner.copy()
    detour["lat_e7"][5:15] += round(100 * 89.9)
    keep(scooter, detour[[0, 20]])
    end_trip(scooter, ended_at=NOON + 200 * SECOND)
    relay()
    tracks.correct_tracks(at=NOON + 60 * MINUTE)
    assert TripTrack.objects.get().distance_m == 500
    keep(scooter, detour[1:20], late=True)
    assert TripTrack.objects.get().stale
    assert tracks.correct_tracks(at=NOON + 61 * MINUTE) == 1
    track = TripTrack.objects.get()
    assert track.distance_m > 600
    assert not track.stale
    keep(scooter, detour, late=True)
    assert tracks.correct_tracks(at=NOON + 62 * MINUTE) == 0
    assert len(corrections()) == 1


def test_a_device_that_returns_after_staff_closed_the_trip(
    scooter: Vehicle, relay: Callable[[], int]
) -> None:
    """No point at all until the next day; its day may be closed by then. Nothing is charged."""
    end_trip(scooter)
    relay()
    tracks.correct_tracks(at=ENDED + 20 * MINUTE)
    assert TripTrack.objects.get().distance_m == 0
    keep(scooter, STREET, late=True)
    point_store().close(day=NOON.date())
    assert tracks.correct_tracks(at=ENDED + 1440 * MINUTE) == 1
    assert TripTrack.objects.get().distance_m == 1000
    names = set(OutboxEvent.objects.values_list("name", flat=True))
    assert names == {TripEnded.name, TrackCorrected.name}


def test_a_ride_from_its_reports_to_its_track(
    scooter: Vehicle, log: RedisPointLog, relay: Callable[[], int]
) -> None:
    """Giulia rides while the scooter reports; half of its reports come after the end."""
    hold = vehicles.hold_vehicle(
        vehicle_id=scooter.pk,
        until=NOON + 30 * MINUTE,
        purpose="ride",
        holder_ref="reservation:1",
        at=NOON - MINUTE,
        by=SYSTEM,
    )

    def mark(what: str, at: datetime.datetime) -> None:
        vehicles.mark_trip(hold_id=hold.pk, mark=what, trip_ref="trip:1", at=at, by=SYSTEM)

    def report(numbers: range, received_at: datetime.datetime) -> None:
        places = [
            point(NOON + number * 10 * SECOND, lon=9.19 + number * 5e-4, speed=400)
            for number in numbers
        ]
        send(log, scooter, *places, received_at=received_at)
        drain_all(shard=0, at=received_at)

    mark("starting", NOON - 30 * SECOND)
    mark("running", NOON)
    report(range(20), NOON + 200 * SECOND)
    mark("ended", NOON + 400 * SECOND)
    relay()
    track = TripTrack.objects.get(trip_ref="trip:1")
    assert (track.vehicle_id, track.started_at) == (scooter.pk, NOON)
    assert track.distance_m == pytest.approx(19 * 39, abs=2)
    tracks.correct_tracks(at=NOON + 30 * MINUTE)
    report(range(20, 41), NOON + 120 * MINUTE)
    assert tracks.correct_tracks(at=NOON + 121 * MINUTE) == 1
    track.refresh_from_db()
    assert track.distance_m == pytest.approx(40 * 39, abs=4)
    assert track.points == 41


def test_late_points_touch_only_the_tracks_they_fall_into(
    scooter: Vehicle, make_vehicle: MakeVehicle
) -> None:
    other = make_vehicle(at=NOON - 60 * MINUTE)
    hour = 60 * MINUTE
    for ref, vehicle, begin in (
        ("before", scooter, NOON - 2 * hour),
        ("hit", scooter, NOON),
        ("after", scooter, NOON + 2 * hour),
        ("other", other, NOON),
    ):
        tracks.record_track(
            trip_ref=ref,
            vehicle_id=vehicle.pk,
            started_at=begin,
            ended_at=begin + 10 * MINUTE,
            at=begin + hour,
        )
    spans = [(scooter.pk, NOON + 5 * MINUTE, NOON + 20 * MINUTE)]
    assert tracks.note_late_points(spans=spans, at=NOON) == 1
    assert tracks.note_late_points(spans=[], at=NOON) == 0
    assert TripTrack.objects.get(stale=True).trip_ref == "hit"


def test_the_door_for_beat(scooter: Vehicle) -> None:
    at = clock.now()
    tracks.record_track(
        trip_ref="trip:1",
        vehicle_id=scooter.pk,
        started_at=at - 60 * MINUTE,
        ended_at=at - 50 * MINUTE,
        at=at - 50 * MINUTE,
    )
    assert tasks.correct_tracks() == 0
    assert TripTrack.objects.get().settled_at is not None


@pytest.mark.django_db(transaction=True)
def test_points_stored_while_a_track_is_computed_are_not_missed(
    scooter: Vehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The computation has read already when the points are committed: the track is stale again."""
    keep(scooter, STREET[:20])
    tracks.record_track(
        trip_ref="trip:1", vehicle_id=scooter.pk, started_at=NOON, ended_at=ENDED, at=ENDED
    )
    compute, storing = tracks._compute, []

    def store_late() -> None:
        keep(scooter, STREET[20:], late=True)
        connections.close_all()

    def slow_compute(track: TripTrack, *, at: datetime.datetime) -> bool:
        changed = compute(track, at=at)
        storing.append(threading.Thread(target=store_late))
        storing[0].start()
        storing[0].join(0.5)
        assert storing[0].is_alive()
        return changed

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(tracks, "_compute", slow_compute)
        tracks.correct_tracks(at=ENDED + 20 * MINUTE)
    storing[0].join(10)
    assert TripTrack.objects.get().stale
    tracks.correct_tracks(at=ENDED + 21 * MINUTE)
    assert TripTrack.objects.get().distance_m == 1000
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE fleet_point")
