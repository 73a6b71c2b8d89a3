"""Cars that must be plugged in where they are returned, and chargers that cannot be used."""

import datetime

import pytest

from bookings.trips import tasks
from charging.sessions.facts import SessionStart
from charging.sessions.services import ensure_token, start_sessions
from charging.stations.models import ChargingStation, Connector, Site, StationCommand
from mobility.core import clock, geo
from mobility.core.principals import SYSTEM
from mobility.geography.models import Hub
from tests.fleet.zones.drawing import draw_zone

pytestmark = pytest.mark.django_db


@pytest.fixture
def car(travel, make_vehicle, tariff, policy, licensed, giulia):
    """An e-car of Ruote, which wants its cars plugged in."""
    licensed(giulia)
    policy("car", plug_at_hubs=True)
    return make_vehicle("car", code="CAR1")


@pytest.fixture
def station(travel, milan, comune, make_station) -> ChargingStation:
    """A charger at the hub whose bay the car stands in."""
    hub = Hub.objects.create(
        city=milan,
        code="H1",
        name={"it": "Porta Romana"},
        kind="mobility_area",
        location=geo.point(9.2050, 45.4510),
    )
    zone = draw_zone(
        "bay",
        (9.2048, 45.4508, 9.2052, 45.4512),
        organisation=comune,
        city=milan,
        start=clock.now(),
        name={"it": "Stallo"},
    )
    zone.hub = hub
    zone.save(update_fields=["hub"])
    station = make_station("CP1", online=True, at=clock.now())
    Site.objects.update(hub=hub)
    Connector.objects.update(status="Available")
    return station


@pytest.fixture
def drive_car(rider, car, obey, drive):
    """`drive_car()`: Giulia has driven to the bay; the answer is the address of her trip."""

    def there():
        trip = rider.post("/api/v1/trips", {"vehicle": "CAR1"})
        assert trip.status_code == 201, trip.content
        obey(car)
        drive(car, minutes=5)
        return f"/api/v1/trips/{trip.json()['id']}"

    return there


def plug_in(station, uid):
    start = SessionStart(
        station_id=station.pk, evse_number=1, uid=uid, at=clock.now(), meter_start_wh=0
    )
    start_sessions(starts=[start], at=clock.now())


def refused(answer):
    return [condition["code"] for condition in answer.json()["conditions"]]


def test_a_car_whose_cable_is_out_does_not_end_and_a_session_of_its_token_is_proof(
    station, drive_car, rider, car
):
    trip = drive_car()
    answer = rider.post(f"{trip}/end")
    assert (answer.status_code, refused(answer)) == (409, ["cable"])
    assert "Plug it in" in answer.json()["conditions"][0]["hint"]
    ensure_token(
        uid="CAR-1",
        kind="vehicle",
        owner_ref=f"vehicle:{car.public_id}",
        at=clock.now(),
        by=SYSTEM,
    )
    plug_in(station, "CAR-1")
    ended = rider.post(f"{trip}/end")
    assert (ended.status_code, ended.json()["flags"]) == (200, [])


def test_a_session_of_somebody_else_is_no_proof(station, drive_car, rider):
    trip = drive_car()
    plug_in(station, "STRANGER")
    assert refused(rider.post(f"{trip}/end")) == ["cable"]


def test_a_rising_charge_is_proof(station, drive_car, rider, car, monkeypatch):
    import numpy as np

    from bookings.trips.queries import plug
    from fleet.telematics.records import OWNED_POINT

    trip = drive_car()
    points = np.zeros(3, dtype=OWNED_POINT)
    points["battery_pct"] = [-1, 40, 41]
    monkeypatch.setattr(plug, "track", lambda **_span: points)
    assert rider.post(f"{trip}/end").status_code == 200


@pytest.mark.parametrize("status", ["Faulted", "Unavailable"])
def test_a_charger_that_does_not_work_never_punishes(status, station, drive_car, rider, car):
    trip = drive_car()
    Connector.objects.update(status=status)
    ended = rider.post(f"{trip}/end")
    assert (ended.status_code, ended.json()["flags"]) == (200, ["charger_faulted"])


def test_beside_the_hub_nothing_is_asked(station, drive_car, rider, car, report):
    trip = drive_car()
    report(car, lon=9.2100)
    assert rider.post(f"{trip}/end").status_code == 200


def test_a_scooter_has_no_cable(station, car, ride, rider, scooter, policy, report):
    policy("scooter", plug_at_hubs=True)
    trip = ride()
    report(scooter)
    assert rider.post(f"{trip}/end").status_code == 200


def test_where_no_charger_stands_nothing_is_asked(station, drive_car, rider):
    trip = drive_car()
    Site.objects.update(hub=None)
    assert rider.post(f"{trip}/end").status_code == 200


def test_taking_a_plugged_car_opens_the_doors_first_and_then_the_cable(
    rider, car, station, obey, drive, travel
):
    ensure_token(
        uid="CAR1TAG", kind="vehicle", owner_ref=f"vehicle:{car.public_id}",
        at=clock.now(), by=SYSTEM,
    )  # fmt: skip
    plug_in(station, "CAR1TAG")
    drive(car, minutes=1)
    rider.post("/api/v1/trips", {"vehicle": "CAR1"})
    assert tasks.sweep()["cables_freed"] == 0, "the doors are still shut"
    obey(car)
    travel.shift(datetime.timedelta(seconds=5))
    assert tasks.sweep()["cables_freed"] == 1
    stop = StationCommand.objects.get()
    assert (stop.action, stop.station) == ("remote_stop", station)
    travel.shift(datetime.timedelta(seconds=10))
    assert tasks.sweep()["cables_freed"] == 0, "asked for once"
