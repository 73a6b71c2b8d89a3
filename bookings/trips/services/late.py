"""A vehicle that unlocks after its start was given up.

The fleet locks it again at once. Only if somebody rides off on it all the same, the ride begins
after all, from the moment of its unlocking, and its rider is told.
"""

import datetime

import structlog
from django.db import transaction
from django.db.models import Q

from bookings.reservations.services import claim_for_ride
from bookings.trips import rules
from bookings.trips.models import Trip
from bookings.trips.queries import vehicle_fix
from bookings.trips.services.orders import KEEPER, trip_ref
from bookings.trips.services.start import confirm_start, draft_trip
from bookings.trips.states import TripFlag, TripState
from fleet.vehicles.models import Vehicle, VehicleHold
from fleet.vehicles.services import mark_trip
from fleet.vehicles.states import TripMark
from mobility.core.geo import haversine_m

log = structlog.get_logger(__name__)

# So long a vehicle that unlocked late is watched, and so far it must go to be ridden.
WATCHED_FOR = datetime.timedelta(minutes=10)
RIDDEN_M = 60.0
LIMIT = 100


def note_late_unlock(*, trip: Trip, at: datetime.datetime) -> None:
    """The vehicle of a failed start says that it is unlocked: see what becomes of it."""
    Trip.objects.filter(pk=trip.pk, unlocked_late_at__isnull=True).update(unlocked_late_at=at)


def watch_late_unlocks(*, at: datetime.datetime) -> tuple[list[Trip], int]:
    """Failed starts whose vehicle was ridden off, and how many are watched no more.

    Two statements, and one for each that was ridden: another's ride since is not this person's.
    """
    over = Trip.objects.filter(unlocked_late_at__lte=at - WATCHED_FOR)
    forgotten = over.update(unlocked_late_at=None)
    watched = Trip.objects.with_story().filter(unlocked_late_at__isnull=False)
    # Those that are forgotten first come first.
    ridden = [
        trip for trip in watched.order_by("unlocked_late_at", "id")[:LIMIT] if _is_ridden(trip)
    ]
    return [trip for trip in ridden if not _was_anothers(trip, at=at)], forgotten


def open_late(*, trip: Trip, at: datetime.datetime) -> Trip:
    """Open the ride that its start had given up on, with the meter from the late unlocking on.

    It is a trip of its own, without a promise of money: the failed one stays as it was told. Its
    price becomes a charge when it ends. Raises what claiming a vehicle raises; then somebody else
    has it, and the alarm of the moved vehicle stays with the staff.
    """
    since = trip.unlocked_late_at or at
    with transaction.atomic():
        waiting = Trip.objects.filter(pk=trip.pk, unlocked_late_at__isnull=False)
        if not waiting.update(unlocked_late_at=None):
            return trip
        vehicle = Vehicle.objects.with_condition().get(pk=trip.vehicle_id)
        reservation = claim_for_ride(user=trip.user, vehicle=vehicle, at=at, by=KEEPER)
        late = draft_trip(user=trip.user, reservation=reservation, at=at)
        # Asked for when it was asked for, so that no reserved minute is counted for our delay.
        late.requested_at = reservation.reserved_at
        late.state = TripState.STARTING
        late.flags = [TripFlag.UNLOCKED_LATE]
        late.commands = 1
        late.save(force_insert=True)
        mark_trip(
            hold_id=reservation.hold_id,
            mark=TripMark.STARTING,
            trip_ref=trip_ref(late),
            until=at + rules.HORIZON,
            at=at,
            by=KEEPER,
        )
        confirm_start(trip=late, at=max(since, trip.requested_at), late=True)
    log.info("bookings.trip_opened_late", trip=str(late.public_id))
    return late


def _was_anothers(trip: Trip, *, at: datetime.datetime) -> bool:
    """Whether anybody has had the vehicle since it unlocked, this person in a later start included."""
    had_since = Q(released_at=None) | Q(released_at__gt=trip.unlocked_late_at)
    holds = VehicleHold.objects.filter(
        had_since, vehicle=trip.vehicle_id, ahead=False, during__startswith__lte=at
    )
    return holds.exclude(pk=trip.reservation.hold_id).exists()


def _is_ridden(trip: Trip) -> bool:
    now = vehicle_fix(trip)
    since = trip.unlocked_late_at
    if now is None or since is None or now.at < since:
        return False
    if trip.start_lon is None or trip.start_lat is None:
        return False
    gone_m = haversine_m(trip.start_lon, trip.start_lat, now.lon, now.lat)
    return bool(gone_m - now.accuracy_m > RIDDEN_M)
