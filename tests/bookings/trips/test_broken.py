"""A vehicle that does not work, and a ride that is not one's own."""

import pytest

from fleet.maintenance.models import FaultReport
from fleet.vehicles.states import RentalState

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(travel, scooter):
    """The vehicle has just reported when the test begins."""


def test_a_broken_scooter_is_free_and_goes_off_the_street(
    ride, rider, scooter, drive, obey, make_vehicle
):
    make_vehicle("scooter", code="SC2", lon=9.2060)
    trip = ride()
    drive(minutes=3)
    answer = rider.post(f"{trip}/broken", {"category": "lights", "text": "no light"})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["state"], told["end_reason"], told["waived"]) == ("ending", "broken", "all")
    assert told["alternative"]["code"] == "SC2"
    obey(scooter)
    ended = rider.get(trip).json()
    assert (ended["state"], ended["price_cents"]) == ("settled", 0)
    fault = FaultReport.objects.get()
    assert (fault.category, fault.text, fault.trip_ref) == ("lights", "no light", ended["id"])
    assert [block.reason for block in scooter.blocks.active()] == ["damage"]
    again = rider.post(f"{trip}/broken", {"category": "lights"})
    assert (again.status_code, FaultReport.objects.count()) == (200, 1)


def test_it_may_stay_where_no_trip_could_end(ride, rider, scooter, drive):
    trip = ride()
    drive(minutes=1, lon=9.2055, speed_kmh=0)
    assert rider.post(f"{trip}/broken").status_code == 200


@pytest.mark.parametrize(("minutes", "lon"), [(6, 9.2050), (2, 9.2150)])
def test_too_long_or_too_far_is_not_free_any_more(minutes, lon, ride, rider, drive):
    trip = ride()
    drive(minutes=minutes, lon=lon)
    refused = rider.post(f"{trip}/broken")
    assert (refused.status_code, refused.json()["code"]) == (409, "broken_too_late")
    assert rider.get(trip).json()["state"] == "running"
    assert not FaultReport.objects.exists()


def test_who_breaks_three_a_day_pays_for_the_fourth(
    ride, rider, drive, obey, make_vehicle, scooter
):
    for number in range(4):
        vehicle = make_vehicle("scooter", code=f"B{number}")
        trip = ride(vehicle.code, vehicle)
        drive(vehicle, minutes=1)
        answer = rider.post(f"{trip}/broken")
        if number < 3:
            obey(vehicle)
    assert (answer.status_code, answer.json()["code"]) == (409, "broken_too_late")


def test_before_it_unlocks_it_is_called_off(rider, scooter):
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    answer = rider.post(f"/api/v1/trips/{trip}/broken", {"category": "lock"}).json()
    assert (answer["state"], answer["failure"]) == ("start_failed", "broken")
    scooter.refresh_from_db()
    assert scooter.rental_state == RentalState.FREE
    assert FaultReport.objects.get().category == "lock"


def test_a_ride_that_is_not_mine_ends_free_and_staff_look_at_it(ride, rider, drive, obey, scooter):
    trip = ride()
    drive(minutes=12)
    answer = rider.post(f"{trip}/not-mine", {"text": "I am at home"})
    assert answer.status_code == 200, answer.content
    obey(scooter)
    ended = rider.get(trip).json()
    assert (ended["end_reason"], ended["price_cents"]) == ("not_mine", 0)
    assert set(ended["flags"]) >= {"not_mine", "disputed"}
    (dispute,) = rider.get(f"{trip}/disputes").json()["results"]
    assert (dispute["reason"], dispute["state"]) == ("not_my_ride", "open")


def test_a_ride_that_is_not_mine_ends_though_it_is_disputed_already(ride, rider, drive):
    trip = ride()
    drive(minutes=2)
    rider.post(f"{trip}/disputes", {"reason": "other"})
    answer = rider.post(f"{trip}/not-mine", {"text": "I am at home"})
    assert (answer.status_code, answer.json()["state"]) == (200, "ending")
    assert len(rider.get(f"{trip}/disputes").json()["results"]) == 1


def test_a_start_that_is_not_mine_is_called_off(rider, scooter):
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    answer = rider.post(f"/api/v1/trips/{trip}/not-mine").json()
    assert (answer["state"], answer["failure"]) == ("start_failed", "not_mine")


def test_nobody_calls_a_strangers_ride_broken(ride, api, piero, marco):
    trip = ride()
    for stranger in (piero, marco):
        for verb in ("broken", "not-mine", "confirm-payment", "photo", "disputes"):
            assert api(stranger).post(f"{trip}/{verb}").status_code in {404, 400}
