"""What an operator does from the pages of a charger: commission it, ask it things beyond a button."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from charging.devices.services import fetch_log, read_variables, write_variables
from charging.sessions.services import ask_station
from charging.stations.models import ChargingStation, Site, StationCommand
from charging.stations.services import ConnectorPlan, add_charger, ensure_site
from charging.stations.states import CommandAction
from mobility.core.principals import Principal

_WITHOUT_DEVICE_MODEL = "ocpp1.6"


@transaction.atomic
def commission(
    *,
    site: Site | Mapping[str, Any],
    charger: Mapping[str, Any],
    connectors: Sequence[ConnectorPlan],
    at: datetime,
    by: Principal,
) -> tuple[ChargingStation, str]:
    """Put a charger at a site, made first where only its facts are given; returns its password too.

    `site` as facts and `charger` have the arguments of `ensure_site` and `add_charger`. Raises
    IdentityTaken, IdentityMalformed, ConnectorsMalformed; then the site is not there either.
    """
    place = site if isinstance(site, Site) else ensure_site(**site, at=at, by=by)
    return add_charger(**charger, site=place, connectors=connectors, at=at, by=by)


def read_configuration(
    *, station: ChargingStation, idempotency_key: str, at: datetime, by: Principal
) -> list[StationCommand]:
    """Ask a station for all it can be set to: its keys in OCPP 1.6, its device model later.

    Raises CommandImpossible.
    """
    if station.ocpp_version == _WITHOUT_DEVICE_MODEL:
        return read_variables(
            station=station, variables=[], idempotency_key=idempotency_key, at=at, by=by
        )
    wish = {"action": CommandAction.GET_BASE_REPORT, "payload": {"base": "full"}}
    return [ask_station(station=station, wish=wish, idempotency_key=idempotency_key, at=at, by=by)]


def change_variable(
    *,
    station: ChargingStation,
    component: str,
    name: str,
    value: str,
    idempotency_key: str,
    at: datetime,
    by: Principal,
) -> list[StationCommand]:
    """Change one variable of the whole station. Raises CommandImpossible, CommandMalformed."""
    variable = {"name": name, "value": value, **({"component": component} if component else {})}
    return write_variables(
        station=station, variables=[variable], idempotency_key=idempotency_key, at=at, by=by
    )


def update_firmware(
    *, station: ChargingStation, location: str, idempotency_key: str, at: datetime, by: Principal
) -> StationCommand:
    """Let a station fetch and install new firmware now. Raises CommandImpossible."""
    wish = {
        "action": CommandAction.UPDATE_FIRMWARE,
        "payload": {
            "request_id": 0,
            "location": location,
            "retrieve_at": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        },
    }
    return ask_station(station=station, wish=wish, idempotency_key=idempotency_key, at=at, by=by)


def bring_log(
    *, station: ChargingStation, kind: str, idempotency_key: str, at: datetime, by: Principal
) -> StationCommand | None:
    """Have a station bring its log to us. Raises CommandImpossible."""
    return fetch_log(
        station=station, kind=kind, idempotency_key=idempotency_key, at=at, by=by
    ).command
