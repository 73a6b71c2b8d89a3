"""Which vehicles can be had here and now, until when, and at what price."""

import dataclasses
import datetime
import uuid
from collections.abc import Collection

from django.db.models import Q, QuerySet

from bookings.pricing.queries import fares_in_force
from bookings.pricing.rules import Fare
from bookings.reservations.models import Reservation
from bookings.reservations.needs import LOOKED_AT, fitting
from bookings.reservations.policies import policy_of
from bookings.reservations.rules import BOOKABLE
from fleet.telematics.queries import NearbyVehicle, vehicles_near
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import VehicleNotFound, next_holds
from mobility.core.prepared import prepared


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """A vehicle near a person, and what riding it costs."""

    vehicle: NearbyVehicle
    fare: Fare
    # From when on somebody else has booked it.
    available_until: datetime.datetime | None = None


def offers_near(
    *,
    lon: float,
    lat: float,
    radius_m: float,
    kind: str | None,
    limit: int,
    at: datetime.datetime,
    needs: Collection[str] = (),
    range_m: int = 0,
) -> list[Offer]:
    """Rentable vehicles within `radius_m` metres that have a price, nearest first.

    Only those that go `range_m` metres and have all that is needed (`needs.Need`). Two queries, a third
    where there are cars (one that is booked too soon is left out), and one for `needs`.
    """
    wide = LOOKED_AT if needs or range_m else limit
    near = vehicles_near(lon=lon, lat=lat, radius_m=radius_m, kind=kind, at=at, limit=wide)
    if needs or range_m:
        near = fitting(near, needs=needs, range_m=range_m)[:limit]
    book = fares_in_force(at=at)
    booked = _booked(near, at=at)
    offers = []
    for vehicle in near:
        priced = book.get((vehicle.organisation_id, vehicle.kind))
        until = booked.get(vehicle.vehicle_id)
        if priced is not None and _long_enough(vehicle, until, at=at):
            offers.append(Offer(vehicle=vehicle, fare=priced.fare, available_until=until))
    return offers


def _booked(near: list[NearbyVehicle], *, at: datetime.datetime) -> dict[int, datetime.datetime]:
    cars = [vehicle.vehicle_id for vehicle in near if vehicle.kind in BOOKABLE]
    return next_holds(vehicle_ids=cars, at=at) if cars else {}


def _long_enough(
    vehicle: NearbyVehicle, until: datetime.datetime | None, *, at: datetime.datetime
) -> bool:
    if until is None:
        return True
    shortest = policy_of(vehicle.organisation_id).shortest_minutes
    return until - at >= datetime.timedelta(minutes=shortest)


def vehicle_by_ref(ref: str) -> Vehicle:
    """The vehicle with this public id, or the code or QR code on its sticker.

    Raises `VehicleNotFound`.
    """
    try:
        vehicle = _named.first(public_id=uuid.UUID(ref))
    except ValueError:
        vehicle = _labelled.first(code=ref.strip().upper(), qr_code=ref.strip().lower())
    if vehicle is None:
        raise VehicleNotFound
    return vehicle


@prepared
def _named(*, public_id: uuid.UUID) -> "QuerySet[Vehicle]":
    return Vehicle.objects.with_condition().filter(public_id=public_id)


@prepared
def _labelled(*, code: str, qr_code: str) -> "QuerySet[Vehicle]":
    return Vehicle.objects.with_condition().filter(Q(code=code) | Q(qr_code=qr_code))[:1]


def with_vehicle(reservations: "QuerySet[Reservation]") -> "QuerySet[Reservation]":
    """Reservations with all that their page shows, in one query."""
    return reservations.select_related("vehicle__type", "vehicle__latest", "booking")
