"""How many statements a ride takes, brackets of transactions not counted. Fewer are welcome."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.reservations import policies
from bookings.trips.models import Trip
from fleet.telematics.services import credentials
from fleet.vehicles.models import LatestState
from mobility.core import clock
from mobility.core.remembering import Remembered
from mobility.webhooks import queries as webhooks

pytestmark = pytest.mark.django_db


# Each verb on a vehicle takes one for its lock, before it reads what it judges: a row read with its
# lock comes with the blocks of before the wait.
STATEMENTS = {
    "search": 3,
    # One asks whether the person may ride at all.
    "reserve": 10,
    # One asks for the person's perks, one makes sure that the start still waits when the bank has
    # answered.
    "start": 17,
    "unlocked": 14,
    "look": 2,
    # One reads policy, outage and photos together; the place comes with the trip.
    "end": 10,
    # The lock's word ends, prices and charges the trip and keeps its track, all in one transaction.
    "locked and priced": 32,
    "collected": 17,
    "receipt": 3,
}
BRACKETS = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "NOTIFY")


@pytest.fixture
def counted():
    """`counted(deed)` does it and says how many statements it took."""

    def count(deed) -> int:
        with CaptureQueriesContext(connection) as captured:
            deed()
        asked = [row["sql"].rsplit("true); ", 1)[-1].strip() for row in captured.captured_queries]
        return sum(not sql.startswith(BRACKETS) for sql in asked)

    return count


def test_a_ride_takes_no_more_statements_than_it_did(
    rider, scooter, obey, collect, counted, make_vehicle, monkeypatch
):
    for _more in range(5):
        make_vehicle("scooter")
    rider.get("/api/v1/payment-methods")
    # Each process reads these once in some seconds, for all its riders: here now, and not again.
    for name, read in (("_policies", policies._read_policies), ("_slower", policies._read_slower)):
        monkeypatch.setattr(policies, name, Remembered(read, seconds=3600))
    monkeypatch.setattr(credentials, "_ASK_AGAIN_S", 3600.0)
    monkeypatch.setattr(webhooks, "_wanted_names", Remembered(webhooks._read_wanted, seconds=3600))
    webhooks.is_wanted("")
    policies.policy_of(scooter.organisation_id)
    policies.needs_time(0)
    here = {"lat": 45.4511, "lon": 9.2051}
    measured = {}
    measured["search"] = counted(lambda: rider.get("/api/v1/vehicles", here))
    measured["reserve"] = counted(lambda: rider.post("/api/v1/reservations", {"vehicle": "SC1"}))
    measured["start"] = counted(lambda: rider.post("/api/v1/trips", {"vehicle": "SC1"}))
    measured["unlocked"] = counted(lambda: obey(scooter))
    trip = Trip.objects.get().public_id
    measured["look"] = counted(lambda: rider.get(f"/api/v1/trips/{trip}"))
    LatestState.objects.update(at=clock.now())
    measured["end"] = counted(lambda: rider.post(f"/api/v1/trips/{trip}/end"))
    measured["locked and priced"] = counted(lambda: obey(scooter))
    measured["collected"] = counted(collect)
    measured["receipt"] = counted(lambda: rider.get(f"/api/v1/trips/{trip}/receipt"))
    assert {what: number for what, number in measured.items() if number > STATEMENTS[what]} == {}
