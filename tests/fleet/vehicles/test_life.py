"""Vehicles that go astray, come back, enter the workshop and leave the fleet."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from fleet.vehicles import services
from fleet.vehicles.models import Battery, Vehicle, VehicleCase, VehicleHold
from mobility.accounts.models import Organisation, User
from mobility.core.transitions import IllegalMove
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.vehicles.acting import (
    NOW,
    after,
    blocks_of,
    change_type,
    hold,
    last_event,
    moment,
    ride,
    told,
)


def life(vehicle: Vehicle, to: str, **late: float) -> Vehicle:
    return services.set_life_state(vehicle_id=vehicle.pk, to=to, **after(**late))


# --- cases ------------------------------------------------------------------------------------------


def test_a_stolen_vehicle_leaves_the_street_with_what_is_known(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle(lon=9.2, lat=45.45)
    case = services.open_case(
        vehicle_id=scooter.pk,
        kind="stolen",
        reference="CC-Milano 4411/26",
        notes="Chain cut",
        **NOW,
    )
    scooter.refresh_from_db()
    assert (scooter.life_state, last_event(scooter).mds_state) == ("stolen", "missing")
    assert (case.reference, case.lon, case.lat) == ("CC-Milano 4411/26", 9.2, 45.45)
    again = services.open_case(vehicle_id=scooter.pk, kind="stolen", notes="Seen in Lodi", **NOW)
    assert (again, again.reference) == (case, "CC-Milano 4411/26")
    assert again.notes == "Chain cut\nSeen in Lodi"


def test_missing_becomes_stolen_and_is_found(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    services.open_case(vehicle_id=scooter.pk, kind="missing", **NOW)
    stolen = services.open_case(vehicle_id=scooter.pk, kind="stolen", **after(hours=1))
    services.close_case(case_id=stolen.pk, to="workshop", notes="Police", **after(hours=9))
    outcomes = VehicleCase.objects.order_by("id").values_list("kind", "outcome", "notes")
    assert list(outcomes) == [("missing", "other_case", ""), ("stolen", "recovered", "Police")]
    scooter.refresh_from_db()
    assert scooter.life_state == "workshop"
    assert last_event(scooter).mds_events == ["located"]
    with pytest.raises(services.CaseClosed):
        services.close_case(case_id=stolen.pk, to="storage", **NOW)


def test_whichever_door_a_vehicle_goes_astray_through_there_is_a_case(
    make_vehicle: MakeVehicle,
) -> None:
    scooter = make_vehicle()
    life(scooter, "impounded")
    assert VehicleCase.objects.open().get().kind == "impounded"
    life(scooter, "in_service", hours=1)
    assert VehicleCase.objects.get().outcome == "recovered"
    assert last_event(scooter).mds_events == ["agency_drop_off"]


def test_a_hold_whose_use_has_not_begun_is_taken_away_and_its_holder_told(
    make_vehicle: MakeVehicle,
) -> None:
    scooter = make_vehicle()
    taken = hold(scooter, holder="reservation:7")
    services.open_case(vehicle_id=scooter.pk, kind="stolen", **NOW)
    scooter.refresh_from_db()
    taken.refresh_from_db()
    assert (scooter.rental_state, taken.released_at) == ("free", NOW["at"])
    (fact,) = told("fleet.hold_displaced.v1")
    assert (fact["holder_ref"], fact["reason"]) == ("reservation:7", "stolen")


def test_who_only_waits_for_a_vehicle_can_lose_it_and_who_rides_cannot(
    make_vehicle: MakeVehicle,
) -> None:
    waited, ridden, crewed = make_vehicle("car"), make_vehicle(), make_vehicle()
    hold(waited, holder="reservation:8")
    ride(ridden)
    hold(crewed, purpose="crew", holder="rebalancing:8")
    for scooter in (waited, waited, ridden, crewed):
        services.displace_waiting(vehicle_id=scooter.pk, reason="moved", **NOW)
    (fact,) = told("fleet.hold_displaced.v1")
    assert (fact["holder_ref"], fact["reason"]) == ("reservation:8", "moved")
    assert last_event(waited).mds_events == ["provider_cancellation"]
    assert VehicleHold.objects.active().count() == 2


def test_a_ride_that_runs_goes_on_when_its_vehicle_is_reported_missing(
    make_vehicle: MakeVehicle,
) -> None:
    scooter = make_vehicle()
    taken = ride(scooter)
    services.open_case(vehicle_id=scooter.pk, kind="missing", **NOW)
    taken.refresh_from_db()
    assert taken.released_at is None
    assert told("fleet.hold_displaced.v1") == []
    services.mark_trip(hold_id=taken.pk, mark="ended", trip_ref="trip:1", **after(minutes=5))
    scooter.refresh_from_db()
    assert (scooter.life_state, scooter.rental_state) == ("missing", "free")


def test_crews_keep_what_they_hold_when_it_is_impounded(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    hold(scooter, purpose="crew", holder="rebalancing:1")
    life(scooter, "impounded")
    assert VehicleHold.objects.active().count() == 1


def test_sara_opens_a_case_through_the_api(
    api: Callable[[User | None], APIClient], make_vehicle: MakeVehicle, sara: User
) -> None:
    scooter = make_vehicle()
    url = f"/api/v1/fleet/vehicles/{scooter.public_id}/case"
    answer = api(sara).post(url, {"kind": "stolen", "reference": "PG 12"})
    assert (answer.status_code, answer.json()["reference"]) == (201, "PG 12")
    assert api(sara).post(url, {"kind": "lost"}).status_code == 400


# --- workshop ---------------------------------------------------------------------------------------


def test_from_the_workshop_nobody_rides_before_the_check(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    life(scooter, "workshop")
    life(scooter, "in_service", hours=2)
    assert blocks_of(scooter) == {"inspection"}
    assert last_event(scooter).mds_state == "non_operational"
    with pytest.raises(services.VehicleNotRentable):
        hold(scooter)
    services.lift_block(vehicle_id=scooter.pk, reason="inspection", **NOW)
    hold(scooter)


@pytest.mark.parametrize("reason", ["low_battery", "document_expired", "zone", "inspection"])
def test_what_places_itself_no_hand_lifts(
    api: Callable[[User | None], APIClient], make_vehicle: MakeVehicle, marco: User, reason: str
) -> None:
    scooter = make_vehicle()
    services.block_vehicle(vehicle_id=scooter.pk, reason=reason, **NOW)
    url = f"/api/v1/fleet/vehicles/{scooter.public_id}/blocks"
    answer = api(marco).patch(url, {"block": ["damage"], "lift": [reason]})
    assert (answer.status_code, answer.json()["code"]) == (409, "block_is_automatic")
    assert blocks_of(scooter) == {reason}


# --- retirement -------------------------------------------------------------------------------------


def test_a_held_vehicle_does_not_retire(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    taken = hold(scooter, purpose="crew", holder="rebalancing:9")
    with pytest.raises(services.VehicleHeld) as refusal:
        services.decommission_vehicle(vehicle_id=scooter.pk, **NOW)
    assert refusal.value.extra == {"holder": "rebalancing:9"}
    services.release_hold(hold_id=taken.pk, **NOW)
    services.decommission_vehicle(vehicle_id=scooter.pk, **NOW)
    assert last_event(scooter).mds_events == ["decommissioned"]


def test_a_retired_vehicle_gives_its_battery_back_and_never_returns(
    make_vehicle: MakeVehicle, ruote: Organisation
) -> None:
    scooter = make_vehicle()
    change_type(scooter, swappable=True)
    battery = Battery.objects.create(organisation=ruote, serial="A", capacity_wh=550)
    services.place_battery(battery_id=battery.pk, vehicle_id=scooter.pk, **NOW)
    services.decommission_vehicle(vehicle_id=scooter.pk, **after(hours=1))
    battery.refresh_from_db()
    assert battery.state == "storage"
    for to in ("in_service", "storage", "stolen"):
        with pytest.raises(IllegalMove):
            life(scooter, to)


# --- told to others ---------------------------------------------------------------------------------


def test_others_hear_where_a_vehicle_goes_in_its_life(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    life(scooter, "storage")
    life(scooter, "storage")
    (fact,) = told("fleet.life_changed.v1")
    assert (fact["vehicle_id"], fact["before"], fact["after"]) == (
        scooter.pk,
        "in_service",
        "storage",
    )


def test_others_hear_of_a_ride_once_it_is_over(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    taken = ride(scooter, ref="T7")
    services.mark_trip(hold_id=taken.pk, mark="paused", trip_ref="T7", **after(minutes=3))
    services.mark_trip(hold_id=taken.pk, mark="ended", trip_ref="T7", **after(minutes=9))
    (fact,) = told("fleet.trip_ended.v1")
    assert (fact["vehicle_id"], fact["trip_ref"]) == (scooter.pk, "T7")
    assert moment(fact["started_at"]) == NOW["at"]
    assert moment(fact["ended_at"]) == after(minutes=9)["at"]


def test_a_ride_that_never_began_is_no_ride(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    taken = hold(scooter)
    for mark in ("starting", "start_failed"):
        services.mark_trip(hold_id=taken.pk, mark=mark, trip_ref="T8", **NOW)
    assert told("fleet.trip_ended.v1") == []


# --- the border -------------------------------------------------------------------------------------


def test_a_ride_across_the_border_is_told_to_the_city(
    make_vehicle: MakeVehicle, django_assert_max_num_queries: Any
) -> None:
    scooter, parked = make_vehicle(), make_vehicle()
    ride(scooter)
    with django_assert_max_num_queries(8):
        left = services.set_outside(vehicle_ids=[scooter.pk, parked.pk], outside=True, **NOW)
    assert {vehicle.pk for vehicle in left} == {scooter.pk, parked.pk}
    assert last_event(scooter).mds_events == ["trip_leave_jurisdiction"]
    assert last_event(parked).mds_events == ["unspecified", "unspecified"]
    assert (last_event(scooter).mds_state, last_event(scooter).outside) == ("elsewhere", True)
    assert services.set_outside(vehicle_ids=[scooter.pk], outside=True, **NOW) == []
    services.set_outside(vehicle_ids=[scooter.pk], outside=False, **after(minutes=1))
    assert last_event(scooter).mds_events == ["trip_enter_jurisdiction"]
