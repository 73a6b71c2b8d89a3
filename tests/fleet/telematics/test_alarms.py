"""Alarms: each begins by its condition and ends by its own, once, and staff see to it."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from fleet.telematics import services
from fleet.telematics.models import Alarm, VehiclePresence
from fleet.telematics.rules import watch
from fleet.telematics.rules.jumps import Fix
from fleet.telematics.rules.watch import Pace, Parked
from fleet.telematics.services.drain import drain_all
from fleet.vehicles import services as vehicles
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.telematics.reporting import (
    MINUTE,
    NOON,
    SECOND,
    Report,
    alarms,
    end_trip,
    hold_for,
    point,
    put,
    start_trip,
)

MOVED = "moved_without_trip"

Api = Callable[[User | None], APIClient]


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    return make_vehicle(at=NOON - 60 * MINUTE)


def events() -> list[str]:
    names = OutboxEvent.objects.filter(name__startswith="fleet.alarm").order_by("id")
    return [row.name.split(".")[1] for row in names]


# --- moved without trip ---------------------------------------------------------------------------


def test_a_scooter_carried_off_raises_one_alarm(scooter: Vehicle, report: Report) -> None:
    report(scooter, point(NOON))
    for minute in range(1, 4):
        report(scooter, point(NOON + minute * MINUTE, east_m=80 * minute))
    assert alarms(scooter) == [(MOVED, "open")]
    alarm = Alarm.objects.get()
    assert (alarm.severity, alarm.count) == ("critical", 2)
    assert alarm.opened_at == NOON + 2 * MINUTE
    assert alarm.details["lon"] == pytest.approx(9.2050 + 160 / 78_000, abs=1e-6)
    assert events() == ["alarm_opened"]


def test_two_of_three_fixes_are_needed(scooter: Vehicle, report: Report) -> None:
    report(scooter, point(NOON))
    report(scooter, point(NOON + MINUTE, east_m=120))
    assert alarms(scooter) == []
    report(scooter, point(NOON + 2 * MINUTE))
    assert alarms(scooter) == []
    report(scooter, point(NOON + 3 * MINUTE, east_m=120))
    assert alarms(scooter) == [(MOVED, "open")]


def test_drift_of_a_parked_scooter_is_no_move(scooter: Vehicle, report: Report) -> None:
    wander = [0, 30, -40, 45, -20, 48, 10]
    for minute, metres in enumerate(wander):
        report(scooter, point(NOON + minute * MINUTE, east_m=metres, north_m=-metres / 9))
    assert alarms(scooter) == []


def test_a_doubtful_fix_moves_nothing(scooter: Vehicle, report: Report) -> None:
    report(scooter, point(NOON))
    for minute in range(1, 5):
        report(scooter, point(NOON + minute * MINUTE, east_m=90, accuracy_m=60))
    for minute in range(5, 9):
        report(scooter, point(NOON + minute * MINUTE, east_m=400, accuracy_m=500))
    assert alarms(scooter) == []


def test_a_scooter_brought_back_is_parked_again(scooter: Vehicle, report: Report) -> None:
    moved = [0, 100, 200, 0, 0, 0]
    for minute, metres in enumerate(moved):
        report(scooter, point(NOON + minute * MINUTE, east_m=metres))
    assert alarms(scooter) == [(MOVED, "closed")]
    assert Alarm.objects.get().closed_by == "system:telematics"
    assert events() == ["alarm_opened", "alarm_closed"]


def test_a_scooter_left_elsewhere_is_parked_there(scooter: Vehicle, report: Report) -> None:
    report(scooter, point(NOON))
    for minute in range(1, 8):
        report(scooter, point(NOON + minute * MINUTE, east_m=300))
    assert alarms(scooter) == [(MOVED, "closed")]
    report(scooter, point(NOON + 9 * MINUTE, east_m=310))
    report(scooter, point(NOON + 10 * MINUTE, east_m=310))
    assert alarms(scooter) == [(MOVED, "closed")]


def test_a_ride_is_no_alarm_and_ends_one(scooter: Vehicle, report: Report) -> None:
    report(scooter, point(NOON))
    report(scooter, point(NOON + MINUTE, east_m=100), point(NOON + 2 * MINUTE, east_m=200))
    assert alarms(scooter) == [(MOVED, "open")]
    hold = start_trip(scooter, at=NOON + 3 * MINUTE)
    report(scooter, point(NOON + 4 * MINUTE, east_m=600))
    report(scooter, point(NOON + 5 * MINUTE, east_m=1200))
    end_trip(hold, at=NOON + 6 * MINUTE)
    report(scooter, point(NOON + 7 * MINUTE, east_m=1210))
    report(scooter, point(NOON + 8 * MINUTE, east_m=1215))
    assert alarms(scooter) == [(MOVED, "closed")]


def test_sara_may_carry_a_scooter_in_her_van(scooter: Vehicle, report: Report) -> None:
    report(scooter, point(NOON))
    hold_for(scooter, at=NOON + SECOND, ref="task:1", purpose="crew")
    for minute in range(1, 5):
        report(scooter, point(NOON + minute * MINUTE, east_m=400 * minute))
    assert alarms(scooter) == []


def test_the_buffered_points_of_a_ride_are_no_theft(scooter: Vehicle, report: Report) -> None:
    """Four hours without a network, ridden meanwhile: stored, and nobody is alarmed."""
    report(scooter, point(NOON - 4 * 60 * MINUTE - MINUTE))
    hold = start_trip(scooter, at=NOON - 240 * MINUTE)
    end_trip(hold, at=NOON - 60 * MINUTE)
    burst = [point(NOON - (240 - n) * MINUTE, east_m=50 * min(n, 180)) for n in range(240)]
    done = report(scooter, *burst, at=NOON)
    assert done.stored == 240
    assert alarms(scooter) == []
    report(scooter, point(NOON + MINUTE, east_m=50 * 180))
    assert alarms(scooter) == []


def test_the_last_metres_of_a_ride_that_come_late_are_no_theft(
    scooter: Vehicle, report: Report
) -> None:
    hold = start_trip(scooter, at=NOON)
    end_trip(hold, at=NOON + 3 * MINUTE)
    report(
        scooter,
        *(point(NOON + n * 10 * SECOND, east_m=60 * n) for n in range(1, 18)),
        at=NOON + 3 * MINUTE + SECOND,
    )
    report(scooter, point(NOON + 4 * MINUTE, east_m=1020))
    report(scooter, point(NOON + 5 * MINUTE, east_m=1022))
    assert alarms(scooter) == []


def test_a_vehicle_in_the_workshop_may_be_moved(scooter: Vehicle, report: Report) -> None:
    report(scooter, point(NOON))
    vehicles.set_life_state(vehicle_id=scooter.pk, to="workshop", at=NOON, by=SYSTEM)
    for minute in range(1, 4):
        report(scooter, point(NOON + minute * MINUTE, east_m=300 * minute))
    assert alarms(scooter) == []


# --- the others -----------------------------------------------------------------------------------


def test_a_scooter_that_fell_over_and_is_set_up(scooter: Vehicle, report: Report) -> None:
    states = []
    for minute, tilted in enumerate((0, 1, 0, 1, 1, -1, 1, 0)):
        report(scooter, point(NOON + minute * MINUTE, tilted=tilted))
        states.append(alarms(scooter))
    assert states == [[]] * 4 + [[("tilt", "open")]] * 3 + [[("tilt", "closed")]]


def test_a_low_battery_is_told_until_it_is_charged(scooter: Vehicle, report: Report) -> None:
    found = []
    for minute, battery in enumerate((16, 15, 14, 19, 20, 60)):
        report(scooter, point(NOON + minute * MINUTE, battery=battery))
        found.append([state for _kind, state in alarms(scooter)])
    assert found == [[], ["open"], ["open"], ["open"], ["closed"], ["closed"]]
    assert Alarm.objects.get().details == {"battery_pct": 15}


def test_silence_is_told_until_the_vehicle_speaks(scooter: Vehicle, report: Report) -> None:
    report(scooter, point(NOON))
    services.age_links(at=NOON + 3 * MINUTE)
    assert alarms(scooter) == []
    for minute in (16, 17, 18):
        services.age_links(at=NOON + minute * MINUTE)
    assert alarms(scooter) == [("silence", "open")]
    report(scooter, point(NOON + 20 * MINUTE))
    assert alarms(scooter) == [("silence", "closed")]


def test_a_stolen_scooter_that_speaks_again(scooter: Vehicle, report: Report) -> None:
    report(scooter, point(NOON))
    vehicles.set_life_state(vehicle_id=scooter.pk, to="stolen", at=NOON, by=SYSTEM)
    report(scooter, point(NOON + MINUTE, east_m=900))
    report(scooter, point(NOON + 3 * MINUTE, east_m=950))
    assert alarms(scooter) == [("reporting_again", "open")]
    assert Alarm.objects.get().count == 2
    vehicles.set_life_state(vehicle_id=scooter.pk, to="in_service", at=NOON + 4 * MINUTE, by=SYSTEM)
    report(scooter, point(NOON + 5 * MINUTE, east_m=950))
    assert alarms(scooter) == [("reporting_again", "closed")]


# --- once -----------------------------------------------------------------------------------------


def test_the_database_keeps_one_alarm_of_a_kind(scooter: Vehicle, report: Report) -> None:
    report(scooter, point(NOON, battery=9))
    with pytest.raises(IntegrityError), transaction.atomic():
        Alarm.objects.create(
            vehicle=scooter,
            kind="low_battery",
            severity="info",
            opened_at=NOON,
            last_seen_at=NOON,
        )


def test_a_parked_vehicle_that_stands_still_costs_no_write(
    scooter: Vehicle, report: Report
) -> None:
    report(scooter, point(NOON))
    written = VehiclePresence.objects.get().at
    for minute in range(1, 4):
        report(scooter, point(NOON + minute * MINUTE, east_m=3))
    assert VehiclePresence.objects.get().at == written


def test_alarms_of_many_cost_as_many_statements_as_of_one(
    make_vehicle: MakeVehicle, report: Report
) -> None:
    counts = []
    for size in (1, 1, 6):
        fleet = [make_vehicle(at=NOON - 60 * MINUTE) for _ in range(size)]
        for vehicle in fleet:
            report(vehicle, point(NOON))
        counts.append(_queries_of_a_theft(fleet, report))
    # The first one also loads the border of the city.
    assert counts[1] == counts[2]


def _queries_of_a_theft(fleet: list[Vehicle], report: Report) -> int:
    for vehicle in fleet:
        rows = [point(NOON + n * MINUTE, east_m=100 * n, battery=9) for n in (1, 2)]
        put(vehicle, *rows, at=NOON + 2 * MINUTE)
    with CaptureQueriesContext(connection) as asked:
        drain_all(shard=0, at=NOON + 2 * MINUTE)
    assert all(len(alarms(vehicle)) == 2 for vehicle in fleet)
    return len(asked)


# --- the rules ------------------------------------------------------------------------------------

metres = st.floats(-500, 500, allow_nan=False)


def fixes(east: list[float]) -> list[Fix]:
    return [
        Fix(n * 60_000_000, 92_050_000 + round(m / 78_000 * 1e7), 454_510_000)
        for n, m in enumerate(east)
    ]


@given(east=st.lists(st.floats(-45, 45), min_size=1, max_size=20))
@settings(max_examples=60)
def test_nothing_within_the_radius_is_a_move(east: list[float]) -> None:
    parked = Parked(anchor=Fix(0, 92_050_000, 454_510_000))
    state, verdict = watch.moved_without_trip(fixes(east), parked=parked, alarmed=False)
    assert (verdict, state.anchor) == (None, parked.anchor)


@given(east=st.lists(metres, max_size=20), cut=st.integers(0, 20))
@settings(max_examples=60)
def test_a_move_is_the_same_in_one_batch_and_in_two(east: list[float], cut: int) -> None:
    parked = Parked(anchor=Fix(0, 92_050_000, 454_510_000))
    all_fixes = fixes(east)
    state, verdict = watch.moved_without_trip(all_fixes, parked=parked, alarmed=False)
    half, first = watch.moved_without_trip(all_fixes[:cut], parked=parked, alarmed=False)
    end, _second = watch.moved_without_trip(all_fixes[cut:], parked=half, alarmed=bool(first))
    assert end == state
    if verdict is True:
        assert first or _second


@given(told=st.lists(st.booleans(), max_size=12))
@settings(max_examples=60)
def test_lying_is_two_in_a_row_and_standing_ends_it(told: list[bool]) -> None:
    _tilts, verdict = watch.tilted(told, tilts=0, alarmed=False)
    assert bool(verdict) == (len(told) >= 2 and told[-1] and told[-2])


@given(speeds=st.lists(st.floats(0, 60), min_size=1, max_size=15), step_s=st.integers(1, 15))
@settings(max_examples=60)
def test_too_fast_needs_ten_seconds_above_the_limit(speeds: list[float], step_s: int) -> None:
    reports = [(60_000_000 + n * step_s * 1_000_000, kmh) for n, kmh in enumerate(speeds)]
    pace, verdict = watch.too_fast(reports, limit_kmh=6, applied_us=0, pace=Pace(), alarmed=False)
    run = longest = 0.0
    for kmh in speeds:
        run = run + step_s if kmh > 9 else 0.0
        longest = max(longest, run - step_s)
    if verdict:
        assert longest >= watch.FAST_S
    if longest < watch.FAST_S:
        assert verdict is None
    assert (pace.fast_since_us is None) != (pace.slow_since_us is None)


# --- the staff ------------------------------------------------------------------------------------


@pytest.fixture
def stolen(scooter: Vehicle, report: Report) -> Alarm:
    """The alarm of a scooter that is being carried off."""
    report(scooter, point(NOON))
    report(scooter, point(NOON + MINUTE, east_m=100), point(NOON + 2 * MINUTE, east_m=200))
    return Alarm.objects.get()


def test_marco_lists_gives_and_closes_alarms(
    stolen: Alarm, marco: User, sara: User, api: Api
) -> None:
    desk = api(marco)
    listed = desk.get("/api/v1/fleet/alarms", {"kind": MOVED}).json()["results"]
    assert [row["id"] for row in listed] == [str(stolen.public_id)]
    assert (listed[0]["vehicle"], listed[0]["severity"]) == (stolen.vehicle.code, "critical")
    address = f"/api/v1/fleet/alarms/{stolen.public_id}"
    given = desk.post(f"{address}/assign", {"email": sara.email}).json()
    assert given["assigned_to"] == sara.email
    seen = api(sara).post(f"{address}/acknowledge").json()
    assert (seen["state"], seen["assigned_to"]) == ("acknowledged", sara.email)
    assert api(sara).post(f"{address}/acknowledge").status_code == 200
    closed = api(sara).post(f"{address}/close").json()
    assert (closed["state"], closed["closed_by"]) == ("closed", sara.principal)
    again = desk.post(f"{address}/close")
    assert (again.status_code, again.json()["code"]) == (409, "alarm_over")
    assert desk.get("/api/v1/fleet/alarms").json()["results"] == []
    assert len(desk.get("/api/v1/fleet/alarms", {"state": "closed"}).json()["results"]) == 1


def test_who_acknowledges_takes_it(stolen: Alarm, sara: User, api: Api) -> None:
    seen = api(sara).post(f"/api/v1/fleet/alarms/{stolen.public_id}/acknowledge").json()
    assert seen["assigned_to"] == sara.email


def test_only_staff_of_this_fleet_are_given_an_alarm(
    stolen: Alarm, marco: User, giulia: User, rivale: User, api: Api
) -> None:
    address = f"/api/v1/fleet/alarms/{stolen.public_id}/assign"
    for stranger in (giulia, rivale):
        refused = api(marco).post(address, {"email": stranger.email})
        assert (refused.status_code, refused.json()["code"]) == (422, "not_on_staff")


def test_rivale_and_giulia_see_no_alarm(
    stolen: Alarm, rivale: User, giulia: User, api: Api
) -> None:
    address = f"/api/v1/fleet/alarms/{stolen.public_id}"
    assert api(rivale).get("/api/v1/fleet/alarms").json()["results"] == []
    assert api(rivale).post(f"{address}/close").status_code == 404
    assert api(giulia).get("/api/v1/fleet/alarms").status_code == 403


def test_what_marco_closed_is_parked_where_it_is(
    stolen: Alarm, report: Report, marco: User, api: Api
) -> None:
    api(marco).post(f"/api/v1/fleet/alarms/{stolen.public_id}/close")
    for minute in range(3, 6):
        report(stolen.vehicle, point(NOON + minute * MINUTE, east_m=205))
    assert alarms(stolen.vehicle) == [(MOVED, "closed")]
    report(stolen.vehicle, point(NOON + 6 * MINUTE, east_m=290))
    report(stolen.vehicle, point(NOON + 7 * MINUTE, east_m=390))
    assert alarms(stolen.vehicle) == [(MOVED, "closed"), (MOVED, "open")]


def test_a_vehicle_being_carried_off_is_offered_to_nobody(
    scooter: Vehicle, report: Report, relay: Callable[[], None]
) -> None:
    now, itself = clock.now(), Vehicle.objects.filter(pk=scooter.pk)
    for minute, metres in enumerate((0, 100, 200)):
        report(scooter, point(now + minute * MINUTE, east_m=metres))
    relay()
    assert not itself.rentable().exists()
    for minute in (3, 4, 5):
        report(scooter, point(now + minute * MINUTE))
    relay()
    assert itself.rentable().exists()


def test_who_waits_for_a_vehicle_that_is_carried_off_loses_it_with_notice(
    scooter: Vehicle, report: Report, relay: Callable[[], None]
) -> None:
    now = clock.now()
    report(scooter, point(now))
    hold = hold_for(scooter, at=now, ref="reservation:1")
    report(scooter, point(now + MINUTE, east_m=100), point(now + 2 * MINUTE, east_m=200))
    relay()
    hold.refresh_from_db()
    scooter.refresh_from_db()
    assert hold.released_at is not None
    assert scooter.rental_state == "free"
    told = OutboxEvent.objects.get(name="fleet.hold_displaced.v1")
    assert (told.payload["holder_ref"], told.payload["reason"]) == ("reservation:1", MOVED)


def test_staffs_own_suspension_outlives_the_alarm(
    scooter: Vehicle, report: Report, relay: Callable[[], None]
) -> None:
    vehicles.block_vehicle(vehicle_id=scooter.pk, reason="suspended", at=NOON, by=SYSTEM)
    report(scooter, point(NOON))
    for minute, metres in enumerate((100, 200, 0, 0, 0), start=1):
        report(scooter, point(NOON + minute * MINUTE, east_m=metres))
        relay()
    assert alarms(scooter) == [(MOVED, "closed")]
    assert not Vehicle.objects.rentable().filter(pk=scooter.pk).exists()


def test_the_desk_lists_alarms_by_what_is_wrong(
    stolen: Alarm, marco: User, rivale: User, client: Client
) -> None:
    client.force_login(marco)
    page = client.get("/admin/fleet/alarm/", {"state": "open"})
    assert stolen.vehicle.code in page.content.decode()
    client.post(
        "/admin/fleet/alarm/",
        {"action": "acknowledge", "_selected_action": [stolen.pk]},
    )
    stolen.refresh_from_db()
    assert (stolen.state, stolen.assigned_to) == ("acknowledged", marco)
    client.force_login(rivale)
    assert stolen.vehicle.code not in client.get("/admin/fleet/alarm/").content.decode()


def test_figures_tell_alarms_clocks_and_what_was_put_aside(
    scooter: Vehicle, report: Report, client: Client
) -> None:
    """A clock five minutes behind is a figure; what is billed goes by the server's."""
    now = clock.now()
    report(scooter, point(now - 5 * MINUTE, battery=9), at=now)
    report(scooter, point(now + 3000 * 24 * 60 * MINUTE), at=now)
    told = client.get("/metrics").content.decode()
    assert 'fleet_alarms{kind="low_battery"} 1.0' in told
    assert 'fleet_alarms{kind="tilt"} 0.0' in told
    assert 'telemetry_quarantined_points{reason="future"} 1.0' in told
    assert "telemetry_skewed_vehicles 1.0" in told
    assert "telemetry_clock_skew_seconds 300" in told
    assert 'telemetry_lag_seconds{shard="0"} 0.0' in told
