"""Reserving, cancelling, letting it expire, and having it again."""

import datetime

import pytest

from bookings.reservations import tasks
from bookings.reservations.models import Reservation
from bookings.reservations.searches import KEY, client
from fleet.rebalancing.models import DemandCount
from fleet.vehicles.states import RentalState

pytestmark = pytest.mark.django_db

HERE = {"lat": 45.4511, "lon": 9.2051}


@pytest.fixture(autouse=True)
def _clock(travel, scooter):
    """The vehicle has just reported when the test begins."""


@pytest.fixture
def reserved(rider):
    """Giulia has the scooter for ten minutes."""
    return rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()


def test_anybody_sees_vehicles_and_prices_but_only_persons_reserve(api):
    nobody = api(None)
    (found,) = nobody.get("/api/v1/vehicles", HERE).json()["results"]
    assert found["price"] == {
        "currency": "EUR",
        "unlock_cents": 100,
        "minute_cents": 25,
        "pause_minute_cents": 10,
        "hour_cents": 1500,
        "day_cap_cents": 2500,
    }
    assert found["distance_m"] == 14
    assert nobody.post("/api/v1/reservations", {"vehicle": "SC1"}).status_code == 401


def test_a_search_far_away_or_for_another_kind_finds_nothing(api):
    nobody = api(None)
    far = {"lat": 45.50, "lon": 9.20}
    assert nobody.get("/api/v1/vehicles", far).json()["results"] == []
    assert nobody.get("/api/v1/vehicles", {**HERE, "kind": "car"}).json()["results"] == []
    wrong = nobody.get("/api/v1/vehicles", {"lat": 95, "lon": 9.2, "kind": "horse"})
    assert wrong.status_code == 400
    assert set(wrong.json()["errors"]) == {"lat", "kind"}


def test_searches_are_counted_in_batches_without_the_person(rider):
    client().delete(KEY)
    rider.get("/api/v1/vehicles", HERE)
    rider.get("/api/v1/vehicles", {"lat": 45.5, "lon": 9.2, "kind": "car"})
    assert tasks.count_searches() == 2
    counted = DemandCount.objects.order_by("kind").values_list("kind", "searched", "found")
    assert list(counted) == [("", 1, 1), ("car", 1, 0)]
    assert tasks.count_searches() == 0


def test_one_vehicle_by_its_code_with_its_whole_offer(api):
    body = api(None).get("/api/v1/vehicles/sc1").json()
    assert (body["code"], body["available"], body["lat"]) == ("SC1", True, 45.451)
    assert body["quote"]["estimate"]["minutes"] == 20
    assert body["quote"]["preauth_cents"] == 500
    assert api(None).get("/api/v1/vehicles/NONE").json()["code"] == "vehicle_not_found"


def test_where_a_taken_vehicle_is_nobody_else_learns(api, reserved):
    body = api(None).get("/api/v1/vehicles/SC1").json()
    assert (body["available"], body["lat"], body["battery_pct"]) == (False, None, None)
    assert api(None).get("/api/v1/vehicles", HERE).json()["results"] == []


def test_a_quote_for_more_minutes_is_capped(api):
    quote = api(None).get("/api/v1/quotes", {"vehicle": "SC1", "minutes": 300}).json()
    assert quote["estimate"]["total_cents"] == 2500
    assert sum(line["cents"] for line in quote["estimate"]["lines"]) == 2500


def test_a_reservation_holds_the_vehicle_and_its_price(rider, reserved, tariff, scooter):
    from bookings.pricing.services import draft_version, publish_version
    from mobility.core import clock
    from mobility.core.principals import SYSTEM
    from tests.bookings.conftest import NUMBERS

    dearer = draft_version(
        tariff=tariff.tariff, valid_from=clock.now(), **{**NUMBERS, "minute_cents": 99}
    )
    publish_version(version_id=dearer.pk, at=clock.now(), by=SYSTEM)
    seen = rider.get(f"/api/v1/reservations/{reserved['id']}").json()
    assert (seen["state"], seen["quote"]["minute_cents"]) == ("held", 25)
    assert rider.get("/api/v1/vehicles/SC1").json()["quote"]["minute_cents"] == 99
    scooter.refresh_from_db()
    assert scooter.rental_state == RentalState.HELD


def test_a_person_has_one_vehicle_at_a_time(rider, reserved, make_vehicle):
    make_vehicle("scooter", code="SC2")
    second = rider.post("/api/v1/reservations", {"vehicle": "SC2"})
    assert second.status_code == 409
    assert second.json()["code"] == "already_active"
    assert second.json()["reservation"] == reserved["id"]


def test_cancelling_gives_the_vehicle_back_and_twice_is_once(rider, reserved, scooter):
    address = f"/api/v1/reservations/{reserved['id']}/cancel"
    assert rider.post(address).json()["state"] == "cancelled"
    assert rider.post(address).status_code == 200
    scooter.refresh_from_db()
    assert scooter.rental_state == RentalState.FREE
    assert rider.post("/api/v1/trips", {"reservation": reserved["id"]}).status_code == 409


def test_a_reservation_under_way_cannot_be_cancelled(rider, reserved):
    assert rider.post("/api/v1/trips", {"reservation": reserved["id"]}).status_code == 201
    refused = rider.post(f"/api/v1/reservations/{reserved['id']}/cancel")
    assert refused.json()["code"] == "reservation_in_use"


@pytest.mark.parametrize("swept", [True, False])
def test_a_start_too_late_is_offered_the_vehicle_again(swept, rider, reserved, travel):
    travel.shift(datetime.timedelta(minutes=10, seconds=3))
    if swept:
        assert tasks.expire() == 1
    late = rider.post("/api/v1/trips", {"reservation": reserved["id"]})
    assert late.status_code == 410
    problem = late.json()
    assert (problem["code"], problem["offer"]["available"]) == ("reservation_expired", True)
    again = rider.post("/api/v1/reservations", {"vehicle": problem["offer"]["vehicle"]})
    assert again.status_code == 201
    states = Reservation.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["expired", "held"]


def test_a_start_one_second_after_the_end_is_still_in_time(rider, reserved, travel):
    travel.shift(datetime.timedelta(minutes=10, seconds=1))
    assert tasks.expire() == 0
    assert rider.post("/api/v1/trips", {"reservation": reserved["id"]}).status_code == 201


def test_expiry_gives_the_vehicle_back_once(rider, reserved, travel, scooter):
    travel.shift(datetime.timedelta(minutes=10, seconds=2))
    assert tasks.expire() == 1
    assert tasks.expire() == 0
    scooter.refresh_from_db()
    assert scooter.rental_state == RentalState.FREE


def test_reserving_again_and_again_without_riding_comes_to_an_end(rider, travel, make_vehicle):
    for number in range(6):
        make_vehicle("scooter", code=f"SX{number}")
        body = rider.post("/api/v1/reservations", {"vehicle": f"SX{number}"}).json()
        rider.post(f"/api/v1/reservations/{body['id']}/cancel")
    refused = rider.post("/api/v1/reservations", {"vehicle": "SC1"})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_reservations")
    travel.shift(datetime.timedelta(hours=1))
    assert rider.post("/api/v1/reservations", {"vehicle": "SC1"}).status_code == 201


@pytest.mark.parametrize(
    ("fields", "reasons"),
    [
        ({"link_state": "late"}, ["no_contact"]),
        ({"life_state": "workshop"}, ["not_in_service"]),
    ],
)
def test_a_vehicle_out_of_order_says_why(fields, reasons, rider, make_vehicle):
    make_vehicle("scooter", code="SC2", **fields)
    refused = rider.post("/api/v1/reservations", {"vehicle": "SC2"})
    assert (refused.status_code, refused.json()["reasons"]) == (409, reasons)


def test_a_vehicle_without_a_price_is_neither_shown_nor_reserved(
    rider, tariff, make_vehicle, rivale
):
    from mobility.accounts.models import Organisation

    owner = Organisation.objects.get(slug="rivale")
    make_vehicle("scooter", code="SC9", organisation=owner)
    found = rider.get("/api/v1/vehicles", HERE).json()["results"]
    assert [row["code"] for row in found] == ["SC1"]
    assert rider.post("/api/v1/reservations", {"vehicle": "SC9"}).json()["code"] == "no_price"


def test_reservations_are_their_owners_business(api, reserved, piero, marco, rivale, elena):
    address = f"/api/v1/reservations/{reserved['id']}"
    for stranger in (piero, rivale, elena):
        assert api(stranger).get(address).status_code == 404
        assert api(stranger).post(f"{address}/cancel").status_code == 404
    assert api(marco).get(address).status_code == 200
    assert api(marco).get("/api/v1/reservations").json()["results"] == []


def test_a_search_may_ask_for_range_and_equipment(rider, scooter):
    def codes(**asked):
        answer = rider.get("/api/v1/vehicles", {**HERE, **asked})
        return [one["code"] for one in answer.json()["results"]]

    reach = rider.get("/api/v1/vehicles", HERE).json()["results"][0]["range_m"]
    assert codes(range_m=reach) == ["SC1"]
    assert codes(range_m=reach + 1) == []
    assert codes(needs="child_seat") == []
    scooter.equipment = ["child_seat", "cargo_box"]
    scooter.save()
    assert codes(needs="child_seat") == ["SC1"]
    assert codes(needs=["child_seat", "cargo"]) == ["SC1"]
    assert codes(needs=["child_seat", "adaptive"]) == []
    assert rider.get("/api/v1/vehicles", {**HERE, "needs": "wings"}).status_code == 400


def test_who_finds_no_child_seat_misses_no_scooter(rider):
    """Only plain searches tell where vehicles are missing."""
    client().delete(KEY)
    rider.get("/api/v1/vehicles", {**HERE, "needs": "child_seat"})
    assert tasks.count_searches() == 0
