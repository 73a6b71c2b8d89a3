"""Who the simulated city may be: devices, chargers, residents and their secrets, from one file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class CredentialsMissing(Exception):
    """The file is absent or not readable; the message says what to do."""


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """One vehicle's telemetry unit, and how and where the vehicle stands at the beginning."""

    code: str
    kind: str
    secret: str
    lat: float
    lon: float
    battery_pct: float = 80.0


@dataclass(frozen=True, slots=True)
class ChargerSpec:
    """One charger: where it connects, as whom, and what it speaks (``ocpp1.6``, ``ocpp2.0.1``)."""

    url: str
    identity: str
    password: str
    protocol: str
    connectors: int


@dataclass(frozen=True, slots=True)
class PersonSpec:
    """A person with an API token."""

    email: str
    token: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything one run needs to be let in."""

    api_url: str
    ocpp_url: str
    devices: tuple[DeviceSpec, ...]
    chargers: tuple[ChargerSpec, ...]
    residents: tuple[PersonSpec, ...]
    crews: tuple[PersonSpec, ...]
    tokens: tuple[str, ...]


def read_credentials(*, path: Path, api_url: str = "", ocpp_url: str = "") -> Credentials:
    """Read the file; ``api_url`` and ``ocpp_url`` override its addresses when given.

    Raises CredentialsMissing when there is no readable file.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CredentialsMissing(
            f"No usable credentials at {path}: run `manage.py demo` first ({error})."
        ) from error
    ocpp = (ocpp_url or data["ocpp_url"]).rstrip("/")
    return Credentials(
        api_url=(api_url or data["api_url"]).rstrip("/"),
        ocpp_url=ocpp,
        devices=tuple(_device(row) for row in data["devices"]),
        chargers=tuple(_charger(row, ocpp) for row in data["chargers"]),
        residents=tuple(_person(row) for row in data["residents"]),
        crews=tuple(_person(row) for row in data.get("crews", ())),
        tokens=tuple(data["tokens"]),
    )


def share(items: tuple[T, ...], scale: float) -> list[T]:
    """The first ``scale`` part of ``items``, at least one when there is one, at most all."""
    if not items:
        return []
    return list(items[: max(1, min(len(items), round(len(items) * scale)))])


def _device(row: dict[str, Any]) -> DeviceSpec:
    return DeviceSpec(
        code=row["code"],
        kind=row["kind"],
        secret=row["secret"],
        lat=float(row["lat"]),
        lon=float(row["lon"]),
        battery_pct=float(row.get("battery_pct") or 80.0),
    )


def _charger(row: dict[str, Any], ocpp_url: str) -> ChargerSpec:
    return ChargerSpec(
        url=f"{ocpp_url}/{row['identity']}",
        identity=row["identity"],
        password=row["password"],
        protocol=row["protocol"],
        connectors=int(row["connectors"]),
    )


def _person(row: dict[str, Any]) -> PersonSpec:
    return PersonSpec(row["email"], row["token"])
