"""The demo city, whole: made where it is missing, left alone where it stands."""

import dataclasses
import datetime
from pathlib import Path
from typing import Any

from bookings.payments import services as payments
from fleet.telematics import services as telematics
from fleet.vehicles.models import LatestState
from mobility.accounts import services as accounts
from mobility.accounts.models import User
from mobility.core.principals import system_principal
from mobility.demo import charging, credentials, fleet, people, places, prices

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
    city = places.ensure_city(at=at, by=DEMO)
    organisations = people.ensure_organisations()
    fleet.ensure_zones(city=city, operator=organisations.ruote, at=at)
    prices.ensure_ride_prices(operator=organisations.ruote, at=at, by=DEMO)
    tariffs = prices.ensure_charging_prices(operator=organisations.colonnine, at=at, by=DEMO)
    placements = fleet.ensure_fleet(city=city, operator=organisations.ruote, scale=scale)
    stations = charging.ensure_stations(
        city=city, operator=organisations.colonnine, tariffs=tariffs, scale=scale, at=at, by=DEMO
    )
    known = credentials.read(folder / "simulator.json") or {}
    simulator = {
        "api_url": addresses.api_url,
        "ocpp_url": addresses.ocpp_url,
        "devices": _devices(placements, known.get("devices", []), at=at),
        "chargers": charging.credentials_of(stations, known.get("chargers", []), at=at, by=DEMO),
        "tokens": charging.ensure_cards(at=at),
    }
    log_ins = credentials.read(folder / "demo.json")
    if log_ins is None:
        cast = people.ensure_cast(organisations=organisations, at=at, by=DEMO)
        log_ins = credentials.log_ins_json(cast)
        credentials.write(folder / "demo.json", log_ins)
    simulator |= _people(known, at=at)
    credentials.write(folder / "simulator.json", simulator)
    return log_ins


def _devices(
    placements: list[fleet.Placement], known: list[dict[str, Any]], *, at: datetime.datetime
) -> list[dict[str, Any]]:
    secrets = {device["code"]: device["secret"] for device in known}
    now_at = {state.vehicle.code: state for state in LatestState.objects.select_related("vehicle")}
    devices = []
    for placement in placements:
        secret = secrets.get(placement.code)
        if secret is None:
            _device, secret = telematics.add_device(vehicle_code=placement.code, at=at, by=DEMO)
        devices.append(credentials.device_json(_where_it_stands(placement, now_at), secret))
    return devices


def _where_it_stands(placement: fleet.Placement, now_at: dict[str, LatestState]) -> fleet.Placement:
    """A vehicle goes on from where it last was: a restart must not make it jump across the city."""
    state = now_at.get(placement.code)
    if state is None:
        return placement
    battery = placement.battery_pct if state.battery_pct is None else state.battery_pct
    return dataclasses.replace(placement, lon=state.lon, lat=state.lat, battery_pct=battery)


def _people(known: dict[str, Any], *, at: datetime.datetime) -> dict[str, Any]:
    residents = people.ensure_simulated_residents()
    crew = list(User.objects.filter(email="sara@demo.example"))
    riders = [*residents, *User.objects.filter(email="giulia@demo.example")]
    for rider in riders:
        if not rider.payment_methods.exists():
            payments.add_payment_method(user_id=rider.pk, token="demo-ok", at=at, by=DEMO)  # noqa: S106
    return {
        "residents": _with_tokens(residents, known.get("residents", []), at=at),
        "crews": _with_tokens(crew, known.get("crews", []), at=at),
    }


def _with_tokens(
    users: list[User], known: list[dict[str, Any]], *, at: datetime.datetime
) -> list[dict[str, str]]:
    tokens = {person["email"]: person["token"] for person in known}
    answer = []
    for user in users:
        token = tokens.get(user.email)
        if token is None:
            _row, token = accounts.issue_token(user=user, label="simulator", at=at, by=DEMO)
        answer.append({"email": user.email, "token": token})
    return answer
