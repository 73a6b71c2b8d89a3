"""How long what is kept: every step verifies first and writes down what it removed."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from fleet.telematics import cells, queries, records, services, tasks
from fleet.telematics.models import (
    CellCount,
    QuarantinedPoint,
    RetentionRun,
    TripTrack,
)
from fleet.telematics.services import partitions, retention, tracks
from fleet.telematics.services.retention.books import months_before
from fleet.telematics.store import CloseFailed, closing, point_store
from fleet.vehicles.models import Vehicle, VehicleEvent, VehicleHold
from mobility.core import clock
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.telematics.test_store import DAY, MIDNIGHT, day_of, nothing, same

if TYPE_CHECKING:
    from fleet.telematics.records import Points

DAYS = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)
NIGHT = MIDNIGHT + 8 * DAYS + 2 * HOUR  # the first night on which DAY is no longer hot
YEAR_LATER = MIDNIGHT + 450 * DAYS


@pytest.fixture(autouse=True)
def _no_memory_of_partitions(db: None) -> Any:
    partitions._prepared.clear()
    yield
    partitions._prepared.clear()


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    return make_vehicle(at=MIDNIGHT - HOUR)


def keep(vehicle: Vehicle, points: Points, *, late: bool = False) -> Points:
    points = points.copy()
    points["vehicle_id"] = vehicle.pk
    partitions.prepare_days(points["at_us"])
    point_store().append(fresh=nothing() if late else points, late=points if late else nothing())
    return points


def runs(kind: str) -> list[tuple[str, int, int, int]]:
    rows = RetentionRun.objects.filter(kind=kind).order_by("id")
    return list(rows.values_list("subject", "counted", "verified", "removed"))


# --- days -------------------------------------------------------------------------------------------


def test_a_day_is_closed_when_it_is_no_longer_hot(scooter: Vehicle) -> None:
    points = keep(scooter, day_of(7))
    assert retention.close_days(at=NIGHT - DAYS) == []
    (closed,) = retention.close_days(at=NIGHT)
    assert (closed.day, closed.hot) == (DAY, 1440)
    assert runs("close_day") == [("2025-05-04", 1440, 1440, 1440)]
    run = RetentionRun.objects.get(kind="close_day")
    assert run.bytes_before > run.bytes_after > 0
    assert same(point_store().track(vehicle_id=scooter.pk, start=MIDNIGHT, end=NIGHT), points)
    assert retention.close_days(at=NIGHT) == []


def test_a_day_that_cannot_be_closed_stays_and_the_others_are_closed(
    scooter: Vehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = day_of(7, step_s=600)
    keep(scooter, points)
    points["at_us"] += records.to_us(MIDNIGHT + DAYS) - records.to_us(MIDNIGHT)
    keep(scooter, points)
    close = closing.close_day

    def refuse_the_first(day: datetime.date) -> closing.ClosedDay:
        if day == DAY:
            raise CloseFailed("in use")
        return close(day)

    with monkeypatch.context() as busy:
        busy.setattr(closing, "close_day", refuse_the_first)
        assert [one.day for one in retention.close_days(at=NIGHT + DAYS)] == [DAY + DAYS]
    assert point_store().days() == [DAY]
    assert [one.day for one in retention.close_days(at=NIGHT + DAYS)] == [DAY]


def test_late_points_of_a_closed_day_are_hot_until_the_next_night(scooter: Vehicle) -> None:
    points = day_of(7, step_s=600)
    keep(scooter, points[:100])
    retention.close_days(at=NIGHT)
    kept = keep(scooter, points[90:], late=True)
    assert len(kept) == 54
    assert point_store().days() == [DAY]
    (again,) = retention.close_days(at=NIGHT + DAYS)
    assert (again.hot, again.doubled) == (54, 10)
    assert retention.count_closed_days(at=NIGHT + DAYS) == [DAY]
    found = queries.track(vehicle_id=scooter.pk, start=MIDNIGHT, end=NIGHT)
    points["vehicle_id"] = scooter.pk
    assert same(found, points)
    assert CellCount.objects.filter(points__gt=0).count()
    assert sum(CellCount.objects.values_list("points", flat=True)) == 144


def test_days_are_made_ahead_and_dropped_when_empty_and_old() -> None:
    at = datetime.datetime(2031, 3, 1, 23, 59, tzinfo=datetime.UTC)
    made = services.ensure_partitions(at=at)
    assert made == [f"fleet_point_2031{day}" for day in ("0228", "0301", "0302", "0303", "0304")]
    assert services.ensure_partitions(at=at) == []
    assert not set(services.drop_empty_days(at=at + 36 * DAYS)) & set(made)
    dropped = services.drop_empty_days(at=at + 38 * DAYS)
    assert dropped == ["fleet_point_20310228", "fleet_point_20310301"]


def test_an_old_day_with_points_is_not_dropped(scooter: Vehicle) -> None:
    keep(scooter, day_of(7, step_s=3600))
    assert "fleet_point_20250504" not in services.drop_empty_days(at=MIDNIGHT + 60 * DAYS)
    assert point_store().count(day=DAY) == 24
    retention.close_days(at=MIDNIGHT + 60 * DAYS)
    assert services.drop_empty_days(at=MIDNIGHT + 60 * DAYS) == ["fleet_point_20250504"]
    assert point_store().count(day=DAY) == 24


def test_strays_move_into_their_day_when_it_is_made(scooter: Vehicle) -> None:
    """The partition of last resort never stands in the way of the day it holds rows of."""
    points = day_of(scooter.pk, step_s=3600)
    point_store().append(fresh=points, late=nothing())
    assert partitions.stray_points() == 24
    partitions.prepare_days(points["at_us"])
    assert partitions.stray_points() == 0
    assert point_store().days() == [DAY]


# --- cells ------------------------------------------------------------------------------------------


def test_a_parked_vehicle_counts_for_the_time_it_stood(scooter: Vehicle) -> None:
    """Reports every five minutes from 08:00 to 08:55; then silence."""
    points = day_of(scooter.pk, step_s=300)
    points["lon_e7"], points["lat_e7"] = 91_900_000, 454_600_000
    points["at_us"] = records.to_us(MIDNIGHT) + np.arange(288) * 300_000_000
    keep(scooter, points[96:108])
    assert retention.count_cells(day=DAY, at=NIGHT) == 12
    rows = list(CellCount.objects.order_by("at").values_list("at", "points", "vehicle_s", "kind"))
    eight = MIDNIGHT + 8 * HOUR
    quarter = datetime.timedelta(minutes=15)
    assert rows == [
        (eight, 3, 900, "scooter"),
        (eight + quarter, 3, 900, "scooter"),
        (eight + 2 * quarter, 3, 900, "scooter"),
        (eight + 3 * quarter, 3, 900, "scooter"),
        (eight + 4 * quarter, 0, 600, "scooter"),
    ]
    assert CellCount.objects.first().cell == cells.cell_at(9.19, 45.46)


def test_midnight_belongs_to_both_days(scooter: Vehicle) -> None:
    points = day_of(scooter.pk, step_s=300)
    points["lon_e7"], points["lat_e7"] = 91_900_000, 454_600_000
    points["at_us"] = records.to_us(MIDNIGHT) - 240_000_000 + np.arange(288) * 300_000_000
    keep(scooter, points[:1])
    retention.count_cells(day=DAY, at=NIGHT)
    assert list(CellCount.objects.values_list("points", "vehicle_s")) == []
    keep(scooter, points[1:2])
    retention.count_cells(day=DAY, at=NIGHT)
    rows = CellCount.objects.order_by("at").values_list("points", "vehicle_s")
    assert list(rows) == [(1, 60 + 840), (0, 60)]


def test_trips_count_where_they_start_and_end(scooter: Vehicle) -> None:
    keep(scooter, day_of(scooter.pk, step_s=10))
    track = tracks.record_track(
        trip_ref="trip:1",
        vehicle_id=scooter.pk,
        started_at=MIDNIGHT + 8 * HOUR,
        ended_at=MIDNIGHT + 8 * HOUR + 14 * HOUR / 60,
        at=NIGHT,
    )
    retention.count_cells(day=DAY, at=NIGHT)
    retention.count_cells(day=DAY, at=NIGHT)
    start = CellCount.objects.get(starts=1)
    assert (start.at, start.distance_m) == (MIDNIGHT + 8 * HOUR, track.distance_m)
    assert start.cell == cells.cell_at(*track.line.coords[0])
    assert CellCount.objects.get(ends=1).cell == cells.cell_at(*track.line.coords[-1])
    total = sum(CellCount.objects.values_list("vehicle_s", flat=True))
    assert total == pytest.approx(86_400, abs=20 + CellCount.objects.count())


def test_a_night_that_broke_off_is_counted_in_the_next_one(scooter: Vehicle) -> None:
    """Killed between the close and the count: nobody has to remember it but the books."""
    keep(scooter, day_of(7, step_s=600))
    retention.close_days(at=NIGHT)
    assert not CellCount.objects.exists()
    assert retention.count_closed_days(at=NIGHT + DAYS) == [DAY]
    assert retention.count_closed_days(at=NIGHT + DAYS) == []
    assert sum(CellCount.objects.values_list("points", flat=True)) == 144


# --- what is broken ---------------------------------------------------------------------------------


def break_a_chunk(vehicle: Vehicle) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE fleet_pointchunk SET payload = %s WHERE vehicle_id = %s", [b"no", vehicle.pk]
        )


def test_a_broken_chunk_stops_neither_other_days_nor_other_steps(
    scooter: Vehicle, make_vehicle: MakeVehicle
) -> None:
    points = day_of(7, step_s=600)
    keep(scooter, points[::2])
    retention.close_days(at=NIGHT)
    break_a_chunk(scooter)
    keep(scooter, points, late=True)
    healthy = day_of(7, step_s=600)
    healthy["at_us"] += records.to_us(MIDNIGHT + DAYS) - records.to_us(MIDNIGHT)
    keep(make_vehicle(at=MIDNIGHT), healthy)
    QuarantinedPoint.objects.create(
        vehicle=scooter, reason="future", at_us=0, received_at=MIDNIGHT, lon_e7=0, lat_e7=0
    )
    retention.retain(at=MIDNIGHT + 100 * DAYS)
    assert runs("close_day") == [("2025-05-04", 72, 72, 72), ("2025-05-05", 144, 144, 144)]
    assert point_store().days() == [DAY]
    assert [subject for subject, *_counts in runs("count_cells")] == ["2025-05-05"]
    assert len(runs("quarantine")) == 1


def test_a_broken_track_does_not_stop_the_others(
    scooter: Vehicle, make_vehicle: MakeVehicle
) -> None:
    other = make_vehicle(at=MIDNIGHT)
    for vehicle in (scooter, other):
        keep(vehicle, day_of(7, step_s=60))
        tracks.record_track(
            trip_ref=f"trip:{vehicle.pk}",
            vehicle_id=vehicle.pk,
            started_at=MIDNIGHT,
            ended_at=MIDNIGHT + HOUR,
            at=MIDNIGHT + HOUR,
        )
    retention.close_days(at=NIGHT)
    break_a_chunk(scooter)
    tracks.correct_tracks(at=NIGHT)
    settled = TripTrack.objects.exclude(settled_at=None)
    assert [track.vehicle_id for track in settled] == [other.pk]


def test_a_step_that_fails_is_told_after_the_others_are_done(
    scooter: Vehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    def fail(*, at: datetime.datetime) -> None:
        raise DatabaseError("away")

    def work(*, at: datetime.datetime) -> None:
        done.append(at)

    monkeypatch.setattr("fleet.telematics.services.retention.round.STEPS", (fail, work))
    with pytest.raises(DatabaseError, match="away"):
        retention.retain(at=NIGHT)
    assert done == [NIGHT]


def test_who_finds_its_day_made_waits_for_nobody(
    scooter: Vehicle, django_assert_num_queries: Any
) -> None:
    """One look and no lock; a drain must not queue behind another one for an old day."""
    at_us = np.array([records.to_us(MIDNIGHT)])
    partitions.prepare_days(at_us)
    partitions._prepared.clear()
    with django_assert_num_queries(1):
        partitions.prepare_days(at_us)


# --- months -----------------------------------------------------------------------------------------


def settled_trip(vehicle: Vehicle) -> TripTrack:
    tracks.record_track(
        trip_ref="trip:1",
        vehicle_id=vehicle.pk,
        started_at=MIDNIGHT + 8 * HOUR,
        ended_at=MIDNIGHT + 9 * HOUR,
        at=NIGHT,
    )
    return TripTrack.objects.get()


def test_chunks_go_after_their_months_and_lines_and_counts_stay(scooter: Vehicle) -> None:
    keep(scooter, day_of(7, step_s=10))
    settled_trip(scooter)
    tracks.correct_tracks(at=NIGHT)
    retention.close_days(at=NIGHT)
    month_end = datetime.datetime(2025, 6, 1, tzinfo=datetime.UTC)
    just_before = month_end.replace(year=2026, month=6, day=30)
    assert retention.drop_months(at=just_before) == []
    (run,) = retention.drop_months(at=just_before + DAYS)
    assert (run.subject, run.counted, run.removed) == ("2025-05", 8640, 8640)
    assert run.bytes_before > 0
    assert point_store().months() == []
    assert len(queries.track(vehicle_id=scooter.pk, start=MIDNIGHT, end=NIGHT)) == 0
    track = TripTrack.objects.get()
    assert track.distance_m > 1000
    assert len(track.line) > 2
    assert sum(CellCount.objects.values_list("points", flat=True)) == 8640


def test_a_month_stays_while_a_track_in_it_waits(scooter: Vehicle) -> None:
    keep(scooter, day_of(7, step_s=60))
    settled_trip(scooter)
    retention.close_days(at=NIGHT)
    assert retention.drop_months(at=YEAR_LATER) == []
    tracks.correct_tracks(at=NIGHT)
    assert len(retention.drop_months(at=YEAR_LATER)) == 1


def test_a_day_that_was_counted_wrongly_is_counted_again_before_it_goes(scooter: Vehicle) -> None:
    keep(scooter, day_of(7, step_s=60))
    retention.close_days(at=NIGHT)
    retention.count_closed_days(at=NIGHT)
    CellCount.objects.first().delete()
    (run,) = retention.drop_months(at=YEAR_LATER)
    assert run.removed == 1440
    assert sum(CellCount.objects.values_list("points", flat=True)) == 1440


def test_a_month_with_other_counts_stays(scooter: Vehicle, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(scooter, day_of(7, step_s=600))
    retention.close_days(at=NIGHT)
    assert point_store().drop_month(month=DAY.replace(day=1), expected=143) is None
    assert point_store().count(day=DAY) == 144


def test_the_books_refuse_to_remove_more_than_was_verified() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        RetentionRun.objects.create(
            kind="drop_month", subject="2025-05", at=NIGHT, counted=5, verified=4, removed=5
        )


@pytest.mark.parametrize(
    ("months", "before"), [(13, "2026-02-28"), (24, "2025-03-31"), (3, "2026-12-31")]
)
def test_months_before_a_day(months: int, before: str) -> None:
    at = datetime.datetime(2027, 3, 31, 2, tzinfo=datetime.UTC)
    assert str(months_before(at, months).date()) == before


# --- links ------------------------------------------------------------------------------------------


def ridden(vehicle: Vehicle, ref: str, at: datetime.datetime) -> None:
    TripTrack.objects.create(
        trip_ref=ref,
        vehicle=vehicle,
        started_at=at,
        ended_at=at + HOUR,
        distance_m=900,
        points=10,
        computed_at=at + HOUR,
        settled_at=at + HOUR,
    )
    for moment, event in ((at, "trip_start"), (at + HOUR, "trip_end")):
        VehicleEvent.objects.create(
            vehicle=vehicle,
            at=moment,
            mds_state="on_trip",
            mds_events=[event],
            life_state="in_service",
            rental_state="on_trip",
            link_state="online",
            trip_ref=ref,
            by="test",
        )
    VehicleHold.objects.create(
        vehicle=vehicle,
        during=DateTimeTZRange(at - HOUR, at + HOUR),
        purpose="ride",
        holder_ref=f"reservation:{ref}",
        released_at=at + HOUR,
    )


def test_the_link_to_a_trip_is_cut_after_its_time(scooter: Vehicle) -> None:
    ridden(scooter, "trip:old", MIDNIGHT)
    ridden(scooter, "trip:young", MIDNIGHT + 30 * DAYS)
    at = months_before(MIDNIGHT, -24) + 2 * HOUR
    run = retention.cut_links(at=at)
    assert run is not None
    assert (run.counted, run.verified, run.removed) == (2, 2, 2)
    refs = list(TripTrack.objects.order_by("started_at").values_list("trip_ref", flat=True))
    assert refs[0].startswith("unlinked:")
    assert refs[1] == "trip:young"
    told = VehicleEvent.objects.order_by("at").values_list("trip_ref", flat=True)
    assert list(told) == [refs[0], refs[0], "trip:young", "trip:young"]
    holders = list(VehicleHold.objects.order_by("id").values_list("holder_ref", flat=True))
    assert holders[0].startswith("unlinked:")
    assert holders[1] == "reservation:trip:young"
    assert TripTrack.objects.get(trip_ref=refs[0]).unlinked_at == at
    assert retention.cut_links(at=at) is None


def test_a_trip_that_is_not_over_yet_keeps_its_name_everywhere(scooter: Vehicle) -> None:
    ridden(scooter, "trip:old", MIDNIGHT)
    assert retention.cut_links(at=months_before(MIDNIGHT, -24) + HOUR / 2) is None


def test_nothing_else_of_the_history_can_be_altered(scooter: Vehicle) -> None:
    ridden(scooter, "trip:old", MIDNIGHT)
    event = VehicleEvent.objects.earliest("at")

    def refused(**change: str) -> bool:
        try:
            with transaction.atomic():
                VehicleEvent.objects.filter(pk=event.pk).update(**change)
        except DatabaseError as error:
            return "append-only" in str(error)
        return False

    assert refused(trip_ref="unlinked:x")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL fleet.unlink = 'on'")
    assert refused(trip_ref="trip:other")
    assert refused(trip_ref="unlinked:x", by="somebody")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        VehicleEvent.objects.filter(pk=event.pk).delete()


# --- what was put aside -----------------------------------------------------------------------------


def test_what_was_put_aside_is_forgotten(scooter: Vehicle) -> None:
    for day in (0, 30):
        QuarantinedPoint.objects.create(
            vehicle=scooter,
            reason="future",
            at_us=day,
            received_at=MIDNIGHT + day * DAYS,
            lon_e7=0,
            lat_e7=0,
        )
    run = retention.forget_quarantined(at=MIDNIGHT + 91 * DAYS)
    assert run is not None
    assert (run.counted, run.removed) == (1, 1)
    assert QuarantinedPoint.objects.get().at_us == 30
    assert retention.forget_quarantined(at=MIDNIGHT + 91 * DAYS) is None


def test_the_nightly_round(scooter: Vehicle) -> None:
    at = clock.now() - 9 * DAYS
    points = day_of(scooter.pk, step_s=3600)
    points["at_us"] += records.to_us(at) - records.to_us(MIDNIGHT)
    keep(scooter, points)
    tasks.retain()
    assert RetentionRun.objects.filter(kind="close_day").exists()
    assert sum(point_store().count(day=at.date() + n * DAYS) for n in range(2)) == 24
