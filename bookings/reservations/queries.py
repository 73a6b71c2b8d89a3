"""Reads before and around a reservation: which vehicles can be had here, and at what price."""

import dataclasses
import datetime
import uuid

from django.db.models import Q, QuerySet

from bookings.pricing.queries import fares_in_force
from bookings.pricing.rules import Fare
from bookings.reservations.models import Reservation
from fleet.telematics.queries import NearbyVehicle, vehicles_near
from fleet.vehicles.models import Vehicle
from fleet.vehicles.services import VehicleNotFound


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """A vehicle near a person, and what riding it costs."""

    vehicle: NearbyVehicle
    fare: Fare


def offers_near(
    *,
    lon: float,
    lat: float,
    radius_m: float,
    kind: str | None,
    limit: int,
    at: datetime.datetime,
) -> list[Offer]:
    """Rentable vehicles within `radius_m` metres that have a price, nearest first; two queries."""
    near = vehicles_near(lon=lon, lat=lat, radius_m=radius_m, kind=kind, at=at, limit=limit)
    book = fares_in_force(at=at)
    offers = []
    for vehicle in near:
        priced = book.get((vehicle.organisation_id, vehicle.kind))
        if priced is not None:
            offers.append(Offer(vehicle=vehicle, fare=priced.fare))
    return offers


def vehicle_by_ref(ref: str) -> Vehicle:
    """The vehicle with this public id, or the code or QR code on its sticker.

    Raises `VehicleNotFound`.
    """
    try:
        match = Q(public_id=uuid.UUID(ref))
    except ValueError:
        match = Q(code=ref.strip().upper()) | Q(qr_code=ref.strip().lower())
    vehicle = Vehicle.objects.with_condition().filter(match).first()
    if vehicle is None:
        raise VehicleNotFound
    return vehicle


def with_vehicle(reservations: "QuerySet[Reservation]") -> "QuerySet[Reservation]":
    """Reservations with all that their page shows, in one query."""
    return reservations.select_related("vehicle__type", "vehicle__latest")
