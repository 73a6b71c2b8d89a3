"""Giulia on her way, and what the vehicle says meanwhile."""

import datetime
import io

import pytest
from PIL import Image

from bookings.trips.models import Trip, TripPolicy
from fleet.vehicles.models import LatestState
from mobility.core import clock


@pytest.fixture
def report():
    """`report(scooter, lon=9.40)`: the vehicle says where it is and how it stands, now."""

    def say(vehicle, *, lon=9.2050, lat=45.4510, speed_kmh=0.0, accuracy_m=5.0, **more):
        at = clock.now()
        LatestState.objects.filter(pk=vehicle.pk).update(
            at=at,
            received_at=at,
            lon_e7=round(lon * 1e7),
            lat_e7=round(lat * 1e7),
            speed_cms=round(speed_kmh / 0.036),
            accuracy_dm=round(accuracy_m * 10),
            **more,
        )

    return say


@pytest.fixture
def ride(travel, scooter, rider, obey):
    """`ride()`: Giulia sets off; the answer is the address of her trip."""

    def start(code="SC1", vehicle=scooter):
        trip = rider.post("/api/v1/trips", {"vehicle": code}).json()
        obey(vehicle)
        return f"/api/v1/trips/{trip['id']}"

    return start


@pytest.fixture
def drive(travel, scooter, report):
    """`drive(minutes=3, lon=9.21)`: time passes, and the vehicle reports from where it is then."""

    def go_on(vehicle=scooter, *, minutes=1.0, **said):
        travel.shift(datetime.timedelta(minutes=minutes))
        report(vehicle, **said)

    return go_on


@pytest.fixture
def finish(rider, scooter, obey):
    """`finish(address)`: Giulia ends her trip, the lock confirms, the price is made."""

    def end(address, vehicle=scooter, **phone):
        answer = rider.post(f"{address}/end", phone)
        assert answer.status_code == 200, answer.content
        obey(vehicle)
        return rider.get(address).json()

    return end


@pytest.fixture
def policy(ruote):
    """`policy(photo_rule="always")`: what Ruote decided about scooters."""

    def decide(kind="scooter", **terms):
        row, _fresh = TripPolicy.objects.update_or_create(
            organisation=ruote, kind=kind, defaults=terms
        )
        return row

    return decide


@pytest.fixture
def picture():
    """`picture()`: a small photo as a phone sends it."""

    def take(name="parked.jpg"):
        content = io.BytesIO()
        Image.new("RGB", (32, 24), (200, 30, 30)).save(content, "JPEG")
        content.seek(0)
        content.name = name
        return content

    return take


@pytest.fixture
def the_trip():
    """`the_trip()`: the only trip there is."""
    return lambda: Trip.objects.with_story().latest("id")
