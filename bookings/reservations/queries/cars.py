"""Which cars are free for a span of time to come."""

import dataclasses
import datetime
import math
from collections.abc import Collection

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Exists, OuterRef, Q, QuerySet

from bookings.reservations.rules import BOOKABLE
from fleet.vehicles.models import LatestState, Vehicle, VehicleBlock, VehicleHold
from fleet.vehicles.rules import range_m
from fleet.vehicles.states import BlockReason, LifeState, LinkState
from mobility.core.geo import haversine_m, point
from mobility.geography.models import District, Hub

# What stands in the way today may be gone by then; from here on it counts.
SOON = datetime.timedelta(hours=2)
# From here on the charge of today is the charge of then.
CHARGE_COUNTS = datetime.timedelta(hours=12)
_PASSING = (BlockReason.LOW_BATTERY, BlockReason.OFF_HOURS, BlockReason.ZONE)
# Vehicles do not report their place better than this, and a hub has an extent.
HUB_RADIUS_M = 200.0
# Somewhat less than any degree of latitude has, so that no box is too small.
METRES_A_DEGREE = 110_000.0


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a car must stand: at a hub, in a district, around a point; nothing means anywhere."""

    hub: Hub | None = None
    district: District | None = None
    lon: float | None = None
    lat: float | None = None
    radius_m: float = 0.0

    def holds(self, vehicle: Vehicle) -> bool:
        """Whether the car's home or last known place is this one."""
        if self.hub is not None and vehicle.home_hub_id == self.hub.pk:
            return True
        latest: LatestState | None = getattr(vehicle, "latest", None)
        if latest is None:
            return self.hub is None and self.district is None and self.lon is None
        return self._covers(latest.lon, latest.lat)

    def box(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of all that the place can hold; None for anywhere."""
        if self.hub is not None:
            spot = self.hub.location
            return _box_around(spot.x, spot.y, HUB_RADIUS_M)
        if self.district is not None:
            west, south, east, north = self.district.boundary.extent
            return west, south, east, north
        if self.lon is not None and self.lat is not None:
            return _box_around(self.lon, self.lat, self.radius_m)
        return None

    def _covers(self, lon: float, lat: float) -> bool:
        if self.hub is not None:
            spot = self.hub.location
            return haversine_m(spot.x, spot.y, lon, lat) <= HUB_RADIUS_M
        if self.district is not None:
            return bool(self.district.boundary.covers(point(lon, lat)))
        if self.lon is not None and self.lat is not None:
            return haversine_m(self.lon, self.lat, lon, lat) <= self.radius_m
        return True


def _box_around(lon: float, lat: float, metres: float) -> tuple[float, float, float, float]:
    up = metres / METRES_A_DEGREE
    aside = up / max(math.cos(math.radians(lat)), 0.01)
    return lon - aside, lat - up, lon + aside, lat + up


ANYWHERE = Place()


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Car:
    """A car that is free for the span, with how far its present charge goes."""

    vehicle: Vehicle
    range_m: int | None


def free_cars(
    *,
    organisation_id: int,
    starts_at: datetime.datetime,
    until: datetime.datetime,
    at: datetime.datetime,
    type_id: int | None = None,
    as_good_as: Vehicle | None = None,
    range_needed_m: int | None = None,
    place: Place = ANYWHERE,
    without: Collection[int] = (),
) -> list[Car]:
    """Cars of an operator without any hold in `[starts_at, until)`, best charged first; one query.

    `as_good_as` asks for as many seats and as long a range as that car's. A range that is needed is
    compared with the present charge from half a day ahead, before that with a full one.
    """
    cars = _without_holds(DateTimeTZRange(starts_at, until)).filter(
        organisation=organisation_id, type__kind__in=BOOKABLE, life_state=LifeState.IN_SERVICE
    )
    if type_id is not None:
        cars = cars.filter(type=type_id)
    if as_good_as is not None:
        cars = cars.filter(
            type__seats__gte=as_good_as.type.seats,
            type__max_range_m__gte=as_good_as.type.max_range_m,
        )
    ahead = starts_at - at
    cars = cars.filter(_unblocked(soon=ahead < SOON)).exclude(pk__in=without)
    cars = _around(cars, place).select_related("type", "latest")
    fit = [
        car
        for car in map(_car, cars)
        if place.holds(car.vehicle)
        and _suffices(car, range_needed_m, charged=ahead < CHARGE_COUNTS)
    ]
    fit.sort(key=lambda car: (-(car.range_m or 0), car.vehicle.pk))
    return fit


def _around(cars: QuerySet[Vehicle], place: Place) -> QuerySet[Vehicle]:
    """Only those whose home, or whose last word, may be at the place, so that a large fleet is not
    read for a small one; `Place.holds` judges these."""
    box = place.box()
    if box is None:
        return cars
    west, south = (math.floor(side * 1e7) for side in box[:2])
    east, north = (math.ceil(side * 1e7) for side in box[2:])
    near = Q(latest__lon_e7__range=(west, east), latest__lat_e7__range=(south, north))
    return cars.filter(near | Q(home_hub=place.hub)) if place.hub is not None else cars.filter(near)


def _without_holds(span: DateTimeTZRange) -> QuerySet[Vehicle]:
    held = VehicleHold.objects.active().filter(vehicle=OuterRef("pk"), during__overlap=span)
    return Vehicle.objects.filter(~Exists(held))


def _unblocked(*, soon: bool) -> Q:
    blocks = VehicleBlock.objects.active().filter(vehicle=OuterRef("pk"))
    if soon:
        return Q(~Exists(blocks), link_state=LinkState.ONLINE)
    return Q(~Exists(blocks.exclude(reason__in=_PASSING)))


def _car(vehicle: Vehicle) -> Car:
    latest: LatestState | None = getattr(vehicle, "latest", None)
    battery = latest.battery_pct if latest else None
    reach = range_m(max_range_m=vehicle.type.max_range_m, battery_pct=battery)
    return Car(vehicle=vehicle, range_m=reach)


def _suffices(car: Car, needed_m: int | None, *, charged: bool) -> bool:
    if needed_m is None:
        return True
    reach = car.range_m if charged else car.vehicle.type.max_range_m
    return reach is not None and reach >= needed_m
