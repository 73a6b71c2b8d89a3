"""The gate where it stands: before reserving and starting, never before ending."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from bookings.riders import services
from bookings.riders.models import AccessPolicy, DrivingLicence
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.principals import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def car(make_vehicle: Callable[..., Vehicle], tariff: object) -> Vehicle:
    """An e-car in Porta Romana, rentable and priced."""
    return make_vehicle("car", code="CAR1")


def test_a_car_is_reserved_once_the_licence_is_verified(
    rider: APIClient, giulia: User, car: Vehicle, licensed: Callable[..., DrivingLicence]
) -> None:
    refused = rider.post("/api/v1/reservations", {"vehicle": "CAR1"})
    assert (refused.status_code, refused.json()["code"]) == (403, "access_refused")
    [reason] = refused.json()["reasons"]
    assert (reason["code"], reason["blocking"]) == ("licence_required", True)
    assert "pictures" in reason["hint"]
    licensed(giulia)
    assert rider.post("/api/v1/reservations", {"vehicle": "CAR1"}).status_code == 201


def test_a_blocked_rider_takes_nothing_new_and_ends_what_runs(
    rider: APIClient, giulia: User, scooter: Vehicle, make_vehicle: Callable[..., Vehicle],
    obey: Callable[..., str],
) -> None:  # fmt: skip
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"})
    assert trip.status_code == 201, trip.json()
    obey(scooter)
    make_vehicle("scooter", code="SC2")
    block = services.place_block(user_id=giulia.pk, reason="staff", at=clock.now(), by=SYSTEM)
    ended = rider.post(f"/api/v1/trips/{trip.json()['id']}/end", {})
    assert ended.status_code == 200, ended.json()
    obey(scooter)
    refused = rider.post("/api/v1/trips", {"vehicle": "SC2"})
    assert (refused.status_code, refused.json()["code"]) == (403, "access_refused")
    services.lift_block(block=block, at=clock.now(), by=SYSTEM)
    assert rider.post("/api/v1/trips", {"vehicle": "SC2"}).status_code == 201


def test_a_scooter_wants_the_helmet_rules_where_its_operator_says_so(
    rider: APIClient, giulia: User, scooter: Vehicle, policy: Callable[..., AccessPolicy]
) -> None:
    policy("scooter", acknowledgements=["helmet"])
    text = services.ensure_text(
        kind="helmet", title={"en": "Helmet"}, body={"en": "Wear one."}, at=clock.now(), by=SYSTEM
    )
    refused = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()
    assert [one["code"] for one in refused["reasons"]] == ["acknowledgement_missing"]
    rider.post("/api/v1/me/acknowledgements", {"texts": [str(text.public_id)]})
    assert rider.post("/api/v1/trips", {"vehicle": "SC1"}).status_code == 201
