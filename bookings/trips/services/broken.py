"""A vehicle that does not work: the ride is free in its first minutes, and staff hear of it.

DomainError
└── Conflict  BrokenTooLate
"""

import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.trips.models import Trip
from bookings.trips.queries import policy_of, vehicle_fix
from bookings.trips.services.end import TripNotStarted
from bookings.trips.services.orders import trip_ref
from bookings.trips.services.start import fail_start
from bookings.trips.services.stop import Ending, begin_ending
from bookings.trips.states import OVER, RIDING, EndReason, TripFlag, TripState, Waiver
from fleet.maintenance.principals import KEEPER as WORKSHOP
from fleet.maintenance.services import report_fault
from fleet.maintenance.states import FaultSource
from fleet.vehicles.services import block_vehicle
from fleet.vehicles.states import BlockReason
from mobility.core.errors import Conflict
from mobility.core.geo import haversine_m
from mobility.core.principals import Principal

# Who calls so many off in a day has a problem that no free ride solves.
FREE_PER_DAY = 3
DAY = datetime.timedelta(hours=24)


class BrokenTooLate(Conflict):
    """Too long or too far ridden, or too often, to be free by itself."""

    code = "broken_too_late"
    message = _(
        "Your ride cannot be cancelled for free any more. End it, report the problem, and dispute"
        " the price: we will look at it."
    )


def cancel_broken(
    *, trip: Trip, category: str, text: str, at: datetime.datetime, by: Principal
) -> Trip:
    """Give back a vehicle that turned out to be broken; nothing is charged.

    1. Only within the first minutes and metres of the policy, and not again and again.
    2. The vehicle gets a fault report and is taken off the street until somebody has looked.
    3. It may stay where it is: nobody pushes a broken vehicle to a legal place.

    A ride that has been called off already is left as it is. Raises `BrokenTooLate`,
    `TripNotStarted`, `LostRace`.
    """
    if trip.end_reason == EndReason.BROKEN:
        return trip
    if trip.state == TripState.ENDING or trip.state in OVER:
        raise BrokenTooLate
    if trip.state == TripState.START_FAILED:
        raise TripNotStarted
    with transaction.atomic():
        if trip.state in RIDING:
            _refuse_late(trip, at=at)
            how = Ending(
                reason=EndReason.BROKEN, meter_at=at, flags=[TripFlag.BROKEN], waiver=Waiver.ALL
            )
            begin_ending(trip, how, at=at, by=by)
        else:
            fail_start(trip=trip, failure="broken", at=at, by=by)
        report_fault(
            vehicle_id=trip.vehicle_id,
            source=FaultSource.RESIDENT,
            category=category,
            text=text,
            trip_ref=trip_ref(trip),
            at=at,
            by=by,
        )
        # In the workshop's name, so that its block goes when the report is dealt with.
        block_vehicle(vehicle_id=trip.vehicle_id, reason=BlockReason.DAMAGE, at=at, by=WORKSHOP)
    return trip


def _refuse_late(trip: Trip, *, at: datetime.datetime) -> None:
    policy = policy_of(trip=trip)
    started = trip.started_at or at
    if (at - started).total_seconds() > policy.broken_free_s:
        raise BrokenTooLate
    if _gone_m(trip) > policy.broken_free_m:
        raise BrokenTooLate
    lately = Trip.objects.filter(
        user=trip.user_id, end_reason=EndReason.BROKEN, requested_at__gt=at - DAY
    )
    if lately.count() >= FREE_PER_DAY:
        raise BrokenTooLate


def _gone_m(trip: Trip) -> float:
    """How far the vehicle is from where it stood; what nobody knows is in the rider's favour."""
    now = vehicle_fix(trip)
    if now is None or trip.start_lon is None or trip.start_lat is None:
        return 0.0
    return float(haversine_m(trip.start_lon, trip.start_lat, now.lon, now.lat))
