"""A connector is kept for Giulia while she is on the way."""

import datetime

import pytest

from bookings.pricing import services as pricing
from bookings.pricing.models import Tariff
from bookings.recharges import tasks
from bookings.recharges.models import KeptConnector
from charging.devices.facts import ReservationEndSaid
from charging.devices.services import record_facts
from charging.stations.models import Connector, ConnectorHold, StationCommand
from mobility.core import clock
from mobility.core.geo import point
from mobility.core.principals import SYSTEM
from mobility.geography.models import Hub
from tests.bookings.conftest import NUMBERS
from tests.charging.fixtures import connector_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def keep(rider, socket):
    return lambda **wish: rider.post(f"/api/v1/connectors/{socket.public_id}/hold", wish)


def test_a_kept_connector_is_hers_until_she_charges(
    keep, rider, api, piero, card, socket, answer, plug_in, buy
):
    kept = keep(minutes=20).json()
    assert (kept["state"], kept["charger_knows"]) == ("held", False)
    asked = answer("accepted", status="Accepted")
    assert (asked.action, asked.payload["until"]) == ("reserve", "2026-05-04T08:20:00Z")
    assert rider.get(f"/api/v1/connector-holds/{kept['id']}").json()["charger_knows"]
    card(piero)
    other = api(piero).post("/api/v1/recharges", {"connector": str(socket.public_id)})
    assert other.json()["connector_status"] == "Reserved"
    assert api(piero).post(f"/api/v1/connectors/{socket.public_id}/hold").status_code == 409
    assert api(piero).get(f"/api/v1/connector-holds/{kept['id']}").status_code == 404
    assert buy().status_code == 201
    answer("accepted")
    plug_in()
    assert KeptConnector.objects.get().state == "used"
    assert not ConnectorHold.objects.filter(released_at__isnull=True).exists()


def test_time_runs_out_and_she_does_not_keep_it_again_at_once(keep, travel, charger, rider):
    keep()
    second = rider.post(f"/api/v1/connectors/{connector_of(charger, 2).public_id}/hold")
    assert second.json()["code"] == "connector_hold_underway"
    travel.shift(datetime.timedelta(minutes=16))
    assert tasks.sweep()["kept_expired"] == 1
    assert keep().json()["code"] == "connector_hold_too_soon"
    travel.shift(datetime.timedelta(minutes=30))
    assert keep().status_code == 201


def test_given_free_the_charger_is_told(keep, rider, answer, api, piero, socket):
    keep()
    answer("accepted", status="Accepted")
    address = f"/api/v1/connectors/{socket.public_id}/hold"
    assert api(piero).delete(address).status_code == 404
    assert rider.delete(address).status_code == 204
    cancelled = StationCommand.objects.latest("id")
    assert cancelled.action == "cancel_reservation"
    assert cancelled.payload == {"reservation_id": KeptConnector.objects.get().pk}


@pytest.mark.parametrize(
    ("said", "state"), [("Rejected", "held"), ("Occupied", "refused"), ("Faulted", "refused")]
)
def test_a_charger_that_cannot_reserve_is_kept_by_the_apps_alone(keep, answer, said, state):
    keep()
    answer("rejected", status=said)
    assert KeptConnector.objects.get().state == state


@pytest.mark.parametrize(("said", "state"), [("Expired", "expired"), ("Removed", "refused")])
def test_a_charger_that_gives_a_reservation_up_ends_it_here(
    keep, answer, charger, relay, said, state
):
    keep()
    answer("accepted", status="Accepted")
    kept = KeptConnector.objects.get()
    for station_id, then in ((charger.pk + 1, "held"), (charger.pk, state)):
        fact = ReservationEndSaid(
            station_id=station_id, reservation_id=kept.pk, status=said, at=clock.now()
        )
        record_facts(facts=[fact], at=clock.now())
        relay()
        kept.refresh_from_db()
        assert kept.state == then
    assert not ConnectorHold.objects.filter(released_at__isnull=True).exists()
    # The charger knows already.
    assert not StationCommand.objects.filter(action="cancel_reservation").exists()


def test_only_free_connectors_are_kept_and_not_for_long(keep, socket):
    assert keep(minutes=31).status_code == 400
    Connector.objects.filter(pk=socket.pk).update(status="Occupied")
    assert keep().json()["code"] == "connector_busy"


@pytest.fixture
def booked_car(rider, giulia, licensed, charger, ruote, milan, make_vehicle):
    """Giulia has a car for half an hour, and a connector at the hub for its return."""
    licensed(giulia)
    tariff = Tariff.objects.create(
        organisation=ruote, code="cars", title={"en": "Cars"}, vehicle_kinds=["car"]
    )
    yesterday = clock.now() - datetime.timedelta(days=1)
    draft = pricing.draft_version(tariff=tariff, valid_from=yesterday, **NUMBERS)
    pricing.publish_version(version_id=draft.pk, at=clock.now(), by=SYSTEM)
    make_vehicle("car", code="CAR1")
    charger.site.hub = Hub.objects.create(
        city=milan, code="HUB1", name={"it": "Hub"}, location=point(9.2, 45.45)
    )
    charger.site.save()
    now = clock.now()
    span = {"start": now.isoformat(), "end": (now + datetime.timedelta(minutes=30)).isoformat()}
    answer = rider.post("/api/v1/bookings", {"vehicle": "CAR1", **span, "charge_hub": "HUB1"})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def test_the_connector_that_waits_for_a_booked_car_is_its_riders_and_nobody_elses(
    booked_car, travel, buy, api, piero, card
):
    travel.shift(datetime.timedelta(minutes=20))
    kept = ConnectorHold.objects.get().connector
    card(piero)
    other = api(piero).post("/api/v1/recharges", {"connector": str(kept.public_id)})
    assert (other.status_code, other.json()["connector_status"]) == (409, "Reserved")
    assert buy(connector=str(kept.public_id)).status_code == 201
