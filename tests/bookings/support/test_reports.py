"""A rider who reports a problem: the ride is remembered, the ride goes on, nobody else's ride is told."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from fleet.maintenance.models import FaultReport
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User

pytestmark = pytest.mark.django_db


def ride(rider: APIClient, scooter: Vehicle, obey: Callable[..., str]) -> dict[str, Any]:
    """Giulia is under way."""
    trip = rider.post("/api/v1/trips", {"vehicle": scooter.code})
    assert trip.status_code == 201, trip.content
    obey(scooter)
    return dict(trip.json())


def tell(client: APIClient, scooter: Vehicle, category: str = "lights") -> FaultReport:
    answer = client.post(f"/api/v1/vehicles/{scooter.code}/faults", {"category": category})
    assert answer.status_code == 201, answer.content
    return FaultReport.objects.get(case_number=answer.json()["case_number"])


def test_a_report_on_the_way_remembers_the_ride_and_does_not_end_it(
    rider: APIClient, scooter: Vehicle, obey: Any
) -> None:
    trip = ride(rider, scooter, obey)
    assert tell(rider, scooter, "brakes").trip_ref == trip["id"]
    assert rider.get(f"/api/v1/trips/{trip['id']}").json()["state"] == "running"
    scooter.refresh_from_db()
    assert scooter.rental_state == "on_trip"
    assert not Vehicle.objects.rentable().filter(pk=scooter.pk).exists()


def test_a_report_after_the_ride_still_means_it_for_two_days(
    travel: Any, rider: APIClient, scooter: Vehicle, obey: Any
) -> None:
    trip = ride(rider, scooter, obey)
    travel.shift(datetime.timedelta(hours=47))
    assert tell(rider, scooter).trip_ref == trip["id"]
    travel.shift(datetime.timedelta(hours=2))
    assert tell(rider, scooter, "dirty").trip_ref == ""


def test_a_passer_by_reports_without_anybodys_ride(
    rider: APIClient, scooter: Vehicle, obey: Any, api: Any, piero: User
) -> None:
    ride(rider, scooter, obey)
    report = tell(api(piero), scooter)
    assert (report.trip_ref, report.reported_by) == ("", piero.principal)
