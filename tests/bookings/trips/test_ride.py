"""Giulia rides a scooter, from looking around to the receipt."""

import datetime

import pytest

from bookings.payments.models import LedgerEntry, Payment, ProviderOperation
from bookings.pricing.services import draft_version, publish_version
from bookings.reservations.models import Reservation
from bookings.trips.models import Trip
from fleet.vehicles.models import LatestState, VehicleHold
from fleet.vehicles.states import RentalState
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.bookings.conftest import NUMBERS

pytestmark = pytest.mark.django_db

PORTA_ROMANA = {"lat": 45.4511, "lon": 9.2051}


@pytest.fixture(autouse=True)
def _clock(travel, scooter):
    """The vehicle has just reported when the test begins."""


def report(vehicle, *, lon=9.2050, lat=45.4510, speed_kmh=0.0, accuracy_m=5.0, at=None):
    """The vehicle says where it is now."""
    at = at or clock.now()
    LatestState.objects.filter(pk=vehicle.pk).update(
        at=at,
        received_at=at,
        lon_e7=round(lon * 1e7),
        lat_e7=round(lat * 1e7),
        speed_cms=round(speed_kmh / 0.036),
        accuracy_dm=round(accuracy_m * 10),
    )


@pytest.fixture
def riding(rider, scooter, obey):
    """Giulia is on her way."""
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()
    obey(scooter)
    return trip["id"]


def test_from_the_map_to_the_receipt(rider, scooter, obey, collect, travel):
    found = rider.get("/api/v1/vehicles", {**PORTA_ROMANA, "radius_m": 300}).json()["results"]
    assert [(row["code"], row["kind"], row["price"]["minute_cents"]) for row in found] == [
        ("SC1", "scooter", 25)
    ]

    reserved = rider.post("/api/v1/reservations", {"vehicle": found[0]["id"]})
    assert reserved.status_code == 201, reserved.content
    assert reserved.json()["state"] == "held"
    assert reserved.json()["quote"]["estimate"]["total_cents"] == 600

    travel.shift(datetime.timedelta(minutes=3))
    started = rider.post("/api/v1/trips", {"reservation": reserved.json()["id"]})
    assert started.status_code == 201, started.content
    trip = started.json()
    assert (trip["state"], trip["started_at"], trip["cost_so_far_cents"]) == ("starting", None, 0)

    assert obey(scooter) == "unlock"
    running = rider.get(f"/api/v1/trips/{trip['id']}").json()
    assert (running["state"], running["cost_so_far_cents"]) == ("running", 100)

    travel.shift(datetime.timedelta(minutes=9, seconds=1))
    assert rider.get(f"/api/v1/trips/{trip['id']}").json()["cost_so_far_cents"] == 350
    report(scooter)
    ending = rider.post(f"/api/v1/trips/{trip['id']}/end", {})
    assert (ending.status_code, ending.json()["state"]) == (200, "ending")

    travel.shift(datetime.timedelta(seconds=5))
    assert obey(scooter) == "lock"
    assert rider.get(f"/api/v1/trips/{trip['id']}").json()["state"] == "priced"
    receipt = rider.get(f"/api/v1/trips/{trip['id']}/receipt").json()
    assert receipt["number"] == "ruote/R/2026/000001"
    assert [(line["kind"], line["quantity"], line["cents"]) for line in receipt["lines"]] == [
        ("unlock", "1", 100),
        ("ride", "10", 250),
    ]
    assert receipt["total_cents"] == 350
    assert receipt["vat"] == [
        {"rate": "0.2200", "net_cents": 287, "vat_cents": 63, "gross_cents": 350}
    ]
    collect()
    settled = rider.get(f"/api/v1/trips/{trip['id']}").json()
    assert (settled["state"], settled["price_cents"]) == ("settled", 350)
    assert settled["vehicle"]["lat"] is None
    paid = rider.get(f"/api/v1/trips/{trip['id']}/receipt").json()["payment"]
    assert (paid["state"], paid["captured_cents"]) == ("captured", 350)
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == 0
    scooter.refresh_from_db()
    assert scooter.rental_state == RentalState.FREE
    assert not VehicleHold.objects.active().exists()


def test_a_trip_starts_without_a_reservation_by_the_code_on_the_sticker(rider, scooter, obey):
    started = rider.post("/api/v1/trips", {"vehicle": "sc1"})
    assert started.status_code == 201
    assert started.json()["vehicle"]["code"] == "SC1"
    assert Reservation.objects.get().state == "consumed"


def test_unlocking_the_reserved_vehicle_by_its_code_uses_the_reservation(rider, scooter):
    reserved = rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()
    started = rider.post("/api/v1/trips", {"vehicle": "SC1"})
    assert (started.status_code, started.json()["reservation"]) == (201, reserved["id"])


def test_pausing_costs_the_pause_minute_and_resuming_the_riding_one(
    rider, scooter, riding, obey, travel
):
    travel.shift(datetime.timedelta(minutes=2))
    assert rider.post(f"/api/v1/trips/{riding}/pause").json()["state"] == "paused"
    assert obey(scooter) == "lock"
    travel.shift(datetime.timedelta(minutes=10))
    assert rider.get(f"/api/v1/trips/{riding}").json()["cost_so_far_cents"] == 100 + 50 + 100
    assert rider.post(f"/api/v1/trips/{riding}/resume").json()["state"] == "running"
    assert obey(scooter) == "unlock"
    travel.shift(datetime.timedelta(minutes=1))
    assert rider.get(f"/api/v1/trips/{riding}").json()["cost_so_far_cents"] == 275
    again = rider.post(f"/api/v1/trips/{riding}/resume")
    assert (again.status_code, again.json()["state"]) == (200, "running")


@pytest.mark.parametrize("answer", ["rejected", None])
def test_if_the_vehicle_does_not_unlock_again_the_pause_never_ended(
    answer, rider, scooter, riding, obey, silence, travel
):
    rider.post(f"/api/v1/trips/{riding}/pause")
    obey(scooter)
    travel.shift(datetime.timedelta(minutes=2))
    rider.post(f"/api/v1/trips/{riding}/resume")
    travel.shift(datetime.timedelta(seconds=21))
    obey(scooter, answer) if answer else silence()
    travel.shift(datetime.timedelta(seconds=39))
    trip = rider.get(f"/api/v1/trips/{riding}").json()
    assert (trip["state"], trip["cost_so_far_cents"]) == ("paused", 100 + 3 * 10)


def test_a_vehicle_that_unlocks_late_rides_at_the_riding_price(
    rider, scooter, riding, obey, silence, travel
):
    from fleet.vehicles.models import VehicleCommand
    from fleet.vehicles.services import mark_commands_sent, record_acknowledgement
    from mobility.core.principals import SYSTEM

    rider.post(f"/api/v1/trips/{riding}/pause")
    obey(scooter)
    rider.post(f"/api/v1/trips/{riding}/resume")
    unlock = VehicleCommand.objects.open().get()
    mark_commands_sent(public_ids=[str(unlock.public_id)], at=clock.now(), by=SYSTEM)
    travel.shift(datetime.timedelta(minutes=1))
    silence()
    assert rider.get(f"/api/v1/trips/{riding}").json()["state"] == "paused"
    record_acknowledgement(
        command_public_id=unlock.public_id,
        device_vehicle_id=scooter.pk,
        result="confirmed",
        at=clock.now(),
        by=SYSTEM,
    )
    silence()
    travel.shift(datetime.timedelta(minutes=2))
    trip = rider.get(f"/api/v1/trips/{riding}").json()
    assert (trip["state"], trip["cost_so_far_cents"]) == ("running", 100 + 10 + 2 * 25)


def test_a_pause_that_does_not_lock_is_told_and_stays_cheap(rider, scooter, riding, obey):
    rider.post(f"/api/v1/trips/{riding}/pause")
    obey(scooter, "rejected")
    trip = rider.get(f"/api/v1/trips/{riding}").json()
    assert (trip["state"], trip["flags"]) == ("paused", ["pause_unconfirmed"])


def test_everything_in_the_way_of_an_end_comes_in_one_answer(rider, scooter, riding, travel):
    report(scooter, lon=9.40, lat=45.46, speed_kmh=12)
    refused = rider.post(f"/api/v1/trips/{riding}/end")
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["code"] == "end_blocked"
    outside, moving = problem["conditions"]
    assert (outside["code"], moving["code"]) == ("outside_operating_area", "vehicle_moving")
    assert outside["nearest"]["distance_m"] > 7000
    assert outside["message"] == "The vehicle is outside the area where trips can end."
    assert outside["hint"]
    assert moving["nearest"] is None
    trip = Trip.objects.get()
    assert (trip.state, trip.end_refusals) == ("running", 1)
    assert trip.last_refusal == ["outside_operating_area", "vehicle_moving"]


def test_the_meter_stands_at_the_first_valid_attempt(rider, scooter, riding, obey, travel, silence):
    travel.shift(datetime.timedelta(seconds=90))
    report(scooter)
    rider.post(f"/api/v1/trips/{riding}/end")
    travel.shift(datetime.timedelta(seconds=15))
    again = rider.post(f"/api/v1/trips/{riding}/end")
    assert (again.status_code, again.json()["state"]) == (200, "ending")
    travel.shift(datetime.timedelta(seconds=30))
    assert rider.get(f"/api/v1/trips/{riding}").json()["cost_so_far_cents"] == 150
    obey(scooter)
    trip = Trip.objects.get()
    assert (trip.state, trip.price_cents) == ("priced", 150)
    assert (trip.ended_at - trip.started_at).total_seconds() == 90


def test_a_broken_lock_lets_the_rider_go_and_calls_staff(
    rider, scooter, riding, travel, silence, collect
):
    travel.shift(datetime.timedelta(seconds=50))
    report(scooter)
    rider.post(f"/api/v1/trips/{riding}/end")
    travel.shift(datetime.timedelta(seconds=21))
    silence()
    assert Trip.objects.get().state == "ending"
    travel.shift(datetime.timedelta(seconds=21))
    silence()
    trip = Trip.objects.get()
    assert (trip.state, trip.price_cents, trip.flags) == ("priced", 125, ["lock_unconfirmed"])
    assert [block.reason for block in scooter.blocks.active()] == ["maintenance"]
    found = rider.get("/api/v1/vehicles", PORTA_ROMANA).json()["results"]
    assert found == []


def test_a_lock_that_answers_late_is_not_broken(rider, scooter, riding, obey, travel, silence):
    from fleet.vehicles.models import VehicleCommand
    from fleet.vehicles.services import mark_commands_sent, record_acknowledgement
    from mobility.core.principals import SYSTEM

    report(scooter)
    rider.post(f"/api/v1/trips/{riding}/end")
    for _attempt in range(2):
        lock = VehicleCommand.objects.open().get()
        mark_commands_sent(public_ids=[str(lock.public_id)], at=clock.now(), by=SYSTEM)
        travel.shift(datetime.timedelta(seconds=21))
        silence()
    assert scooter.blocks.active().count() == 1
    record_acknowledgement(
        command_public_id=lock.public_id,
        device_vehicle_id=scooter.pk,
        result="confirmed",
        at=clock.now(),
        by=SYSTEM,
    )
    silence()
    assert scooter.blocks.active().count() == 0


def test_when_nobody_knows_where_the_vehicle_is_the_trip_may_end(
    rider, scooter, riding, obey, travel
):
    report(scooter, lon=9.40)
    travel.shift(datetime.timedelta(minutes=10))
    assert rider.post(f"/api/v1/trips/{riding}/end").status_code == 200
    assert Trip.objects.get().flags == ["position_unverified", "photo_asked"]


def test_a_silent_vehicle_ends_by_the_phones_place(rider, scooter, riding, travel):
    travel.shift(datetime.timedelta(minutes=10))
    far = rider.post(f"/api/v1/trips/{riding}/end", {"lat": 45.46, "lon": 9.40})
    assert [row["code"] for row in far.json()["conditions"]] == ["outside_operating_area"]
    near = rider.post(f"/api/v1/trips/{riding}/end", {"lat": 45.46, "lon": 9.20})
    assert near.json()["flags"] == ["position_from_phone", "photo_asked"]


def test_a_phone_cannot_talk_a_vehicle_that_reports_into_the_area(rider, scooter, riding):
    report(scooter, lon=9.40)
    refused = rider.post(f"/api/v1/trips/{riding}/end", {"lat": 45.46, "lon": 9.20})
    assert refused.status_code == 409


@pytest.mark.parametrize(
    ("metres", "accuracy_m", "status"), [(8, 15, 200), (80, 15, 409), (8, 0, 409)]
)
def test_the_doubt_of_the_position_belongs_to_the_rider(
    metres, accuracy_m, status, rider, scooter, riding
):
    # The area's eastern edge is 9.30; a degree of longitude is about 78 km here.
    report(scooter, lon=9.30 + metres / 78_080, lat=45.46, accuracy_m=accuracy_m)
    assert rider.post(f"/api/v1/trips/{riding}/end").status_code == status


def test_an_unlock_that_never_came_costs_nothing_and_gives_the_vehicle_back(
    rider, scooter, travel, silence, obey
):
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()
    travel.shift(datetime.timedelta(seconds=21))
    silence()
    failed = rider.get(f"/api/v1/trips/{trip['id']}").json()
    assert (failed["state"], failed["cost_so_far_cents"]) == ("start_failed", 0)
    assert failed["failure"] == "unlock_expired"
    assert Payment.objects.get().state == "voided"
    assert scooter.commands.latest("sequence").kind == "lock"
    scooter.refresh_from_db()
    assert scooter.rental_state == RentalState.FREE
    obey(scooter)
    assert rider.post("/api/v1/trips", {"vehicle": "SC1"}).status_code == 201


def test_calling_off_a_start_costs_nothing(rider, scooter):
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()
    ended = rider.post(f"/api/v1/trips/{trip['id']}/end")
    assert (ended.status_code, ended.json()["state"]) == (200, "start_failed")
    assert Payment.objects.get().state == "voided"


def test_a_false_start_is_free_within_the_grace(rider, scooter, obey, travel, collect, tariff):
    kinder = draft_version(
        tariff=tariff.tariff, valid_from=clock.now(), **{**NUMBERS, "grace_s": 60}
    )
    publish_version(version_id=kinder.pk, at=clock.now(), by=SYSTEM)
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    obey(scooter)
    travel.shift(datetime.timedelta(seconds=40))
    report(scooter)
    rider.post(f"/api/v1/trips/{trip}/end")
    obey(scooter)
    ended = rider.get(f"/api/v1/trips/{trip}").json()
    assert (ended["state"], ended["price_cents"]) == ("settled", 0)
    receipt = rider.get(f"/api/v1/trips/{trip}/receipt").json()
    assert (receipt["total_cents"], receipt["lines"]) == (0, [])
    assert Payment.objects.get().state == "voided"
    collect()
    assert ProviderOperation.objects.filter(deed="void").count() == 1, "the card is free again"
