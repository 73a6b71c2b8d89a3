"""Many plugged vehicles at once, for rounds over all of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from charging.energy.models import SiteLoad
from charging.sessions.models import ChargingSession
from charging.stations.models import ChargingStation, Connector, Evse, Site
from fleet.telematics.models import LatestState
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import LifeState
from mobility.accounts.models import Organisation
from mobility.core import clock, geo
from mobility.geography.models import City
from tests.fleet.fixtures import vehicle_type

PlugIn = Callable[..., list[Vehicle]]


@pytest.fixture
def plug_in_many(milan: City, ruote: Organisation, colonnine: Organisation) -> PlugIn:
    """`plug_in_many(200, sites=4)`: cars at 30 %, each in a session of its own card at a shared site."""

    def plug_in(count: int, *, sites: int = 1) -> list[Vehicle]:
        at = clock.now()
        places = _connectors(count, sites=sites, owner=colonnine, city=milan)
        cars = Vehicle.objects.bulk_create(
            Vehicle(
                organisation=ruote,
                city=milan,
                type=vehicle_type("car"),
                code=f"MANY{number}",
                qr_code=f"MANY{number}",
                life_state=LifeState.IN_SERVICE,
            )
            for number in range(count)
        )
        LatestState.objects.bulk_create(
            LatestState(
                vehicle=car,
                at=at,
                received_at=at,
                lon_e7=92000000,
                lat_e7=454500000,
                battery_pct=30,
            )
            for car in cars
        )
        ChargingSession.objects.bulk_create(
            ChargingSession(
                station_id=connector.evse.station_id,
                connector=connector,
                transaction_ref=str(uuid.uuid4()),
                owner_ref=f"vehicle:{car.public_id}",
                started_at=at,
                heard_at=at,
            )
            for car, connector in zip(cars, places, strict=True)
        )
        return cars

    return plug_in


def _connectors(count: int, *, sites: int, owner: Organisation, city: City) -> list[Connector]:
    grounds = Site.objects.bulk_create(
        Site(
            organisation=owner, city=city, name={"it": f"Many {n}"}, location=geo.point(9.2, 45.45)
        )
        for n in range(sites)
    )
    SiteLoad.objects.bulk_create(
        SiteLoad(site=site, managed=True, limit_a=10 * count) for site in grounds
    )
    stations = ChargingStation.objects.bulk_create(
        ChargingStation(site=grounds[n % sites], identity=f"MANY-{n}") for n in range(count)
    )
    evses = Evse.objects.bulk_create(Evse(station=station, number=1) for station in stations)
    return Connector.objects.bulk_create(Connector(evse=evse, number=1) for evse in evses)
