"""From the house's facts to what receivers read: kinds by name, public ids only, and whose fact it is.

People stand in it only as opaque principals. Facts are read by name and field by field: a field that
a newer version adds does no harm, and a fact of which the row is gone is told to nobody.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from bookings.payments.models import Payment
from bookings.trips.models import Trip
from charging.stations.models import ChargingStation
from fleet.vehicles.models import Vehicle

Payload = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Told:
    """A fact ready to be told: whose it is, and what it says."""

    organisation_id: int
    data: dict[str, Any]


Tell = Callable[[Payload], Told | None]


def kinds() -> tuple[str, ...]:
    """Every kind of fact that an endpoint can ask for, in the order of the documentation."""
    return tuple(kind for kind, _tell in KINDS.values())


def kind_of(event_name: str) -> str | None:
    """The public kind of an event, None if it is nobody's business outside."""
    known = KINDS.get(event_name)
    return known[0] if known else None


def tell(*, event_name: str, payload: Payload) -> Told | None:
    """The fact as it may leave the house; None if its row is no longer there."""
    return KINDS[event_name][1](payload)


def _trip(*fields: str) -> Tell:
    def told(payload: Payload) -> Told | None:
        row = _first(
            Trip.objects.filter(public_id=payload["trip_id"]),
            "organisation_id",
            "vehicle__public_id",
            "vehicle__code",
        )
        if row is None:
            return None
        data = {"trip": payload["trip_id"], **_vehicle_names(row, "vehicle__")}
        return Told(row["organisation_id"], data | _rider(payload) | _picked(payload, fields))

    return told


def _vehicle(*fields: str) -> Tell:
    def told(payload: Payload) -> Told | None:
        row = _first(
            Vehicle.objects.filter(pk=payload["vehicle_id"]), "organisation_id", "public_id", "code"
        )
        if row is None:
            return None
        return Told(row["organisation_id"], _vehicle_names(row) | _picked(payload, fields))

    return told


def _payment(*fields: str) -> Tell:
    def told(payload: Payload) -> Told | None:
        row = _first(Payment.objects.filter(public_id=payload["payment_id"]), "organisation_id")
        if row is None:
            return None
        data = {"payment": payload["payment_id"]}
        named = ("purpose", "purpose_ref", "cents", "currency", *fields)
        return Told(row["organisation_id"], data | _picked(payload, named))

    return told


def _station(*fields: str) -> Tell:
    def told(payload: Payload) -> Told | None:
        row = _first(
            ChargingStation.objects.filter(identity=payload["station_identity"]),
            "site__organisation_id",
        )
        if row is None:
            return None
        data = {"station": payload["station_identity"], **_renamed(payload)}
        return Told(row["site__organisation_id"], data | _picked(payload, fields))

    return told


def _first(rows: Any, *columns: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = rows.values(*columns).first()
    return found


def _vehicle_names(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    code = row[f"{prefix}code"]
    return {"vehicle": str(row[f"{prefix}public_id"]), "vehicle_code": code}


def _rider(payload: Payload) -> dict[str, Any]:
    return {"rider": payload["user_principal"]} if "user_principal" in payload else {}


def _renamed(payload: Payload) -> dict[str, Any]:
    """Ids of charging under the names that the API gives them."""
    names = {"session_id": "session", "connector_id": "connector"}
    return {name: payload[field] for field, name in names.items() if field in payload}


def _picked(payload: Payload, fields: tuple[str, ...]) -> dict[str, Any]:
    return {field: payload[field] for field in fields if field in payload}


# By the name of the outbox event. Facts that only rooms need among themselves (commands, holds,
# corrected tracks) stay inside.
KINDS: dict[str, tuple[str, Tell]] = {
    "bookings.trip_started.v1": ("trip.started", _trip("started_at")),
    "bookings.trip_ended.v1": ("trip.ended", _trip("started_at", "ended_at")),
    "bookings.trip_priced.v1": (
        "trip.priced",
        _trip("price_cents", "currency", "distance_m"),
    ),
    "bookings.payment_captured.v1": ("payment.captured", _payment()),
    "bookings.payment_failed.v1": ("payment.failed", _payment("failure")),
    "bookings.payment_written_off.v1": ("payment.written_off", _payment()),
    "charging.session_started.v1": (
        "charging.session_started",
        _station("verdict", "started_at"),
    ),
    "charging.session_ended.v1": (
        "charging.session_ended",
        _station("ended_at", "stop_reason", "complete"),
    ),
    "charging.session_priced.v1": (
        "charging.session_priced",
        _station(
            "energy_wh",
            "started_at",
            "ended_at",
            "price_cents",
            "currency",
            "lines",
            "vat",
            "flags",
        ),
    ),
    "charging.connector_status_changed.v1": (
        "charging.connector_status_changed",
        _station(
            "evse_number", "connector_number", "old_status", "status", "status_at", "error_code"
        ),
    ),
    "fleet.life_changed.v1": ("vehicle.life_changed", _vehicle("before", "after", "at", "reason")),
    "fleet.alarm_opened.v1": ("alarm.opened", _vehicle("alarm_id", "kind", "at", "details")),
    "fleet.alarm_closed.v1": ("alarm.closed", _vehicle("alarm_id", "kind", "at", "details")),
    "fleet.zone_violated.v1": ("zone.violated", _vehicle("kind", "at", "lon", "lat")),
}
# Sent on request alone, to try an endpoint; nobody asks for it by name.
PING = "webhook.ping"
