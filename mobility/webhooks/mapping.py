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
        data |= _rider(payload) | _renamed(payload) | _picked(payload, fields)
        return Told(row["organisation_id"], data)

    return told


def _vehicle(*fields: str) -> Tell:
    def told(payload: Payload) -> Told | None:
        row = _first(
            Vehicle.objects.filter(pk=payload["vehicle_id"]), "organisation_id", "public_id", "code"
        )
        if row is None:
            return None
        data = _vehicle_names(row) | _rider(payload) | _renamed(payload)
        return Told(row["organisation_id"], data | _picked(payload, fields))

    return told


def _payment(*fields: str) -> Tell:
    def told(payload: Payload) -> Told | None:
        row = _first(Payment.objects.filter(public_id=payload["payment_id"]), "organisation_id")
        if row is None:
            return None
        data = {"payment": payload["payment_id"], **_rider(payload)}
        named = ("purpose", "purpose_ref", "cents", "currency", *fields)
        return Told(row["organisation_id"], data | _renamed(payload) | _picked(payload, named))

    return told


def _own(*fields: str, **names: str) -> Tell:
    """A fact that says itself whose it is: some of its fields as they are, others under new names."""

    def told(payload: Payload) -> Told | None:
        data = {name: payload[field] for name, field in names.items() if field in payload}
        data |= _rider(payload) | _renamed(payload) | _picked(payload, fields)
        return Told(int(payload["organisation_id"]), data)

    return told


def _station(*fields: str) -> Tell:
    def told(payload: Payload) -> Told | None:
        row = _first(
            ChargingStation.objects.filter(identity=payload["station_identity"]),
            "site__organisation_id",
        )
        if row is None:
            return None
        # No token and no owner: who charges is told by `recharge.…`, to whom it was sold.
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
    """The person, by the opaque name under which the API knows them too."""
    for field in ("user_principal", "user", "payer"):
        if payload.get(field):
            return {"rider": payload[field]}
    return {}


def _renamed(payload: Payload) -> dict[str, Any]:
    """Ids under the names that the API gives them."""
    names = {
        "session_id": "session",
        "connector_id": "connector",
        "reservation_id": "reservation",
        "booking_id": "booking",
        "alarm_id": "alarm",
        "dispute_id": "dispute",
        "refund_id": "refund",
        "ticket_id": "ticket",
    }
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
    "bookings.trip_start_failed.v1": ("trip.start_failed", _trip("failure", "at")),
    "bookings.trip_end_refused.v1": ("trip.end_refused", _trip("conditions", "refusals", "at")),
    "bookings.trip_corrected.v1": (
        "trip.corrected",
        _trip("version", "price_cents_before", "price_cents", "reason", "at"),
    ),
    "bookings.trip_disputed.v1": (
        "trip.disputed",
        _trip("case_number", "due_at", "at"),
    ),
    "bookings.dispute_decided.v1": (
        "trip.dispute_decided",
        _trip("case_number", "outcome", "at"),
    ),
    "bookings.incident_opened.v1": (
        "incident.opened",
        _own("since", "automatic", incident="incident_id"),
    ),
    "bookings.incident_closed.v1": (
        "incident.closed",
        _own("until", incident="incident_id"),
    ),
    "bookings.reservation_expired.v1": (
        "reservation.expired",
        _vehicle("held_s", "paid_minutes"),
    ),
    "bookings.booking_confirmed.v1": (
        "booking.confirmed",
        _vehicle("starts_at", "ends_at", "estimate_cents", "currency"),
    ),
    "bookings.booking_changed.v1": ("booking.changed", _vehicle("starts_at", "ends_at", "before")),
    "bookings.booking_moved.v1": ("booking.moved", _vehicle("starts_at", "ends_at", "reason")),
    "bookings.booking_cancelled.v1": (
        "booking.cancelled",
        _vehicle("starts_at", "ends_at", "fee_cents"),
    ),
    "bookings.booking_displaced.v1": (
        "booking.displaced",
        _vehicle("starts_at", "ends_at", "reason"),
    ),
    "bookings.booking_no_show.v1": (
        "booking.no_show",
        _vehicle("starts_at", "ends_at", "fee_cents"),
    ),
    "bookings.booking_completed.v1": (
        "booking.completed",
        _vehicle("starts_at", "ends_at", "late_s", "fee_cents"),
    ),
    "bookings.pass_activated.v1": (
        "pass.activated",
        _own("starts_at", "ends_at", **{"pass": "pass_id"}),
    ),
    "bookings.pass_ended.v1": ("pass.ended", _own(**{"pass": "pass_id"})),
    "bookings.recharge_started.v1": (
        "recharge.started",
        _own("origin", "started_at", recharge="recharge_id"),
    ),
    "bookings.recharge_failed.v1": (
        "recharge.failed",
        _own("origin", "failure", recharge="recharge_id"),
    ),
    "bookings.recharge_priced.v1": (
        "recharge.priced",
        _own(
            "origin",
            "energy_wh",
            "price_cents",
            "currency",
            "stop_reason",
            "ended_at",
            recharge="recharge_id",
        ),
    ),
    "bookings.case_opened.v1": (
        "case.opened",
        _own("case_number", "kind", "due_at", case="case_id"),
    ),
    "bookings.case_resolved.v1": (
        "case.resolved",
        _own("case_number", "kind", "resolution", case="case_id"),
    ),
    "bookings.payment_captured.v1": ("payment.captured", _payment()),
    "bookings.payment_refused.v1": ("payment.refused", _payment("failure")),
    "bookings.refund_done.v1": ("refund.done", _payment("way")),
    "bookings.refund_rejected.v1": ("refund.rejected", _payment()),
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
    "charging.ticket_opened.v1": (
        "charging.ticket_opened",
        _station("evse_number", "kind", "error_code", "opened_at"),
    ),
    "charging.ticket_closed.v1": (
        "charging.ticket_closed",
        _station("kind", "outcome", "times", "closed_at"),
    ),
    "fleet.life_changed.v1": ("vehicle.life_changed", _vehicle("before", "after", "at", "reason")),
    "fleet.alarm_opened.v1": ("alarm.opened", _vehicle("kind", "at", "details")),
    "fleet.alarm_closed.v1": ("alarm.closed", _vehicle("kind", "at", "details")),
    "fleet.zone_violated.v1": ("zone.violated", _vehicle("kind", "at", "lon", "lat")),
}
# Sent on request alone, to try an endpoint; nobody asks for it by name.
PING = "webhook.ping"
