"""How many queries each page of the desk asks: committed numbers, the same for few rows and for many."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User
from mobility.desk.models import SavedView
from mobility.geography.models import City
from tests.desk.test_trends import alarms
from tests.fleet.zones.drawing import MakeZone

pytestmark = pytest.mark.django_db

# Session and person are two of each; the desk's pages name their editor to the database twice.
COUNTS: dict[str, int] = {
    "/admin/": 30,
    "/admin/map/": 9,
    "/admin/alarms/": 9,
    "/admin/work-orders/": 9,
    "/admin/tasks/": 9,
    "/admin/zones/": 13,
    "/admin/support/": 10,
    "/admin/trail/": 11,
    "/admin/fleet/vehicle/": 9,
    "/admin/fleet/alarm/": 9,
    "/api/v1/desk/views": 4,
    "/api/v1/fleet/forecast": 4,
    "/api/v1/fleet/vehicles?limit=50": 4,
    "/api/v1/fleet/alarms?limit=200": 4,
    "/api/v1/fleet/work-orders?limit=50": 4,
    "/api/v1/fleet/zone-sets?limit=50": 4,
    "/api/v1/fleet/plans?limit=50": 4,
    "/api/v1/fleet/tasks?limit=50": 5,
}


def count(client: Client, address: str) -> int:
    cache.clear()
    client.get(address)
    cache.clear()
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
    assert answer.status_code == 200, address
    return len(asked)


def test_pages_ask_as_often_as_they_always_did(
    make_vehicle: Callable[..., Vehicle], make_zone: MakeZone, milan: City, marco: User
) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(marco, backend="django.contrib.auth.backends.ModelBackend")

    def grow(times: int) -> None:
        for number in range(times):
            vehicle = make_vehicle()
            alarms(vehicle, 1)
            mark = f"{times}-{number}"
            SavedView.objects.create(user=marco, name=mark, created_at=vehicle.latest.at)

    make_zone("operating", (9.18, 45.44, 9.22, 45.46))
    grow(1)
    few = {address: count(client, address) for address in COUNTS}
    grow(6)
    many = {address: count(client, address) for address in COUNTS}
    assert few == many
    assert many == COUNTS
