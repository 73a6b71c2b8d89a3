"""What leaves the house: every public kind from a real event, with public ids and nobody's data."""

import dataclasses
import datetime
import json
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bookings.passes import events as passes
from bookings.payments import events as payments
from bookings.recharges import events as recharges
from bookings.reservations import events as reservations
from bookings.support import events as support
from bookings.trips import events as trips
from charging.sessions import events as sessions
from charging.stations import events as stations
from charging.tickets import events as tickets
from fleet.telematics import events as telematics
from fleet.vehicles import events as vehicles
from mobility.core import clock
from mobility.core.outbox import Event
from mobility.webhooks import mapping
from tests.tenancy.conftest import WholeCity, whole_city

__all__ = ["whole_city"]
ROOMS = (
    passes, payments, recharges, reservations, support, trips, sessions, stations, tickets, telematics,
    vehicles,
)  # fmt: skip


def event_types() -> Iterator[type[Event]]:
    for room in ROOMS:
        for one in vars(room).values():
            if isinstance(one, type) and issubclass(one, Event) and hasattr(one, "name"):
                yield one


def by_name() -> dict[str, type[Event]]:
    return {one.name: one for one in event_types()}


def test_every_public_kind_comes_from_an_event_that_exists_and_has_a_name_of_its_own() -> None:
    assert mapping.KINDS.keys() <= by_name().keys()
    assert len(set(mapping.kinds())) == len(mapping.kinds())


def sample(event: type[Event], city: WholeCity) -> dict[str, Any]:
    """A payload of this kind, about the rows of the city."""
    ids = {
        "trip_id": city.refs()["trip"],
        "payment_id": city.refs()["payment"],
        "session_id": city.refs()["session"],
        "station_identity": "TENANT-CP",
        "vehicle_id": city.rows["vehicle"].pk,
        "organisation_id": city.rows["vehicle"].organisation_id,  # type: ignore[attr-defined]
        "user_principal": city.people["giulia"].principal,
        "user": city.people["giulia"].principal,
        "payer": city.people["giulia"].principal,
        "token_uid": "CARD-SECRET",
        "owner_ref": city.people["giulia"].principal,
    }
    kinds = typing.get_type_hints(event)
    values = {
        field.name: ids.get(field.name, _any(kinds[field.name]))
        for field in dataclasses.fields(event)
    }
    payload: dict[str, Any] = json.loads(json.dumps(event(**values).payload(), default=str))
    return payload


def _any(kind: Any) -> Any:
    if kind is datetime.datetime:
        return clock.now()
    plain = {int: 1, float: 1.0, bool: True}
    return plain.get(kind, [] if "list" in str(kind) else {} if "dict" in str(kind) else "x")


@pytest.mark.django_db
def test_nothing_inner_leaves_and_every_fact_is_its_organisations(
    whole_city: WholeCity, api: Callable[..., Any]
) -> None:
    owners = {
        whole_city.rows[name].organisation_id  # type: ignore[attr-defined]
        for name in ("vehicle", "site")
    }
    for name, (kind, tell) in mapping.KINDS.items():
        told = tell(sample(by_name()[name], whole_city))
        assert told is not None, kind
        assert told.organisation_id in owners, kind
        assert told.data, kind
        inner = {
            "vehicle_id",
            "operator_id",
            "organisation_id",
            "zone_id",
            "token_uid",
            "owner_ref",
        }
        assert not inner & told.data.keys(), kind
        words = json.dumps(told.data)
        assert "CARD-SECRET" not in words, kind
        assert "@" not in words, kind


@pytest.mark.django_db
def test_a_fact_of_a_row_that_is_gone_is_told_to_nobody(whole_city: WholeCity) -> None:
    gone = "00000000-0000-7000-8000-000000000000"
    for name, key in (
        ("bookings.trip_ended.v1", "trip_id"),
        ("bookings.payment_captured.v1", "payment_id"),
        ("charging.session_ended.v1", "station_identity"),
    ):
        payload = sample(by_name()[name], whole_city) | {key: gone}
        assert mapping.tell(event_name=name, payload=payload) is None
