"""A resident rides a scooter: from the map to the receipt, over every process of the house."""

import time
from collections.abc import Callable

import pytest

from mobility.simulator.geometry import Place, distance_m, moved
from tests.stories.cast import vehicle_of
from tests.stories.people import LOOK_S, PATIENCE_S, Body, Caller, credentials_of, resident
from tests.stories.processes import House
from tests.stories.street import open_street

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("house")]

PARK = Place(9.1757, 45.4737)
"""The middle of Parco Sempione: the demo city forbids parking 330 m around."""
START = moved(PARK, 480, 0)
LAWN = moved(PARK, 230, 0)
LOOKS = round(PATIENCE_S / LOOK_S)
SPEED = 8.0
"""44 m/s on a scooter: a step faster than 60 m/s would count as a jump of the receiver."""


def test_a_resident_rides_a_scooter_and_is_told_where_to_leave_it(house: House) -> None:
    """Search, price, reserve, unlock, ride, a refusal with a way out, end, receipt."""
    rider, stranger = resident(house, 0), resident(house, 1)
    credentials = credentials_of(house)
    scooter = vehicle_of(house, "scooter", "ride")
    with open_street(credentials, speed=SPEED) as street:
        street.put(scooter.code, place=START)
        found = _on_the_map(rider, scooter.code, START)
        assert found["price"]["minute_cents"] > 0

        reserved = rider.post("reservations", {"vehicle": found["id"]}, status=201, key="tap-1")
        again = rider.post("reservations", {"vehicle": found["id"]}, status=201, key="tap-1")
        assert again == reserved
        taken = stranger.post("reservations", {"vehicle": found["id"]}, status=409)
        assert taken["code"].startswith("vehicle_")

        trip = rider.post("trips", {"reservation": reserved["id"]}, status=201)
        street.touch(scooter.code)
        trip_path = f"trips/{trip['id']}"
        rider.wait_for(trip_path, lambda seen: seen["state"] == "running", what="the unlock")
        assert not street.locked(scooter.code)
        stranger.get(trip_path, status=404)

        street.drive(scooter.code, LAWN)
        rider.wait_for(trip_path, _is_seen_at(LAWN), what="its place on the lawn")
        blocked = _end_until_judged(rider, trip_path, code="no_parking")
        nearest = blocked["nearest"]
        way_out = Place(nearest["lon"], nearest["lat"])
        assert distance_m(LAWN, way_out) < 150

        street.drive(scooter.code, _a_step_beyond(LAWN, way_out))
        _end(rider, trip_path)
        settled = rider.wait_for(
            trip_path, lambda seen: seen["state"] == "settled", what="the payment"
        )
        assert street.locked(scooter.code)
        assert 300 < settled["distance_m"] < 600

        receipt = rider.get(f"{trip_path}/receipt")
        assert receipt["total_cents"] == settled["price_cents"] > 0
        assert sum(line["cents"] for line in receipt["lines"]) == receipt["total_cents"]
        assert sum(part["gross_cents"] for part in receipt["vat"]) == receipt["total_cents"]
        stranger.get(f"{trip_path}/receipt", status=404)
        _on_the_map(stranger, scooter.code, street.place(scooter.code))
    house.run_once("check-ledger", "manage.py", "check_ledger")


def _on_the_map(person: Caller, code: str, place: Place) -> dict:
    """The vehicle as anybody finds it nearby, once its report went through stream and drain."""
    answer = person.wait_for(
        "vehicles",
        lambda seen: any(row["code"] == code for row in seen["results"]),
        what="a free scooter on the map",
        lat=place.lat,
        lon=place.lon,
        radius_m=300,
        kind="scooter",
    )
    return next(row for row in answer["results"] if row["code"] == code)


def _is_seen_at(place: Place) -> Callable[[Body], bool]:
    """Whether the vehicle has told that it stands there: on the way it was where it may stand."""

    def seen_at(trip: Body) -> bool:
        there = trip["vehicle"]
        return bool(there["lat"]) and distance_m(Place(there["lon"], there["lat"]), place) < 15

    return seen_at


def _end_until_judged(rider: Caller, trip_path: str, *, code: str) -> dict:
    """Ask to end until the place is the reason: at first the last report may be of the ride."""
    for _ in range(LOOKS):
        refusal = rider.post(f"{trip_path}/end", status=409)
        assert refusal["code"] == "end_blocked"
        for condition in refusal["conditions"]:
            if condition["code"] == code:
                assert condition["message"]
                assert condition["hint"]
                return condition
        time.sleep(LOOK_S)
    raise AssertionError(refusal)


def _end(rider: Caller, trip_path: str) -> None:
    for _ in range(LOOKS):
        reply = rider.http.post(f"{trip_path}/end", json={})
        if reply.status_code == 200:
            return
        assert reply.json()["code"] == "end_blocked", reply.text
        time.sleep(LOOK_S)
    raise AssertionError(reply.text)


def _a_step_beyond(inside: Place, edge: Place) -> Place:
    """Thirty metres further than the edge, away from the place that was refused."""
    length = max(distance_m(inside, edge), 1.0)
    per_lon = distance_m(inside, Place(edge.lon, inside.lat)) * (1 if edge.lon > inside.lon else -1)
    per_lat = distance_m(inside, Place(inside.lon, edge.lat)) * (1 if edge.lat > inside.lat else -1)
    return moved(edge, per_lon / length * 30, per_lat / length * 30)
