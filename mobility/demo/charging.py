"""The demo's chargers: 60 charge points at the ten mobility areas, 20 of them fast."""

import datetime
from typing import Any

from django.db import transaction

from charging.sessions.services import ensure_token
from charging.stations import services
from charging.stations.models import ChargingStation, Connector, Site
from charging.stations.services import ConnectorPlan
from charging.tariffs.models import Tariff, TariffPlace
from mobility.accounts.models import Organisation
from mobility.core.principals import Principal
from mobility.geography.models import City, Hub
from mobility.geography.states import HubKind

# At each mobility area: four posts with alternating current, which speak OCPP 1.6, and two fast
# chargers, which speak 2.0.1.
POSTS = ("normal", "normal", "normal", "normal", "fast", "fast")
NORMAL = ConnectorPlan(
    standard=Connector.Standard.TYPE_2,
    format=Connector.Format.SOCKET,
    power_type=Connector.PowerType.AC_3_PHASE,
    max_power_w=22_000,
)
FAST = ConnectorPlan(
    standard=Connector.Standard.CCS2,
    format=Connector.Format.CABLE,
    power_type=Connector.PowerType.DC,
    max_power_w=50_000,
)
PROTOCOLS = {"normal": "ocpp1.6", "fast": "ocpp2.0.1"}
RFID_CARDS = tuple(f"0444DE{number:08X}" for number in range(1, 41))


@transaction.atomic
def ensure_stations(
    *,
    city: City,
    operator: Organisation,
    tariffs: dict[str, Tariff],
    scale: float,
    at: datetime.datetime,
    by: Principal,
) -> list[ChargingStation]:
    """A site at every mobility area with its stations and prices; created where missing."""
    areas = Hub.objects.filter(city=city, kind=HubKind.MOBILITY_AREA).order_by("code")
    known = set(ChargingStation.objects.values_list("identity", flat=True))
    for area in areas:
        site = _ensure_site(area, operator=operator)
        for number, post in enumerate(POSTS, start=1):
            identity = f"{area.code}-{number}"
            if identity not in known:
                _commission(identity, post, site=site, tariff=tariffs["dc"], at=at, by=by)
    stations = ChargingStation.objects.filter(site__hub__in=areas).order_by("identity")
    return list(stations[: max(1, round(stations.count() * scale))])


def credentials_of(
    stations: list[ChargingStation],
    known: list[dict[str, Any]],
    *,
    at: datetime.datetime,
    by: Principal,
) -> list[dict[str, Any]]:
    """What each charger needs to connect; who has no password on file gets a new one."""
    passwords = {charger["identity"]: charger["password"] for charger in known}
    return [
        {
            "identity": station.identity,
            "password": passwords.get(station.identity)
            or services.reset_password(station_id=station.pk, at=at, by=by),
            "protocol": station.ocpp_versions[0],
            "connectors": 1,
        }
        for station in stations
    ]


def ensure_cards(*, at: datetime.datetime) -> list[str]:
    """The RFID cards that simulated drivers carry."""
    for number, uid in enumerate(RFID_CARDS, start=1):
        ensure_token(uid=uid, at=at, label=f"Demo card {number}")
    return list(RFID_CARDS)


def _ensure_site(area: Hub, *, operator: Organisation) -> Site:
    site, _created = Site.objects.get_or_create(
        organisation=operator,
        hub=area,
        defaults={
            "city": area.city,
            "name": area.name,
            "address": area.address,
            "location": area.location,
            "grid_limit_w": 150_000,
        },
    )
    return site


def _commission(
    identity: str,
    post: str,
    *,
    site: Site,
    tariff: Tariff,
    at: datetime.datetime,
    by: Principal,
) -> None:
    station, _password = services.add_charger(
        identity=identity,
        site=site,
        connectors=[FAST if post == "fast" else NORMAL],
        ocpp_versions=[PROTOCOLS[post]],
        at=at,
        by=by,
    )
    if post == "fast":
        connector = Connector.objects.get(evse__station=station)
        TariffPlace.objects.create(tariff=tariff, connector=connector)
