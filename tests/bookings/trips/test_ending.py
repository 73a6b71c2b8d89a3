"""What stands in the way of an end, all of it in one answer, and what lets the rider go."""

import datetime

import pytest

from bookings.pricing.services import draft_version, publish_version
from bookings.trips import tasks
from fleet.vehicles.models import LatestState
from mobility.core import clock
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.bookings.conftest import NUMBERS
from tests.fleet.zones.drawing import draw_zone

pytestmark = pytest.mark.django_db

EDGE = 9.30
METRE = 1 / 78_080
HERE = {"lat": 45.4510, "lon": 9.2050}


def codes(answer):
    return [condition["code"] for condition in answer.json()["conditions"]]


def test_a_place_that_is_legal_only_by_its_doubt_asks_for_a_photo_afterwards(
    ride, rider, scooter, report, picture
):
    trip = ride()
    report(scooter, lon=EDGE + 8 * METRE, lat=45.46, accuracy_m=15)
    ended = rider.post(f"{trip}/end")
    assert (ended.status_code, ended.json()["flags"]) == (200, ["photo_asked"])
    assert ended.json()["photo_asked"]["until"]
    sent = rider.post(f"{trip}/photo", {"photo": picture()}, format="multipart")
    assert (sent.status_code, sent.json()["state"]) == (201, "waiting"), sent.content
    assert rider.get(trip).json()["photo_asked"] is None
    assert rider.get(f"/api/v1/files/{sent.json()['file']}").status_code == 200


def test_a_sure_place_asks_for_nothing(ride, rider, scooter, report):
    trip = ride()
    report(scooter, accuracy_m=15)
    ended = rider.post(f"{trip}/end").json()
    assert (ended["flags"], ended["photo_asked"], ended["end_reason"]) == ([], None, "rider")


def test_beyond_the_doubt_the_end_is_refused_with_the_nearest_place(ride, rider, scooter, report):
    trip = ride()
    report(scooter, lon=EDGE + 80 * METRE, lat=45.46, accuracy_m=15)
    refused = rider.post(f"{trip}/end")
    assert (refused.status_code, codes(refused)) == (409, ["outside_operating_area"])
    assert 50 < refused.json()["conditions"][0]["nearest"]["distance_m"] < 120
    blocked = rider.get(trip).json()
    assert blocked["state"] == "running"
    assert blocked["end_blocked"]["refusals"] == 1
    assert blocked["end_blocked"]["conditions"][0]["hint"]
    assert OutboxEvent.objects.filter(name="bookings.trip_end_refused.v1").count() == 1
    report(scooter)
    assert rider.post(f"{trip}/end").status_code == 200
    assert rider.get(trip).json()["end_blocked"] is None


def test_where_every_end_wants_a_photo_it_is_listed_with_all_the_rest(
    ride, rider, scooter, report, policy, picture
):
    policy(photo_rule="always")
    trip = ride()
    report(scooter, lon=9.40, lat=45.46, speed_kmh=12)
    assert codes(rider.post(f"{trip}/end")) == [
        "outside_operating_area",
        "vehicle_moving",
        "photo_required",
    ]
    report(scooter)
    refused = rider.post(f"{trip}/end")
    assert codes(refused) == ["photo_required"]
    assert "photo" in refused.json()["conditions"][0]["hint"]
    rider.post(f"{trip}/photo", {"photo": picture()}, format="multipart")
    assert rider.post(f"{trip}/end").status_code == 200


@pytest.fixture
def garage(milan, comune):
    """A bay in a garage, with its code on the post."""
    return draw_zone(
        "bay",
        (9.2048, 45.4508, 9.2052, 45.4512),
        organisation=comune,
        city=milan,
        start=clock.now(),
        code="GARAGE-7",
        name={"it": "Garage"},
    )


def test_in_a_garage_the_code_of_the_bay_is_proof(ride, rider, scooter, report, garage):
    trip = ride()
    report(scooter, lon=9.2055, accuracy_m=90)
    ended = rider.post(f"{trip}/end", {"bay": "garage-7"})
    assert ended.status_code == 200, ended.content
    assert ended.json()["flags"] == ["position_from_bay", "position_unverified", "photo_asked"]


def test_an_unknown_bay_is_said(ride, rider, scooter, report, garage):
    trip = ride()
    report(scooter, accuracy_m=90)
    assert codes(rider.post(f"{trip}/end", {"bay": "GARAGE-8"})) == ["bay_unknown"]


def test_a_bay_far_from_where_the_vehicle_seems_to_be_is_no_proof(
    ride, rider, scooter, report, garage
):
    trip = ride()
    report(scooter, lon=9.40, accuracy_m=90)
    assert codes(rider.post(f"{trip}/end", {"bay": "GARAGE-7"})) == ["outside_operating_area"]


def test_a_vehicle_that_doubts_itself_ends_by_the_phone_beside_it(ride, rider, scooter, report):
    trip = ride()
    report(scooter, lon=9.2056, accuracy_m=90)
    ended = rider.post(f"{trip}/end", {**HERE, "accuracy_m": 5}).json()
    assert ended["flags"] == ["position_from_phone", "photo_asked"]


def test_what_the_vehicle_does_not_report_is_not_asked(ride, rider, scooter, report):
    trip = ride()
    report(scooter)
    LatestState.objects.update(speed_cms=None, accuracy_dm=None, locked=None)
    assert rider.post(f"{trip}/end").status_code == 200


def test_an_end_stands_where_the_lock_was_shut_by_hand(ride, rider, scooter, drive, policy, finish):
    policy(lock_ends_after_s=600, auto_pause_min=None)
    trip = ride()
    drive(minutes=5, locked=True)
    tasks.sweep()
    drive(minutes=3, locked=True)
    ended = finish(trip)
    assert (ended["end_reason"], ended["price_cents"]) == ("lock_shut", 100 + 5 * 25)


def test_a_lock_shut_by_hand_ends_the_trip_where_it_was_shut(
    ride, rider, scooter, drive, policy, obey
):
    policy(lock_ends_after_s=120, auto_pause_min=None)
    trip = ride()
    drive(minutes=4, locked=True)
    assert tasks.sweep()["cared_for"] == 0
    drive(minutes=2, locked=True)
    assert tasks.sweep()["cared_for"] == 1
    obey(scooter)
    ended = rider.get(trip).json()
    assert (ended["end_reason"], ended["price_cents"]) == ("lock_shut", 100 + 4 * 25)
    assert "auto_ended" in ended["flags"]


def test_the_meter_follows_our_clock_whatever_the_device_believes(
    ride, rider, scooter, drive, finish
):
    trip = ride()
    drive(minutes=4)
    LatestState.objects.update(at=clock.now() - datetime.timedelta(minutes=5))
    ended = finish(trip)
    assert (ended["price_cents"], ended["flags"]) == (200, ["position_unverified", "photo_asked"])


def test_a_tariff_published_under_way_is_for_the_next_ride(
    ride, rider, drive, finish, tariff, collect
):
    trip = ride()
    drive(minutes=4)
    dearer = draft_version(
        tariff=tariff.tariff, valid_from=clock.now(), **{**NUMBERS, "minute_cents": 90}
    )
    publish_version(version_id=dearer.pk, at=clock.now(), by=SYSTEM)
    drive(minutes=4)
    assert finish(trip)["price_cents"] == 100 + 8 * 25
    collect()
    later = ride()
    drive(minutes=1)
    assert finish(later)["price_cents"] == 190
