"""Who may ride is asked again at the start, if anything has happened since the reservation."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.riders import services as riders
from bookings.riders.models import AccessPolicy, DrivingLicence
from bookings.trips.models import Trip
from mobility.core import clock
from mobility.core.principals import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def reserved(travel, ruote, scooter, licensed, giulia, rider):
    """Giulia has a scooter for which Ruote wants a licence."""
    AccessPolicy.objects.create(organisation=ruote, vehicle_kind="scooter", licence_category="B")
    licensed(giulia)
    travel.shift(datetime.timedelta(seconds=1))
    return rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()["id"]


def reasons(answer):
    assert (answer.status_code, answer.json()["code"]) == (403, "access_refused"), answer.content
    return [one["code"] for one in answer.json()["reasons"]]


@pytest.mark.parametrize("by_vehicle", [False, True])
def test_who_was_blocked_after_reserving_does_not_start(reserved, rider, giulia, by_vehicle):
    riders.place_block(user_id=giulia.pk, reason="misuse", at=clock.now(), by=SYSTEM)
    wanted = {"vehicle": "SC1"} if by_vehicle else {"reservation": reserved}
    assert reasons(rider.post("/api/v1/trips", wanted)) == ["blocked"]
    assert not Trip.objects.exists()
    assert rider.get(f"/api/v1/reservations/{reserved}").json()["state"] == "held"


def test_whose_licence_was_refused_after_all_does_not_start(reserved, rider, travel):
    travel.shift(datetime.timedelta(seconds=30))
    riders.reject_document(
        document=DrivingLicence.objects.get(), reason="unreadable", at=clock.now(), by=SYSTEM
    )
    assert reasons(rider.post("/api/v1/trips", {"reservation": reserved})) == ["licence_rejected"]


def test_whose_licence_ran_out_at_midnight_does_not_start(
    travel, ruote, scooter, licensed, giulia, rider
):
    AccessPolicy.objects.create(organisation=ruote, vehicle_kind="scooter", licence_category="B")
    travel.move_to(datetime.datetime(2026, 5, 4, 21, 55, tzinfo=datetime.UTC))
    scooter.latest.__class__.objects.update(at=clock.now(), received_at=clock.now())
    licensed(giulia, valid_until=clock.service_day(clock.now()))
    reserved = rider.post("/api/v1/reservations", {"vehicle": "SC1"}).json()["id"]
    travel.shift(datetime.timedelta(minutes=6))
    assert reasons(rider.post("/api/v1/trips", {"reservation": reserved})) == ["licence_expired"]


def test_who_was_blocked_and_freed_again_starts(reserved, rider, giulia):
    block = riders.place_block(user_id=giulia.pk, reason="misuse", at=clock.now(), by=SYSTEM)
    riders.lift_block(block=block, at=clock.now(), by=SYSTEM)
    assert rider.post("/api/v1/trips", {"reservation": reserved}).status_code == 201


def test_for_whom_nothing_has_happened_it_costs_no_statement(reserved, rider, travel):
    travel.shift(datetime.timedelta(seconds=30))
    with CaptureQueriesContext(connection) as asked:
        assert rider.post("/api/v1/trips", {"reservation": reserved}).status_code == 201
    assert not any("array_agg(block.reason" in row["sql"] for row in asked.captured_queries)
