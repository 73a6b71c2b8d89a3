"""The map changes while Giulia rides."""

import datetime

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon

from fleet.vehicles.models import LatestState
from fleet.zones import services as zones
from fleet.zones.rules import Rule
from fleet.zones.services import ZoneDraft
from mobility.core import clock
from mobility.core.geo import WGS84
from mobility.core.principals import SYSTEM

pytestmark = pytest.mark.django_db

# The scooter stands in the middle of it.
SQUARE = MultiPolygon(Polygon.from_bbox((9.200, 45.447, 9.210, 45.455)), srid=WGS84)


@pytest.fixture
def publish(milan, ruote):
    """`publish("no_park")`: Ruote's only zone from now on."""

    def put(kind, *rules):
        at = clock.now()
        draft = zones.create_draft(
            organisation_id=ruote.pk, city_id=milan.pk, title=kind, at=at, by=SYSTEM
        )
        zone = ZoneDraft(code=kind, name={"it": kind}, kind=kind, boundary=SQUARE, rules=rules)
        zones.replace_zones(set_id=draft.pk, zones=[zone], at=at, by=SYSTEM)
        zones.publish(set_id=draft.pk, acknowledged=True, at=at, by=SYSTEM)

    return put


@pytest.fixture
def ride(travel, scooter, rider, obey):
    """`ride()`: Giulia sets off; the answer is the address of her trip."""

    def start():
        trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()
        obey(scooter)
        return f"/api/v1/trips/{trip['id']}"

    return start


def pass_a_minute(travel, scooter):
    travel.shift(datetime.timedelta(minutes=1))
    LatestState.objects.filter(pk=scooter.pk).update(at=clock.now(), received_at=clock.now())


def test_who_rides_already_may_still_end_where_it_was_allowed(
    publish, ride, rider, scooter, travel
):
    publish("operating")
    trip = ride()
    pass_a_minute(travel, scooter)
    publish("no_park")
    pass_a_minute(travel, scooter)
    assert rider.post(f"{trip}/end").status_code == 200


def test_who_sets_off_afterwards_may_not(publish, ride, rider, scooter, travel):
    publish("operating")
    pass_a_minute(travel, scooter)
    publish("no_park")
    pass_a_minute(travel, scooter)
    refused = rider.post(f"{ride()}/end").json()
    assert [condition["code"] for condition in refused["conditions"]] == ["no_parking"]


def test_what_becomes_allowed_under_way_helps_at_once(publish, ride, rider, scooter, travel):
    publish("no_park")
    trip = ride()
    pass_a_minute(travel, scooter)
    assert rider.post(f"{trip}/end").status_code == 409
    publish("operating")
    pass_a_minute(travel, scooter)
    assert rider.post(f"{trip}/end").status_code == 200


def test_where_only_bays_will_do_the_rider_is_told_so(publish, ride, rider, scooter, travel):
    publish("operating", Rule(ride_end_allowed=True, station_parking=True))
    trip = ride()
    pass_a_minute(travel, scooter)
    (condition,) = rider.post(f"{trip}/end").json()["conditions"]
    assert condition["code"] == "bays_only"
    assert condition["message"] == "Here vehicles can be left only in a parking bay."
