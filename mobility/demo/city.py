"""The demo city, whole: made where it is missing, left alone where it stands."""

import dataclasses
import datetime
from pathlib import Path
from typing import Any

from django.db.models import QuerySet

from bookings.payments import services as payments
from bookings.recharges.services import issue_missing_codes
from charging.stations.models import ChargingStation
from fleet.telematics import services as telematics
from fleet.telematics.models import Device
from fleet.vehicles.models import LatestState, Vehicle
from mobility.accounts import services as accounts
from mobility.accounts.models import ApiToken, Organisation, User
from mobility.core import ids
from mobility.core.principals import system_principal
from mobility.demo import (
    assets,
    charging,
    credentials,
    fleet,
    money,
    passes,
    people,
    places,
    prices,
    riders,
    service,
)

DEMO = system_principal("demo")


@dataclasses.dataclass(frozen=True)
class Addresses:
    """Where the simulator finds the doors."""

    api_url: str
    ocpp_url: str


def ensure_demo(
    *, folder: Path, addresses: Addresses, scale: float, at: datetime.datetime
) -> dict[str, Any]:
    """Build what is missing of the demo city; returns the log-ins.

    1. Places, organisations, zones and prices.
    2. Vehicles and chargers.
    3. People: five with passwords, residents for the simulator with tokens and a card.
    4. The credentials; those that are still on file stay valid.
    """
    known = credentials.read(folder / "simulator.json") or {}
    if not ChargingStation.objects.exists():
        known = {}  # credentials of a database that is gone
    city = places.ensure_city(at=at, by=DEMO)
    organisations = people.ensure_organisations()
    fleet.ensure_zones(city=city, operator=organisations.ruote, at=at)
    prices.ensure_ride_prices(operator=organisations.ruote, at=at, by=DEMO)
    prices.ensure_reservation_rules(operator=organisations.ruote)
    passes.ensure_passes(operator=organisations.ruote, at=at)
    money.ensure_money(operator=organisations.ruote)
    tariffs = prices.ensure_charging_prices(operator=organisations.colonnine, at=at, by=DEMO)
    placements = fleet.ensure_fleet(city=city, operator=organisations.ruote, scale=scale)
    assets.ensure_papers(operator=organisations.ruote, at=at)
    assets.ensure_batteries(operator=organisations.ruote, at=at, by=DEMO)
    service.ensure_service(operator=organisations.ruote, at=at, by=DEMO)
    riders.ensure_rules(operator=organisations.ruote, at=at, by=DEMO)
    stations = charging.ensure_stations(
        city=city, operator=organisations.colonnine, tariffs=tariffs, scale=scale, at=at, by=DEMO
    )
    issue_missing_codes(at=at, by=DEMO)
    simulator = {
        "api_url": addresses.api_url,
        "ocpp_url": addresses.ocpp_url,
        "devices": _devices(placements, known.get("devices", []), at=at),
        "chargers": charging.credentials_of(stations, known.get("chargers", []), at=at, by=DEMO),
        "tokens": charging.ensure_cards(at=at),
    }
    log_ins = credentials.read(folder / "demo.json")
    if log_ins is None or not people.cast_is_complete():
        cast = people.ensure_cast(organisations=organisations, at=at, by=DEMO)
        log_ins = credentials.log_ins_json(cast)
        credentials.write(folder / "demo.json", log_ins)
    simulator |= _people(known, operator=organisations.ruote, at=at)
    credentials.write(folder / "simulator.json", simulator)
    return log_ins


def _devices(
    placements: list[fleet.Placement], known: list[dict[str, Any]], *, at: datetime.datetime
) -> list[dict[str, Any]]:
    secrets = _still_valid(Device.objects.all(), {row["code"]: row["secret"] for row in known})
    missing = [placement.code for placement in placements if placement.code not in secrets]
    secrets |= telematics.add_devices(vehicle_codes=missing, at=at, by=DEMO)
    standing = {
        state.vehicle.code: state for state in LatestState.objects.select_related("vehicle")
    }
    _put_on_the_map([place for place in placements if place.code not in standing], at=at)
    return [
        credentials.device_json(_where_it_stands(placement, standing), secrets[placement.code])
        for placement in placements
    ]


def _still_valid(rows: QuerySet[Any], secrets: dict[str, str]) -> dict[str, str]:
    """Those secrets whose hash the database knows; a file may outlive its database."""
    hashes = set(rows.values_list("secret_hash", flat=True))
    return {name: secret for name, secret in secrets.items() if ids.hash_secret(secret) in hashes}


def _put_on_the_map(placements: list[fleet.Placement], *, at: datetime.datetime) -> None:
    vehicle_ids = dict(Vehicle.objects.values_list("code", "id"))
    places = [
        telematics.Placement(
            vehicle_id=vehicle_ids[placement.code],
            lon=placement.lon,
            lat=placement.lat,
            battery_pct=placement.battery_pct,
        )
        for placement in placements
    ]
    if places:
        telematics.place_vehicles(places=places, at=at, by=DEMO)


def _where_it_stands(
    placement: fleet.Placement, standing: dict[str, LatestState]
) -> fleet.Placement:
    """A vehicle goes on from where it last was: a restart must not make it jump across the city."""
    state = standing.get(placement.code)
    if state is None:
        return placement
    battery = placement.battery_pct if state.battery_pct is None else state.battery_pct
    return dataclasses.replace(placement, lon=state.lon, lat=state.lat, battery_pct=battery)


def _people(
    known: dict[str, Any], *, operator: Organisation, at: datetime.datetime
) -> dict[str, Any]:
    residents = people.ensure_simulated_residents()
    crew = list(User.objects.filter(email="sara@demo.example"))
    drivers = [*residents, *User.objects.filter(email="giulia@demo.example")]
    riders.ensure_drivers(people=drivers, operator=operator, at=at, by=DEMO)
    for rider in drivers:
        if not rider.payment_methods.exists():
            payments.add_payment_method(user_id=rider.pk, token="demo-ok", at=at, by=DEMO)  # noqa: S106
    return {
        "residents": _with_tokens(residents, known.get("residents", []), at=at),
        "crews": _with_tokens(crew, known.get("crews", []), at=at),
    }


def _with_tokens(
    users: list[User], known: list[dict[str, Any]], *, at: datetime.datetime
) -> list[dict[str, str]]:
    tokens = _still_valid(ApiToken.objects.all(), {row["email"]: row["token"] for row in known})
    answer = []
    for user in users:
        token = tokens.get(user.email)
        if token is None:
            _row, token = accounts.issue_token(user=user, label="simulator", at=at, by=DEMO)
        answer.append({"email": user.email, "token": token})
    return answer
