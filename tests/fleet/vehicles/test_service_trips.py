"""Staff driving vehicles: held like a ride, refused while a rider has it."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError
from rest_framework.test import APIClient

from fleet.vehicles import mailbox, services
from fleet.vehicles.models import LatestState, ServiceTrip, VehicleCommand, VehicleHold
from fleet.vehicles.services import service_trips
from fleet.vehicles.services.commands import answers
from mobility.accounts.models import User
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.vehicles.acting import NOW, after, blocks_of, change_type, hold, last_event

URL = "/api/v1/fleet/vehicles/{}/service-trip"


def test_sara_drives_a_vehicle_to_the_workshop_and_back(make_vehicle: MakeVehicle) -> None:
    car = make_vehicle("car", lon=9.2, lat=45.45)
    services.block_vehicle(vehicle_id=car.pk, reason="damage", **NOW)
    trip = services.start_service_trip(
        vehicle_id=car.pk, reason="repair", ticket_ref="order:7", **NOW
    )
    car.refresh_from_db()
    assert (car.rental_state, trip.hold.purpose) == ("staff", "service")
    assert last_event(car).mds_state == "non_operational"
    LatestState.objects.filter(vehicle=car).update(odometer_m=4_200, lon_e7=91_000_000 * 1)
    done = services.end_service_trip(service_trip_id=trip.pk, **after(minutes=20))
    services.end_service_trip(service_trip_id=trip.pk, **after(minutes=30))
    assert done.distance_m == 4_200
    assert (done.from_lon, done.to_lon) == (9.2, 9.1)
    car.refresh_from_db()
    assert car.rental_state == "free"
    orders = VehicleCommand.objects.order_by("sequence").values_list("kind", "state")
    assert list(orders) == [("unlock", "superseded"), ("lock", "queued")]
    assert VehicleHold.objects.get().released_at is not None


def test_nobody_takes_a_vehicle_from_under_a_rider(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    hold(scooter)
    with pytest.raises(services.VehicleTaken):
        services.start_service_trip(vehicle_id=scooter.pk, reason="test", **NOW)
    assert not ServiceTrip.objects.exists()
    assert not VehicleCommand.objects.exists()


def test_a_vehicle_without_a_lock_of_its_own_is_driven_too(make_vehicle: MakeVehicle) -> None:
    bike = make_vehicle("bicycle")
    change_type(bike, commands=["locate"])
    trip = services.start_service_trip(vehicle_id=bike.pk, reason="test", **NOW)
    services.end_service_trip(service_trip_id=trip.pk, **after(minutes=1))
    assert not VehicleCommand.objects.exists()


def test_one_vehicle_has_one_service_trip(make_vehicle: MakeVehicle) -> None:
    scooter = make_vehicle()
    trip = services.start_service_trip(vehicle_id=scooter.pk, reason="test", **NOW)
    other = VehicleHold.objects.create(
        vehicle=scooter, during=(after(days=1)["at"], after(days=2)["at"]), purpose="service"
    )
    with pytest.raises(IntegrityError, match="fleet_one_service_trip_per_vehicle"):
        ServiceTrip.objects.create(
            vehicle=scooter, hold=other, reason="test", started_at=trip.started_at
        )


def test_sara_starts_and_ends_through_the_api(
    api: Callable[[User | None], APIClient], make_vehicle: MakeVehicle, sara: User, elena: User
) -> None:
    scooter = make_vehicle()
    url = URL.format(scooter.public_id)
    assert api(elena).post(url, {"reason": "test"}).status_code == 403
    begun = api(sara).post(url, {"reason": "relocation", "ticket": "T-1"})
    assert (begun.status_code, begun.json()["ticket"]) == (201, "T-1")
    assert api(sara).post(url, {"reason": "relocation"}).json()["code"] == "vehicle_taken"
    ended = api(sara).delete(url)
    assert (ended.status_code, ended.json()["ended_at"] is None) == (200, False)
    assert api(sara).delete(url).json()["code"] == "service_trip_not_found"


@pytest.mark.parametrize("answer", ["rejected", "unknown", "expired"])
def test_a_vehicle_that_did_not_lock_behind_staff_is_offered_to_nobody(
    make_vehicle: MakeVehicle, relay: Callable[[], int], answer: str
) -> None:
    scooter = make_vehicle()
    trip = services.start_service_trip(vehicle_id=scooter.pk, reason="test", **NOW)
    services.end_service_trip(service_trip_id=trip.pk, **after(minutes=1))
    lock = VehicleCommand.objects.get(kind="lock")
    given = {"command_public_id": lock.public_id, "device_vehicle_id": scooter.pk}
    if answer == "rejected":
        services.record_acknowledgement(**given, result="rejected", **after(minutes=2))
    else:
        if answer == "unknown":
            services.mark_commands_sent(public_ids=[str(lock.public_id)], **after(minutes=2))
        services.expire_commands(at=after(minutes=20)["at"])
    relay()
    assert blocks_of(scooter) == {"maintenance"}
    if answer == "unknown":
        services.record_acknowledgement(**given, result="confirmed", **after(minutes=21))
        relay()
        assert blocks_of(scooter) == set()


def test_a_vehicle_that_locked_behind_staff_is_offered(
    make_vehicle: MakeVehicle, relay: Callable[[], int]
) -> None:
    scooter = make_vehicle()
    trip = services.start_service_trip(vehicle_id=scooter.pk, reason="test", **NOW)
    services.end_service_trip(service_trip_id=trip.pk, **after(minutes=1))
    lock = VehicleCommand.objects.get(kind="lock")
    services.record_acknowledgement(
        command_public_id=lock.public_id,
        device_vehicle_id=scooter.pk,
        result="confirmed",
        **after(minutes=2),
    )
    relay()
    assert blocks_of(scooter) == set()


def test_the_longest_command_waits_in_no_box_that_empties_before() -> None:
    assert max(service_trips.LOCK_TTL_S, answers.COMPENSATION_TTL_S) < mailbox._BOX_TTL_S
