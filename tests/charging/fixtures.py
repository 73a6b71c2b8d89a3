"""Stations for every room's tests: commissioned, accepted, online when asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from charging.stations import services
from charging.stations.models import ChargingStation, Connector
from charging.stations.services import ConnectorPlan
from mobility.accounts.models import Organisation
from mobility.core import geo
from mobility.core.principals import SYSTEM
from mobility.geography.models import City

MakeStation = Callable[..., ChargingStation]
NOON = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


@pytest.fixture
def make_station(milan: City, colonnine: Organisation) -> MakeStation:
    """`make_station("CP1", connectors=2, online=True)`; its password stands in `station.secret`."""
    return maker_of_stations(milan, colonnine)


def maker_of_stations(milan: City, colonnine: Organisation) -> MakeStation:
    """What makes stations in this city for this operator, also outside of a test."""

    def make(
        identity: str = "CP1",
        *,
        connectors: int = 1,
        max_power_w: int = 22_000,
        online: bool = False,
        organisation: Organisation | None = None,
        site_name: str = "Porta Romana",
        lon: float = 9.2050,
        lat: float = 45.4510,
        at: datetime = NOON,
        **details: object,
    ) -> ChargingStation:
        site = services.ensure_site(
            organisation_id=(organisation or colonnine).pk,
            name={"it": site_name},
            location=geo.point(lon, lat),
            city_id=milan.pk,
            at=at,
            by=SYSTEM,
        )
        station, secret = services.add_charger(
            identity=identity,
            site=site,
            connectors=[ConnectorPlan(max_power_w=max_power_w)] * connectors,
            at=at,
            by=SYSTEM,
            **details,
        )
        if online:
            services.open_connection(
                station_id=station.pk,
                ocpp_version="ocpp1.6",
                gateway="test",
                at=at,
            )
            station.refresh_from_db()
        station.secret = secret
        return station

    return make


def connector_of(station: ChargingStation, number: int = 1) -> Connector:
    """The station's connector of that EVSE number."""
    return Connector.objects.select_related("evse__station").get(
        evse__station=station,
        evse__number=number,
    )
